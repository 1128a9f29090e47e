//! The table of `advice`, sorted by code.

use super::advice::{Category, Row};
use Category::*;

const fn row(code: u32, category: Category, meaning: &'static str, advice: &'static str) -> Row {
    Row {
        code,
        category,
        meaning,
        advice,
    }
}

pub(super) static ROWS: &[Row] = &[
    row(
        65001,
        Consent,
        "nobody has consented to the application there",
        "An administrator of {tenant} consents to the application at {consent}.",
    ),
    row(
        7000215,
        Credential,
        "the client secret is wrong",
        "Give the secret's Value as it was shown when it was created, not its ID; if it is lost, create a new one.",
    ),
];
