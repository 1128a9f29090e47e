//! The parameters of a cmdlet, as JSON has them: names in any case, one value where a list is wanted.

use serde_json::{Map, Value};

use crate::clock::parse_utc_ms;

use super::error::ExchangeError;

pub(super) struct Parameters {
    cmdlet: String,
    given: Map<String, Value>,
}

impl Parameters {
    pub(super) fn new(cmdlet: &str, given: Map<String, Value>) -> Self {
        Parameters {
            cmdlet: cmdlet.to_owned(),
            given,
        }
    }

    /// Refuses what the cmdlet does not have; what every cmdlet has is fine.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), ExchangeError> {
        const COMMON: [&str; 5] = ["ErrorAction", "WarningAction", "Verbose", "Debug", "Confirm"];
        let known = |name: &str| {
            let is = |known: &&str| known.eq_ignore_ascii_case(name);
            names.iter().any(is) || COMMON.iter().any(is)
        };
        match self.given.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(unknown) => Err(ExchangeError::thrown(
                "AmbiguousParameterSetException",
                format!(
                    "Parameter set cannot be resolved using the specified named parameters: {} has no parameter '{unknown}'.",
                    self.cmdlet
                ),
            )),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let found = self.given.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// A text that the cmdlet cannot do without.
    pub(super) fn needed(&self, name: &str) -> Result<&str, ExchangeError> {
        self.text(name).ok_or_else(|| {
            ExchangeError::thrown(
                "ParameterBindingException",
                format!("Cannot process command because of one or more missing mandatory parameters: {name}."),
            )
        })
    }

    /// A switch or a truth value.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ExchangeError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(*on)),
            Some(_) => Err(self.unusable(name, "Cannot convert the value to type \"System.Boolean\".")),
        }
    }

    /// One text, or several.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(value)) => vec![value.clone()],
            _ => Vec::new(),
        }
    }

    /// A whole number, also as text.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, ExchangeError> {
        let number = match self.value(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        match number.and_then(|number| usize::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.unusable(name, "Input string was not in a correct format.")),
        }
    }

    /// A moment in seconds since 1970; without a zone it is UTC.
    pub(super) fn moment(&self, name: &str) -> Result<i64, ExchangeError> {
        let text = self.needed(name)?;
        let trimmed = text.trim_end_matches("+00:00").trim_end_matches('Z');
        let full = if trimmed.len() == 10 {
            format!("{trimmed}T00:00:00")
        } else {
            trimmed.to_owned()
        };
        match parse_utc_ms(&full) {
            Some(ms) => Ok(ms.div_euclid(1000)),
            None => Err(self.unusable(name, "The string was not recognized as a valid DateTime.")),
        }
    }

    fn unusable(&self, name: &str, why: &str) -> ExchangeError {
        ExchangeError::thrown(
            "ParameterBindingException",
            format!("Cannot process argument transformation on parameter '{name}'. {why}"),
        )
    }
}
