//! What a tenant's directory says was consented to, of every API there is.
//!
//! Sources: Microsoft Graph reference, "List oauth2PermissionGrants" of a service principal (Directory.Read.All) and
//! "oAuth2PermissionGrant resource type": each is for one API, by the id of its service principal in the tenant; its `scope` is
//! separated by spaces, and its `consentType` is AllPrincipals or, for one user, Principal.

use super::{Api, Wanted};
use crate::application::Grant;
use crate::directory::Directory;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::graph::GraphApi;
use crate::http::{Reply, RequestSpec};
use crate::odata::{Collection, Pages};
use crate::token::TokenRequest;
use std::sync::Arc;
use url::Url;

/// What was consented to for all users. `question` is for Microsoft Graph in the tenant; its application is the one that is meant.
pub(crate) async fn listed(engine: &Arc<Engine>, question: &TokenRequest) -> Result<Vec<Wanted>> {
    let directory = Directory::open(engine, question.clone()).await?;
    let application = question.credential().application_id().to_ascii_lowercase();
    let mut own = directory.find(std::slice::from_ref(&application)).await;
    let principal = own.entities.remove(&application).and_then(|entity| entity.object_id);
    let Some(principal) = principal else {
        return own.trouble.map_or_else(|| Ok(Vec::new()), Err);
    };
    let grants = grants(engine, question, &principal).await?;
    let ids: Vec<String> = grants
        .iter()
        .map(|grant| grant.resource_id.to_ascii_lowercase())
        .collect();
    let apis = directory.find(&ids).await;
    let mut all = Vec::new();
    for (id, grant) in ids.iter().zip(&grants) {
        let scopes: Vec<String> = grant.names().map(str::to_owned).collect();
        match (
            apis.entities.get(id).and_then(|api| api.app_id.as_deref()),
            &apis.trouble,
        ) {
            (Some(api), _) if !scopes.is_empty() => all.push(Wanted {
                api: Api::find(question.environment(), api)?,
                scopes,
            }),
            (None, Some(trouble)) => return Err(trouble.clone()),
            // Nothing can be done with an API that the tenant no longer has.
            _ => {}
        }
    }
    Ok(all)
}

async fn grants(engine: &Arc<Engine>, question: &TokenRequest, principal: &str) -> Result<Vec<Grant>> {
    let api = GraphApi::new(Arc::clone(engine), question.clone())?;
    let first = api.address(
        &format!("v1.0/servicePrincipals/{principal}/oauth2PermissionGrants"),
        &[],
    )?;
    let mut pages = Pages::new(List(api), first);
    let mut grants = Vec::new();
    while let Some(page) = pages.next().await? {
        for item in page.items {
            let grant: Grant = serde_json::from_slice(&item).map_err(|_| {
                Error::new(Kind::Protocol, "an entry of the list of consents is none")
                    .for_tenant(question.tenant().as_str())
            })?;
            grants.push(grant);
        }
    }
    grants.retain(Grant::is_for_all);
    Ok(grants)
}

struct List(GraphApi);

impl Collection for List {
    fn engine(&self) -> &Engine {
        self.0.engine()
    }

    fn token(&self) -> &TokenRequest {
        self.0.token()
    }

    fn name(&self) -> String {
        "the list of consents".to_owned()
    }

    fn request(&self, url: &Url, _page: u32) -> Result<RequestSpec> {
        self.0.asked(RequestSpec::get(url.as_str())?)
    }

    fn refused(&self, reply: &Reply) -> Error {
        self.0.refused(reply, "list the consents", "Directory.Read.All")
    }

    fn is_repeatable(&self, _page: u32) -> bool {
        true
    }
}
