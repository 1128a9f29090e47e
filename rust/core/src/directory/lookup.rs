//! Asking a tenant's directory, many ids at a time.
//!
//! Sources: Microsoft Graph reference, "directoryObject: getByIds" (1,000 ids; Directory.Read.All; ids that are nothing are left
//! out, and types that the caller may not read come without a name), "List servicePrincipals" (Application.Read.All) and
//! "Use the $filter query parameter" (`in` takes 15 values in the directory).

use super::Entity;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::graph::GraphApi;
use crate::http::{Reply, RequestSpec};
use crate::token::TokenRequest;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Ids that one request to getByIds takes.
pub(crate) const MOST_BY_ID: usize = 1000;
/// Values that `in` takes.
const MOST_IN_FILTER: usize = 15;
/// Requests of one tenant at a time.
const AT_ONCE: usize = 8;
const SELECTED: &str = "id,appId,displayName,servicePrincipalType,appOwnerOrganizationId";
/// The tenant that most of Microsoft's applications are registered in.
const MICROSOFT_SERVICES: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// One tenant's directory.
pub(crate) struct Directory {
    api: GraphApi,
}

/// What the directory knew.
pub(crate) struct Found {
    pub(crate) entities: HashMap<String, Entity>,
    /// Why the others are unknown.
    pub(crate) missing: String,
    /// What could not be asked at all.
    pub(crate) trouble: Option<Error>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Object>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    #[serde(rename = "@odata.type", default)]
    odata_type: Option<String>,
    id: String,
    #[serde(default)]
    app_id: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    user_principal_name: Option<String>,
    #[serde(default)]
    service_principal_type: Option<String>,
    #[serde(default)]
    app_owner_organization_id: Option<String>,
}

impl Directory {
    /// Signs in to a tenant; `token` is for its Microsoft Graph.
    pub(crate) async fn open(engine: &Arc<Engine>, token: TokenRequest) -> Result<Self> {
        let guid = engine.tokens().acquire(&token).await?.tenant().clone();
        let api = GraphApi::new(Arc::clone(engine), token.for_tenant(guid))?;
        Ok(Directory { api })
    }

    /// The tenant's GUID.
    pub(crate) fn tenant(&self) -> &str {
        self.api.tenant().as_str()
    }

    /// What these GUIDs (in lower case) stand for here: objects by their own ids, service principals also by the id of their
    /// application.
    pub(crate) async fn find(&self, ids: &[String]) -> Found {
        let mut found = Found {
            entities: HashMap::new(),
            missing: "no application, service principal or other object of this tenant has this id".to_owned(),
            trouble: None,
        };
        if let Some(own) = ids.iter().find(|id| *id == self.tenant()) {
            found.entities.insert(own.clone(), self.own());
        }
        let by_id = self.by_object_id(&rest(ids, &found)).await;
        let objects_unread = found.take(by_id);
        if objects_unread {
            // Application.Read.All is enough for service principals.
            let by_id = self.service_principals("id", &rest(ids, &found)).await;
            found.take(by_id);
        }
        let by_application = self.service_principals("appId", &rest(ids, &found)).await;
        found.take(by_application);
        if let Some(trouble) = &found.trouble {
            found.missing = trouble.told();
        }
        found
    }

    fn own(&self) -> Entity {
        Entity {
            kind: "Tenant".to_owned(),
            object_id: Some(self.tenant().to_owned()),
            source: "Directory",
            ..Entity::default()
        }
    }

    async fn by_object_id(&self, ids: &[String]) -> Result<Vec<(String, Entity)>> {
        let url = self.api.address("v1.0/directoryObjects/getByIds", &[])?;
        let mut entities = Vec::new();
        for some in ids.chunks(MOST_BY_ID) {
            let body = serde_json::json!({ "ids": some }).to_string();
            let spec = RequestSpec::post(url.as_str())?
                .json(Zeroizing::new(body.into_bytes()))
                .repeatable(true);
            let reply = self.api.send(spec).await?;
            for object in self
                .page(&reply, "look up directory objects", "Directory.Read.All")?
                .value
            {
                let id = object.id.to_ascii_lowercase();
                entities.push((id, object.into_entity()));
            }
        }
        Ok(entities)
    }

    /// Service principals by one of their ids.
    async fn service_principals(&self, field: &'static str, ids: &[String]) -> Result<Vec<(String, Entity)>> {
        let mut questions = Vec::new();
        for some in ids.chunks(MOST_IN_FILTER) {
            questions.push(self.some_service_principals(field, some.to_vec()));
        }
        let mut asked = stream::iter(questions).buffer_unordered(AT_ONCE);
        let mut entities = Vec::new();
        while let Some(objects) = asked.try_next().await? {
            for mut object in objects {
                object.odata_type.get_or_insert_with(|| "servicePrincipal".to_owned());
                let id = match field {
                    "appId" => object.app_id.clone().unwrap_or_default(),
                    _ => object.id.clone(),
                };
                entities.push((id.to_ascii_lowercase(), object.into_entity()));
            }
        }
        Ok(entities)
    }

    /// No more than one filter takes.
    async fn some_service_principals(&self, field: &'static str, ids: Vec<String>) -> Result<Vec<Object>> {
        let filter = format!("{field} in ('{}')", ids.join("','"));
        // An id has one service principal, so the first page has them all.
        let query = [("$filter", filter.as_str()), ("$select", SELECTED)];
        let url = self.api.address("v1.0/servicePrincipals", &query)?;
        let reply = self.api.send(RequestSpec::get(url.as_str())?).await?;
        let permissions = "Application.Read.All or Directory.Read.All";
        Ok(self.page(&reply, "look up service principals", permissions)?.value)
    }

    fn page(&self, reply: &Reply, action: &str, permissions: &str) -> Result<Page> {
        if !reply.is_success() {
            return Err(self.api.refused(reply, action, permissions));
        }
        reply.json()
    }
}

impl Found {
    /// Takes in what a question brought; true where it was refused for want of a permission.
    fn take(&mut self, answer: Result<Vec<(String, Entity)>>) -> bool {
        match answer {
            Ok(entities) => {
                self.entities.extend(entities);
                false
            }
            Err(error) => {
                let denied = error.kind() == Kind::Denied;
                // The last word is the one about what is left over.
                self.trouble = Some(error);
                denied
            }
        }
    }
}

impl Object {
    fn into_entity(self) -> Entity {
        let name = self.odata_type.as_deref().unwrap_or("directoryObject");
        let name = name.strip_prefix("#microsoft.graph.").unwrap_or(name);
        let is_service_principal = name == "servicePrincipal";
        let kind = match (is_service_principal, self.service_principal_type.as_deref()) {
            (true, Some("ManagedIdentity")) => "ManagedIdentity".to_owned(),
            _ => capitalized(name),
        };
        let owner = self.app_owner_organization_id;
        let description = match &self.user_principal_name {
            Some(name) => Some(name.clone()),
            None if self.display_name.is_none() => {
                Some("its name cannot be read with the permissions that the application has".to_owned())
            }
            None if owner.as_deref() == Some(MICROSOFT_SERVICES) => Some("registered by Microsoft".to_owned()),
            None => None,
        };
        Entity {
            kind,
            display_name: self.display_name,
            app_id: self.app_id.map(|id| id.to_ascii_lowercase()),
            object_id: Some(self.id.to_ascii_lowercase()),
            owner,
            description,
            source: "Directory",
        }
    }
}

/// Those of the ids that are still unknown.
fn rest(ids: &[String], found: &Found) -> Vec<String> {
    ids.iter()
        .filter(|id| !found.entities.contains_key(*id))
        .cloned()
        .collect()
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
