//! The partner's application: what it is called, what it may do, and how it is doing.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU8, Ordering};
use std::sync::RwLock;

use crate::keys::Keys;
use crate::options::{Options, Preset};
use crate::random::Random;
use crate::resource::Resource;
use crate::world::{read, write};

/// The registered application. Permissions are the same in the partner's tenant and in every consenting customer.
pub(crate) struct Application {
    pub(crate) id: String,
    /// The secret that it starts with.
    pub(crate) secret: String,
    /// All of its secrets and certificates.
    pub(crate) keys: Keys,
    pub(crate) display_name: &'static str,
    preset: Preset,
    pub(crate) state: ApplicationState,
}

/// What can be changed while the sandbox runs.
pub(crate) struct ApplicationState {
    pub(crate) single_use_refresh_tokens: AtomicBool,
    pub(crate) v2_numbers_as_strings: AtomicBool,
    /// Whether the id tokens of a sign-in say how the user proved who they are.
    pub(crate) id_token_amr: AtomicBool,
    pub(crate) token_lifetime_seconds: AtomicU32,
    refresh_token: AtomicU8,
    redirect_uris: RwLock<Vec<String>>,
    withheld: RwLock<Vec<String>>,
    pub(crate) device: DeviceSettings,
}

/// How the device code endpoints behave.
pub(crate) struct DeviceSettings {
    /// Seconds that a device code lives.
    pub(crate) life_seconds: AtomicU32,
    /// Seconds that a client is told to wait between polls.
    pub(crate) interval_seconds: AtomicU32,
    /// How many of the next polls are told to slow down.
    pub(crate) slow_downs: AtomicU32,
    /// Errors of the endpoint that starts a device code come with status 200.
    pub(crate) errors_with_status_200: AtomicBool,
}

/// Whether the application's refresh tokens work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RefreshTokenHealth {
    Active,
    Expired,
    Revoked,
}

impl ApplicationState {
    pub(crate) fn refresh_token(&self) -> RefreshTokenHealth {
        match self.refresh_token.load(Ordering::Relaxed) {
            1 => RefreshTokenHealth::Expired,
            2 => RefreshTokenHealth::Revoked,
            _ => RefreshTokenHealth::Active,
        }
    }

    /// The addresses that answers of the sign-in page may be sent to.
    pub(crate) fn redirect_uris(&self) -> Vec<String> {
        read(&self.redirect_uris).clone()
    }

    pub(crate) fn set_redirect_uris(&self, uris: Vec<String>) {
        *write(&self.redirect_uris) = uris;
    }

    /// Permissions that nobody has consented to any more, whatever the preset has.
    pub(crate) fn withhold(&self, permissions: Vec<String>) {
        *write(&self.withheld) = permissions;
    }

    pub(crate) fn granted(&self, permissions: &[&'static str]) -> Vec<&'static str> {
        let withheld = read(&self.withheld);
        let is_granted = |name: &&&str| !withheld.iter().any(|other| other.eq_ignore_ascii_case(name));
        permissions.iter().filter(is_granted).copied().collect()
    }

    pub(crate) fn set_refresh_token(&self, health: RefreshTokenHealth) {
        self.refresh_token.store(health as u8, Ordering::Relaxed);
    }
}

impl Application {
    pub(crate) fn new(options: &Options) -> Self {
        let mut random = Random::at(options.seed, "application", 0);
        let id = random.guid();
        // A secret as the portal makes them: forty characters with a tilde, here also '+' and '/', which break scripts
        // that do not encode their form values.
        let secret = format!("{}~{}+/{}", random.text(3), random.text(20), random.text(14));
        Application {
            id,
            keys: Keys::new(secret.clone(), crate::clock::machine_ms() / 1000),
            secret,
            display_name: match options.preset {
                Preset::Articles | Preset::ArticlesOob => "Partner Center Application",
                Preset::Partner | Preset::Mixed | Preset::Empty => "Secure App Model",
            },
            preset: options.preset,
            state: ApplicationState {
                single_use_refresh_tokens: AtomicBool::new(false),
                v2_numbers_as_strings: AtomicBool::new(false),
                id_token_amr: AtomicBool::new(true),
                token_lifetime_seconds: AtomicU32::new(options.token_lifetime_seconds),
                refresh_token: AtomicU8::new(0),
                redirect_uris: RwLock::new(redirect_uris(options)),
                withheld: RwLock::default(),
                device: DeviceSettings {
                    life_seconds: AtomicU32::new(900),
                    interval_seconds: AtomicU32::new(5),
                    slow_downs: AtomicU32::new(0),
                    errors_with_status_200: AtomicBool::new(false),
                },
            },
        }
    }

    /// The partner has none yet: nobody can ask for anything as this application.
    pub(crate) fn is_absent(&self) -> bool {
        self.preset == Preset::Empty
    }

    /// Delegated permissions on an API; None when nothing of that API was ever consented to.
    ///
    /// An application that holds application roles on Microsoft Graph, and nothing delegated, still gets a user's token
    /// for it with the OpenID scopes alone: that is what the articles' application gets.
    pub(crate) fn scopes(&self, resource: Resource) -> Option<Vec<&'static str>> {
        let scopes = self.state.granted(self.listed_scopes(resource)?);
        (!scopes.is_empty()).then_some(scopes)
    }

    fn listed_scopes(&self, resource: Resource) -> Option<&'static [&'static str]> {
        Some(match (self.preset, resource) {
            (_, Resource::PartnerCenter) => &["user_impersonation"],
            (_, Resource::AadGraph) => &["Directory.AccessAsUser.All", "User.Read"],
            (_, Resource::Own) => &["user_impersonation"],
            (Preset::Articles | Preset::ArticlesOob, Resource::Graph) => &["email", "openid", "profile"],
            (Preset::Articles | Preset::ArticlesOob, _) => return None,
            (_, Resource::Graph) => &[
                "AuditLog.Read.All",
                "AuditLogsQuery.Read.All",
                "DelegatedAdminRelationship.Read.All",
                "Directory.Read.All",
                "Mail.ReadWrite",
                "Mail.Send",
                "SecurityAlert.Read.All",
                "SecurityEvents.Read.All",
                "User.Read",
                "User.ReadWrite.All",
                "email",
                "offline_access",
                "openid",
                "profile",
            ],
            (_, Resource::Manage) => &["ActivityFeed.Read"],
            (_, Resource::Outlook) => &["Exchange.Manage"],
            (_, Resource::KeyVault) => &["user_impersonation"],
            (_, Resource::Azure | Resource::Teams) => &["user_impersonation"],
            (_, Resource::Compliance) => &["Exchange.Manage"],
            (_, Resource::SharePoint) => &["AllSites.FullControl"],
            (_, Resource::Storage) => return None,
        })
    }

    /// Application roles on an API.
    pub(crate) fn roles(&self, resource: Resource) -> Vec<&'static str> {
        self.state.granted(self.listed_roles(resource))
    }

    fn listed_roles(&self, resource: Resource) -> &'static [&'static str] {
        match (self.preset, resource) {
            (_, Resource::AadGraph) => &["Directory.Read.All"],
            (Preset::Articles | Preset::ArticlesOob, Resource::Graph) => {
                &["Directory.Read.All", "SecurityEvents.Read.All"]
            }
            (Preset::Articles | Preset::ArticlesOob, _) => &[],
            (_, Resource::Graph) => &[
                "AuditLog.Read.All",
                "AuditLogsQuery.Read.All",
                "DelegatedAdminRelationship.Read.All",
                "Directory.Read.All",
                "Mail.ReadWrite",
                "Mail.Send",
                "SecurityAlert.Read.All",
                "SecurityEvents.Read.All",
                "User.ReadWrite.All",
            ],
            (_, Resource::Manage) => &["ActivityFeed.Read"],
            (_, Resource::Outlook | Resource::Compliance) => &["Exchange.ManageAsApp"],
            (_, Resource::SharePoint) => &["Sites.FullControl.All"],
            _ => &[],
        }
    }
}

fn redirect_uris(options: &Options) -> Vec<String> {
    if !options.redirect_uris.is_empty() {
        return options.redirect_uris.clone();
    }
    let uris: &[&str] = match options.preset {
        Preset::ArticlesOob => &["urn:ietf:wg:oauth:2.0:oob"],
        Preset::Articles => &["urn:ietf:wg:oauth:2.0:oob", "https://localhost", "http://localhost"],
        Preset::Partner | Preset::Mixed | Preset::Empty => &[
            "http://localhost",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
        ],
    };
    uris.iter().map(|uri| (*uri).to_owned()).collect()
}
