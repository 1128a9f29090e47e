//! The names of secrets that a rotation makes. A secret's name is all of it that can be chosen, so it says what a later run has to
//! know: which store holds the secret, and which secret it took the place of.

use crate::application::object::SECRET_NAME;
use crate::certificate::hex;
use crate::store::Place;

const IN: &str = " in ";
const AFTER: &str = " after ";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The mark of the only place where the secret can be.
    pub(super) place: Option<String>,
    /// The key id of the secret before it.
    pub(super) after: Option<String>,
}

impl Origin {
    pub(super) fn name(&self) -> String {
        let mut name = SECRET_NAME.to_owned();
        for (word, part) in [(IN, &self.place), (AFTER, &self.after)] {
            if let Some(part) = part {
                name.push_str(word);
                name.push_str(part);
            }
        }
        name
    }

    /// What a name says; nothing where a rotation did not make it.
    pub(super) fn parse(name: &str) -> Origin {
        let Some(rest) = name.strip_prefix(SECRET_NAME) else {
            return Origin::default();
        };
        let (rest, after) = match rest.split_once(AFTER) {
            Some((rest, after)) => (rest, Some(after.to_owned())),
            None => (rest, None),
        };
        Origin {
            place: rest.strip_prefix(IN).map(str::to_owned),
            after,
        }
    }
}

/// Short enough for a name, and the same from whichever machine. A host's own vault is not marked: others may have one of that name.
pub(super) fn mark(place: &Place) -> Option<String> {
    match place {
        Place::Vault(_) => Some(hex(&openssl::sha::sha256(place.key().as_bytes())[..6])),
        Place::Host { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_says_what_it_was_made_of(place in prop::option::of("[0-9A-F]{12}"), after in prop::option::of("[0-9a-f-]{36}")) {
            let origin = Origin { place, after };
            let name = origin.name();
            prop_assert_eq!(Origin::parse(&name), origin);
            prop_assert!(name.len() <= 90);
        }

        #[test]
        fn no_name_is_too_strange(name in ".*") {
            let origin = Origin::parse(&name);
            prop_assert!(name.starts_with(SECRET_NAME) || origin == Origin::default());
        }
    }
}
