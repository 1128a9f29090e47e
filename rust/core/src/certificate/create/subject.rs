//! The name in a new certificate, as people write it: `CN=Contoso SAM, O=Contoso`, or the common name alone.
//!
//! The text has the form of RFC 4514, with what Windows adds to it: values in double quotes, `S` and `E` as names. It lists
//! the most special part first; a certificate has it last.

use crate::error::{Error, Result};
use openssl::nid::Nid;
use openssl::x509::{X509Name, X509NameBuilder};

const TYPES: [(&str, Nid); 12] = [
    ("CN", Nid::COMMONNAME),
    ("O", Nid::ORGANIZATIONNAME),
    ("OU", Nid::ORGANIZATIONALUNITNAME),
    ("C", Nid::COUNTRYNAME),
    ("L", Nid::LOCALITYNAME),
    ("S", Nid::STATEORPROVINCENAME),
    ("ST", Nid::STATEORPROVINCENAME),
    ("STREET", Nid::STREETADDRESS),
    ("DC", Nid::DOMAINCOMPONENT),
    ("E", Nid::PKCS9_EMAILADDRESS),
    ("EMAILADDRESS", Nid::PKCS9_EMAILADDRESS),
    ("SERIALNUMBER", Nid::SERIALNUMBER),
];

/// What is refused is not repeated: it may be a secret in the wrong place.
pub(super) fn parse(text: &str) -> Result<X509Name> {
    let failed = |cause| Error::internal(format!("the subject could not be made: {cause}"));
    let mut name = X509NameBuilder::new().map_err(failed)?;
    for (kind, value) in parts(text)?.into_iter().rev() {
        let kind_name = kind.short_name().unwrap_or_default();
        if value.is_empty() || value.chars().any(char::is_control) {
            return Err(bad(&format!(
                "the value of {kind_name} is empty or has a control character"
            )));
        }
        // OpenSSL knows how long each may be (X.520, upper bounds).
        name.append_entry_by_nid(kind, &value).map_err(|_| {
            bad(&format!(
                "the value of {kind_name} has a length or a character that it cannot have"
            ))
        })?;
    }
    Ok(name.build())
}

/// Types and values in the order of the text.
fn parts(text: &str) -> Result<Vec<(Nid, String)>> {
    if !text.contains('=') {
        return Ok(vec![(Nid::COMMONNAME, text.trim().to_owned())]);
    }
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (kind, after) = rest.split_once('=').ok_or_else(|| {
            bad("after a comma another NAME=value is missing; a comma that is part of a value is written \\,")
        })?;
        let kind = kind.trim();
        let (_, kind) = TYPES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(kind))
            .ok_or_else(|| {
                bad("a part of it begins with another name than CN, O, OU, C, L, S, STREET, DC, E or SERIALNUMBER")
            })?;
        let (value, after) = value(after.trim_start())?;
        parts.push((*kind, value));
        match after {
            Some(after) => rest = after,
            None => return Ok(parts),
        }
    }
}

/// One value, and what follows the comma behind it.
fn value(text: &str) -> Result<(String, Option<&str>)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return self::quoted(quoted);
    }
    let mut value = Vec::new();
    // Spaces at the end belong to the value only where they are escaped.
    let mut solid = 0;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match character {
            ',' | ';' => {
                value.truncate(solid);
                return Ok((text_of(value)?, Some(after)));
            }
            '+' => {
                return Err(bad(
                    "a part of it has two values joined by +, which is not supported; a + in a value is written \\+",
                ))
            }
            '\\' => {
                rest = escaped(after, &mut value)?;
                solid = value.len();
            }
            _ => {
                value.extend_from_slice(&rest.as_bytes()[..character.len_utf8()]);
                if character != ' ' {
                    solid = value.len();
                }
                rest = after;
            }
        }
    }
    value.truncate(solid);
    Ok((text_of(value)?, None))
}

/// What follows a backslash: two hexadecimal digits of a byte, or a character that stands for itself.
fn escaped<'a>(after: &'a str, value: &mut Vec<u8>) -> Result<&'a str> {
    let byte = after
        .get(..2)
        .filter(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if let Some(byte) = byte.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
        value.push(byte);
        return Ok(&after[2..]);
    }
    let character = after.chars().next().ok_or_else(|| bad("it ends with a backslash"))?;
    let length = character.len_utf8();
    value.extend_from_slice(&after.as_bytes()[..length]);
    Ok(&after[length..])
}

/// A value in double quotes, in which two of them, or one behind a backslash, stand for one.
fn quoted(text: &str) -> Result<(String, Option<&str>)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        match (character, next) {
            ('"', Some('"')) | ('\\', Some('"' | '\\')) => value.extend(characters.next().map(|(_, next)| next)),
            ('"', _) => {
                let after = text[at + 1..].trim_start();
                return match after.chars().next() {
                    None => Ok((value, None)),
                    Some(',' | ';') => Ok((value, Some(&after[1..]))),
                    Some(_) => Err(bad("a quoted value is followed by something else than a comma")),
                };
            }
            _ => value.push(character),
        }
    }
    Err(bad("a quotation mark is not closed"))
}

fn text_of(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| bad("the bytes that it names by their digits are not UTF-8"))
}

#[cold]
fn bad(why: &str) -> Error {
    Error::invalid(format!("the certificate's subject cannot be used: {why}"))
        .advise("Give a name such as 'Contoso SAM', or its parts: 'CN=Contoso SAM, O=Contoso'.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String> {
        parse(text).map(|name| crate::certificate::name(&name))
    }

    #[test]
    fn is_read_as_people_write_it() {
        for (text, name) in [
            ("Contoso SAM", "CN=Contoso SAM"),
            ("Contoso, Ltd.", "CN=Contoso, Ltd."),
            ("CN=Contoso SAM", "CN=Contoso SAM"),
            (" cn = Contoso SAM ,O=Contoso; c=de", "CN=Contoso SAM, O=Contoso, C=de"),
            ("CN=a=b", "CN=a=b"),
            ("CN=Contoso\\, Ltd., O=B\\c3\\a4r", "CN=Contoso, Ltd., O=B\u{e4}r"),
            (
                "CN=\"Contoso, \"\"the\"\" + Ltd.\" , O=x",
                "CN=Contoso, \"the\" + Ltd., O=x",
            ),
            (
                "CN=x, S=Bayern, E=a@b.example",
                "CN=x, ST=Bayern, emailAddress=a@b.example",
            ),
            ("CN=x\\ ", "CN=x "),
            ("CN=M\u{fc}nchen \u{4e2d}", "CN=M\u{fc}nchen \u{4e2d}"),
        ] {
            assert_eq!(read(text).expect(text), name, "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_and_not_repeated() {
        for text in [
            "",
            "CN=",
            "CN=x,",
            "CN=x, Sx8~secret",
            "Sx8~secret=",
            "CN=\"Sx8~secret",
            "CN=\"Sx8~secret\" x",
            "CN=Sx8~secret+O=y",
            "CN=Sx8~secret\\",
            "CN=\\ff",
            "CN=Sx8~secret\u{7}",
            "C=Sx8~secret",
            "CN=12345678901234567890123456789012345678901234567890123456789012345",
        ] {
            let error = read(text).expect_err(text);
            assert!(!error.message().contains("Sx8~"), "{error:?}");
            assert!(!error.advice().is_empty());
        }
    }

    proptest! {
        #[test]
        fn escaped_parts_come_back(values in prop::collection::vec("[^\\p{C}]{1,20}", 1..4), quote in any::<bool>()) {
            let values: Vec<&str> = values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
            let text: Vec<String> = values.iter().map(|value| if quote {
                format!("OU=\"{}\"", value.replace('\\', "\\\\").replace('"', "\"\""))
            } else {
                let escaped: String = value.chars().flat_map(|character| {
                    (!character.is_alphanumeric()).then_some('\\').into_iter().chain([character])
                }).collect();
                format!("OU={escaped}")
            }).collect();
            prop_assume!(!values.is_empty());
            let found = parts(&text.join(",")).unwrap();
            prop_assert_eq!(found.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), values);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[CNO=,;+\\\\\" a\u{e4}0-9]{0,24}") {
            let _ = read(&text);
        }
    }
}
