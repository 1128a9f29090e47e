//! Authorization codes: what a sign-in has proved, waiting to be redeemed once (RFC 6749, section 4.1; RFC 7636).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::access::User;
use crate::world::{lock, World};

use super::error::Refusal;
use super::grant::Form;

/// Seconds that a code lives (Microsoft Entra documentation, "OAuth 2.0 authorization code flow": about ten minutes).
const LIFE: i64 = 600;

/// A sign-in that ended well.
#[derive(Clone)]
pub(super) struct Grounds {
    pub(super) user: Arc<User>,
    pub(super) application_id: String,
    /// The API that was asked for.
    pub(super) resource: String,
    /// The OpenID scopes that were asked for.
    pub(super) openid: Vec<&'static str>,
    pub(super) nonce: Option<String>,
}

/// A code's side of the promise.
pub(super) struct Code {
    pub(super) grounds: Grounds,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<Challenge>,
    pub(super) issued: i64,
    pub(super) redeemed: bool,
}

/// What the verifier of a redemption must give.
#[derive(Clone)]
pub(super) struct Challenge {
    pub(super) value: String,
    /// The verifier's digest, not the verifier itself.
    pub(super) hashed: bool,
}

/// The codes that were issued.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<String, Code>>);

impl Codes {
    /// Issues a code.
    pub(super) fn issue(&self, world: &World, code: Code) -> String {
        let text = format!("1.{}", world.random().secret(120));
        lock(&self.0).insert(text.clone(), code);
        text
    }

    /// Redeems the code that a token request names.
    pub(super) fn redeem(&self, world: &World, form: &Form) -> Result<Grounds, Refusal> {
        let refuse = |code, text: &str| Err(Refusal::new(code, "invalid_grant", text));
        let mut codes = lock(&self.0);
        let Some(code) = codes.get_mut(form.require("code")?) else {
            return refuse(
                9002313,
                "Invalid request. Request is malformed or invalid: the authorization code is unknown.",
            );
        };
        if code.redeemed {
            return refuse(
                54005,
                "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing \
                 refresh token.",
            );
        }
        if world.clock.now() > code.issued + LIFE {
            return refuse(
                70008,
                "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive \
                 authorization request for this user and resource.",
            );
        }
        if form.require("redirect_uri")? != code.redirect_uri {
            return refuse(
                500112,
                "The reply address does not match the reply address provided when requesting Authorization code.",
            );
        }
        let verifier = form.get("code_verifier");
        let proved = match &code.challenge {
            None => true,
            Some(challenge) => verifier.is_some_and(|verifier| challenge.is_met(verifier)),
        };
        if !proved {
            return refuse(
                501481,
                "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
            );
        }
        code.redeemed = true;
        Ok(code.grounds.clone())
    }
}

impl Challenge {
    fn is_met(&self, verifier: &str) -> bool {
        use base64::Engine;
        if !self.hashed {
            return verifier == self.value;
        }
        let digest = openssl::sha::sha256(verifier.as_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest) == self.value
    }
}
