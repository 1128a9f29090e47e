//! Azure Arc-enabled servers ("Authenticate against Azure resources with Azure Arc-enabled servers"): the agent refuses the
//! first request and names a file that only the machine's administrators and the agent's group can read; what is in it goes
//! along with the second request.
//!
//! Whatever listens on the agent's port could name any file. So only `.key` files of the agent's own folder are read, and
//! none that is longer than 4096 bytes.

use super::answer::Answer;
use super::client::{address, Platform};
use super::imds::{METADATA, PATH};
use super::patience::Manners;
use super::source::Arc;
use super::variables::Variables;
use crate::error::{Error, Kind, Result};
use crate::http::RequestSpec;
use crate::secret::Secret;
use reqwest::header::AUTHORIZATION;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// Where the agent listens.
pub(super) const ENDPOINT: &str = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
/// Bytes that a key file may have.
const LONGEST_KEY: u64 = 4096;

/// The folder of the agent's key files.
pub(super) fn key_folder(variables: &Variables) -> PathBuf {
    if cfg!(windows) {
        let data = variables
            .text("ProgramData")
            .unwrap_or_else(|| r"C:\ProgramData".to_owned());
        return Path::new(&data).join("AzureConnectedMachineAgent").join("Tokens");
    }
    PathBuf::from("/var/opt/azcmagent/tokens")
}

/// Whether the agent is on this machine.
pub(super) fn is_installed(variables: &Variables) -> bool {
    let agent = if cfg!(windows) {
        let programs = variables
            .text("ProgramFiles")
            .unwrap_or_else(|| r"C:\Program Files".to_owned());
        Path::new(&programs)
            .join("AzureConnectedMachineAgent")
            .join("himds.exe")
    } else {
        PathBuf::from("/opt/azcmagent/bin/himds")
    };
    agent.exists()
}

pub(super) async fn ask(platform: &Platform, agent: &Arc, resource: &str) -> Result<Answer> {
    let query = [("api-version", "2020-06-01"), ("resource", resource)];
    // The variable names the whole address; the agent's own default is the same.
    let endpoint = match agent.endpoint.strip_suffix('/').unwrap_or(&agent.endpoint) {
        whole if whole.ends_with("/token") => whole.to_owned(),
        host => format!("{host}{PATH}"),
    };
    let spec = RequestSpec::to_platform(address(&endpoint, &query)?).header(METADATA, "true")?;
    let answer = platform.send(spec.clone(), Manners::Other).await?;
    if answer.status != 401 {
        return Ok(answer);
    }
    let path = key_file(
        answer.challenge.as_deref(),
        platform.arc_keys().unwrap_or(agent.keys.as_path()),
    )?;
    let key = read(&path).await?;
    let value = Secret::new(format!("Basic {}", key.trim()));
    platform
        .send(spec.secret_header(AUTHORIZATION, &value)?, Manners::Other)
        .await
}

/// The file that the agent's challenge names, if it is one of the agent's.
fn key_file(challenge: Option<&str>, folder: &Path) -> Result<PathBuf> {
    let refused = |what: &str| {
        Err(Error::new(Kind::Protocol, format!("the Azure Arc agent {what}")).advise(format!(
            "Nothing was read or sent. Check that the Azure Connected Machine agent is what listens on its port; its key files are in {}.",
            folder.display()
        )))
    };
    let realm = challenge
        .and_then(|challenge| challenge.trim().strip_prefix("Basic "))
        .and_then(|rest| rest.trim().strip_prefix("realm="));
    let Some(realm) = realm else {
        return refused("asked for no key file");
    };
    let path = PathBuf::from(realm.trim().trim_matches('"'));
    let same = |a: &Path, b: &Path| {
        let text = |path: &Path| {
            path.to_string_lossy()
                .replace('\\', "/")
                .trim_end_matches('/')
                .to_ascii_lowercase()
        };
        a == b || (cfg!(windows) && text(a) == text(b))
    };
    // The parent is compared as it is written: with `..` in it, it is another one.
    if !path.parent().is_some_and(|parent| same(parent, folder)) {
        return refused("named a file outside of its folder");
    }
    if !path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("key"))
    {
        return refused("named a file that is no .key file");
    }
    Ok(path)
}

async fn read(path: &Path) -> Result<Zeroizing<String>> {
    let failed = |cause: std::io::Error| {
        let advice = match cause.kind() {
            ErrorKind::PermissionDenied if cfg!(windows) => {
                "Run as an administrator, or as a member of the local group 'Hybrid agent extension applications'."
            }
            ErrorKind::PermissionDenied => "Run as root, or as a member of the group himds.",
            _ => "Try again; if it stays so, restart the Azure Connected Machine agent.",
        };
        Error::storage("read the Azure Arc agent's key file", path, &cause).advise(advice)
    };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut key = Zeroizing::new(Vec::with_capacity(LONGEST_KEY as usize + 1));
    file.take(LONGEST_KEY + 1).read_to_end(&mut key).await.map_err(failed)?;
    if key.len() as u64 > LONGEST_KEY {
        return Err(Error::new(
            Kind::Protocol,
            format!("the key file {} is longer than {LONGEST_KEY} bytes", path.display()),
        )
        .advise("It is not the Azure Arc agent's; nothing of it was sent."));
    }
    match std::str::from_utf8(&key) {
        Ok(text) if !text.trim().is_empty() => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(
            Error::new(Kind::Protocol, format!("the key file {} holds no key", path.display()))
                .advise("Try again; if it stays so, restart the Azure Connected Machine agent."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_key_files_of_the_agents_folder_are_read() {
        let folder = Path::new("/var/opt/azcmagent/tokens");
        for fine in [
            "Basic realm=/var/opt/azcmagent/tokens/1.key",
            "Basic realm=\"/var/opt/azcmagent/tokens/a b.KEY\"",
        ] {
            assert!(key_file(Some(fine), folder).is_ok(), "{fine}");
        }
        for refused in [
            "Basic realm=/etc/shadow",
            "Basic realm=/etc/x.key",
            "Basic realm=/var/opt/azcmagent/tokens/../../../../etc/x.key",
            "Basic realm=/var/opt/azcmagent/tokens/deeper/x.key",
            "Basic realm=/var/opt/azcmagent/tokens/x.pem",
            "Basic realm=/var/opt/azcmagent/tokens",
            "Basic realm=tokens/x.key",
            "Bearer realm=/var/opt/azcmagent/tokens/1.key",
            "Basic",
        ] {
            assert!(key_file(Some(refused), folder).is_err(), "{refused}");
        }
        assert!(key_file(None, folder).is_err());
    }
}
