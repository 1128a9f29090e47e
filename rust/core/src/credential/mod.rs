//! Who asks: an application with what it proves itself by, optionally acting for the user behind a refresh token.

mod federated;
mod mark;
mod proof;
mod token_file;

pub(crate) use mark::{mark, refresh_mark, Mark};
pub(crate) use proof::{Occasion, Proof, NO_PROOF};

use crate::certificate::{self, Certificate};
use crate::error::{Error, Result};
use crate::export::time::now;
use crate::managed_identity::{self, ManagedIdentity, Variables};
use crate::request::Request;
use crate::secret::Secret;
use crate::store::Binding;
use crate::tenant::{self, TenantId};
use crate::token::Lineage;
use crate::value::Value;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How long Entra takes a refresh token of a confidential client; the new one that each redemption gives has as long again.
/// Source: Microsoft's "Refresh tokens in the Microsoft identity platform".
pub(crate) const REFRESH_TOKEN_LIFE_MS: i64 = 90 * 24 * 60 * 60 * 1000;

/// A shared, thread-safe handle; the secrets in it are zeroized when the last user drops it.
pub struct Credential {
    application_id: String,
    tenant: Option<TenantId>,
    account: Option<String>,
    proof: Arc<Proof>,
    /// The credential is a managed identity: the platform of this machine answers for it, and no application is proved.
    managed_identity: Option<ManagedIdentity>,
    refresh_token: Option<Secret>,
    acquired_on: Option<i64>,
    /// Whether the user's sign-in passed multifactor authentication, where that is known.
    mfa: Option<bool>,
    /// When a store that the credential comes from last got a newer refresh token; milliseconds since 1970.
    stored_refresh: Option<i64>,
    proof_mark: Mark,
    refresh_mark: Option<Mark>,
    /// By environment instance: each has its own chain of refresh tokens.
    lineages: Mutex<Vec<(u64, Arc<Lineage>)>>,
    /// Where it is stored, if it is.
    binding: Mutex<Option<Arc<Binding>>>,
}

/// What a sign-in gave.
pub(crate) struct Acquired {
    pub(crate) refresh_token: Secret,
    pub(crate) account: Option<String>,
    /// The user's own tenant.
    pub(crate) tenant: Option<TenantId>,
    /// Milliseconds since 1970.
    pub(crate) on_ms: i64,
    pub(crate) mfa: Option<bool>,
}

impl Credential {
    /// Reads a `credential` request: `applicationId`, and what proves it (`secret`, or a certificate's fields: see
    /// `certificate`) or `refreshToken` or both; optionally `assertionAlgorithm` (PS256 or RS256), `tenant` (the home
    /// tenant), `account`, `acquiredOn` (milliseconds since 1970) and `mfa` (whether the user's sign-in passed multifactor
    /// authentication; absent where that is not known). Nothing is sent.
    ///
    /// Other proofs are `federatedTokenFile` (a path), `workloadIdentity` (the platform's variables name the file, and where
    /// they are not given the application and the tenant) and `federatedManagedIdentity`. With `managedIdentity` instead the
    /// credential is an identity of this machine, which has no `applicationId`. Both kinds of managed identity are named by
    /// one of `managedIdentityClientId`, `managedIdentityObjectId` and `managedIdentityResourceId`; none of them is the
    /// machine's own. `variables` are lines of `NAME=value` that stand for the process's environment.
    ///
    /// A `publicClient` has nothing of all that: users can sign in to it, and it can do nothing else.
    pub fn open(request: &Request) -> Result<Self> {
        Credential::open_with(request, None)
    }

    /// The same, proved by a certificate that no request can hold.
    pub(crate) fn with_certificate(request: &Request, certificate: Certificate) -> Result<Self> {
        Credential::open_with(request, Some(certificate))
    }

    fn open_with(request: &Request, given: Option<Certificate>) -> Result<Self> {
        let variables = Variables::from_request(request)?;
        if request.flag("managedIdentity")? {
            let mut known = vec!["tenant"];
            known.extend(managed_identity::FIELDS);
            request.only(&known)?;
            let identity = ManagedIdentity::from_request(request, &variables)?;
            return Credential::of_managed_identity(identity, tenant(request.opt_text("tenant")?)?);
        }
        let mut known = vec![
            "applicationId",
            "tenant",
            "account",
            "secret",
            "assertionAlgorithm",
            "refreshToken",
            "acquiredOn",
            "mfa",
            "federatedTokenFile",
            "workloadIdentity",
            "federatedManagedIdentity",
            "publicClient",
        ];
        known.extend(certificate::FIELDS);
        known.extend(managed_identity::FIELDS);
        request.only(&known)?;
        let of_workload = |name: &str| -> Result<Option<String>> {
            let workload = request.flag("workloadIdentity")?;
            Ok(workload.then(|| variables.text(name)).flatten())
        };
        let application_id = match (request.opt_text("applicationId")?, of_workload("AZURE_CLIENT_ID")?) {
            (None, Some(id)) => application_id(&id)?,
            _ => application_id(request.text("applicationId")?)?,
        };
        let proof = match given {
            Some(certificate) => Proof::certificate(request, certificate)?,
            None => Proof::from_request(request, &variables)?,
        };
        let refresh_token = trimmed(request.opt_secret("refreshToken")?, "refresh token")?;
        if matches!(proof, Proof::None) && refresh_token.is_none() && !request.flag("publicClient")? {
            return Err(
                Error::invalid("the credential has neither a secret, a certificate nor a refresh token")
                    .advise("Give -Secret or a certificate, -RefreshToken, or both."),
            );
        }
        let tenant = match tenant(request.opt_text("tenant")?)? {
            None => tenant(of_workload("AZURE_TENANT_ID")?.as_deref())?,
            given => given,
        };
        let proof_mark = proof.mark(&application_id)?;
        let refresh_mark = match &refresh_token {
            Some(token) => Some(refresh_mark(&application_id, token)?),
            None => None,
        };
        Ok(Credential {
            application_id,
            tenant,
            account: request
                .opt_text("account")?
                .filter(|text| !text.trim().is_empty())
                .map(str::to_owned),
            proof: Arc::new(proof),
            managed_identity: None,
            refresh_token,
            acquired_on: request.opt_int("acquiredOn")?,
            mfa: request.opt_int("mfa")?.map(|mfa| mfa != 0),
            stored_refresh: None,
            proof_mark,
            refresh_mark,
            lineages: Mutex::default(),
            binding: Mutex::default(),
        })
    }

    /// A managed identity of this machine.
    fn of_managed_identity(identity: ManagedIdentity, tenant: Option<TenantId>) -> Result<Self> {
        let [platform, endpoint, name, id] = identity.key();
        Ok(Credential {
            application_id: identity.identity().client_id().unwrap_or_default().to_owned(),
            tenant,
            account: None,
            proof: Arc::new(Proof::None),
            refresh_token: None,
            acquired_on: None,
            mfa: None,
            stored_refresh: None,
            proof_mark: mark(&["managed identity", platform, endpoint, name, id])?,
            refresh_mark: None,
            lineages: Mutex::default(),
            binding: Mutex::default(),
            managed_identity: Some(identity),
        })
    }

    /// The same application, acting for a user who has just signed in to it.
    pub(crate) fn with_user(&self, acquired: Acquired) -> Result<Self> {
        Ok(Credential {
            application_id: self.application_id.clone(),
            tenant: acquired.tenant.or_else(|| self.tenant.clone()),
            account: acquired.account,
            proof: Arc::clone(&self.proof),
            proof_mark: self.proof_mark,
            refresh_mark: Some(refresh_mark(&self.application_id, &acquired.refresh_token)?),
            refresh_token: Some(acquired.refresh_token),
            acquired_on: Some(acquired.on_ms),
            mfa: acquired.mfa,
            stored_refresh: None,
            lineages: Mutex::default(),
            // The store holds the former user's until this one is saved there.
            binding: Mutex::default(),
            managed_identity: None,
        })
    }

    /// What may be shown of it; no secret.
    pub fn describe(&self) -> Value {
        let expires = self
            .refreshed_on()
            .filter(|_| self.refresh_token.is_some())
            .map(|from| from.saturating_add(REFRESH_TOKEN_LIFE_MS));
        let identity = match &*self.proof {
            Proof::ManagedIdentity(federated) => federated.managed_identity(),
            _ => self.managed_identity(),
        };
        let mut warnings = Vec::new();
        let mut facts = Value::map()
            .with("applicationId", self.application_id.as_str())
            .with("tenantId", self.tenant.as_ref().map(TenantId::as_str))
            .with("account", self.account.as_deref())
            .with("acquiredOn", self.acquired_on.map_or(Value::Null, Value::Time))
            .with("mfa", self.mfa.map_or(Value::Null, Value::Bool))
            .with("hasSecret", self.secret().is_some())
            .with("hasRefreshToken", self.refresh_token.is_some())
            .with("refreshTokenExpiresOn", expires.map_or(Value::Null, Value::Time))
            .with(
                "store",
                self.binding().map_or(Value::Null, |binding| binding.place().describe()),
            )
            .with("hasCertificate", self.certificate().is_some())
            .with("proof", self.proof.title())
            .with("managedIdentity", identity.map(|identity| identity.identity().title()))
            .with("managedIdentityPlatform", identity.map(ManagedIdentity::platform));
        if let Some(certificate) = self.certificate() {
            facts = facts
                .with("certificateThumbprint", certificate::hex(certificate.sha1()))
                .with("certificateThumbprintSha256", certificate::hex(certificate.sha256()))
                .with("certificateSubject", certificate.subject())
                .with("certificateNotBefore", Value::Time(certificate.not_before()))
                .with("certificateExpiresOn", Value::Time(certificate.not_after()));
            warnings.extend(certificate.warning(now()));
        }
        facts.with("warnings", warnings)
    }

    /// The application (client) id, in lower case.
    pub fn application_id(&self) -> &str {
        &self.application_id
    }

    /// The application's, and with a refresh token its user's, own tenant, where the maker of the credential knew it.
    pub fn home_tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The tenant to ask in where none is named: the home tenant, or what stands for a managed identity's own.
    pub(crate) fn own_tenant(&self) -> Option<TenantId> {
        let own = || {
            self.managed_identity
                .as_ref()
                .and_then(|_| TenantId::parse("organizations").ok())
        };
        self.tenant.clone().or_else(own)
    }

    /// The user's sign-in name, where the maker of the credential knew it.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Whether the application can prove itself, with a secret or otherwise.
    pub fn has_proof(&self) -> bool {
        !matches!(*self.proof, Proof::None)
    }

    pub fn has_refresh_token(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// How the application proves itself.
    pub(crate) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The identity that the credential is.
    pub(crate) fn managed_identity(&self) -> Option<&ManagedIdentity> {
        self.managed_identity.as_ref()
    }

    pub(crate) fn secret(&self) -> Option<&Secret> {
        match &*self.proof {
            Proof::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        match &*self.proof {
            Proof::Certificate { certificate, .. } => Some(certificate),
            _ => None,
        }
    }

    /// The refresh token that the credential was made with; the newest one is its lineage's.
    pub(crate) fn first_refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// Tells applications and what they prove themselves with apart.
    pub(crate) fn proof_mark(&self) -> &Mark {
        &self.proof_mark
    }

    pub(crate) fn refresh_mark(&self) -> Option<&Mark> {
        self.refresh_mark.as_ref()
    }

    pub(crate) fn lineage(&self, environment: u64) -> Option<Arc<Lineage>> {
        let lineages = self.lineages.lock().unwrap_or_else(PoisonError::into_inner);
        lineages
            .iter()
            .find(|(of, _)| *of == environment)
            .map(|(_, lineage)| Arc::clone(lineage))
    }

    pub(crate) fn hold_lineage(&self, environment: u64, lineage: &Arc<Lineage>) {
        let mut lineages = self.lineages.lock().unwrap_or_else(PoisonError::into_inner);
        if lineages.iter().all(|(of, _)| *of != environment) {
            lineages.push((environment, Arc::clone(lineage)));
        }
    }

    /// What proves this application, for another one. The user stays behind.
    pub(crate) fn for_application(&self, application_id: &str, tenant: &TenantId) -> Result<Self> {
        Ok(Credential {
            application_id: application_id.to_owned(),
            tenant: Some(tenant.clone()),
            account: None,
            proof: Arc::clone(&self.proof),
            managed_identity: None,
            refresh_token: None,
            acquired_on: None,
            mfa: None,
            stored_refresh: None,
            proof_mark: self.proof.mark(application_id)?,
            refresh_mark: None,
            lineages: Mutex::default(),
            binding: Mutex::default(),
        })
    }

    /// The same user's credential, with the application proved as `other` proves it. A refresh token is its application's, whatever
    /// that proves itself by, so its chain goes on.
    pub(crate) fn proved_like(&self, other: &Credential) -> Self {
        let lineages = self.lineages.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Credential {
            application_id: self.application_id.clone(),
            tenant: self.tenant.clone(),
            account: self.account.clone(),
            proof: Arc::clone(&other.proof),
            managed_identity: None,
            refresh_token: self.refresh_token.clone(),
            acquired_on: self.acquired_on,
            mfa: self.mfa,
            stored_refresh: self.stored_refresh,
            proof_mark: other.proof_mark,
            refresh_mark: self.refresh_mark,
            lineages: Mutex::new(lineages),
            binding: Mutex::default(),
        }
    }

    /// Keeps it in a store from now on.
    pub(crate) fn bind(&self, binding: Arc<Binding>) {
        *self.binding.lock().unwrap_or_else(PoisonError::into_inner) = Some(binding);
    }

    /// Where it is stored; not once something else is stored there, or nothing.
    pub(crate) fn binding(&self) -> Option<Arc<Binding>> {
        let binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner).clone();
        binding.filter(|binding| !binding.is_released())
    }

    /// When the user signed in, where the credential's maker knew it.
    pub(crate) fn acquired_on(&self) -> Option<i64> {
        self.acquired_on
    }

    /// Whether the user's sign-in passed multifactor authentication, where that is known.
    pub(crate) fn mfa(&self) -> Option<bool> {
        self.mfa
    }

    /// When the refresh token's life began anew, as far as it is known.
    pub(crate) fn refreshed_on(&self) -> Option<i64> {
        let lineages = self.lineages.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = lineages.iter().filter_map(|(_, lineage)| lineage.renewed_on()).max();
        renewed.max(self.stored_refresh).or(self.acquired_on)
    }

    /// The same, where it comes from a store that got its refresh token then.
    pub(crate) fn refreshed(mut self, on_ms: Option<i64>) -> Self {
        self.stored_refresh = on_ms;
        self
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.application_id)
    }
}

fn tenant(text: Option<&str>) -> Result<Option<TenantId>> {
    text.filter(|text| !text.trim().is_empty())
        .map(TenantId::parse)
        .transpose()
}

fn application_id(text: &str) -> Result<String> {
    let bare = text.trim().trim_start_matches('{').trim_end_matches('}');
    if tenant::parse_guid(bare).is_some() {
        return Ok(bare.to_ascii_lowercase());
    }
    let message = if text.trim().is_empty() {
        "the application id is empty".to_owned()
    } else if text.contains('@') {
        "a user name was given where the application id belongs".to_owned()
    } else {
        "the application id is not a GUID".to_owned()
    };
    Err(Error::invalid(message).advise("Give the Application (client) ID from the app registration's overview page."))
}

/// White space around a secret comes from files and copying, never from the service.
fn trimmed(secret: Option<&Secret>, name: &str) -> Result<Option<Secret>> {
    match secret {
        None => Ok(None),
        Some(secret) if secret.is_blank() => {
            Err(Error::invalid(format!("the {name} is empty")).advise("Give its value, or leave the parameter out."))
        }
        Some(secret) => Ok(Some(Secret::from(secret.expose().trim()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Field;

    const APPLICATION: &str = "11111111-2222-3333-4444-555555555555";

    fn request(secret: &str, token: &str) -> Request {
        Request::new("credential")
            .with("applicationId", Field::Text(APPLICATION.to_uppercase()))
            .with("secret", Field::Secret(secret.into()))
            .with("refreshToken", Field::Secret(token.into()))
    }

    #[test]
    fn the_same_secrets_have_the_same_marks_and_others_have_not() {
        let a = Credential::open(&request("s3cret", "token")).unwrap();
        let b = Credential::open(&request(" s3cret\r\n", "token\n")).unwrap();
        let c = Credential::open(&request("other", "token2")).unwrap();
        assert_eq!((a.proof_mark(), a.refresh_mark()), (b.proof_mark(), b.refresh_mark()));
        assert_ne!(a.proof_mark(), c.proof_mark());
        assert_ne!(a.refresh_mark(), c.refresh_mark());
    }

    #[test]
    fn shows_no_secret() {
        let credential = Credential::open(&request("s3cret", "refresh")).unwrap();
        let shown = format!("{credential:?} {:?}", credential.describe());
        assert!(!shown.contains("s3cret") && !shown.contains("\"refresh\""), "{shown}");
        assert_eq!(credential.application_id(), APPLICATION);
    }

    #[test]
    fn refuses_what_proves_nothing() {
        assert!(Credential::open(&request(" ", "token")).is_err());
        assert!(
            Credential::open(&Request::new("credential").with("applicationId", Field::Text(APPLICATION.into())))
                .is_err()
        );
        let public = Request::new("credential")
            .with("applicationId", Field::Text(APPLICATION.into()))
            .with("publicClient", Field::Int(1));
        let public = Credential::open(&public).unwrap();
        assert!(
            !public.has_proof() && !public.has_refresh_token(),
            "users can sign in to it"
        );
        let user = request("s", "t").with("applicationId", Field::Text("admin@contoso.com".into()));
        assert!(Credential::open(&user).unwrap_err().message().contains("user name"));
    }
}
