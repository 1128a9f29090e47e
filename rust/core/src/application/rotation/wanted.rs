//! What a rotation is to do, before anything is asked.

use crate::application::wanted::{self, Proof};
use crate::certificate::Certificate;
use crate::credential::Credential;
use crate::error::{Error, Result};
use crate::request::Request;
use crate::store::{Binding, Place};
use std::sync::Arc;
use std::time::Duration;

/// The fields that [`Wanted::read`] reads.
pub(crate) const FIELDS: [&str; 8] = [
    "subject",
    "certificateCredential",
    "secretDays",
    "keepOld",
    "force",
    "retireAfterSeconds",
    "vaultCredential",
    "defaultCredential",
];

/// How long the old key lives on after the switch: whoever has just read it from the store still has to use it.
const RETIRE_AFTER: i64 = 30;
const LONGEST_RETIRE_AFTER: i64 = 3600;

pub(crate) struct Wanted {
    /// What is to prove itself anew.
    pub(crate) subject: Arc<Credential>,
    pub(super) proof: Proof,
    pub(super) keep_old: bool,
    /// The old one goes although nothing stores the new one, or somebody at hand uses it.
    pub(super) force: bool,
    pub(crate) retire_after: Duration,
    /// Where the subject is stored.
    pub(crate) binding: Option<Arc<Binding>>,
}

impl Wanted {
    pub(crate) fn read(request: &Request) -> Result<Self> {
        let subject = Arc::clone(request.credential("subject")?);
        if subject.secret().is_none() && subject.certificate().is_none() {
            let proof = subject.proof().title().unwrap_or("nothing");
            return Err(Error::invalid(format!(
                "the credential's application proves itself by {proof}, and has no secret or certificate to replace"
            ))
            .advise("Give a credential with a client secret or a certificate."));
        }
        let has_certificate = request.opt_credential("certificateCredential")?.is_some();
        if subject.certificate().is_some() && !has_certificate && request.opt_int("secretDays")?.is_none() {
            return Err(Error::invalid("the credential has a certificate, and no new one was given").advise(
                "Give -CertificateCredential the new certificate (New-SecureAppCertificate makes one), or -SecretDays for a secret in its place.",
            ));
        }
        let (keep_old, force) = (request.flag("keepOld")?, request.flag("force")?);
        if keep_old && force {
            return Err(Error::invalid("the old key is to be kept and to be removed").advise("Use -KeepOld or -Force."));
        }
        let after = request.opt_int("retireAfterSeconds")?.unwrap_or(RETIRE_AFTER);
        if !(0..=LONGEST_RETIRE_AFTER).contains(&after) {
            return Err(Error::invalid("-RetireAfter is negative or longer than an hour")
                .advise("Give a time up to 01:00:00; with -KeepOld the old key stays until the next update."));
        }
        let wanted = Wanted {
            proof: wanted::proof(request, false)?,
            keep_old,
            force,
            retire_after: Duration::from_secs(after.unsigned_abs()),
            binding: subject.binding(),
            subject,
        };
        wanted.check_certificate()?;
        Ok(wanted)
    }

    pub(crate) fn place(&self) -> Option<Arc<Place>> {
        self.binding.as_ref().map(|binding| binding.place())
    }

    /// Refuses a certificate that changes nothing, or that a store could not do with.
    fn check_certificate(&self) -> Result<()> {
        let Proof::Certificate(new) = &self.proof else {
            return Ok(());
        };
        fn sha256(credential: &Credential) -> Option<&[u8]> {
            credential.certificate().map(Certificate::sha256)
        }
        if sha256(new) == sha256(&self.subject) {
            return Err(Error::invalid("the new certificate is the one that the credential has")
                .advise("Make another one with New-SecureAppCertificate."));
        }
        match self.place().as_deref() {
            Some(Place::Host { .. }) => Err(Error::invalid("a certificate is not stored, and without it the stored credential could not be used")
                .advise("Use a key vault: Get-SecureAppCredential takes the certificate from -VaultCredential there.")),
            Some(Place::Vault(_)) if !self.subject.has_refresh_token() => Err(Error::invalid("with a certificate there would be nothing to store: the credential has no refresh token")
                .advise("Keep the certificate in a key vault and make the credential with New-SecureAppCredential -VaultName -CertificateName, or update one that is not stored.")),
            _ => Ok(()),
        }
    }
}
