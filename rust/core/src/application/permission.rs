//! Permissions by name and id, and the sets of them that go together.
//!
//! Ids are those of every tenant ("Microsoft Graph permissions reference"; the service principals of the other APIs). Where the tenant
//! has the API's service principal, what that says counts.

use super::grants::Principal;
use super::shown::shown;
use crate::directory::first_party;
use crate::error::{Error, Result};
use crate::tenant;

/// Delegated, or the application's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Scope,
    Role,
}

impl Kind {
    /// As a registration writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Scope => "Scope",
            Kind::Role => "Role",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Kind::Scope => "delegated permission",
            Kind::Role => "application permission",
        }
    }
}

/// One that is known by both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    /// The API's application id.
    pub(crate) resource: String,
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) name: String,
}

/// One as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) resource: String,
    pub(crate) kind: Kind,
    id: Option<String>,
    name: Option<String>,
    /// Of a profile: its id holds where the tenant says nothing of it.
    is_certain: bool,
}

const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
const AAD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const MANAGEMENT: &str = "c5393580-f805-4401-95e8-94b7a6ef2fc2";
const PARTNER_CENTER: &str = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd";

type Entry = (&'static str, Kind, &'static str, &'static str);
use Kind::{Role, Scope};

/// What a partner's application takes: it acts for its user, and lists the customers by itself.
const PARTNER: &[Entry] = &[
    (
        PARTNER_CENTER,
        Scope,
        "1cebfa2a-fb4d-419e-b5f9-839b4383e05a",
        "user_impersonation",
    ),
    (GRAPH, Scope, "37f7f235-527c-4136-accd-4a02d197296e", "openid"),
    (GRAPH, Scope, "14dad69e-099b-42c9-810b-d002981feec1", "profile"),
    (GRAPH, Scope, "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "offline_access"),
    (GRAPH, Scope, "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "User.Read"),
    (
        GRAPH,
        Scope,
        "06da0dbc-49e2-44d2-8312-53f166ab848a",
        "Directory.Read.All",
    ),
    (
        GRAPH,
        Scope,
        "0c0064ea-477b-4130-82a5-4c2cc4ff68aa",
        "DelegatedAdminRelationship.Read.All",
    ),
    (
        GRAPH,
        Role,
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "Directory.Read.All",
    ),
];

/// Exchange Online's cmdlets, by the application itself and for its user.
const EXCHANGE_AUTOMATION: &[Entry] = &[
    (
        EXCHANGE,
        Role,
        "dc50a0fb-09a3-484d-be87-e023b12c6440",
        "Exchange.ManageAsApp",
    ),
    (
        EXCHANGE,
        Scope,
        "ab4f2b77-0b06-4fc1-a9de-02113fc2ab7c",
        "Exchange.Manage",
    ),
];

/// Audit logs from the Management Activity feed and from Graph.
const AUDIT: &[Entry] = &[
    (
        MANAGEMENT,
        Role,
        "594c1fb6-4f81-4475-ae41-0c394909246c",
        "ActivityFeed.Read",
    ),
    (
        MANAGEMENT,
        Scope,
        "594c1fb6-4f81-4475-ae41-0c394909246c",
        "ActivityFeed.Read",
    ),
    (GRAPH, Role, "b0afded3-3588-46d8-8b3d-9842eff778da", "AuditLog.Read.All"),
    (
        GRAPH,
        Scope,
        "e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20",
        "AuditLog.Read.All",
    ),
    (
        GRAPH,
        Role,
        "5e1e9171-754d-478c-812c-f1755a9a4c2d",
        "AuditLogsQuery.Read.All",
    ),
    (
        GRAPH,
        Scope,
        "1d9e7ac3-0eca-442c-82f9-e92625af6e6d",
        "AuditLogsQuery.Read.All",
    ),
];

/// Secure scores and security alerts.
const SECURITY_READER: &[Entry] = &[
    (
        GRAPH,
        Role,
        "bf394140-e372-4bf9-a898-299cfc7564e5",
        "SecurityEvents.Read.All",
    ),
    (
        GRAPH,
        Scope,
        "64733abd-851e-478a-bffb-e47a14b18235",
        "SecurityEvents.Read.All",
    ),
    (
        GRAPH,
        Role,
        "472e4a4d-bb4a-4026-98d1-0b0d74cb74a5",
        "SecurityAlert.Read.All",
    ),
    (
        GRAPH,
        Scope,
        "bc257fb8-46b4-4b15-8713-01e91bfbe4ea",
        "SecurityAlert.Read.All",
    ),
];

/// What guides of 2019 added for the API before Graph, which is retired.
const RETIRED: &[Entry] = &[
    (
        AAD_GRAPH,
        Role,
        "5778995a-e1bf-45b8-affa-663a9f3f4d04",
        "Directory.Read.All",
    ),
    (
        AAD_GRAPH,
        Scope,
        "a42657d6-7f20-40e3-b6f0-cee03008a62a",
        "Directory.AccessAsUser.All",
    ),
    (AAD_GRAPH, Scope, "311a71cc-e848-46a1-bdf8-97ff7156d8e6", "User.Read"),
];

/// The permissions of the profiles of these names, in any case, each once.
pub(crate) fn of_profiles(names: &[String], retired: bool) -> Result<Vec<Asked>> {
    let mut all: Vec<Asked> = Vec::new();
    let is_partner = |name: &String| name.eq_ignore_ascii_case("Partner");
    if retired && !names.iter().any(is_partner) {
        return Err(Error::invalid("the retired permissions belong to the profile Partner")
            .advise("Use -IncludeRetired with -Profile Partner, or leave it out: nothing needs them any more."));
    }
    for name in names {
        let entries = match name.to_ascii_lowercase().as_str() {
            "partner" => PARTNER,
            "exchangeautomation" => EXCHANGE_AUTOMATION,
            "audit" => AUDIT,
            "securityreader" => SECURITY_READER,
            _ => {
                return Err(Error::invalid(format!("there is no profile {}", shown(name)))
                    .advise("Use Partner, ExchangeAutomation, Audit or SecurityReader."))
            }
        };
        let retired = if retired && is_partner(name) { RETIRED } else { &[] };
        for (resource, kind, id, name) in entries.iter().chain(retired) {
            let asked = Asked {
                resource: (*resource).to_owned(),
                kind: *kind,
                id: Some((*id).to_owned()),
                name: Some((*name).to_owned()),
                is_certain: true,
            };
            if !all.contains(&asked) {
                all.push(asked);
            }
        }
    }
    Ok(all)
}

impl Asked {
    /// Reads `{resource application id} {Role|Scope} {id or name}`.
    pub(crate) fn parse(line: &str) -> Result<Self> {
        let unusable = || {
            Error::invalid("a required permission has no API, no type or no id")
                .advise("Give resourceAppId and, in resourceAccess, id and type (Role or Scope) of each, as the application's manifest has them.")
        };
        let mut parts = line.split_ascii_whitespace();
        let (Some(resource), Some(kind), Some(permission), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unusable());
        };
        if tenant::parse_guid(resource).is_none() {
            return Err(Error::invalid("the resourceAppId of a required permission is not a GUID")
                .advise("Give the API's application id, for example 00000003-0000-0000-c000-000000000000 for Microsoft Graph."));
        }
        let kind = match kind.to_ascii_lowercase().as_str() {
            "role" => Kind::Role,
            "scope" => Kind::Scope,
            _ => return Err(unusable()),
        };
        let is_id = tenant::parse_guid(permission).is_some();
        Ok(Asked {
            resource: resource.to_ascii_lowercase(),
            kind,
            id: is_id.then(|| permission.to_ascii_lowercase()),
            name: (!is_id).then(|| permission.to_owned()),
            is_certain: false,
        })
    }

    /// What it is in a tenant; `api` is the service principal of the API there.
    pub(crate) fn resolve(&self, api: Option<&Principal>) -> Result<Permission> {
        let found = |id: &str, name: &str| Permission {
            resource: self.resource.clone(),
            kind: self.kind,
            id: id.to_owned(),
            name: name.to_owned(),
        };
        let (id, name) = (self.id.as_deref(), self.name.as_deref());
        let offers = api.map(|api| api.offers(self.kind)).unwrap_or_default();
        let same = |own: &str, asked: Option<&str>| asked.is_some_and(|asked| asked.eq_ignore_ascii_case(own));
        if let Some(offer) = offers.iter().find(|offer| same(&offer.id, id)) {
            return Ok(found(&offer.id, offer.value.as_deref().or(name).unwrap_or(&offer.id)));
        }
        if let Some(offer) = offers
            .iter()
            .find(|offer| offer.value.as_deref().is_some_and(|own| same(own, name)))
        {
            return Ok(found(&offer.id, offer.value.as_deref().unwrap_or(&offer.id)));
        }
        match (id, name) {
            (Some(id), name) if self.is_certain || api.is_none() => {
                Ok(found(id, name.or(known_name(self)).unwrap_or(id)))
            }
            _ => Err(self.unknown(api)),
        }
    }

    #[cold]
    fn unknown(&self, api: Option<&Principal>) -> Error {
        let what = match (&self.id, &self.name) {
            (Some(id), _) => id.clone(),
            (None, name) => shown(name.as_deref().unwrap_or_default()),
        };
        let title = title(&self.resource);
        let error = Error::invalid(format!("{title} has no {} {what}", self.kind.title()));
        match api {
            Some(_) => error.advise("Check the name, and whether it is an application permission (Role) or a delegated one (Scope)."),
            None => error.advise(format!(
                "This tenant has no service principal of {title} that would tell: give the permission's id instead of its name."
            )),
        }
    }
}

/// The name of an id that one of the profiles has too.
fn known_name(asked: &Asked) -> Option<&'static str> {
    let id = asked.id.as_deref()?;
    [PARTNER, EXCHANGE_AUTOMATION, AUDIT, SECURITY_READER, RETIRED]
        .iter()
        .flat_map(|entries| entries.iter())
        .find(|entry| entry.0 == asked.resource && entry.1 == asked.kind && entry.2 == id)
        .map(|entry| entry.3)
}

/// An API as a person knows it.
pub(crate) fn title(resource: &str) -> String {
    match first_party::find(resource) {
        Some(known) => known.name.to_owned(),
        None => format!("the API {resource}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_joined_without_repetition_and_retired_ones_only_on_request() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let one = of_profiles(&names(&["Partner"]), false).unwrap();
        assert!(one.iter().all(|asked| asked.resource != AAD_GRAPH));
        assert_eq!(of_profiles(&names(&["partner", "PARTNER"]), false).unwrap(), one);
        let old = of_profiles(&names(&["Partner"]), true).unwrap();
        assert_eq!(old.iter().filter(|asked| asked.resource == AAD_GRAPH).count(), 3);
        assert!(of_profiles(&names(&["Audit"]), true).is_err());
        assert!(of_profiles(&names(&["Owner"]), false).is_err());
    }

    #[test]
    fn a_line_names_an_api_a_kind_and_a_permission() {
        let by_name = Asked::parse(&format!("{GRAPH} role Directory.Read.All")).unwrap();
        assert_eq!(
            (by_name.kind, by_name.name.as_deref()),
            (Kind::Role, Some("Directory.Read.All"))
        );
        assert!(by_name.resolve(None).is_err(), "nobody tells its id");
        let by_id = Asked::parse(&format!("{GRAPH} Scope 06DA0DBC-49E2-44D2-8312-53F166AB848A")).unwrap();
        assert_eq!(by_id.resolve(None).unwrap().name, "Directory.Read.All");
        for line in [
            "",
            GRAPH,
            "graph Role x",
            "00000003-0000-0000-c000-000000000000 Owner x",
            &format!("{GRAPH} Role x y"),
        ] {
            assert!(Asked::parse(line).is_err(), "{line}");
        }
    }
}
