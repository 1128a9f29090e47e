//! What a platform answers.

use super::moment;
use crate::error::{Error, Kind, Result};
use crate::http::Reply;
use crate::jwt;
use crate::secret::Secret;
use serde::Deserialize;
use serde_json::Value as Json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
    pub(super) retry_after: Option<Duration>,
    pub(super) server_time: Option<SystemTime>,
    /// `WWW-Authenticate`.
    pub(super) challenge: Option<String>,
    pub(super) authority: String,
}

impl From<&Reply> for Answer {
    fn from(reply: &Reply) -> Self {
        Answer {
            status: reply.status(),
            body: Zeroizing::new(reply.bytes().to_vec()),
            retry_after: reply.retry_after(),
            server_time: reply.server_time(),
            challenge: reply.header("www-authenticate").map(str::to_owned),
            authority: reply.authority().to_owned(),
        }
    }
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    #[cfg(test)]
    pub(super) fn of_status(status: u16) -> Self {
        Answer {
            status,
            body: Zeroizing::default(),
            retry_after: None,
            server_time: None,
            challenge: None,
            authority: String::new(),
        }
    }
}

/// A token, and what the platform says about it.
pub(crate) struct Issued {
    pub(crate) access_token: Secret,
    pub(crate) token_type: String,
    /// How long it lives from now on, in seconds.
    pub(crate) life: i64,
    /// The identity's application (client) id, where it is said.
    pub(crate) client_id: Option<String>,
}

/// Platforms write numbers as strings, and sometimes as numbers or dates: each is read where it is used.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    access_token: Json,
    #[serde(default)]
    token_type: Json,
    #[serde(default)]
    expires_on: Json,
    #[serde(default)]
    expires_in: Json,
    #[serde(default)]
    client_id: Json,
}

impl Issued {
    pub(super) fn read(answer: &Answer, now_ms: i64) -> Result<Self> {
        let authority = &answer.authority;
        let body: Body = serde_json::from_slice(&answer.body).map_err(|_| {
            Error::new(Kind::Protocol, format!("{authority} gave no token but something that is not the expected JSON"))
                .advise("Something else than the hosting platform answers there: check the variables IDENTITY_ENDPOINT and MSI_ENDPOINT.")
        })?;
        let missing = |field: &str| {
            Err(
                Error::new(Kind::Protocol, format!("the answer of {authority} has no '{field}'"))
                    .advise("Try again; if it stays so, something else than the hosting platform answers there."),
            )
        };
        let access_token = match body.access_token {
            Json::String(text) if !text.is_empty() => Secret::new(text),
            _ => return missing("access_token"),
        };
        let server_now = answer.server_time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let now = server_now.map_or(now_ms / 1000, |since| since.as_secs() as i64);
        // The end comes before the life: a platform hands out what it has, which was issued a while ago.
        let end = moment::read(&body.expires_on).or_else(|| {
            let life = moment::number(&body.expires_in).filter(|life| *life > 0)?;
            Some(now.saturating_add(life))
        });
        let claimed = || {
            #[derive(Deserialize)]
            struct End {
                exp: i64,
            }
            jwt::known_claims::<End>(access_token.expose()).map(|claims| claims.exp)
        };
        let Some(end) = end.or_else(claimed) else {
            return missing("expires_on");
        };
        let text = |value: Json| match value {
            Json::String(text) if !text.is_empty() => Some(text),
            _ => None,
        };
        Ok(Issued {
            token_type: text(body.token_type).unwrap_or_else(|| "Bearer".to_owned()),
            // A century is beyond every real life and keeps sums in range.
            life: end.saturating_sub(now).clamp(0, 100 * 365 * 86_400),
            client_id: text(body.client_id),
            access_token,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(body: Json) -> Result<Issued> {
        let answer = Answer {
            body: Zeroizing::new(body.to_string().into_bytes()),
            ..Answer::of_status(200)
        };
        Issued::read(&answer, 1_700_000_000_000)
    }

    #[test]
    fn the_end_counts_and_not_the_life() {
        for (body, life) in [
            (json!({"expires_on": "1700003600", "expires_in": "86399"}), 3600),
            (json!({"expires_on": 1_700_003_600}), 3600),
            (json!({"expires_in": "100"}), 100),
            (json!({"expires_on": "2023-11-14T23:13:20+00:00"}), 3600),
            (json!({"expires_on": "11/14/2023 11:13:20 PM +00:00"}), 3600),
            (json!({"expires_on": "1600000000"}), 0),
        ] {
            let mut body = body;
            body["access_token"] = "t".into();
            assert_eq!(read(body.clone()).ok().unwrap().life, life, "{body}");
        }
    }

    #[test]
    fn an_answer_without_a_token_or_an_end_is_refused() {
        assert!(read(json!({"expires_on": "1"})).is_err());
        assert!(read(json!({"access_token": "", "expires_on": "1"})).is_err());
        let nameless = read(json!({"access_token": "s3cret-token"})).err().unwrap();
        assert!(nameless.message().contains("expires_on") && !format!("{nameless:?}").contains("s3cret"));
    }

    proptest! {
        #[test]
        fn any_end_is_read_or_refused(text in ".{0,40}", number in any::<f64>()) {
            for value in [json!(text), json!(number)] {
                if let Ok(issued) = read(json!({"access_token": "t", "expires_on": value, "expires_in": text})) {
                    prop_assert!(issued.life >= 0);
                }
            }
        }
    }
}
