//! What an application is to become.

use super::permission::{of_profiles, Asked};
use crate::credential::Credential;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::tenant;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// Microsoft's portal offers two years at most, and advises less.
const LONGEST_SECRET_DAYS: i64 = 730;
pub(crate) const SECRET_DAYS: i64 = 365;
/// On what an application owns, and so on itself where it is its own owner.
const SELF_UPDATE: &str = "00000003-0000-0000-c000-000000000000 Role Application.ReadWrite.OwnedBy";
const LONGEST_NAME: usize = 120;

/// The fields that [`Wanted::read`] reads.
pub(crate) const FIELDS: [&str; 16] = [
    "displayName",
    "mustExist",
    "newName",
    "selfUpdate",
    "applicationId",
    "profiles",
    "includeRetired",
    "permissions",
    "singleTenant",
    "roles",
    "redirectUris",
    "configurePreconsent",
    "grantAdminConsent",
    "certificateCredential",
    "secretDays",
    "csvPath",
];

pub(crate) struct Wanted {
    /// The name that it has, or is to be registered with; nothing where its id tells it.
    pub(crate) display_name: Option<String>,
    /// The client id of an application that is there.
    pub(crate) application_id: Option<String>,
    /// One that is not there is an error, and what is not spoken of stays as it is.
    pub(crate) must_exist: bool,
    /// The name that one which is there is to have.
    pub(crate) new_name: Option<String>,
    pub(crate) permissions: Vec<Asked>,
    /// Nothing: as it is.
    pub(crate) single_tenant: Option<bool>,
    /// Names of directory roles.
    pub(crate) roles: Vec<String>,
    pub(crate) redirect_uris: Vec<String>,
    /// The application may update its own secrets.
    pub(crate) self_update: bool,
    pub(crate) preconsent: bool,
    pub(crate) admin_consent: bool,
    /// Nothing: with what it has.
    pub(crate) proof: Option<Proof>,
    pub(crate) csv: Option<PathBuf>,
    /// What to say of it before anything is asked.
    pub(crate) warnings: Vec<String>,
}

/// What the application is to prove itself with.
pub(crate) enum Proof {
    Secret {
        days: i64,
    },
    /// The certificate of this credential, whatever application it is of.
    Certificate(Arc<Credential>),
}

impl Wanted {
    pub(crate) fn read(request: &Request) -> Result<Self> {
        let must_exist = request.flag("mustExist")?;
        let name = |key: &str| request.opt_text(key)?.map(name).transpose();
        let application_id = request.opt_text("applicationId")?.map(client_id).transpose()?;
        let display_name = name("displayName")?;
        if display_name.is_none() && (application_id.is_none() || !must_exist) {
            return Err(Error::invalid("no name was given for the application").advise("Use -DisplayName."));
        }
        let new_name = match must_exist {
            true => name("newName")?,
            false => display_name.clone().filter(|_| application_id.is_some()),
        };
        let single_tenant = match request.opt_int("singleTenant")? {
            None if must_exist => None,
            given => Some(given.is_some_and(|number| number != 0)),
        };
        let roles = request.texts("roles")?.to_vec();
        if roles.iter().any(|role| role.eq_ignore_ascii_case("Contributor")) {
            return Err(
                Error::invalid("Contributor is a role of Azure resources and none of the directory's").advise(
                    "Give -Role a directory role: for Exchange cmdlets Exchange Administrator, or Exchange Recipient Administrator where that is enough.",
                ),
            );
        }
        let csv = request.opt_text("csvPath")?.map(PathBuf::from);
        let has_proof = request.opt_int("secretDays")?.is_some()
            || request.opt_credential("certificateCredential")?.is_some()
            || csv.is_some();
        if must_exist && has_proof {
            return Err(
                Error::invalid("an application that is there keeps its secrets and certificates")
                    .advise("Use Update-SecureAppCredential for new ones."),
            );
        }
        // What goes without saying is for those who sign users in of other organizations, and new.
        let may_be_none = must_exist || single_tenant == Some(true);
        let self_update = request.flag("selfUpdate")?;
        let mut permissions = permissions(request, may_be_none)?;
        if self_update {
            permissions.push(Asked::parse(SELF_UPDATE)?);
        }
        let wanted = Wanted {
            permissions,
            self_update,
            redirect_uris: redirect_uris(request.texts("redirectUris")?, may_be_none)?,
            preconsent: request.flag("configurePreconsent")?,
            admin_consent: request.flag("grantAdminConsent")?,
            proof: match must_exist {
                true => None,
                false => Some(proof(request, csv.is_some())?),
            },
            warnings: warnings(request, &roles)?,
            display_name,
            application_id,
            must_exist,
            new_name,
            single_tenant,
            roles,
            csv,
        };
        if must_exist && wanted.admin_consent && wanted.permissions.is_empty() {
            return Err(Error::invalid("consent was asked for, but no permission was named")
                .advise("Use -GrantAdminConsent with -Profile or -RequiredResourceAccess."));
        }
        Ok(wanted)
    }

    /// Whether something is asked for that the service principal has.
    pub(super) fn is_about_principal(&self) -> bool {
        self.admin_consent || self.preconsent || self.self_update || !self.roles.is_empty()
    }
}

/// As the registration writes it.
pub(super) fn audience(single_tenant: bool) -> &'static str {
    match single_tenant {
        true => "AzureADMyOrg",
        false => "AzureADMultipleOrgs",
    }
}

/// A display name.
fn name(text: &str) -> Result<String> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(
            Error::invalid("the display name is empty, longer than 120 characters or not one line of text")
                .advise("Give the name that administrators are to see."),
        );
    }
    Ok(name.to_owned())
}

/// An application's client id, in lower case.
pub(crate) fn client_id(text: &str) -> Result<String> {
    match tenant::parse_guid(text.trim()) {
        Some(_) => Ok(text.trim().to_ascii_lowercase()),
        None => Err(Error::invalid("the application id is not a GUID")
            .advise("Give the Application (client) ID from the app registration's overview page.")),
    }
}

/// `may_be_none`: without a word the application asks for nothing, or nothing more.
fn permissions(request: &Request, may_be_none: bool) -> Result<Vec<Asked>> {
    let retired = request.flag("includeRetired")?;
    match (request.texts("profiles")?, request.texts("permissions")?) {
        ([], []) if may_be_none && !retired => Ok(Vec::new()),
        ([], []) => of_profiles(&["Partner".to_owned()], retired),
        (profiles, []) => of_profiles(profiles, retired),
        ([], lines) if !retired => lines.iter().map(|line| Asked::parse(line)).collect(),
        _ => Err(Error::invalid("both a profile and single permissions were given")
            .advise("Use -Profile or -RequiredResourceAccess; -IncludeRetired goes with -Profile Partner.")),
    }
}

pub(super) fn proof(request: &Request, csv: bool) -> Result<Proof> {
    let days = request.opt_int("secretDays")?;
    let Some(credential) = request.opt_credential("certificateCredential")? else {
        let days = days.unwrap_or(SECRET_DAYS);
        return match (1..=LONGEST_SECRET_DAYS).contains(&days) {
            true => Ok(Proof::Secret { days }),
            false => Err(Error::invalid(format!("a secret cannot live for {days} days"))
                .advise(format!("Give -SecretDays a number from 1 to {LONGEST_SECRET_DAYS}."))),
        };
    };
    if credential.certificate().is_none() {
        return Err(
            Error::invalid("the credential that is to prove the application has no certificate")
                .advise("Give -CertificateCredential a certificate with its key, or a credential that has one."),
        );
    }
    if days.is_some() || csv {
        return Err(
            Error::invalid("a certificate was given, and with it there is no secret")
                .advise("Leave -SecretDays and -CsvPath out, or -CertificateCredential."),
        );
    }
    Ok(Proof::Certificate(Arc::clone(credential)))
}

/// A listener's address for applications at which users sign in.
fn redirect_uris(given: &[String], may_be_none: bool) -> Result<Vec<String>> {
    if given.is_empty() && !may_be_none {
        return Ok(vec!["http://localhost".to_owned()]);
    }
    for uri in given {
        let refuse = |why: &str| {
            Err(Error::invalid(format!("a reply URL {why}"))
                .advise("Use for example http://localhost, https://contoso.com/answer or urn:ietf:wg:oauth:2.0:oob."))
        };
        let Ok(url) = Url::parse(uri) else {
            return refuse("is not an absolute address");
        };
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
        match url.scheme() {
            "http" if !is_local => return refuse("uses http, which the service takes for localhost alone"),
            _ if url.fragment().is_some() || !url.username().is_empty() => {
                return refuse("has a fragment or a user in it")
            }
            _ => {}
        }
    }
    Ok(given.to_vec())
}

/// True for an address that belongs to the platform Web: there the application proves itself, and its refresh tokens last.
pub(crate) fn is_web(uri: &str) -> bool {
    uri.starts_with("https://") && !uri.ends_with("/oauth2/nativeclient") || uri.starts_with("http://")
}

fn warnings(request: &Request, roles: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    if roles
        .iter()
        .any(|role| role.eq_ignore_ascii_case("Global Administrator"))
    {
        all.push("An application that is Global Administrator owns the tenant. Give it less: Exchange Administrator for Exchange's cmdlets, Security Reader or Global Reader to read.".to_owned());
    }
    let exchange = |name: &String| name.eq_ignore_ascii_case("ExchangeAutomation");
    if roles.is_empty() && request.texts("profiles")?.iter().any(exchange) {
        all.push("Exchange.ManageAsApp alone opens nothing: the application needs a directory role as well. The least is best: -Role 'Exchange Recipient Administrator', or 'Exchange Administrator', or 'Global Reader' to read.".to_owned());
    }
    if request.flag("configurePreconsent")? {
        all.push("Membership in AdminAgents is consent in customers that gave you delegated admin privileges (DAP). With granular ones (GDAP) it gives the application nothing: consent in each customer is needed, and an administrator who belongs to AdminAgents.".to_owned());
    }
    if request.opt_text("csvPath")?.is_some() {
        all.push("The CSV file holds the client secret as plain text. Delete it once the secret is where it belongs, for example with Save-SecureAppCredential.".to_owned());
    }
    Ok(all)
}
