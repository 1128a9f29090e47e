//! The changes between what there is and what is wanted, in the order in which they can be made. The secret comes last, so that
//! nothing that fails before it makes one which nobody gets.

use super::change::{counted, Change};
use super::object::{Application, TAG};
use super::permission::{title, Kind, Permission};
use super::required;
use super::state::State;
use super::wanted::{audience, is_web, Proof, Wanted};
use serde_json::{json, Map, Value as Json};

pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
    /// What is as it should be.
    pub(crate) unchanged: Vec<String>,
}

impl Plan {
    /// `now` in milliseconds since 1970.
    pub(crate) fn make(wanted: &Wanted, state: &State, now: i64) -> Plan {
        let mut plan = Plan {
            changes: Vec::new(),
            unchanged: Vec::new(),
        };
        match &state.application {
            None => plan.changes.push(create(wanted, state)),
            Some(application) => plan.or_unchanged(update(wanted, state, application), "the application"),
        }
        if !wanted.must_exist || wanted.is_about_principal() {
            let principal = state.principal.is_none().then_some(Change::CreatePrincipal);
            plan.or_unchanged(principal, "the service principal");
        }
        if wanted.self_update {
            let change = (!state.owns_itself).then_some(Change::OwnItself);
            plan.or_unchanged(change, "the application's ownership of itself");
        }
        if wanted.admin_consent {
            plan.consent(state);
        }
        for role in &state.roles {
            let held = state.held.iter().any(|held| held.role_definition_id == role.id);
            let change = (!held).then(|| Change::AssignDirectoryRole {
                id: role.id.clone(),
                name: role.display_name.clone(),
            });
            plan.or_unchanged(change, &format!("the directory role {}", role.display_name));
        }
        if let Some((group, is_member)) = &state.agents {
            let change = (!is_member).then(|| Change::JoinAgents { group: group.clone() });
            plan.or_unchanged(change, "the membership in AdminAgents");
        }
        plan.prove(wanted, state, now);
        plan
    }

    fn or_unchanged(&mut self, change: Option<Change>, otherwise: &str) {
        match change {
            Some(change) => self.changes.push(change),
            None => self.unchanged.push(otherwise.to_owned()),
        }
    }

    /// What an administrator's consent in the portal does: application permissions, and delegated ones for all users.
    fn consent(&mut self, state: &State) {
        let mut apis: Vec<&str> = Vec::new();
        for permission in &state.permissions {
            if !apis.contains(&permission.resource.as_str()) {
                apis.push(&permission.resource);
            }
        }
        for resource in apis {
            let api = state.api(resource);
            if api.is_none() {
                self.changes.push(Change::CreateApi {
                    resource: resource.to_owned(),
                });
            }
            let own = state.permissions.iter().filter(|one| one.resource == resource);
            for permission in own.clone().filter(|one| one.kind == Kind::Role) {
                let is_held = state
                    .assignments
                    .iter()
                    .any(|held| Some(&held.resource_id) == api.map(|api| &api.id) && held.app_role_id == permission.id);
                let change = (!is_held).then(|| Change::AssignRole {
                    permission: permission.clone(),
                });
                let name = format!("the application permission {} of {}", permission.name, title(resource));
                self.or_unchanged(change, &name);
            }
            let scopes: Vec<&Permission> = own.filter(|one| one.kind == Kind::Scope).collect();
            if scopes.is_empty() {
                continue;
            }
            let there = state
                .grants
                .iter()
                .find(|grant| grant.is_for_all() && Some(&grant.resource_id) == api.map(|api| &api.id));
            let missing: Vec<String> = scopes
                .iter()
                .filter(|scope| !there.is_some_and(|grant| grant.has(&scope.name)))
                .map(|scope| scope.name.clone())
                .collect();
            let change = (!missing.is_empty()).then(|| Change::Consent {
                resource: resource.to_owned(),
                names: missing,
                there: there.map(|grant| (grant.id.clone(), grant.names().map(str::to_owned).collect())),
            });
            self.or_unchanged(
                change,
                &format!("the consent to delegated permissions of {}", title(resource)),
            );
        }
    }

    fn prove(&mut self, wanted: &Wanted, state: &State, now: i64) {
        let application = state.application.as_ref();
        match &wanted.proof {
            None => {}
            Some(Proof::Secret { days }) => {
                let there =
                    application.is_some_and(|one| one.password_credentials.iter().any(|secret| secret.is_ours(now)));
                let change = (!there).then_some(Change::AddSecret { days: *days });
                self.or_unchanged(change, "the client secret");
            }
            Some(Proof::Certificate(credential)) => {
                // INVARIANT: what is no certificate's credential was refused when the request was read.
                let Some(certificate) = credential.certificate() else {
                    return;
                };
                let there = application.is_some_and(|one| one.key_credentials.iter().any(|key| key.is_of(certificate)));
                let subject = certificate.subject();
                let change = (!there).then(|| Change::AddCertificate {
                    line: format!("Add the certificate {subject}"),
                });
                self.or_unchanged(change, &format!("the certificate {subject}"));
            }
        }
    }
}

fn create(wanted: &Wanted, state: &State) -> Change {
    let (web, native) = split(&wanted.redirect_uris);
    let all: Vec<&Permission> = state.permissions.iter().collect();
    let single_tenant = wanted.single_tenant == Some(true);
    let body = json!({
        "displayName": wanted.display_name,
        "signInAudience": audience(single_tenant),
        "tags": [TAG],
        "web": {"redirectUris": web},
        "publicClient": {"redirectUris": native},
        "requiredResourceAccess": required::with(&[], &state.permissions),
    });
    let urls = match wanted.redirect_uris.join(", ") {
        none if none.is_empty() => "no reply URL".to_owned(),
        urls => format!("the reply URLs {urls}"),
    };
    let line = format!(
        "Create the application for {}, with {urls} and {}",
        organizations(single_tenant),
        counted(&all)
    );
    Change::CreateApplication { body, line }
}

/// What is there beside what is wanted stays.
fn update(wanted: &Wanted, state: &State, application: &Application) -> Option<Change> {
    let mut body = Map::new();
    let mut told = Vec::new();
    if let Some(name) = wanted
        .new_name
        .as_deref()
        .filter(|name| application.display_name.as_deref() != Some(name))
    {
        body.insert("displayName".to_owned(), name.into());
        told.push(format!("the name '{name}'"));
    }
    let is_single = application.sign_in_audience.as_deref() == Some(audience(true));
    if let Some(single_tenant) = wanted.single_tenant.filter(|single_tenant| is_single != *single_tenant) {
        body.insert("signInAudience".to_owned(), audience(single_tenant).into());
        told.push(organizations(single_tenant).to_owned());
    }
    let (web, native) = split(&wanted.redirect_uris);
    let places = [
        ("web", &application.web.redirect_uris, web),
        ("publicClient", &application.public_client.redirect_uris, native),
    ];
    for (platform, there, uris) in places {
        let new: Vec<&String> = uris.iter().filter(|uri| !there.contains(uri)).collect();
        if !new.is_empty() {
            let all: Vec<&String> = there.iter().chain(new.iter().copied()).collect();
            body.insert(platform.to_owned(), json!({ "redirectUris": all }));
            told.extend(new.iter().map(|uri| format!("the reply URL {uri}")));
        }
    }
    let there = &application.required_resource_access;
    let missing: Vec<&Permission> = state
        .permissions
        .iter()
        .filter(|one| !required::asks(there, one))
        .collect();
    if !missing.is_empty() {
        let all = required::with(there, &state.permissions);
        body.insert("requiredResourceAccess".to_owned(), json!(all));
        told.push(counted(&missing));
    }
    let line = format!("Change the application: {}", told.join(", "));
    (!body.is_empty()).then_some(Change::UpdateApplication {
        body: Json::Object(body),
        line,
    })
}

fn organizations(single_tenant: bool) -> &'static str {
    match single_tenant {
        true => "this organization alone",
        false => "several organizations",
    }
}

fn split(uris: &[String]) -> (Vec<String>, Vec<String>) {
    uris.iter().cloned().partition(|uri| is_web(uri))
}
