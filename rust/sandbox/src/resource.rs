//! The APIs that a token can be asked for.
//!
//! Names and application ids are those of the public cloud (Microsoft Entra documentation, "First-party Microsoft
//! application IDs", and each API's own authentication page), so that a script asks for what it always asked for. The
//! sandbox's own addresses are accepted as names too.

use crate::facts::Endpoints;

/// An API known to the identity platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    Graph,
    AadGraph,
    PartnerCenter,
    Manage,
    Outlook,
    Azure,
    KeyVault,
    /// Security & Compliance PowerShell.
    Compliance,
    /// The Skype and Teams Tenant Admin API.
    Teams,
    /// Every site of SharePoint Online: its tokens are asked for by the site's host.
    SharePoint,
    /// Known in every tenant, and nothing of it is ever consented to here.
    Storage,
    /// The partner's own application as an API: the only one here whose access tokens are version 2.
    Own,
}

pub(crate) const GRAPH: &str = "https://graph.microsoft.com";

/// How the hosts of SharePoint's sites end.
const SITES: &str = ".sharepoint.com";

impl Resource {
    /// All but [`Resource::Own`].
    pub(crate) const KNOWN: [Resource; 11] = [
        Resource::Graph,
        Resource::AadGraph,
        Resource::PartnerCenter,
        Resource::Manage,
        Resource::Outlook,
        Resource::Azure,
        Resource::KeyVault,
        Resource::Compliance,
        Resource::Teams,
        Resource::SharePoint,
        Resource::Storage,
    ];

    /// The API's application id (empty for [`Resource::Own`], which has the asking application's).
    pub(crate) fn application_id(self) -> &'static str {
        match self {
            Resource::Graph => "00000003-0000-0000-c000-000000000000",
            Resource::AadGraph => "00000002-0000-0000-c000-000000000000",
            Resource::PartnerCenter => "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd",
            Resource::Manage => "c5393580-f805-4401-95e8-94b7a6ef2fc2",
            Resource::Outlook => "00000002-0000-0ff1-ce00-000000000000",
            Resource::Azure => "797f4846-ba00-4fd7-ba43-dac1f8f63013",
            Resource::KeyVault => "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
            Resource::Compliance => "00000007-0000-0ff1-ce00-000000000000",
            Resource::Teams => "48ac35b8-9aa8-4d74-927d-1f4a14a0b239",
            Resource::SharePoint => "00000003-0000-0ff1-ce00-000000000000",
            Resource::Storage => "e406a681-f3d4-42a8-90b6-c2b029497af1",
            Resource::Own => "",
        }
    }

    /// The display name of its service principal.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Resource::Graph => "Microsoft Graph",
            Resource::AadGraph => "Windows Azure Active Directory",
            Resource::PartnerCenter => "Microsoft Partner Center",
            Resource::Manage => "Office 365 Management APIs",
            Resource::Outlook => "Office 365 Exchange Online",
            Resource::Azure => "Windows Azure Service Management API",
            Resource::KeyVault => "Azure Key Vault",
            Resource::Compliance => "Microsoft Exchange Online Protection",
            Resource::Teams => "Skype and Teams Tenant Admin API",
            Resource::SharePoint => "Office 365 SharePoint Online",
            Resource::Storage => "Azure Storage",
            Resource::Own => "",
        }
    }

    /// The names that a client may use, the usual one first.
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Resource::Graph => &[GRAPH],
            Resource::AadGraph => &["https://graph.windows.net"],
            Resource::PartnerCenter => &["https://api.partnercenter.microsoft.com"],
            Resource::Manage => &[
                "https://manage.office.com",
                "https://manage-gcc.office.com",
                "https://manage.office365.us",
            ],
            Resource::Outlook => &["https://outlook.office365.com", "https://outlook.office.com"],
            Resource::Azure => &["https://management.azure.com", "https://management.core.windows.net"],
            Resource::KeyVault => &["https://vault.azure.net"],
            Resource::Compliance => &["https://ps.compliance.protection.outlook.com"],
            Resource::Storage => &["https://storage.azure.com"],
            Resource::Teams | Resource::SharePoint | Resource::Own => &[],
        }
    }

    /// Whether access tokens carry version 2 claims. Their version is the API's choice, whatever endpoint was asked.
    pub(crate) fn has_version_2_tokens(self) -> bool {
        self == Resource::Own
    }

    /// Finds the API that a name means; a trailing slash does not matter.
    pub(crate) fn find(name: &str, own_application_id: &str, endpoints: &Endpoints) -> Option<Resource> {
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.is_empty() {
            return None;
        }
        if name
            .strip_prefix("api://")
            .unwrap_or(name)
            .eq_ignore_ascii_case(own_application_id)
        {
            return Some(Resource::Own);
        }
        Resource::KNOWN.into_iter().find(|resource| {
            name.eq_ignore_ascii_case(resource.application_id())
                || resource.names().iter().any(|known| name.eq_ignore_ascii_case(known))
                || (*resource == Resource::SharePoint && is_site(name))
                || resource
                    .endpoint(endpoints)
                    .is_some_and(|own| name.eq_ignore_ascii_case(own))
        })
    }

    fn endpoint(self, endpoints: &Endpoints) -> Option<&str> {
        match self {
            Resource::Graph => Some(&endpoints.graph),
            Resource::AadGraph => Some(&endpoints.aad_graph),
            Resource::PartnerCenter => Some(&endpoints.partner_center),
            Resource::Manage => Some(&endpoints.manage),
            Resource::Outlook => Some(&endpoints.outlook),
            Resource::KeyVault => Some(&endpoints.key_vault),
            _ => None,
        }
    }
}

/// Whether a name is the address of a SharePoint host, without a path.
fn is_site(name: &str) -> bool {
    let host = name.strip_prefix("https://").unwrap_or_default().to_ascii_lowercase();
    host.len() > SITES.len() && host.ends_with(SITES) && !host.contains('/')
}
