//! The clouds that Microsoft runs.
//!
//! Hosts and resource names: Microsoft's "National cloud deployments" of Graph, "Authentication in national clouds",
//! "Connect to Exchange Online PowerShell", the Office 365 Management Activity API reference and "About Azure Key Vault".

use super::Definition;

/// In the order of `Service::ALL`.
pub(super) const PUBLIC_RESOURCES: [&str; 7] = [
    "https://login.microsoftonline.com",
    "https://graph.microsoft.com",
    "https://api.partnercenter.microsoft.com",
    "https://manage.office.com",
    "https://outlook.office365.com",
    "https://graph.windows.net",
    "https://vault.azure.net",
];

struct Cloud {
    name: &'static str,
    endpoints: [&'static str; 7],
    resources: [&'static str; 7],
}

/// An empty endpoint means that the cloud has no such host, or none that is publicly known.
const CLOUDS: [Cloud; 5] = [
    Cloud {
        name: "Public",
        endpoints: PUBLIC_RESOURCES,
        resources: PUBLIC_RESOURCES,
    },
    Cloud {
        // Government customers in the public cloud: only the activity feed answers elsewhere, for the public resource name.
        name: "USGovGCC",
        endpoints: [
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            "https://api.partnercenter.microsoft.com",
            "https://manage-gcc.office.com",
            "https://outlook.office365.com",
            "https://graph.windows.net",
            "https://vault.azure.net",
        ],
        resources: PUBLIC_RESOURCES,
    },
    Cloud {
        name: "USGov",
        endpoints: [
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            "https://api.partnercenter.microsoft.com",
            "https://manage.office365.us",
            "https://outlook.office365.us",
            "https://graph.windows.net",
            "https://vault.usgovcloudapi.net",
        ],
        resources: [
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            "https://api.partnercenter.microsoft.com",
            "https://manage.office365.us",
            "https://outlook.office365.us",
            "https://graph.windows.net",
            "https://vault.usgovcloudapi.net",
        ],
    },
    Cloud {
        name: "USGovDoD",
        endpoints: [
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            "https://api.partnercenter.microsoft.com",
            "https://manage.protection.apps.mil",
            "https://webmail.apps.mil",
            "",
            "https://vault.usgovcloudapi.net",
        ],
        resources: [
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            "https://api.partnercenter.microsoft.com",
            "https://manage.protection.apps.mil",
            "https://webmail.apps.mil",
            "",
            "https://vault.usgovcloudapi.net",
        ],
    },
    Cloud {
        name: "China",
        endpoints: [
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://partner.partnercenterapi.microsoftonline.cn",
            "",
            "https://partner.outlook.cn",
            "https://graph.chinacloudapi.cn",
            "https://vault.azure.cn",
        ],
        resources: [
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://partner.partnercenterapi.microsoftonline.cn",
            "",
            "https://partner.outlook.cn",
            "https://graph.chinacloudapi.cn",
            "https://vault.azure.cn",
        ],
    },
];

pub(super) fn definitions() -> impl Iterator<Item = Definition> {
    CLOUDS.iter().map(|cloud| Definition {
        name: cloud.name.to_owned(),
        built_in: true,
        endpoints: cloud.endpoints.map(known),
        resources: cloud.resources.map(known),
        ca_pem: None,
        single_use_refresh_tokens: false,
    })
}

fn known(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// What the tokens are asked for that other PowerShell modules want and nothing here asks itself: Azure Resource Manager,
/// Security & Compliance PowerShell ("Connect-IPPSSession", -ConnectionUri), and the Skype and Teams Tenant Admin API
/// ("Connect-MicrosoftTeams", -AccessTokens), which has no name but its id.
pub(super) fn modules(environment: &str) -> [(&'static str, &'static str); 3] {
    let (azure, compliance) = match environment {
        "USGov" => (
            "https://management.usgovcloudapi.net/",
            "https://ps.compliance.protection.office365.us",
        ),
        "USGovDoD" => (
            "https://management.usgovcloudapi.net/",
            "https://l5.ps.compliance.protection.office365.us",
        ),
        "China" => (
            "https://management.chinacloudapi.cn/",
            "https://ps.compliance.protection.partner.outlook.cn",
        ),
        _ => (
            "https://management.azure.com/",
            "https://ps.compliance.protection.outlook.com",
        ),
    };
    [
        ("azure", azure),
        ("compliance", compliance),
        ("teams", "48ac35b8-9aa8-4d74-927d-1f4a14a0b239"),
    ]
}
