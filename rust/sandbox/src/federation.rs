//! Workload identity federation: an OpenID issuer outside of the identity platform (as Kubernetes clusters and build
//! services have one), and the application's federated identity credentials, which say whose tokens prove it.
//!
//! Sources: Microsoft Entra documentation, "Workload identity federation" and "Configure a user-assigned managed identity
//! as a federated identity credential"; OpenID Connect Discovery 1.0 for the issuer's two pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};

use crate::managed_identity::{Folder, EXCHANGE_AUDIENCE};
use crate::reply::{self, Call, Reply};
use crate::world::{lock, World};

/// Whom the issuer's token is for where nothing else is said.
pub(crate) const SUBJECT: &str = "system:serviceaccount:partner:secure-app";

/// One entry of an application's `federatedIdentityCredentials`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Trusted {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    #[serde(default = "usual_audiences")]
    pub(crate) audiences: Vec<String>,
}

fn usual_audiences() -> Vec<String> {
    vec![EXCHANGE_AUDIENCE.to_owned()]
}

/// What the application trusts, and where the workload's token is.
pub(crate) struct Federation {
    trusted: Mutex<Vec<Trusted>>,
    folder: Arc<Folder>,
}

/// `POST /sandbox/federatedToken`: mints a token and writes it to the workload's file.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Mint {
    subject: Option<String>,
    audience: Option<String>,
    issuer: Option<String>,
    lifetime_seconds: Option<i64>,
}

impl Federation {
    pub(crate) fn new(issuer: &str, managed: Trusted, folder: Arc<Folder>) -> Self {
        let workload = Trusted {
            issuer: issuer.to_owned(),
            subject: SUBJECT.to_owned(),
            audiences: usual_audiences(),
        };
        Federation {
            trusted: Mutex::new(vec![workload, managed]),
            folder,
        }
    }

    pub(crate) fn trusted(&self) -> Vec<Trusted> {
        lock(&self.trusted).clone()
    }

    pub(crate) fn set_trusted(&self, trusted: Vec<Trusted>) {
        *lock(&self.trusted) = trusted;
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.federated_token()
    }
}

impl Trusted {
    /// A managed identity of the machine's tenant.
    pub(crate) fn managed_identity(login: &str, tenant: &str, object_id: &str) -> Self {
        Trusted {
            issuer: format!("{login}/{tenant}/v2.0"),
            subject: object_id.to_owned(),
            audiences: usual_audiences(),
        }
    }
}

/// Mints a token and puts it in place of the one that is in the workload's file. The token, and the file's path.
pub(crate) fn mint(world: &World, mint: &Mint) -> Result<Value, String> {
    let now = world.clock.now();
    let life = mint.lifetime_seconds.unwrap_or(3600);
    let claims = json!({
        "iss": mint.issuer.as_deref().unwrap_or(&world.issuer),
        "sub": mint.subject.as_deref().unwrap_or(SUBJECT),
        "aud": [mint.audience.as_deref().unwrap_or(EXCHANGE_AUDIENCE)],
        "iat": now, "nbf": now.min(now + life), "exp": now + life, "jti": world.random().guid(),
    });
    let token = world
        .signer
        .sign_rsa(&claims.to_string(), false)
        .map_err(|cause| format!("the token cannot be signed: {cause}"))?;
    let path = world.federation.file();
    replace(&path, &token).map_err(|cause| format!("{} cannot be written: {cause}", path.display()))?;
    Ok(json!({"path": path, "token": token}))
}

/// Written beside it and renamed, as the platforms do: a reader finds the old token or the new one.
fn replace(path: &Path, token: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, token)?;
    fs::rename(new, path)
}

/// The issuer's own pages.
pub(crate) fn serve(world: &World, call: &Call) -> Reply {
    let issuer = &world.issuer;
    match call.path.as_str() {
        "/.well-known/openid-configuration" => reply::json(
            200,
            &json!({
                "issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
            }),
        ),
        "/keys" => reply::json(200, &world.signer.key_set(issuer)),
        _ => reply::reply(404, "text/plain", "There is nothing here.\r\n"),
    }
}
