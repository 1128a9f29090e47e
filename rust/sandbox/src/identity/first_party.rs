//! Microsoft's own clients that scripts borrow: public ones, which prove nothing and are consented to beforehand in every
//! tenant.

use crate::consent;
use crate::estate::Tenant;
use crate::resource::Resource;
use crate::world::World;

use super::checks::ProvedBy;
use super::error::Refusal;
use super::grant::Client;

/// The client of the first Exchange Online module for modern authentication ("Legacy Exchange Online"), which the
/// PartnerCenter module uses for `-Module ExchangeOnline`. The permissions in its tokens are those that published tokens show.
const EXCHANGE_ONLINE: FirstParty = FirstParty {
    id: "a0c73c16-a7e3-4564-9a95-2bdf47383716",
    name: "Legacy Exchange Online",
    resource: Resource::Outlook,
    scopes: &[
        "AdminApi.AccessAsUser.All",
        "FfoPowerShell.AccessAsUser.All",
        "RemotePowerShell.AccessAsUser.All",
    ],
};

/// One of them, with the only API that it is for.
pub(super) struct FirstParty {
    id: &'static str,
    pub(super) name: &'static str,
    resource: Resource,
    scopes: &'static [&'static str],
}

pub(super) fn find(client_id: &str) -> Option<&'static FirstParty> {
    client_id
        .eq_ignore_ascii_case(EXCHANGE_ONLINE.id)
        .then_some(&EXCHANGE_ONLINE)
}

/// The delegated permissions that a client has on an API; None where it has none.
pub(super) fn scopes(world: &World, client_id: &str, resource: Resource) -> Option<Vec<&'static str>> {
    match find(client_id) {
        Some(client) => client.scopes(resource).map(<[_]>::to_vec),
        None => world.application.scopes(resource),
    }
}

/// The delegated permissions that a client gets in a tenant. Microsoft's own need nobody's consent.
pub(super) fn granted(
    world: &World,
    client_id: &str,
    tenant: &Tenant,
    resource: Resource,
) -> Option<Vec<&'static str>> {
    match find(client_id) {
        Some(client) => client.scopes(resource).map(<[_]>::to_vec),
        None => consent::seen(world, tenant, resource),
    }
}

impl FirstParty {
    fn scopes(&self, resource: Resource) -> Option<&'static [&'static str]> {
        (resource == self.resource).then_some(self.scopes)
    }

    /// A public client must not show a secret or an assertion.
    pub(super) fn authenticate(&self, client: &Client) -> Result<ProvedBy, Refusal> {
        if client.secret.is_none() && client.assertion.is_none() {
            return Ok(ProvedBy::Nothing);
        }
        Err(Refusal::new(
            700025,
            "invalid_client",
            "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        ))
    }
}
