//! A cmdlet's name, and its parameters as the interface takes them.

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// What says of an object inside the parameters that it is a hashtable, as the module's own requests do.
const HASHTABLE: (&str, &str) = ("@odata.type", "#Exchange.GenericHashTable");

/// A cmdlet that the user names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cmdlet(String);

impl Cmdlet {
    /// `Verb-Noun`, in letters and digits: it goes into a header.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        let name = name.trim();
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match name.split_once('-') {
            Some((verb, noun)) if is_word(verb) && is_word(noun) && name.len() <= 128 => Ok(Cmdlet(name.to_owned())),
            _ => Err(Error::invalid("the name that was given is no cmdlet's")
                .advise("Give a name such as Get-Mailbox, and its parameters with -Parameters.")),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Running it twice gives the same as running it once. A search's session goes on with every call.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.has_verb(&["Get", "Test"])
    }

    /// It may change something.
    pub(crate) fn changes(&self) -> bool {
        !self.has_verb(&["Get", "Search", "Test"])
    }

    fn has_verb(&self, verbs: &[&str]) -> bool {
        let verb = self.0.split('-').next().unwrap_or_default();
        verbs.iter().any(|known| known.eq_ignore_ascii_case(verb))
    }
}

/// The parameters in a JSON object. Objects inside them are hashtables and are marked as such.
pub(crate) fn parameters(text: &str) -> Result<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(mut parameters)) => {
            parameters.values_mut().for_each(mark);
            Ok(parameters)
        }
        // The text may hold what is nobody's business.
        _ => Err(Error::invalid("the cmdlet's parameters are no object")
            .advise("Give -Parameters a hashtable, such as @{ Identity = 'adele@contoso.com' }.")),
    }
}

fn mark(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mark),
        Value::Object(fields) => {
            fields.values_mut().for_each(mark);
            fields
                .entry(HASHTABLE.0)
                .or_insert_with(|| Value::String(HASHTABLE.1.to_owned()));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_is_a_verb_and_a_noun() {
        for (name, changes, repeatable) in [
            ("Get-Mailbox", false, true),
            ("search-UnifiedAuditLog", false, false),
            ("Test-MAPIConnectivity", false, true),
            (" Set-CASMailbox ", true, false),
            ("Getter-Mailbox", true, false),
        ] {
            let cmdlet = Cmdlet::parse(name).unwrap();
            assert_eq!(
                (cmdlet.changes(), cmdlet.is_repeatable()),
                (changes, repeatable),
                "{name}"
            );
            assert_eq!(cmdlet.name(), name.trim());
        }
        for name in [
            "",
            "-",
            "Get-",
            "-Mailbox",
            "Get-Mail box",
            "Get-Mailbox\r\nX: y",
            "Get_Mailbox",
            "Get-A-B",
        ] {
            assert!(Cmdlet::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn hashtables_say_that_they_are() {
        let marked = parameters(r#"{"EmailAddresses":{"Add":["a",{"b":1}]},"Identity":"x"}"#).unwrap();
        assert_eq!(
            Value::Object(marked),
            json!({"EmailAddresses": {"@odata.type": HASHTABLE.1, "Add": ["a", {"@odata.type": HASHTABLE.1, "b": 1}]}, "Identity": "x"})
        );
        for text in ["", "[]", "1", "{"] {
            assert!(parameters(text).is_err(), "{text}");
        }
    }
}
