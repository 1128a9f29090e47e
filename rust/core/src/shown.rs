//! What of a user's words may stand in an error: nothing that could be a secret in the wrong place.

const LONGEST_HOST: usize = 100;
const LONGEST_LABEL: usize = 32;
const LONGEST_WORD: usize = 12;

/// What was given as the name of an API: quoted where it is a host, with or without `https://`, or a word, or its length alone.
pub(crate) fn api_name(text: &str) -> String {
    let host = text.strip_prefix("https://").unwrap_or(text);
    match is_host(host) || is_word(text) {
        true => format!("'{text}'"),
        false => format!("a text of {} characters", text.chars().count()),
    }
}

/// A host by its form alone: labels of small letters, digits and hyphens, and a top-level domain at the end.
pub(crate) fn is_host(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let is_label = |label: &&str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let ends_in_letters = labels
        .last()
        .is_some_and(|last| last.len() >= 2 && last.bytes().all(|b| b.is_ascii_lowercase()));
    text.len() <= LONGEST_HOST && labels.len() >= 2 && ends_in_letters && labels.iter().all(is_label)
}

/// Small letters, or with one capital at the start: what was made at random mixes them.
fn is_word(text: &str) -> bool {
    let mut letters = text.chars();
    (1..=LONGEST_WORD).contains(&text.chars().count())
        && letters.next().is_some_and(char::is_alphabetic)
        && letters.all(|c| c.is_alphabetic() && !c.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_and_what_may_be_a_secret_is_not() {
        for public in [
            "graph",
            "Graph",
            "graph.microsoft.com",
            "https://graph.microsft.com",
            "https://management.core.windows.net",
        ] {
            assert_eq!(api_name(public), format!("'{public}'"));
        }
        for secret in [
            "",
            "Ewy~kSUOT-TxnzHleHCDwybm+/yrFhV24",
            "0.AXoAbc-def_ghi",
            "M.AXoAxxxxxxxx",
            "hunter2",
            "aBcDeFgH",
            "abcdefghijklmnopqrstuvwxyz",
            "https://contoso.example/aBcDeF123",
            "https://user:word@contoso.example",
            "0123456789abcdef0123456789abcdef0123456789.example",
        ] {
            assert!(api_name(secret).starts_with("a text of"), "{secret}");
        }
    }
}
