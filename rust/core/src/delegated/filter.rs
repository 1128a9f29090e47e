//! Which of a partner's customers are wanted.

use super::merge::Customer;
use super::Source;
use crate::error::{Error, Result};
use crate::request::Request;

/// Every kind of filter that is given must be met, by one of its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Patterns with `*` and `?`, without regard to case.
    names: Vec<String>,
    domains: Vec<String>,
    sources: Vec<Source>,
}

impl Filter {
    pub(crate) const FIELDS: [&'static str; 3] = ["names", "domains", "sources"];

    pub(crate) fn read(request: &Request) -> Result<Self> {
        let sources = request.texts("sources")?.iter().map(|name| {
            let is_meant = |source: &Source| source.name().eq_ignore_ascii_case(name.trim());
            Source::ALL.into_iter().find(is_meant).ok_or_else(|| {
                Error::invalid("there is no such source of customers")
                    .advise("Use PartnerCenter, Contracts or DelegatedAdminCustomers.")
            })
        });
        Ok(Filter {
            names: request.texts("names")?.to_vec(),
            domains: request.texts("domains")?.to_vec(),
            sources: sources.collect::<Result<_>>()?,
        })
    }

    pub(crate) fn wants(&self, customer: &Customer) -> bool {
        let meets = |patterns: &[String], text: Option<&str>| {
            patterns.is_empty()
                || patterns
                    .iter()
                    .any(|pattern| is_like(pattern, text.unwrap_or_default()))
        };
        let listed = |source| customer.sources.contains(source);
        meets(&self.names, customer.display_name.as_deref())
            && meets(&self.domains, customer.domain.as_deref())
            && (self.sources.is_empty() || self.sources.iter().any(listed))
    }
}

/// True where a text is what a pattern says: `*` stands for anything, `?` for one character.
fn is_like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.trim().to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut in_text) = (0, 0);
    // The last star, and how much of the text it stands for at the moment.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                at = place + 1;
                in_text = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|left| *left == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_are_those_of_the_shell() {
        for (pattern, text, is) in [
            ("contoso*", "Contoso Ltd", true),
            ("*soft", "Microsoft", true),
            ("*os*t", "Microsoft", true),
            ("c?ntoso", "CONTOSO", true),
            ("contoso", "Contoso Ltd", false),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("ü*", "Übersee", true),
        ] {
            assert_eq!(is_like(pattern, text), is, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_like_itself_between_stars(before in "[a-c]{0,4}", text in "[a-c]{0,6}", after in "[a-c]{0,4}") {
            let (pattern, around) = (format!("*{text}*"), format!("{before}{text}{after}"));
            prop_assert!(is_like(&pattern, &around) && is_like(&text, &text));
        }

        #[test]
        fn any_pattern_has_an_answer(pattern in "[*?ab]{0,12}", text in "[ab]{0,40}") {
            is_like(&pattern, &text);
        }
    }
}
