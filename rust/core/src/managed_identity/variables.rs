//! The environment variables by which a hosting platform tells its processes where their identity is.

use crate::error::{Error, Result};
use crate::request::Request;
use std::collections::HashMap;
use zeroize::Zeroizing;

/// As the process has them, or as its host passes them on: a shell's own variables need not be the process's.
pub(crate) struct Variables(Option<HashMap<String, Zeroizing<String>>>);

impl Variables {
    /// `variables`: lines of `NAME=value`, all that count. Without the field the process's own are read.
    pub(crate) fn from_request(request: &Request) -> Result<Self> {
        let Some(lines) = request.opt_secret("variables")? else {
            return Ok(Variables(None));
        };
        let mut given = HashMap::new();
        for line in lines.expose().lines().filter(|line| !line.trim().is_empty()) {
            let Some((name, value)) = line.split_once('=') else {
                return Err(Error::invalid("a line of the field 'variables' has no '='"));
            };
            given.insert(name.trim().to_owned(), Zeroizing::new(value.trim().to_owned()));
        }
        Ok(Variables(Some(given)))
    }

    /// A variable that is set to something.
    pub(crate) fn read(&self, name: &str) -> Option<Zeroizing<String>> {
        let value = match &self.0 {
            Some(given) => given.get(name).cloned(),
            None => std::env::var(name).ok().map(Zeroizing::new),
        };
        value.filter(|value| !value.trim().is_empty())
    }

    /// The same for what is no secret.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.read(name).map(|value| value.trim().to_owned())
    }
}
