//! Answers of the token endpoint, as v1 and v2 write them.
//!
//! v1 sends its numbers as strings, v2 as numbers; some authorities mix. Source: Microsoft's references of the v1 and v2
//! protocols ("OAuth 2.0 authorization code flow", "client credentials flow").

use serde::de::{self, Deserializer, Visitor};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

#[derive(Deserialize)]
pub(crate) struct Success<'a> {
    #[serde(borrow, default)]
    pub(crate) access_token: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) token_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) id_token: Option<Cow<'a, str>>,
    /// What was granted, which may be less or more than what was asked for.
    #[serde(borrow, default)]
    pub(crate) scope: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) expires_in: Option<Number>,
    #[serde(default)]
    pub(super) expires_on: Option<Number>,
    #[serde(default)]
    pub(super) refresh_in: Option<Number>,
    /// `{"uid","utid"}` in base64url: the user and the user's own tenant.
    #[serde(borrow, default)]
    pub(crate) client_info: Option<Cow<'a, str>>,
    /// The device code endpoint is known to send errors with status 200.
    #[serde(borrow, default)]
    pub(super) error: Option<Cow<'a, str>>,
}

/// Whole seconds, written as a number or as a string of one. Anything else reads as 0, which means "not said".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a string of one")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
        // A cast saturates, and makes NaN 0.
        Ok(Number(number as i64))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        let text = text.trim();
        Ok(Number(text.parse().unwrap_or_else(|_| {
            text.parse::<f64>().map_or(0, |number| number as i64)
        })))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
        Ok(Number(0))
    }
}

impl Success<'_> {
    /// How long the token lives, in seconds. What the service says of its life comes before what it says of its end: that
    /// is by its own clock, which `server_now` (seconds since 1970) tells where it was sent.
    pub(crate) fn life(&self, server_now: i64, claimed_end: impl FnOnce() -> Option<i64>) -> Option<i64> {
        let said = |number: Option<Number>| number.map(|number| number.0).filter(|number| *number > 0);
        said(self.expires_in)
            .or_else(|| said(self.expires_on).map(|end| end.saturating_sub(server_now)))
            .or_else(|| claimed_end().map(|end| end.saturating_sub(server_now)))
            // A century is beyond every real life and keeps sums in range.
            .map(|life| life.clamp(0, 100 * 365 * 86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Success<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn v1_strings_and_v2_numbers_read_the_same() {
        let v1 = read(
            r#"{"token_type":"Bearer","expires_in":"3599","expires_on":"1700003599","not_before":"1699999700","resource":"r","access_token":"a","refresh_token":"b"}"#,
        );
        let v2 = read(r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"a"}"#);
        assert_eq!(v1.life(0, || None), Some(3599));
        assert_eq!(v2.life(0, || None), Some(3599));
        assert_eq!(v1.refresh_token.as_deref(), Some("b"));
    }

    #[test]
    fn the_end_counts_where_the_life_is_not_said() {
        assert_eq!(
            read(r#"{"expires_on":"1700000100"}"#).life(1_700_000_000, || None),
            Some(100)
        );
        assert_eq!(
            read(r#"{"expires_in":"","expires_on":1700000100}"#).life(1_700_000_000, || None),
            Some(100)
        );
        assert_eq!(
            read(r#"{"expires_in":null}"#).life(1_700_000_000, || Some(1_700_000_060)),
            Some(60)
        );
        assert_eq!(read(r#"{}"#).life(0, || None), None);
        assert_eq!(read(r#"{"expires_on":5}"#).life(10, || None), Some(0));
    }

    proptest! {
        #[test]
        fn any_number_reads(number in any::<i64>(), fraction in any::<f64>(), text in ".{0,20}") {
            let strings = [number.to_string(), fraction.to_string(), text.clone()];
            for string in strings {
                let json = serde_json::json!({"expires_in": string, "expires_on": number}).to_string();
                prop_assert!(read(&json).life(0, || None).is_none_or(|life| life >= 0));
            }
            let json = serde_json::json!({"expires_in": number, "refresh_in": fraction}).to_string();
            prop_assert!(read(&json).life(number, || Some(number)).is_none_or(|life| life >= 0));
        }
    }
}
