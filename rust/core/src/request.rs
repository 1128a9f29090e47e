//! What a caller asks for: a kind and named fields, read by the operation that the kind names.

use crate::credential::Credential;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::signer::Signer;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub enum Field {
    Text(String),
    Texts(Vec<String>),
    Int(i64),
    Secret(Secret),
    Credential(Arc<Credential>),
    Signer(Arc<Signer>),
}

#[derive(Clone, Debug)]
pub struct Request {
    kind: String,
    fields: BTreeMap<String, Field>,
}

impl Request {
    pub fn new(kind: impl Into<String>) -> Self {
        Request {
            kind: kind.into(),
            fields: BTreeMap::new(),
        }
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn set(&mut self, key: impl Into<String>, field: Field) {
        self.fields.insert(key.into(), field);
    }

    /// Builder form of [`Request::set`].
    pub fn with(mut self, key: &str, field: Field) -> Self {
        self.set(key, field);
        self
    }

    /// Appends to a list of texts, starting it where there is none.
    pub fn add_text(&mut self, key: &str, text: String) -> Result<()> {
        match self
            .fields
            .entry(key.to_owned())
            .or_insert_with(|| Field::Texts(Vec::new()))
        {
            Field::Texts(texts) => {
                texts.push(text);
                Ok(())
            }
            _ => Err(self.wrong_type(key, "a list")),
        }
    }

    /// Takes a field out that is no business of the operation's, and says whether it is there and not 0.
    pub(crate) fn take_flag(&mut self, key: &str) -> Result<bool> {
        let wanted = self.flag(key)?;
        self.fields.remove(key);
        Ok(wanted)
    }

    /// Refuses fields that the operation does not know, so that a misspelt one is never silently without effect.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        match self.fields.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Error::invalid(format!("'{}' does not take a field '{key}'", self.kind))),
            None => Ok(()),
        }
    }

    /// A new request of `kind` with those of the named fields that this one has.
    pub(crate) fn carry(&self, kind: &str, keys: &[&str]) -> Request {
        let mut carried = Request::new(kind);
        for key in keys {
            if let Some(field) = self.fields.get(*key) {
                carried.set(*key, field.clone());
            }
        }
        carried
    }

    pub fn text(&self, key: &str) -> Result<&str> {
        self.opt_text(key)?.ok_or_else(|| self.missing(key))
    }

    pub fn opt_text(&self, key: &str) -> Result<Option<&str>> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(Field::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong_type(key, "a text")),
        }
    }

    /// The texts of a list; empty where the field is absent.
    pub fn texts(&self, key: &str) -> Result<&[String]> {
        match self.fields.get(key) {
            None => Ok(&[]),
            Some(Field::Texts(texts)) => Ok(texts),
            Some(_) => Err(self.wrong_type(key, "a list")),
        }
    }

    pub fn int(&self, key: &str) -> Result<i64> {
        self.opt_int(key)?.ok_or_else(|| self.missing(key))
    }

    pub fn opt_int(&self, key: &str) -> Result<Option<i64>> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(Field::Int(number)) => Ok(Some(*number)),
            Some(_) => Err(self.wrong_type(key, "a number")),
        }
    }

    /// True where the field is present and not 0.
    pub fn flag(&self, key: &str) -> Result<bool> {
        Ok(self.opt_int(key)?.is_some_and(|number| number != 0))
    }

    pub fn opt_secret(&self, key: &str) -> Result<Option<&Secret>> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(Field::Secret(secret)) => Ok(Some(secret)),
            Some(_) => Err(self.wrong_type(key, "a secret")),
        }
    }

    pub fn credential(&self, key: &str) -> Result<&Arc<Credential>> {
        match self.fields.get(key) {
            None => Err(self.missing(key)),
            Some(Field::Credential(credential)) => Ok(credential),
            Some(_) => Err(self.wrong_type(key, "a credential")),
        }
    }

    pub fn opt_credential(&self, key: &str) -> Result<Option<&Arc<Credential>>> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(Field::Credential(credential)) => Ok(Some(credential)),
            Some(_) => Err(self.wrong_type(key, "a credential")),
        }
    }

    pub fn signer(&self, key: &str) -> Result<&Arc<Signer>> {
        self.opt_signer(key)?.ok_or_else(|| self.missing(key))
    }

    pub fn opt_signer(&self, key: &str) -> Result<Option<&Arc<Signer>>> {
        match self.fields.get(key) {
            None => Ok(None),
            Some(Field::Signer(signer)) => Ok(Some(signer)),
            Some(_) => Err(self.wrong_type(key, "a signer")),
        }
    }

    #[cold]
    fn missing(&self, key: &str) -> Error {
        Error::invalid(format!("'{}' needs a field '{key}'", self.kind))
    }

    #[cold]
    fn wrong_type(&self, key: &str, wanted: &str) -> Error {
        Error::invalid(format!("the field '{key}' of '{}' must be {wanted}", self.kind))
    }
}
