//! Whether the sign-in service answers here, and knows the tenant: its metadata page needs no credential.

use super::{aadsts, Row};
use crate::error::{Error, Result};

pub(crate) const CHECK: &str = "Reachability";

/// Judges the answer to `/{tenant}/v2.0/.well-known/openid-configuration`; `body` is the page.
pub(crate) fn judge(host: &str, tenant: &str, body: Result<&[u8]>) -> Row {
    match body {
        Ok(body) if is_metadata(body) => Row::pass(CHECK, host, format!("{host} answers for {tenant}")),
        Ok(_) => Row::fail(CHECK, host, format!("something other than the sign-in service answered at {host}"))
            .remedy("A proxy or sign-in page of the network answers in its place: allow the host there, or sign in to the network."),
        Err(error) if knows_no_tenant(&error) => {
            Row::fail(CHECK, host, format!("{host} answers, but knows no tenant {tenant}")).because(&error).or_remedy(
                "Check the tenant for a typing error, and whether it is in another cloud (-Environment).",
            )
        }
        Err(error) => Row::fail(CHECK, host, error.message()).because(&error).or_remedy(
            "Check name resolution, firewall and proxy (HTTPS_PROXY) of this machine for the host.",
        ),
    }
}

/// The page of any tenant names its issuer and token endpoint ("OpenID Connect Discovery 1.0", provider metadata).
fn is_metadata(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|page| {
        ["issuer", "token_endpoint"]
            .iter()
            .all(|key| page.get(key).is_some_and(|text| text.is_string()))
    })
}

fn knows_no_tenant(error: &Error) -> bool {
    matches!(aadsts(error), 90002 | 900_023) || error.service().is_some_and(|service| service.error == "invalid_tenant")
}

impl Row {
    fn or_remedy(self, remedy: &str) -> Self {
        if self.remedy.is_empty() {
            self.remedy(remedy)
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::error::{Kind, ServiceError};

    #[test]
    fn only_the_metadata_page_passes() {
        let page = br#"{"issuer":"https://login/x/v2.0","token_endpoint":"https://login/x/oauth2/v2.0/token"}"#;
        assert_eq!(judge("login", "x", Ok(page)).verdict, Verdict::Pass);
        for other in [
            &b"<html>sign in to the guest network"[..],
            b"{}",
            b"",
            b"{\"issuer\":1,\"token_endpoint\":2}",
        ] {
            let row = judge("login", "x", Ok(other));
            assert_eq!(row.verdict, Verdict::Fail);
            assert!(row.remedy.contains("proxy"));
        }
    }

    #[test]
    fn a_failure_says_what_to_do() {
        let dead = judge(
            "login",
            "x",
            Err(Error::new(Kind::Network, "login could not be reached")),
        );
        assert_eq!((dead.verdict, dead.remedy.is_empty()), (Verdict::Fail, false));
        let service = ServiceError {
            code: "AADSTS90002".into(),
            http_status: 400,
            ..ServiceError::default()
        };
        let unknown = judge(
            "login",
            "x.example",
            Err(Error::new(Kind::NotFound, "no").with_service(service)),
        );
        assert!(
            unknown.detail.contains("knows no tenant x.example"),
            "{}",
            unknown.detail
        );
        assert_eq!(unknown.code, "AADSTS90002");
    }
}
