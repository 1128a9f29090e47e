//! Mail addresses as people write them: `sam@contoso.com`, or `Sam Carter <sam@contoso.com>`.

use crate::error::{Error, Result};
use serde_json::{json, Value as Json};

/// Longer than every address that a mail server takes.
const LONGEST: usize = 320;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) address: String,
    pub(crate) name: Option<String>,
}

impl Address {
    /// `place` is where it was given: "-To". What is no address is refused without being repeated: it may be anything.
    pub(crate) fn parse(text: &str, place: &str) -> Result<Self> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"').trim(), address.trim()),
            None => ("", text),
        };
        let is_plain =
            |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '/' | '\\');
        let is_address = address.len() <= LONGEST
            && address.chars().all(is_plain)
            && address.split_once('@').is_some_and(|(user, domain)| {
                !user.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !domain.starts_with('.')
                    && !domain.ends_with('.')
            });
        if !is_address || name.chars().any(char::is_control) {
            return Err(Error::invalid(format!("{place} has a text that is no mail address"))
                .advise("Give addresses such as sam@contoso.com, or with a name: Sam Carter <sam@contoso.com>."));
        }
        Ok(Address {
            address: address.to_owned(),
            name: (!name.is_empty()).then(|| name.to_owned()),
        })
    }

    pub(crate) fn parse_all(texts: &[String], place: &str) -> Result<Vec<Self>> {
        texts.iter().map(|text| Address::parse(text, place)).collect()
    }

    /// Graph's `recipient`.
    pub(crate) fn recipient(&self) -> Json {
        match &self.name {
            Some(name) => json!({"emailAddress": {"address": self.address, "name": name}}),
            None => json!({"emailAddress": {"address": self.address}}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_read_with_and_without_a_name() {
        let parse = |text| {
            Address::parse(text, "-To")
                .map(|found| (found.address, found.name))
                .ok()
        };
        let own = |text: &str| text.to_owned();
        assert_eq!(parse(" sam@contoso.com "), Some((own("sam@contoso.com"), None)));
        assert_eq!(
            parse("Sam C <sam@contoso.com>"),
            Some((own("sam@contoso.com"), Some(own("Sam C"))))
        );
        assert_eq!(
            parse("\"C, Sam\" <s@b.example>"),
            Some((own("s@b.example"), Some(own("C, Sam"))))
        );
        assert_eq!(parse("<sam@contoso.com>"), Some((own("sam@contoso.com"), None)));
        for text in [
            "",
            "sam",
            "@contoso.com",
            "sam@",
            "a@b@c",
            "a@.b",
            "a b@c.d",
            "a@b.c;d@e.f",
            "x <a@b",
            "a@b.c\r\nBcc: d@e.f",
            "a/../b@c.d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            if let Ok(found) = Address::parse(&text, "-To") {
                prop_assert!(found.address.contains('@') && !found.address.contains(char::is_whitespace));
            }
        }
    }
}
