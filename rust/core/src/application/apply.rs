//! Making changes, each told and each by itself: what fails leaves those that do not depend on it.

use super::change::Change;
use super::grants::Principal;
use super::object::{Application, Key, Object, SECRET_NAME};
use super::permission::Permission;
use super::registrar::{is_there_already, Ask, Registrar};
use super::state::State;
use crate::certificate::Certificate;
use crate::environment::Service;
use crate::error::{Error, Kind, Result};
use crate::export::time::iso;
use crate::secret::Secret;
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{json, Value as Json};

const DAY_MS: i64 = 86_400_000;
/// How often a new secret that is said not to be there is asked to be removed, after waits that double.
const REMOVALS: u32 = 3;

/// What there is by now, and what was made.
pub(crate) struct Applied {
    pub(crate) object_id: Option<String>,
    pub(crate) application_id: Option<String>,
    pub(crate) principal_id: Option<String>,
    /// The service principals of the APIs: application id and object id.
    apis: Vec<(String, String)>,
    /// Some of the service may not know the application yet ..
    has_new_application: bool,
    /// .. or one of the service principals, its own or an API's.
    has_new_principal: bool,
    pub(crate) secret: Option<NewSecret>,
    /// A certificate was added.
    pub(crate) has_new_certificate: bool,
    pub(crate) created: Vec<String>,
    pub(crate) changed: Vec<String>,
}

/// A secret that was just made: nobody can read it again.
pub(crate) struct NewSecret {
    pub(crate) key_id: String,
    pub(crate) value: Secret,
    /// Milliseconds since 1970.
    pub(crate) ends: i64,
}

impl Applied {
    /// `now` in milliseconds since 1970.
    pub(crate) fn new(state: &State, now: i64) -> Self {
        let application = state.application.as_ref();
        let is_new = application.is_some_and(|one| one.is_new(now));
        Applied {
            object_id: application.map(|one| one.id.clone()),
            application_id: application.map(|one| one.app_id.clone()),
            principal_id: state.principal.as_ref().map(|one| one.id.clone()),
            apis: state
                .apis
                .iter()
                .map(|api| (api.app_id.clone(), api.id.clone()))
                .collect(),
            has_new_application: is_new,
            has_new_principal: is_new,
            secret: None,
            has_new_certificate: false,
            created: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// Makes one change. None: what it belongs to is not there, because it was not made before.
    pub(crate) async fn apply(
        &mut self,
        registrar: &Registrar,
        change: &Change,
        certificate: Option<&Certificate>,
    ) -> Option<Result<()>> {
        if !self.can(change) {
            return None;
        }
        Some(self.make(registrar, change, certificate).await.map(|()| {
            let told = match change.is_update() {
                true => &mut self.changed,
                false => &mut self.created,
            };
            told.push(change.line());
        }))
    }

    fn can(&self, change: &Change) -> bool {
        match change {
            Change::CreateApplication { .. } | Change::CreateApi { .. } => true,
            Change::UpdateApplication { .. }
            | Change::CreatePrincipal
            | Change::AddCertificate { .. }
            | Change::AddSecret { .. } => self.object_id.is_some(),
            Change::AssignRole { permission } => {
                self.principal_id.is_some() && self.api(&permission.resource).is_some()
            }
            Change::Consent { resource, .. } => self.principal_id.is_some() && self.api(resource).is_some(),
            Change::OwnItself => self.principal_id.is_some() && self.object_id.is_some(),
            Change::AssignDirectoryRole { .. } | Change::JoinAgents { .. } => self.principal_id.is_some(),
        }
    }

    fn api(&self, resource: &str) -> Option<&str> {
        let found = self.apis.iter().find(|(id, _)| id.eq_ignore_ascii_case(resource));
        found.map(|(_, id)| id.as_str())
    }

    async fn make(&mut self, registrar: &Registrar, change: &Change, certificate: Option<&Certificate>) -> Result<()> {
        // `can` has seen to it that what is needed is there.
        let object = self.object_id.clone().unwrap_or_default();
        let principal = self.principal_id.clone().unwrap_or_default();
        let is_new = self.has_new_application;
        let any_new = is_new || self.has_new_principal;
        let application = Object { id: &object, is_new };
        match change {
            Change::CreateApplication { body, .. } => {
                let ask = Ask::application("create the application");
                let reply = registrar.change(Method::POST, "applications", Some(body), ask).await?;
                let made: Application = reply.json()?;
                self.object_id = Some(made.id);
                self.application_id = Some(made.app_id);
                self.has_new_application = true;
            }
            Change::UpdateApplication { body, .. } => {
                let ask = Ask::application("change the application");
                let path = format!("applications/{object}");
                registrar.change(Method::PATCH, &path, Some(body), ask).await?;
            }
            Change::CreatePrincipal => {
                let id = self.application_id.clone().unwrap_or_default();
                self.principal_id = Some(new_principal(registrar, &id, "the application", is_new).await?.id);
                self.has_new_principal = true;
            }
            Change::CreateApi { resource } => {
                // Its application is somebody else's, and there for long.
                let made = new_principal(registrar, resource, "the API", false).await?;
                self.apis.push((made.app_id, made.id));
                self.has_new_principal = true;
            }
            Change::AssignRole { permission } => {
                let api = self.api(&permission.resource).unwrap_or_default().to_owned();
                assign_role(registrar, permission, &principal, &api, any_new).await?;
            }
            Change::Consent { resource, names, there } => {
                let api = self.api(resource).unwrap_or_default().to_owned();
                consent(registrar, &principal, &api, names, there.as_ref(), any_new).await?;
            }
            Change::AssignDirectoryRole { id, .. } => {
                let body = json!({"roleDefinitionId": id, "principalId": principal, "directoryScopeId": "/"});
                let ask = Ask::privileged("assign the directory role", "RoleManagement.ReadWrite.Directory");
                let path = "roleManagement/directory/roleAssignments";
                post(registrar, path, &body, ask, any_new).await?;
            }
            Change::JoinAgents { group } => {
                let body = reference(registrar, &principal);
                let ask = Ask {
                    action: "add the service principal to AdminAgents",
                    permission: "GroupMember.ReadWrite.All together with Application.ReadWrite.All",
                    role: "the role Groups Administrator",
                };
                post(registrar, &format!("groups/{group}/members/$ref"), &body, ask, any_new).await?;
            }
            Change::OwnItself => {
                let body = reference(registrar, &principal);
                let ask = Ask::application("make the application an owner of itself");
                let path = format!("applications/{object}/owners/$ref");
                post(registrar, &path, &body, ask, any_new).await?;
            }
            Change::AddCertificate { .. } => {
                let certificate = certificate.ok_or_else(|| Error::internal("there is no certificate to add"))?;
                add_certificate(registrar, application, certificate).await?;
                self.has_new_certificate = true;
            }
            Change::AddSecret { days } => {
                self.secret = Some(add_secret(registrar, application, *days, SECRET_NAME).await?);
            }
        }
        Ok(())
    }
}

/// How a request names an object of the directory.
fn reference(registrar: &Registrar, id: &str) -> Json {
    let endpoint = registrar.environment().resource(Service::Graph).trim_end_matches('/');
    json!({"@odata.id": format!("{endpoint}/v1.0/directoryObjects/{id}")})
}

/// Something that refers to objects, some of which may be new. Where it is there by now, that is as well.
async fn post(registrar: &Registrar, path: &str, body: &Json, ask: Ask<'_>, is_new: bool) -> Result<()> {
    let done = registrar
        .once_known("the new service principal", is_new, || {
            registrar.change(Method::POST, path, Some(body), ask)
        })
        .await;
    match done {
        Err(error) if !is_there_already(&error) => Err(error),
        _ => Ok(()),
    }
}

async fn new_principal(registrar: &Registrar, application_id: &str, of: &str, is_new: bool) -> Result<Principal> {
    let action = format!("create the service principal of {of}");
    let body = json!({ "appId": application_id });
    let reply = registrar
        .once_known("the new application", is_new, || {
            registrar.change(
                Method::POST,
                "servicePrincipals",
                Some(&body),
                Ask::application(&action),
            )
        })
        .await?;
    reply.json()
}

async fn assign_role(
    registrar: &Registrar,
    permission: &Permission,
    principal: &str,
    api: &str,
    is_new: bool,
) -> Result<()> {
    let body = json!({"principalId": principal, "resourceId": api, "appRoleId": permission.id});
    let action = format!("grant the application permission {}", permission.name);
    let ask = Ask::privileged(&action, "AppRoleAssignment.ReadWrite.All");
    post(
        registrar,
        &format!("servicePrincipals/{api}/appRoleAssignedTo"),
        &body,
        ask,
        is_new,
    )
    .await
}

async fn consent(
    registrar: &Registrar,
    principal: &str,
    api: &str,
    names: &[String],
    there: Option<&(String, Vec<String>)>,
    is_new: bool,
) -> Result<()> {
    let ask = Ask::privileged(
        "consent to the delegated permissions",
        "DelegatedPermissionGrant.ReadWrite.All",
    );
    if let Some((id, old)) = there {
        let all: Vec<&str> = old.iter().chain(names).map(String::as_str).collect();
        let body = json!({ "scope": all.join(" ") });
        let path = format!("oauth2PermissionGrants/{id}");
        return registrar.change(Method::PATCH, &path, Some(&body), ask).await.map(drop);
    }
    let body = json!({
        "clientId": principal,
        "consentType": "AllPrincipals",
        "resourceId": api,
        "scope": names.join(" "),
    });
    post(registrar, "oauth2PermissionGrants", &body, ask, is_new).await
}

/// Makes a secret. The name is what it is known by in the next run.
pub(super) async fn add_secret(registrar: &Registrar, object: Object<'_>, days: i64, name: &str) -> Result<NewSecret> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        key_id: String,
        secret_text: String,
    }
    let ends = registrar
        .engine()
        .clock()
        .now_ms()
        .saturating_add(days.saturating_mul(DAY_MS));
    let body = json!({"passwordCredential": {"displayName": name, "endDateTime": iso(ends)}});
    let path = format!("applications/{}/addPassword", object.id);
    let ask = Ask::application("add a client secret");
    let reply = registrar
        .once_known("the new application", object.is_new, || {
            registrar.change(Method::POST, &path, Some(&body), ask)
        })
        .await
        .map_err(or_policy)?;
    let made: Made = reply.json()?;
    Ok(NewSecret {
        key_id: made.key_id,
        value: Secret::new(made.secret_text),
        ends,
    })
}

/// A refusal of a secret may come from a policy ("tenantAppManagementPolicy resource type").
#[cold]
fn or_policy(error: Error) -> Error {
    match error.service().map(|service| service.http_status) {
        Some(400 | 403) => {
            let policy = "Policies of the tenant may also forbid secrets or shorten their life.";
            let advice = format!("{} {policy}", error.advice());
            error.advise(advice)
        }
        _ => error,
    }
}

/// Adds a certificate to those that are there. All of them are written at once, so those have to be read with their bytes.
pub(super) async fn add_certificate(
    registrar: &Registrar,
    object: Object<'_>,
    certificate: &Certificate,
) -> Result<()> {
    let keys = read_keys(registrar, object).await?;
    let mut all: Vec<Json> = keys.iter().map(|key| json!(key)).collect();
    all.push(json!({
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "displayName": certificate.subject(),
        "key": STANDARD.encode(certificate.der()),
    }));
    write_keys(registrar, object.id, &all).await
}

/// Takes a certificate away; one that is not there any more is as well. The others are written again as they were read, so nothing
/// is written while `kept`, which was added a moment ago, is not among them.
pub(super) async fn remove_certificate(
    registrar: &Registrar,
    object: Object<'_>,
    key_id: &str,
    kept: Option<&Certificate>,
) -> Result<()> {
    let keys = read_keys(registrar, object).await?;
    if kept.is_some_and(|kept| !keys.iter().any(|key| key.is_of(kept))) {
        return Err(unseen());
    }
    let left: Vec<Json> = keys
        .iter()
        .filter(|key| key.key_id != key_id)
        .map(|key| json!(key))
        .collect();
    match left.len() < keys.len() {
        true => write_keys(registrar, object.id, &left).await,
        false => Ok(()),
    }
}

/// The new certificate is not in what the directory answers.
const UNSEEN: &str = "CertificateUnseen";

#[cold]
pub(super) fn unseen() -> Error {
    Error::new(Kind::Protocol, "the directory does not show the new certificate yet")
        .with_id(UNSEEN)
        .advise("Try again in a few minutes.")
}

pub(super) fn is_unseen(error: &Error) -> bool {
    error.id() == UNSEEN
}

/// The id of a certificate's entry, where the directory shows it.
pub(super) async fn key_id_of(
    registrar: &Registrar,
    object: Object<'_>,
    certificate: &Certificate,
) -> Result<Option<String>> {
    let keys = read_keys(registrar, object).await?;
    Ok(keys
        .into_iter()
        .find(|key| key.is_of(certificate))
        .map(|key| key.key_id))
}

/// Takes a secret away; one that is not there any more is as well.
pub(super) async fn remove_secret(registrar: &Registrar, object: &str, key_id: &str) -> Result<()> {
    match try_remove_secret(registrar, object, key_id).await {
        Err(error) if !is_gone(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Takes a secret away that was made a moment ago: a node that does not know it yet says that there is none.
pub(crate) async fn remove_new_secret(registrar: &Registrar, object: &str, key_id: &str) -> Result<()> {
    let mut wait = registrar.engine().first_wait();
    for _ in 0..REMOVALS {
        match try_remove_secret(registrar, object, key_id).await {
            Err(error) if is_gone(&error) => tokio::time::sleep(wait).await,
            done => return done,
        }
        wait *= 2;
    }
    remove_secret(registrar, object, key_id).await
}

async fn try_remove_secret(registrar: &Registrar, object: &str, key_id: &str) -> Result<()> {
    let path = format!("applications/{object}/removePassword");
    let body = json!({ "keyId": key_id });
    let ask = Ask::application("remove the client secret");
    registrar.change(Method::POST, &path, Some(&body), ask).await.map(drop)
}

/// "No password credential found with keyId '..'."
fn is_gone(error: &Error) -> bool {
    error.service().is_some_and(|service| {
        matches!(service.http_status, 400 | 404)
            && service
                .description
                .to_ascii_lowercase()
                .contains("no password credential found")
    })
}

async fn read_keys(registrar: &Registrar, object: Object<'_>) -> Result<Vec<Key>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Keys {
        #[serde(default)]
        key_credentials: Vec<Key>,
    }
    let path = format!("applications/{}", object.id);
    let query = [("$select", "keyCredentials")];
    let keys: Keys = registrar
        .once_known("the new application", object.is_new, || {
            registrar.get(&path, &query, Ask::application("read the application's certificates"))
        })
        .await?;
    Ok(keys.key_credentials)
}

async fn write_keys(registrar: &Registrar, object: &str, keys: &[Json]) -> Result<()> {
    let body = json!({ "keyCredentials": keys });
    let path = format!("applications/{object}");
    let ask = Ask::application("change the application's certificates");
    registrar.change(Method::PATCH, &path, Some(&body), ask).await.map(drop)
}
