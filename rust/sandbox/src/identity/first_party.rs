//! Microsoft's own clients that scripts borrow: public ones, which prove nothing and are consented to beforehand in every
//! tenant.

use crate::resource::Resource;

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

/// The client of `Connect-MgGraph` ("Microsoft Graph Command Line Tools"). Administrators have consented to what registering
/// applications takes.
const GRAPH_TOOLS: FirstParty = FirstParty {
    id: "14d82eec-204b-4c2f-b7e8-296a70dab67e",
    name: "Microsoft Graph Command Line Tools",
    resource: Resource::Graph,
    scopes: &[
        "Application.Read.All",
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.Read.All",
        "GroupMember.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
        "User.Read",
        "email",
        "offline_access",
        "openid",
        "profile",
    ],
};

/// Where a public client of a program waits for its answer; the port does not count.
pub(super) const REDIRECT_URI: &str = "http://localhost";

/// One of them, with the only API that it is for.
pub(super) struct FirstParty {
    id: &'static str,
    pub(super) name: &'static str,
    resource: Resource,
    scopes: &'static [&'static str],
}

pub(super) fn find(client_id: &str) -> Option<&'static FirstParty> {
    [&EXCHANGE_ONLINE, &GRAPH_TOOLS]
        .into_iter()
        .find(|client| client_id.eq_ignore_ascii_case(client.id))
}

impl FirstParty {
    /// The delegated permissions that it has on an API; None where it has none.
    pub(super) fn scopes(&self, resource: Resource) -> Option<&'static [&'static str]> {
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
