//! Reading what a token says, without verifying it: only the service that a token is for can judge it.

use crate::error::{Error, Kind, Result};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::DecodePaddingMode;
use base64::{alphabet, Engine as _};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims of a JSON Web Token (RFC 7519). Its header and signature are not looked at.
pub fn claims(token: &str) -> Result<Map<String, Json>> {
    let refused = |why: &str| {
        Error::new(Kind::Protocol, format!("this is not a readable token: {why}"))
            .advise("Only JSON Web Tokens can be read; tokens for some services are opaque on purpose.")
    };
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(refused("it does not have three parts"));
    };
    part(payload).ok_or_else(|| refused("its claims are not a JSON object in base64url"))
}

/// The claims that are points in time, in milliseconds since 1970 (RFC 7519's NumericDate is in seconds; `auth_time` is from
/// OpenID Connect Core). What is no time between then and the year 9999 is left out.
pub(crate) fn times(claims: &Map<String, Json>) -> Vec<(&'static str, i64)> {
    const LAST: f64 = 253_402_300_799.0;
    let time = |name: &'static str| {
        let seconds = claims
            .get(name)?
            .as_f64()
            .filter(|seconds| (0.0..=LAST).contains(seconds))?;
        Some((name, (seconds * 1000.0) as i64))
    };
    ["iat", "nbf", "exp", "auth_time"]
        .into_iter()
        .filter_map(time)
        .collect()
}

/// One part of a token, or another JSON object in base64url.
pub(crate) fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64URL.decode(text).ok()?).ok()
}

/// Claims of a known shape; cheaper than [`claims`], as everything else in the token is passed over.
pub(crate) fn known_claims<T: DeserializeOwned>(token: &str) -> Option<T> {
    part(token.split('.').nth(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_claims_with_and_without_padding() {
        let payload = base64::engine::general_purpose::URL_SAFE.encode(r#"{"upn":"a@b","exp":1}"#);
        for text in [payload.as_str(), payload.trim_end_matches('=')] {
            assert_eq!(claims(&format!("e30.{text}.sig")).unwrap()["upn"], "a@b");
        }
        assert!(claims("e30.e30").is_err());
        assert!(claims("opaque").is_err());
        assert!(claims("e30.W10.x").is_err(), "an array");
    }

    #[test]
    fn times_are_milliseconds_and_nonsense_is_none() {
        let claims =
            serde_json::json!({"iat": 1, "exp": 1_790_000_000.5, "nbf": "1790000000", "auth_time": 1e300, "xms_st": 5});
        let times = times(claims.as_object().unwrap());
        assert_eq!(times, [("iat", 1000), ("exp", 1_790_000_000_500)]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z0-9_.=-]{0,80}") {
            let _ = claims(&text);
        }
    }
}
