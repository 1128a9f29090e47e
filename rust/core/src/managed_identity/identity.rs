//! Which of a machine's identities.

use crate::error::{Error, Result};
use crate::request::Request;
use crate::tenant;

/// The machine's own identity, or one that was assigned to it, by one of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    SystemAssigned,
    /// Its application (client) id.
    Client(String),
    /// The object id of its service principal.
    Object(String),
    /// Its Azure resource id.
    Resource(String),
}

impl Identity {
    pub(super) fn from_request(request: &Request) -> Result<Self> {
        let named = |field: &str| -> Result<Option<String>> {
            let text = request.opt_text(field)?.map(str::trim).filter(|text| !text.is_empty());
            Ok(text.map(str::to_owned))
        };
        let client = named("managedIdentityClientId")?;
        let object = named("managedIdentityObjectId")?;
        let resource = named("managedIdentityResourceId")?;
        match (client, object, resource) {
            (None, None, None) => Ok(Identity::SystemAssigned),
            (Some(id), None, None) => guid(&id, "client id").map(Identity::Client),
            (None, Some(id), None) => guid(&id, "object id").map(Identity::Object),
            (None, None, Some(id)) => resource_id(id).map(Identity::Resource),
            _ => Err(Error::invalid("the managed identity is named in more than one way")
                .advise("Give its client id, its object id or its resource id.")),
        }
    }

    /// The kind of name and the name.
    pub(super) fn key(&self) -> (&'static str, &str) {
        match self {
            Identity::SystemAssigned => ("system-assigned", ""),
            Identity::Client(id) => ("client id", id),
            Identity::Object(id) => ("object id", id),
            Identity::Resource(id) => ("resource id", id),
        }
    }

    /// What a person calls it.
    pub(crate) fn title(&self) -> String {
        match self.key() {
            (_, "") => "the system-assigned managed identity".to_owned(),
            (name, id) => format!("the managed identity with the {name} {id}"),
        }
    }

    /// Its application (client) id where that is how it is named.
    pub(crate) fn client_id(&self) -> Option<&str> {
        match self {
            Identity::Client(id) => Some(id),
            _ => None,
        }
    }
}

fn guid(text: &str, what: &str) -> Result<String> {
    let bare = text.trim_start_matches('{').trim_end_matches('}');
    if tenant::parse_guid(bare).is_some() {
        return Ok(bare.to_ascii_lowercase());
    }
    Err(Error::invalid(format!("the managed identity's {what} is not a GUID"))
        .advise("Copy it from the identity's overview page in the Azure portal."))
}

fn resource_id(text: String) -> Result<String> {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("/subscriptions/") && lower.contains("/providers/") && !text.contains(char::is_whitespace) {
        return Ok(text);
    }
    Err(Error::invalid("the managed identity's resource id does not begin with /subscriptions/").advise(
        "Give the whole id: /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>.",
    ))
}
