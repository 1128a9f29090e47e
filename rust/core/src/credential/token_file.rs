//! A proof that somebody else issues: a token in a file, which the platform replaces before it ends.
//!
//! Source: Microsoft's "Workload identity federation" and the environment variables of Azure's workload identity webhook.

use super::proof::NO_PROOF;
use crate::error::{Error, Kind, Result};
use crate::managed_identity::Variables;
use crate::request::Request;
use crate::secret::Secret;
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;
use url::Url;
use zeroize::Zeroizing;

/// Bytes that a token file may have.
const LONGEST: u64 = 64 << 10;

/// Where the token is. It is read anew for each request, so a replaced one is used at once.
pub(crate) struct TokenFile {
    path: PathBuf,
    /// The sign-in host that the platform names; the token is not sent to another one.
    authority: Option<String>,
}

impl TokenFile {
    /// `federatedTokenFile`, or with `workloadIdentity` the file that the platform's variables name.
    pub(super) fn from_request(request: &Request, variables: &Variables) -> Result<Option<Self>> {
        let given = request
            .opt_text("federatedTokenFile")?
            .map(str::trim)
            .filter(|text| !text.is_empty());
        if let Some(path) = given {
            return Ok(Some(TokenFile {
                path: PathBuf::from(path),
                authority: None,
            }));
        }
        if !request.flag("workloadIdentity")? {
            return Ok(None);
        }
        let Some(path) = variables.text("AZURE_FEDERATED_TOKEN_FILE") else {
            return Err(Error::invalid("no workload identity is set up here: the variable AZURE_FEDERATED_TOKEN_FILE is missing")
                .advise("On Kubernetes, check the label azure.workload.identity/use of the pod and its service account; elsewhere name the file with -FederatedTokenFile."));
        };
        let authority = match variables.text("AZURE_AUTHORITY_HOST") {
            Some(text) => Some(host(&text).ok_or_else(|| {
                Error::invalid("the variable AZURE_AUTHORITY_HOST is not an https address")
                    .advise("Set it to the cloud's sign-in host, such as https://login.microsoftonline.com/.")
            })?),
            None => None,
        };
        Ok(Some(TokenFile {
            path: PathBuf::from(path),
            authority,
        }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The token as it is in the file now, for the token endpoint `endpoint`.
    pub(super) async fn read(&self, endpoint: &str) -> Result<Secret> {
        if let Some(authority) = &self.authority {
            if host(endpoint).as_ref() != Some(authority) {
                return Err(Error::invalid(format!("this workload's identity is for {authority}, and not for this environment"))
                    .advise("Name the environment of that sign-in host with -Environment, or give the file with -FederatedTokenFile.")
                    .with_id(NO_PROOF));
            }
        }
        let failed = |cause: std::io::Error| {
            Error::storage("read the federated token file", &self.path, &cause)
                .advise("The platform that this process runs on writes it: check its path, and that this account may read it.")
                .with_id(NO_PROOF)
        };
        let file = tokio::fs::File::open(&self.path).await.map_err(failed)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 << 10));
        file.take(LONGEST + 1).read_to_end(&mut bytes).await.map_err(failed)?;
        let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
        // Whatever else is in that file is not sent anywhere.
        let token =
            bytes.len() as u64 <= LONGEST && text.split('.').count() == 3 && !text.contains(char::is_whitespace);
        if !token {
            return Err(Error::new(
                Kind::NotSignedIn,
                format!("the federated token file {} holds no token", self.path.display()),
            )
            .advise("It should hold one JSON Web Token and nothing else; check what writes it. Nothing was sent.")
            .with_id(NO_PROOF));
        }
        Ok(Secret::from(text))
    }
}

/// `host[:port]` of an https address.
fn host(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(|url| url.scheme() == "https")?;
    Some(url[url::Position::BeforeHost..url::Position::AfterPort].to_ascii_lowercase()).filter(|host| !host.is_empty())
}
