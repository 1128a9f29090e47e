//! Secrets: read, written, listed and deleted.

use super::explain::{self, Right};
use super::{Vault, API_VERSION};
use crate::error::{Error, Kind, Result};
use crate::http::{Reply, RequestSpec};
use crate::secret::Secret;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use url::Url;
use zeroize::Zeroizing;

/// How often a secret that is being recovered is tried again. The waits double up to six times the first one: with the
/// usual half second, a minute in all.
const RECOVERY_TRIES: u32 = 24;

/// One version of a secret, or what a list says of it.
#[derive(Debug)]
pub(crate) struct SecretItem {
    pub(crate) name: String,
    /// Empty in a list of secrets, which names none.
    pub(crate) version: String,
    pub(crate) value: Option<Secret>,
    pub(crate) content_type: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) managed: bool,
    attributes: Attributes,
}

/// What is set beside a value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Properties {
    pub(crate) content_type: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) expires: Option<i64>,
    /// Milliseconds since 1970.
    pub(crate) not_before: Option<i64>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A step of a write that its caller may want to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A deleted secret of that name is being recovered.
    Recovering,
    /// It is not back yet.
    Waiting(u32),
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing)]
    created: Option<i64>,
    #[serde(skip_serializing)]
    updated: Option<i64>,
}

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
    id: String,
    #[serde(rename = "contentType", default)]
    content_type: Option<String>,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    managed: Option<bool>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    value: Vec<Bundle<'a>>,
    #[serde(rename = "nextLink", default)]
    next_link: Option<String>,
}

#[derive(Serialize)]
struct Sent<'a> {
    value: &'a str,
    #[serde(rename = "contentType", skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: &'a BTreeMap<String, String>,
    attributes: Attributes,
}

impl Vault {
    /// The newest version of a secret, or the one named.
    pub(crate) async fn secret(&self, name: &str, version: Option<&str>) -> Result<SecretItem> {
        let path = object("secrets", name, version)?;
        let reply = self.send(RequestSpec::get(&self.url(&path))?).await?;
        self.item(&reply, &format!("give the secret '{name}'"), &Right::GET_SECRET)
    }

    /// Writes a new version. A secret of that name that was deleted is recovered first: the vault keeps its name until then.
    /// `told` hears of that.
    pub(crate) async fn set_secret(
        &self,
        name: &str,
        value: &Secret,
        properties: &Properties,
        told: impl Fn(Step),
    ) -> Result<SecretItem> {
        let body = body(value, properties)?;
        let url = self.url(&object("secrets", name, None)?);
        let action = write_action(name);
        let longest = self.first_wait() * 6;
        let mut wait = self.first_wait();
        let mut recovering = false;
        for tried in 0..=RECOVERY_TRIES {
            let reply = self.send(RequestSpec::put(&url)?.json(body.clone())).await?;
            if reply.status() != 409 || tried == RECOVERY_TRIES {
                return self.item(&reply, &action, &Right::SET_SECRET);
            }
            match explain::inner_code(reply.bytes()).as_deref() {
                Some("ObjectIsDeletedButRecoverable") if !recovering => {
                    recovering = true;
                    told(Step::Recovering);
                    self.recover_secret(name).await?;
                    continue;
                }
                // After a recovery has begun the old state may still be told for a moment.
                Some("ObjectIsBeingRecovered" | "ObjectIsBeingDeleted" | "ObjectIsDeletedButRecoverable") => {}
                _ => return Err(self.refused(&reply, &action, &Right::SET_SECRET)),
            }
            told(Step::Waiting(tried));
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(longest);
        }
        Err(Error::internal("the last try of a write has no outcome"))
    }

    /// Writes a new version of a secret that is there. One that was deleted stays so: the vault refuses it.
    pub(crate) async fn renew_secret(&self, name: &str, value: &Secret, properties: &Properties) -> Result<SecretItem> {
        let url = self.url(&object("secrets", name, None)?);
        let spec = RequestSpec::put(&url)?.json(body(value, properties)?);
        let reply = self.send(spec).await?;
        self.item(&reply, &write_action(name), &Right::SET_SECRET)
    }

    /// Every secret without its value, or every version of one; a page at a time.
    pub(crate) async fn list_secrets(&self, name: Option<&str>, mut each: impl FnMut(SecretItem)) -> Result<()> {
        let path = match name {
            Some(name) => format!("{}/versions", object("secrets", name, None)?),
            None => "secrets".to_owned(),
        };
        let mut url = self.url(&path);
        loop {
            let reply = self.send(RequestSpec::get(&url)?).await?;
            if !reply.is_success() {
                return Err(self.refused(&reply, "list the secrets", &Right::LIST_SECRETS));
            }
            let page: Page<'_> = reply.json()?;
            for bundle in page.value {
                each(SecretItem::read(bundle)?);
            }
            match page.next_link.filter(|link| !link.is_empty()) {
                Some(link) => url = self.next_page(&link, &url)?,
                None => return Ok(()),
            }
        }
    }

    /// Deletes a secret; the vault keeps it for a while, so that it can be recovered.
    pub(crate) async fn delete_secret(&self, name: &str) -> Result<()> {
        let url = self.url(&object("secrets", name, None)?);
        let reply = self.send(RequestSpec::delete(&url)?).await?;
        if reply.is_success() {
            Ok(())
        } else {
            Err(self.refused(&reply, &format!("delete the secret '{name}'"), &Right::DELETE_SECRET))
        }
    }

    async fn recover_secret(&self, name: &str) -> Result<()> {
        let path = object("deletedsecrets", name, None)?;
        let spec = RequestSpec::post(&self.url(&format!("{path}/recover")))?.repeatable(true);
        let reply = self.send(spec).await?;
        // Somebody else may be recovering it, or have done so.
        if reply.is_success() || matches!(reply.status(), 404 | 409) {
            Ok(())
        } else {
            Err(self.refused(
                &reply,
                &format!("recover the deleted secret '{name}'"),
                &Right::RECOVER_SECRET,
            ))
        }
    }

    fn item(&self, reply: &Reply, action: &str, right: &Right) -> Result<SecretItem> {
        if !reply.is_success() {
            return Err(self.refused(reply, action, right));
        }
        SecretItem::read(reply.json()?)
    }

    /// A link to the next page goes to the vault itself, and on.
    fn next_page(&self, link: &str, current: &str) -> Result<String> {
        let bad = |what: &str| {
            Error::new(
                Kind::Protocol,
                format!("{} named {what} as the next page of a list", self.address),
            )
            .advise("Try again; no token was sent there.")
        };
        let base = Url::parse(self.address.base()).map_err(|_| bad("nothing"))?;
        let mut url = Url::parse(link).map_err(|_| bad("something that is no address"))?;
        if url.origin() != base.origin() {
            return Err(bad("an address on another host"));
        }
        if url.as_str() == current {
            return Err(bad("the same page"));
        }
        if !url.query_pairs().any(|(key, _)| key == "api-version") {
            url.query_pairs_mut().append_pair("api-version", API_VERSION);
        }
        Ok(url.into())
    }
}

impl SecretItem {
    fn read(bundle: Bundle<'_>) -> Result<Self> {
        let (name, version) = name_and_version(&bundle.id)?;
        Ok(SecretItem {
            name,
            version,
            value: bundle.value.map(|value| Secret::new(value.into_owned())),
            content_type: bundle.content_type,
            tags: bundle.tags.unwrap_or_default(),
            managed: bundle.managed.unwrap_or(false),
            attributes: bundle.attributes,
        })
    }

    /// What a record says of it, with the value as bytes that its reader can clear.
    pub(crate) fn into_value(self, vault: &str) -> Value {
        let time =
            |seconds: Option<i64>| seconds.map_or(Value::Null, |seconds| Value::Time(seconds.saturating_mul(1000)));
        let tags = self
            .tags
            .into_iter()
            .map(|(key, value)| (key.into(), Value::from(value)))
            .collect();
        Value::map()
            .with("vaultUri", vault)
            .with("name", self.name)
            .with("version", self.version)
            .with("value", self.value.map_or(Value::Null, Value::Hidden))
            .with("contentType", self.content_type)
            .with("tags", Value::Map(tags))
            .with("managed", self.managed)
            .with("enabled", self.attributes.enabled.unwrap_or(true))
            .with("notBefore", time(self.attributes.nbf))
            .with("expires", time(self.attributes.exp))
            .with("created", time(self.attributes.created))
            .with("updated", time(self.attributes.updated))
    }
}

fn write_action(name: &str) -> String {
    format!("write the secret '{name}'")
}

fn body(value: &Secret, properties: &Properties) -> Result<Zeroizing<Vec<u8>>> {
    let seconds = |ms: Option<i64>| ms.map(|ms| ms.div_euclid(1000));
    let sent = Sent {
        value: value.expose(),
        content_type: properties.content_type.as_deref(),
        tags: &properties.tags,
        attributes: Attributes {
            nbf: seconds(properties.not_before),
            exp: seconds(properties.expires),
            ..Attributes::default()
        },
    };
    // Room for every byte escaped, so that growing leaves no half-written copy behind.
    let tags: usize = properties
        .tags
        .iter()
        .map(|(key, value)| key.len() + value.len() + 8)
        .sum();
    let mut body = Zeroizing::new(Vec::with_capacity(6 * (value.expose().len() + tags) + 1024));
    serde_json::to_writer(&mut *body, &sent)
        .map_err(|cause| Error::internal(format!("a secret could not be written as JSON: {cause}")))?;
    Ok(body)
}

/// Whether it can be the name of something in a vault; nothing is sent.
pub(crate) fn check_name(name: &str) -> Result<()> {
    object("secrets", name, None).map(drop)
}

/// The path of an object, its name checked: letters, digits and hyphens, 127 at most.
pub(super) fn object(kind: &str, name: &str, version: Option<&str>) -> Result<String> {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.is_empty() || name.len() > 127 || !plain(name) {
        // Not repeated: it may be a value that was given in the name's place.
        return Err(Error::invalid("what was given cannot be a name in a key vault")
            .advise("Names are 1 to 127 letters, digits and hyphens."));
    }
    match version {
        None => Ok(format!("{kind}/{name}")),
        Some(version) if !version.is_empty() && version.len() <= 64 && plain(version) => {
            Ok(format!("{kind}/{name}/{version}"))
        }
        Some(_) => Err(Error::invalid("what was given is no version of a secret")
            .advise("A version is 32 hexadecimal digits; leave it out for the newest.")),
    }
}

/// The last two parts of an object's id, `https://vault/<kind>/<name>[/<version>]`.
pub(super) fn name_and_version(id: &str) -> Result<(String, String)> {
    let bad =
        || Error::new(Kind::Protocol, "the vault named an object by something that is no id").advise("Try again.");
    let url = Url::parse(id).map_err(|_| bad())?;
    let mut parts = url.path_segments().ok_or_else(bad)?.skip(1).map(str::to_owned);
    let name = parts.next().filter(|name| !name.is_empty()).ok_or_else(bad)?;
    Ok((name, parts.next().unwrap_or_default()))
}
