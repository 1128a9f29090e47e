//! What a directory holds of an application now.

use super::grants::{Assignment, Definition, Grant, Held, Identified, Principal};
use super::object::{Application, SELECT};
use super::permission::Permission;
use super::registrar::{quoted, Ask, Registrar};
use super::shown::shown;
use super::wanted::Wanted;
use crate::error::{Error, Kind, Result};
use serde::Deserialize;

/// The partner's group whose members had every customer's consent ("Call Microsoft Graph from a Cloud Solution Provider application").
pub(super) const ADMIN_AGENTS: &str = "AdminAgents";
const PRINCIPAL: &str = "id,appId,appRoles,oauth2PermissionScopes";

pub(crate) struct State {
    pub(crate) tenant_name: Option<String>,
    pub(crate) application: Option<Application>,
    pub(crate) principal: Option<Principal>,
    /// The service principals of the APIs that are asked for, as far as the tenant has them.
    pub(crate) apis: Vec<Principal>,
    /// What is asked for, as this tenant names it.
    pub(crate) permissions: Vec<Permission>,
    /// Where that is wanted.
    pub(crate) owns_itself: bool,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) grants: Vec<Grant>,
    /// The directory roles that are wanted.
    pub(crate) roles: Vec<Definition>,
    pub(crate) held: Vec<Held>,
    /// AdminAgents, where it is wanted, and whether the application is in it.
    pub(crate) agents: Option<(String, bool)>,
}

/// An id and a name that are two applications'.
#[cold]
fn other_name(found: &Application, name: &str) -> Error {
    Error::invalid(format!(
        "the application {} is called '{}' and not '{name}'",
        found.app_id,
        found.name()
    ))
    .advise("Give the id alone, or -NewName to call it so.")
}

impl State {
    pub(crate) async fn read(registrar: &Registrar, wanted: &Wanted) -> Result<State> {
        registrar.progress("reading the directory", None);
        let application = match (&wanted.application_id, &wanted.display_name) {
            (Some(id), name) => {
                let found = by_id(registrar, id).await?;
                let is_called = |name: &String| found.name().eq_ignore_ascii_case(name);
                // A second run finds the name that the first one gave.
                let is_known = |name| is_called(name) || wanted.new_name.as_ref().is_some_and(is_called);
                match name {
                    Some(name) if wanted.must_exist && !is_known(name) => return Err(other_name(&found, name)),
                    _ => Some(found),
                }
            }
            (None, Some(name)) => match by_name(registrar, name).await? {
                None if wanted.must_exist => return Err(no_such_name(registrar, name)),
                found => found,
            },
            (None, None) => return Err(Error::internal("an application without a name and an id")),
        };
        let mut ids: Vec<&str> = wanted.permissions.iter().map(|asked| asked.resource.as_str()).collect();
        ids.extend(application.as_ref().map(|application| application.app_id.as_str()));
        ids.sort_unstable();
        ids.dedup();
        let mut apis = principals(registrar, &ids, PRINCIPAL).await?;
        let is_own = |one: &Principal| {
            application
                .as_ref()
                .is_some_and(|own| one.app_id.eq_ignore_ascii_case(&own.app_id))
        };
        let own = apis.iter().position(is_own);
        let principal = own.map(|at| apis.swap_remove(at));
        let mut permissions = Vec::new();
        for asked in &wanted.permissions {
            let permission = asked.resolve(apis.iter().find(|api| api.app_id.eq_ignore_ascii_case(&asked.resource)))?;
            if !permissions.contains(&permission) {
                permissions.push(permission);
            }
        }
        let roles = roles(registrar, &wanted.roles).await?;
        let group = match wanted.preconsent {
            true => Some(agents(registrar).await?),
            false => None,
        };
        let mut state = State {
            tenant_name: tenant_name(registrar).await?,
            application,
            principal: None,
            apis,
            permissions,
            owns_itself: false,
            assignments: Vec::new(),
            grants: Vec::new(),
            roles,
            held: Vec::new(),
            agents: group.map(|group| (group, false)),
        };
        if let Some(principal) = principal {
            state.read_held(registrar, wanted, &principal.id).await?;
            state.principal = Some(principal);
        }
        Ok(state)
    }

    /// What the service principal holds already.
    async fn read_held(&mut self, registrar: &Registrar, wanted: &Wanted, id: &str) -> Result<()> {
        let home = format!("servicePrincipals/{id}");
        if let Some(application) = self.application.as_ref().filter(|_| wanted.self_update) {
            let path = format!("applications/{}/owners", application.id);
            let ask = Ask::application("list the application's owners");
            let owners: Vec<Identified> = registrar.all(&path, &[("$select", "id")], ask).await?;
            self.owns_itself = owners.iter().any(|one| one.id == id);
        }
        if wanted.admin_consent {
            let ask = Ask::application("list the application's permissions");
            self.assignments = registrar.all(&format!("{home}/appRoleAssignments"), &[], ask).await?;
            self.grants = registrar
                .all(&format!("{home}/oauth2PermissionGrants"), &[], ask)
                .await?;
        }
        if !wanted.roles.is_empty() {
            let filter = format!("principalId eq {}", quoted(id));
            let ask = Ask::privileged(
                "list the application's directory roles",
                "RoleManagement.ReadWrite.Directory",
            );
            let path = "roleManagement/directory/roleAssignments";
            self.held = registrar.all(path, &[("$filter", &filter)], ask).await?;
        }
        if let Some((group, is_member)) = &mut self.agents {
            let ask = Ask::application("list the application's groups");
            let groups: Vec<Identified> = registrar
                .all(&format!("{home}/memberOf"), &[("$select", "id")], ask)
                .await?;
            *is_member = groups.iter().any(|one| one.id == *group);
        }
        Ok(())
    }

    /// What it is called now, or will be.
    pub(crate) fn title<'a>(&'a self, wanted: &'a Wanted) -> &'a str {
        let own = self.application.as_ref().map(Application::name);
        own.or(wanted.display_name.as_deref()).unwrap_or_default()
    }

    pub(crate) fn api(&self, resource: &str) -> Option<&Principal> {
        self.apis.iter().find(|api| api.app_id.eq_ignore_ascii_case(resource))
    }
}

async fn by_name(registrar: &Registrar, name: &str) -> Result<Option<Application>> {
    let mut all = find(registrar, Some(&format!("displayName eq {}", quoted(name)))).await?;
    match all.len() {
        0 | 1 => Ok(all.pop()),
        many => {
            let ids: Vec<&str> = all.iter().map(|one| one.app_id.as_str()).collect();
            Err(Error::invalid(format!(
                "there are {many} applications of the name {}: {}",
                shown(name),
                ids.join(", ")
            ))
            .with_id("AmbiguousApplication")
            .for_tenant(registrar.tenant().as_str())
            .advise("Name one of them with -ApplicationId, or give another -DisplayName."))
        }
    }
}

#[cold]
fn no_such_name(registrar: &Registrar, name: &str) -> Error {
    let tenant = registrar.tenant();
    let message = format!(
        "no application of the name {} is registered in the tenant {tenant}",
        shown(name)
    );
    Error::new(Kind::NotFound, message)
        .for_tenant(tenant.as_str())
        .advise("Check the name with Get-SecureApp -All, and -TenantId. New-SecureApp registers an application.")
}

/// The application of that client id.
pub(crate) async fn by_id(registrar: &Registrar, id: &str) -> Result<Application> {
    let found = find(registrar, Some(&format!("appId eq {}", quoted(id)))).await?.pop();
    found.ok_or_else(|| {
        Error::new(Kind::NotFound, format!("no application {id} is registered in the tenant {}", registrar.tenant()))
            .for_tenant(registrar.tenant().as_str())
            .advise("Check the id with Get-SecureApp, and -TenantId: an application is registered in one tenant, and the others have its service principal only.")
    })
}

/// The applications that a filter lets through; all without one.
pub(crate) async fn find(registrar: &Registrar, filter: Option<&str>) -> Result<Vec<Application>> {
    let mut query = vec![("$select", SELECT)];
    query.extend(filter.map(|filter| ("$filter", filter)));
    registrar
        .all("applications", &query, Ask::application("list the applications"))
        .await
}

/// The service principals of these applications that the tenant has.
pub(crate) async fn principals(registrar: &Registrar, ids: &[&str], select: &str) -> Result<Vec<Principal>> {
    let mut all = Vec::new();
    // As many as `in` takes ("Use the $filter query parameter").
    for some in ids.chunks(15) {
        let list: Vec<String> = some.iter().map(|id| quoted(id)).collect();
        let filter = format!("appId in ({})", list.join(","));
        let query = [("$filter", filter.as_str()), ("$select", select)];
        let ask = Ask::application("list the service principals");
        all.extend(registrar.all::<Principal>("servicePrincipals", &query, ask).await?);
    }
    Ok(all)
}

async fn roles(registrar: &Registrar, names: &[String]) -> Result<Vec<Definition>> {
    let mut all: Vec<Definition> = Vec::new();
    for name in names {
        let filter = format!("displayName eq {}", quoted(name.trim()));
        let ask = Ask::privileged("list the directory roles", "RoleManagement.ReadWrite.Directory");
        let path = "roleManagement/directory/roleDefinitions";
        let found: Vec<Definition> = registrar.all(path, &[("$filter", &filter)], ask).await?;
        let Some(role) = found.into_iter().next() else {
            return Err(Error::invalid(format!("the directory has no role {}", shown(name.trim())))
                .for_tenant(registrar.tenant().as_str())
                .advise("Give -Role the name that the portal shows, for example 'Exchange Administrator', 'Security Reader' or 'Global Reader'."));
        };
        if !all.iter().any(|known| known.id == role.id) {
            all.push(role);
        }
    }
    Ok(all)
}

async fn agents(registrar: &Registrar) -> Result<String> {
    let filter = format!("displayName eq {}", quoted(ADMIN_AGENTS));
    let query = [("$filter", filter.as_str()), ("$select", "id,displayName")];
    let ask = Ask {
        action: "list the groups",
        permission: "GroupMember.ReadWrite.All",
        role: "the role Groups Administrator",
    };
    let groups: Vec<Identified> = registrar.all("groups", &query, ask).await?;
    match groups.into_iter().next() {
        Some(group) => Ok(group.id),
        None => Err(Error::new(Kind::NotFound, "the tenant has no group AdminAgents")
            .for_tenant(registrar.tenant().as_str())
            .advise(
                "Only a partner's own tenant has it: leave -ConfigurePreconsent out, or give -TenantId the partner's.",
            )),
    }
}

/// The tenant's display name. It is for people: without it everything else goes on.
async fn tenant_name(registrar: &Registrar) -> Result<Option<String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Organization {
        display_name: Option<String>,
    }
    let ask = Ask::application("read the tenant's name");
    let query = [("$select", "id,displayName")];
    match registrar.all::<Organization>("organization", &query, ask).await {
        Ok(found) => Ok(found.into_iter().next().and_then(|one| one.display_name)),
        Err(error) if error.kind() == Kind::Denied => Ok(None),
        Err(error) => Err(error),
    }
}
