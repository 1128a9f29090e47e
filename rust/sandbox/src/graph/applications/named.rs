//! The application that a request names: the one that the partner begins with, or one that was registered while the sandbox runs.

use std::sync::Arc;

use serde_json::{json, Map, Value};

use crate::access::Access;
use crate::application::Application;
use crate::keys::Keys;
use crate::random::Random;
use crate::registry::Registered;
use crate::world::World;

use super::super::manage::{administers, not_found};
use super::super::{error, GraphError};
use super::{owners, WRITING};

pub(super) enum Named<'a> {
    /// Its properties and permissions are those of the preset, and only its secrets and certificates can be changed.
    First(&'a Application),
    Registered(Arc<Registered>),
}

impl<'a> Named<'a> {
    /// The application that a partner's own tenant begins with, if this is that tenant and it has one.
    pub(super) fn first(world: &'a World, access: &Access) -> Option<Self> {
        let is_there = access.tenant_id == world.estate.partner.id && !world.application.is_absent();
        is_there.then_some(Named::First(&world.application))
    }

    pub(super) fn object_id(&self, world: &World) -> String {
        match self {
            Named::First(application) => Random::at(world.options.seed, &application.id, 5).guid(),
            Named::Registered(application) => application.object_id.clone(),
        }
    }

    /// What it proves itself with.
    pub(super) fn keys(&self) -> &Keys {
        match self {
            Named::First(application) => &application.keys,
            Named::Registered(application) => &application.keys,
        }
    }

    /// The service principals that own it.
    pub(super) fn owners(&self) -> Vec<String> {
        match self {
            Named::First(_) => Vec::new(),
            Named::Registered(application) => application.owners(),
        }
    }

    /// For a change of more than its keys.
    pub(super) fn registered(&self) -> Result<&Registered, GraphError> {
        match self {
            Named::Registered(application) => Ok(application),
            Named::First(_) => Err(error(
                403,
                "Authorization_RequestDenied",
                "Of the application that the sandbox begins with, only the secrets and certificates can be changed.",
            )),
        }
    }

    /// The whole object as Graph shows it.
    pub(super) fn shown(&self, world: &World) -> Map<String, Value> {
        let application = match self {
            Named::First(application) => application,
            Named::Registered(application) => return application.shown(world.clock.now()),
        };
        let whole = json!({
            "id": self.object_id(world),
            "appId": application.id,
            "displayName": application.display_name,
            "signInAudience": "AzureADMultipleOrgs",
            "tags": [],
            "keyCredentials": application.keys.shown(),
            "passwordCredentials": application.keys.shown_secrets(world.clock.now()),
        });
        whole.as_object().cloned().unwrap_or_default()
    }

    fn client_id(&self) -> &str {
        match self {
            Named::First(application) => &application.id,
            Named::Registered(application) => &application.id,
        }
    }
}

/// Finds an application of the caller's tenant by its object id, or by its client id in `(appId='..')`.
pub(super) fn find<'a>(world: &'a World, access: &Access, key: &str) -> Result<Named<'a>, GraphError> {
    let id = application_id(key);
    let registered = world.registry.of_tenant(&access.tenant_id);
    let mut all = Named::first(world, access)
        .into_iter()
        .chain(registered.into_iter().map(Named::Registered));
    let is_named = |one: &Named| match &id {
        Some(id) => one.client_id().eq_ignore_ascii_case(id),
        None => one.object_id(world).eq_ignore_ascii_case(key),
    };
    let missing = || not_found(id.as_deref().unwrap_or(key));
    let found = all.find(is_named).ok_or_else(missing)?;
    match world.registry.is_known(&found.object_id(world)) {
        true => Ok(found),
        false => Err(missing()),
    }
}

/// An application that the caller may change.
pub(super) fn changeable<'a>(world: &'a World, access: &Access, key: &str) -> Result<Named<'a>, GraphError> {
    administers(world, access, &WRITING)?;
    let application = find(world, access, key)?;
    owners::check(world, access, &application.owners())?;
    Ok(application)
}

/// The client id in `(appId='..')`.
fn application_id(key: &str) -> Option<String> {
    let key = key.to_ascii_lowercase();
    Some(key.strip_prefix("(appid='")?.strip_suffix("')")?.to_owned())
}
