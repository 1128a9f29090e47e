//! What the sandbox holds and sees of secrets, written down where that is asked for: a test looks for it where it must not be.
//!
//! JSON Web Tokens are left out; their shape tells them wherever they are.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use serde_json::{json, Value};

use crate::facts::Facts;
use crate::reply::{Call, Reply};
use crate::route::Service;
use crate::world::lock;

/// Fields of forms and JSON objects whose values are secret, by the names of the protocols and of the control endpoints.
const FIELDS: [&str; 12] = [
    "access_token",
    "assertion",
    "authtoken",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "password",
    "refreshToken",
    "refresh_token",
    "secretText",
    "token",
];

/// Headers by which a machine's processes prove themselves to its managed identity.
const HEADERS: [&str; 2] = ["x-identity-header", "secret"];

/// Shorter texts are found anywhere by chance.
const SHORTEST: usize = 16;

/// Where they are written down, if anywhere.
pub(crate) struct Secrets(Option<Mutex<Kept>>);

struct Kept {
    seen: HashSet<String>,
    file: File,
}

impl Secrets {
    /// Begins a file of its own in the folder.
    pub(crate) fn new(folder: Option<&Path>) -> io::Result<Self> {
        static FILES: AtomicUsize = AtomicUsize::new(0);
        let Some(folder) = folder else { return Ok(Secrets(None)) };
        // Another process of the same id may have been there before.
        let name = format!("{}-{}", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let file = File::options().append(true).create(true).open(folder.join(name))?;
        let seen = HashSet::new();
        Ok(Secrets(Some(Mutex::new(Kept { seen, file }))))
    }

    /// Keeps what the sandbox begins with.
    pub(crate) fn see_facts(&self, facts: &Facts) {
        self.keep("client_secret", &facts.secret);
        self.keep("refresh_token", &facts.refresh_token);
        if let Some(second) = &facts.second_partner {
            self.keep("refresh_token", &second.refresh_token);
        }
        for user in &facts.users {
            self.keep("password", &user.password);
        }
    }

    /// Keeps a client secret that a service has made.
    pub(crate) fn see_client_secret(&self, secret: &str) {
        self.keep("client_secret", secret);
    }

    /// Keeps what a client sent.
    pub(crate) fn see_call(&self, call: &Call) {
        if self.0.is_none() {
            return;
        }
        for (name, value) in
            url::form_urlencoded::parse(&call.body).chain(url::form_urlencoded::parse(call.query.as_bytes()))
        {
            if FIELDS.contains(&&*name) {
                self.keep(&name, &value);
            }
        }
        for name in HEADERS {
            self.keep(name, call.header(name).unwrap_or_default());
        }
        if let Some(token) = call.bearer() {
            self.keep("token", token);
        }
        let basic = call
            .header("authorization")
            .and_then(|value| value.strip_prefix("Basic "));
        let decoded = basic.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok());
        if let Some(text) = basic {
            self.keep("Basic", text);
        }
        if let Some((_, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) {
            self.keep("Basic", password);
        }
        self.see_json(call, &call.body);
    }

    /// Keeps what a service answered.
    pub(crate) fn see_reply(&self, call: &Call, reply: &Reply) {
        if self.0.is_some() {
            self.see_json(call, reply.body());
        }
    }

    fn see_json(&self, call: &Call, body: &[u8]) {
        // Anything else is too large to be read for nothing, and has no secrets.
        let control = call.path.starts_with("/sandbox/");
        if !control && matches!(call.service, Service::Graph | Service::Manage | Service::PartnerCenter) {
            return;
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return;
        };
        let parameters = fields.get("parameters").and_then(Value::as_object);
        for (name, value) in fields.iter().chain(parameters.into_iter().flatten()) {
            let stored = call.service == Service::KeyVault && name == "value";
            if let (Some(text), true) = (value.as_str(), stored || FIELDS.contains(&name.as_str())) {
                self.keep(name, text);
            }
        }
    }

    fn keep(&self, kind: &str, text: &str) {
        let token = text.starts_with("eyJ") && text.contains(".eyJ");
        let Some(kept) = self.0.as_ref().filter(|_| text.len() >= SHORTEST && !token) else {
            return;
        };
        let mut kept = lock(kept);
        if kept.seen.insert(text.to_owned()) {
            let line = format!("{}\n", json!([kind, text]));
            kept.file
                .write_all(line.as_bytes())
                .expect("a secret that is not written down is not looked for");
        }
    }
}
