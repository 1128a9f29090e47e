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
const LONGEST_NAME: usize = 120;

/// The fields that [`Wanted::read`] reads.
pub(crate) const FIELDS: [&str; 13] = [
    "displayName",
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
    pub(crate) display_name: String,
    /// The client id of an application that is there.
    pub(crate) application_id: Option<String>,
    pub(crate) permissions: Vec<Asked>,
    pub(crate) single_tenant: bool,
    /// Names of directory roles.
    pub(crate) roles: Vec<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) preconsent: bool,
    pub(crate) admin_consent: bool,
    pub(crate) proof: Proof,
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
        let display_name = request.text("displayName")?.trim().to_owned();
        if display_name.is_empty()
            || display_name.chars().count() > LONGEST_NAME
            || display_name.contains(char::is_control)
        {
            return Err(Error::invalid(
                "the display name is empty, longer than 120 characters or not one line of text",
            )
            .advise("Give -DisplayName the name that administrators are to see."));
        }
        let application_id = request.opt_text("applicationId")?.map(client_id).transpose()?;
        let single_tenant = request.flag("singleTenant")?;
        let roles = request.texts("roles")?.to_vec();
        if roles.iter().any(|role| role.eq_ignore_ascii_case("Contributor")) {
            return Err(
                Error::invalid("Contributor is a role of Azure resources and none of the directory's").advise(
                    "Give -Role a directory role: for Exchange cmdlets Exchange Administrator, or Exchange Recipient Administrator where that is enough.",
                ),
            );
        }
        let csv = request.opt_text("csvPath")?.map(PathBuf::from);
        let wanted = Wanted {
            permissions: permissions(request, single_tenant)?,
            redirect_uris: redirect_uris(request.texts("redirectUris")?, single_tenant)?,
            preconsent: request.flag("configurePreconsent")?,
            admin_consent: request.flag("grantAdminConsent")?,
            proof: proof(request, csv.is_some())?,
            warnings: warnings(request, &roles)?,
            display_name,
            application_id,
            single_tenant,
            roles,
            csv,
        };
        Ok(wanted)
    }

    /// As the registration writes it.
    pub(crate) fn audience(&self) -> &'static str {
        match self.single_tenant {
            true => "AzureADMyOrg",
            false => "AzureADMultipleOrgs",
        }
    }
}

/// An application's client id, in lower case.
pub(crate) fn client_id(text: &str) -> Result<String> {
    match tenant::parse_guid(text.trim()) {
        Some(_) => Ok(text.trim().to_ascii_lowercase()),
        None => Err(Error::invalid("the application id is not a GUID")
            .advise("Give the Application (client) ID from the app registration's overview page.")),
    }
}

fn permissions(request: &Request, single_tenant: bool) -> Result<Vec<Asked>> {
    let retired = request.flag("includeRetired")?;
    match (request.texts("profiles")?, request.texts("permissions")?) {
        ([], []) if single_tenant && !retired => Ok(Vec::new()),
        ([], []) => of_profiles(&["Partner".to_owned()], retired),
        (profiles, []) => of_profiles(profiles, retired),
        ([], lines) if !retired => lines.iter().map(|line| Asked::parse(line)).collect(),
        _ => Err(Error::invalid("both a profile and single permissions were given")
            .advise("Use -Profile or -RequiredResourceAccess; -IncludeRetired goes with -Profile Partner.")),
    }
}

fn proof(request: &Request, csv: bool) -> Result<Proof> {
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
            Error::invalid("the credential for the new application has no certificate")
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
fn redirect_uris(given: &[String], single_tenant: bool) -> Result<Vec<String>> {
    if given.is_empty() && !single_tenant {
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
