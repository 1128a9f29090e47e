//! Which service a request is for, and what it is called in counts and faults.

use std::borrow::Cow;

use crate::reply::{self, Call, Reply};
use crate::world::World;
use crate::{exchange, federation, feed, graph, identity, managed_identity, partner_center, vault};

/// A service: each has a port of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Login,
    Graph,
    PartnerCenter,
    Manage,
    AadGraph,
    Outlook,
    KeyVault,
    Imds,
    AppHost,
    AzureArc,
    MachineLearning,
    CloudShell,
    Fabric,
    /// An OpenID issuer that is not the identity platform.
    Issuer,
}

impl Service {
    /// The cloud's services in the order of their ports; a machine's own follow them.
    pub(crate) const ALL: [Service; 7] = [
        Service::Login,
        Service::Graph,
        Service::PartnerCenter,
        Service::Manage,
        Service::AadGraph,
        Service::Outlook,
        Service::KeyVault,
    ];

    /// The name that faults use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Service::Login => "login",
            Service::Graph => "graph",
            Service::PartnerCenter => "partnerCenter",
            Service::Manage => "manage",
            Service::AadGraph => "aadGraph",
            Service::Outlook => "outlook",
            Service::KeyVault => "keyVault",
            Service::Imds => "imds",
            Service::AppHost => "appService",
            Service::AzureArc => "azureArc",
            Service::MachineLearning => "machineLearning",
            Service::CloudShell => "cloudShell",
            Service::Fabric => "serviceFabric",
            Service::Issuer => "issuer",
        }
    }
}

/// What a request is, before it is served.
pub(crate) struct Label {
    /// Method and path with its variable parts named: `POST /{tenant}/oauth2/token`.
    pub(crate) route: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) grant: Option<String>,
}

/// Names a request.
pub(crate) fn label(world: &World, call: &Call) -> Label {
    let mut label = Label {
        route: String::new(),
        tenant_id: None,
        grant: None,
    };
    let template: Cow<'_, str> = match call.service {
        Service::Login => {
            let (tenant, rest) = call
                .path
                .trim_start_matches('/')
                .split_once('/')
                .unwrap_or((&call.path, ""));
            label.tenant_id = Some(
                world
                    .estate
                    .find(tenant)
                    .map_or_else(|| tenant.to_owned(), |found| found.id.clone()),
            );
            if call.method == http::Method::POST {
                label.grant = url::form_urlencoded::parse(&call.body)
                    .find(|(name, _)| name == "grant_type")
                    .map(|(_, value)| value.into_owned());
            }
            if tenant == "common" && rest.starts_with("discovery/instance") {
                Cow::Borrowed("/common/discovery/instance")
            } else {
                Cow::Owned(format!("/{{tenant}}/{rest}"))
            }
        }
        _ => {
            label.tenant_id = call
                .bearer()
                .and_then(|token| world.tokens.access(token))
                .map(|access| access.tenant_id.clone());
            match call.service {
                Service::KeyVault => Cow::Owned(vault::template(&call.path)),
                Service::Outlook => Cow::Owned(exchange::template(call)),
                _ => template(&call.path),
            }
        }
    };
    label.route = format!("{} {template}", call.method);
    label
}

/// A path with its GUIDs and content ids named.
fn template(path: &str) -> Cow<'_, str> {
    let mut named = String::with_capacity(path.len());
    let mut before = "";
    for part in path.split('/').skip(1) {
        named.push('/');
        named.push_str(match (before, part) {
            ("audit", _) => "{contentId}",
            ("messages", _) => "{message}",
            ("users", _) => "{user}",
            (_, part) if crate::random::is_guid(part) => "{tenant}",
            (_, part) => part,
        });
        before = part;
    }
    Cow::Owned(named)
}

/// Serves a request as its service would.
pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    match call.service {
        Service::Login => identity::serve(world, call),
        Service::Graph => graph::serve(world, call),
        Service::PartnerCenter => partner_center::serve(world, call),
        Service::Manage => feed::serve(world, call),
        Service::Outlook => exchange::serve(world, call),
        Service::KeyVault => vault::serve(world, call),
        Service::Issuer => federation::serve(world, call),
        Service::Imds
        | Service::AppHost
        | Service::AzureArc
        | Service::MachineLearning
        | Service::CloudShell
        | Service::Fabric => managed_identity::serve(world, call),
        // It is there to be connected to and retired: it serves nothing.
        Service::AadGraph => reply::reply(404, "text/plain", "There is nothing here.\r\n"),
    }
}
