//! What of a user's words may stand in an error: words, and nothing that could be a secret in the wrong place.

const LONGEST: usize = 80;

/// Quoted where it is made of words, or its length alone.
pub(super) fn shown(text: &str) -> String {
    let is_words = text.chars().count() <= LONGEST && text.chars().all(|c| c.is_alphabetic() || " .-_'&".contains(c));
    match is_words {
        true => format!("'{text}'"),
        false => format!("a text of {} characters", text.chars().count()),
    }
}
