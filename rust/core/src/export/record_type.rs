//! The names and numbers of audit record types.

use std::collections::HashMap;
use std::sync::OnceLock;

/// Number, name as Microsoft Graph's `auditLogRecordType` has it, and the other name where the Office 365 Management Activity
/// API schema gives the number to another type. Which of the two a record means is not known.
static TABLE: &str = include_str!("../../data/record-types.csv");

struct Names {
    by_number: HashMap<u32, &'static str>,
    by_name: HashMap<String, &'static str>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Names {
            by_number: HashMap::new(),
            by_name: HashMap::new(),
        };
        for row in TABLE.lines().skip(1) {
            let mut columns = row.split(',');
            let number = columns.next().and_then(|number| number.parse().ok());
            let spelled: Vec<&str> = columns.filter(|name| !name.is_empty()).collect();
            for name in &spelled {
                names.by_name.insert(name.to_ascii_lowercase(), *name);
            }
            if let (Some(number), [name]) = (number, spelled.as_slice()) {
                names.by_number.insert(number, *name);
            }
        }
        names
    })
}

/// The name of a record type; `None` for numbers without one, and for those that Microsoft's own pages give two names:
/// there the number is shown, which is never wrong.
pub fn name(number: u32) -> Option<&'static str> {
    names().by_number.get(&number).copied()
}

/// The usual spelling of a record type that is given by its name in any case, or by its number.
pub fn named(text: &str) -> Option<&'static str> {
    match text.parse() {
        Ok(number) => name(number),
        Err(_) => names().by_name.get(&text.to_ascii_lowercase()).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_number_and_name() {
        assert_eq!(name(1), Some("ExchangeAdmin"));
        assert_eq!(named("exchangeadmin"), Some("ExchangeAdmin"));
        assert_eq!(named("15"), Some("AzureActiveDirectoryStsLogon"));
        // One number, two names: either name is known, the number is not.
        assert_eq!(name(79), None);
        assert_eq!(named("PowerPlatformAdminDlp"), Some("PowerPlatformAdminDlp"));
        for nothing in ["", "Exchange", "900", "-1"] {
            assert_eq!(named(nothing), None, "{nothing}");
        }
    }
}
