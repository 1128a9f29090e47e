//! Names of tenants: a GUID, a verified domain, or one of the three shared names of the sign-in endpoint.

use crate::error::{Error, Result};
use std::fmt;

/// A tenant as its user named it, checked and in canonical form (lower case, no braces).
///
/// Nothing else than what `parse` accepts ever becomes part of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TenantId {
    text: String,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Form {
    Guid(u128),
    Domain,
    Shared,
}

/// The names that stand for no tenant in particular.
const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

impl TenantId {
    /// Reads a GUID (with or without braces), a DNS domain (international names become punycode), or `common`,
    /// `organizations`, `consumers`.
    pub fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(Error::invalid("the tenant is empty").advise(
                "Give the tenant as its GUID or as one of its verified domains, such as contoso.onmicrosoft.com.",
            ));
        }
        let bare = trimmed
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(trimmed);
        if let Some(number) = parse_guid(bare) {
            return Ok(TenantId {
                text: bare.to_ascii_lowercase(),
                form: Form::Guid(number),
            });
        }
        let lower = trimmed.to_ascii_lowercase();
        if SHARED.contains(&lower.as_str()) {
            return Ok(TenantId {
                text: lower,
                form: Form::Shared,
            });
        }
        match parse_domain(&lower) {
            Some(domain) => Ok(TenantId { text: domain, form: Form::Domain }),
            None => Err(Error::invalid(format!("'{}' is neither a tenant id nor a domain", printable(trimmed)))
                .for_tenant(printable(trimmed))
                .advise("Give the tenant as its GUID or as one of its verified domains, such as contoso.onmicrosoft.com.")),
        }
    }

    /// The canonical text: what goes into URLs and output.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The GUID as a number, where the name is one.
    pub fn guid(&self) -> Option<u128> {
        match self.form {
            Form::Guid(number) => Some(number),
            _ => None,
        }
    }

    /// True for `common`, `organizations` and `consumers`.
    pub fn is_shared(&self) -> bool {
        self.form == Form::Shared
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads `8-4-4-4-12` hexadecimal digits.
pub(crate) fn parse_guid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut number = 0u128;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
        } else {
            number = (number << 4) | u128::from(char::from(*byte).to_digit(16)?);
        }
    }
    Some(number)
}

fn parse_domain(lower: &str) -> Option<String> {
    let ascii = if lower.is_ascii() {
        lower.to_owned()
    } else {
        match url::Host::parse(lower) {
            Ok(url::Host::Domain(domain)) => domain,
            _ => return None,
        }
    };
    let mut labels = 0;
    for label in ascii.split('.') {
        labels += 1;
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if label.is_empty() || label.len() > 63 || !plain || label.starts_with('-') || label.ends_with('-') {
            return None;
        }
    }
    let last_is_name = ascii
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
    (labels >= 2 && ascii.len() <= 253 && last_is_name).then_some(ascii)
}

/// What may be repeated in a message: short, and without control characters.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use proptest::prelude::*;

    #[test]
    fn accepts_what_names_a_tenant() {
        for (given, canonical) in [
            (
                "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
                "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            ),
            (
                " {f81d4fae-7dec-11d0-a765-00a0c91e6bf6} ",
                "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            ),
            ("Contoso.OnMicrosoft.com", "contoso.onmicrosoft.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("Organizations", "organizations"),
        ] {
            assert_eq!(TenantId::parse(given).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn refuses_what_does_not() {
        for given in [
            "",
            "  ",
            "contoso",
            "a b.com",
            "-a.com",
            "a-.com",
            "a..com",
            ".com",
            "10.0.0.1",
            "contoso.com/x",
            "a.com?x=1",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
            "f81d4fae_7dec-11d0-a765-00a0c91e6bf6",
            "../common",
            "x@contoso.com",
            "ü",
        ] {
            assert_eq!(
                TenantId::parse(given).unwrap_err().kind(),
                Kind::InvalidInput,
                "{given}"
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_stays_url_safe(text in ".{0,80}") {
            if let Ok(tenant) = TenantId::parse(&text) {
                prop_assert!(tenant.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.'));
                prop_assert_eq!(TenantId::parse(tenant.as_str()).unwrap(), tenant);
            }
        }

        #[test]
        fn every_guid_reads_back(number in any::<u128>()) {
            let hex = format!("{number:032x}");
            let text = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
            prop_assert_eq!(TenantId::parse(&text.to_uppercase()).unwrap().guid(), Some(number));
        }
    }
}
