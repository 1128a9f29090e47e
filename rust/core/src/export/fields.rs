//! The top-level fields of a record, found without building a tree.

use super::text;
use std::borrow::Cow;

/// Name and value, as written, of every top-level field of a valid JSON object, in its order.
pub(crate) fn fields(record: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
    let mut at = record.iter().position(|byte| *byte == b'{').unwrap_or(record.len());
    std::iter::from_fn(move || {
        let key_start = at + find(record.get(at..)?, b'"')?;
        let key_end = text_end(record, key_start);
        let value_start = skip_blanks(record, key_end + find(record.get(key_end..)?, b':')? + 1);
        let value_end = value_end(record, value_start);
        at = value_end;
        let name = text::unescape(record.get(key_start + 1..key_end.saturating_sub(1))?);
        Some((name, record.get(value_start..value_end)?))
    })
}

/// The values of some of the [`fields`]; the first of each name counts.
pub(crate) fn named<'a, const N: usize>(record: &'a [u8], names: [&str; N]) -> [Option<&'a [u8]>; N] {
    let mut found = [None; N];
    for (name, value) in fields(record) {
        if let Some(index) = names.iter().position(|wanted| *wanted == name) {
            found[index] = found[index].or(Some(value));
        }
    }
    found
}

/// A value without the blanks between its tokens.
pub(crate) fn compact(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.iter().any(u8::is_ascii_whitespace) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let end = if byte == b'"' { text_end(value, at) } else { at + 1 };
        if !byte.is_ascii_whitespace() {
            out.extend_from_slice(&value[at..end]);
        }
        at = end;
    }
    Cow::Owned(out)
}

fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    bytes.iter().position(|other| *other == byte)
}

fn skip_blanks(record: &[u8], at: usize) -> usize {
    let rest = record.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Behind the closing quote of the string that begins at `at`.
fn text_end(record: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(offset) = record.get(at..).and_then(text::special) {
        at += offset;
        match record[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    record.len()
}

/// Behind the value that begins at `at`.
fn value_end(record: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    while let Some(&byte) = record.get(at) {
        match byte {
            b'"' => {
                at = text_end(record, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
    }
    record.len()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// JSON values of every kind, nested a little.
    pub(crate) fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\"\\\\{}\\[\\],: ]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\\\]{0,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn they_are_what_a_reader_of_json_finds(
            object in prop::collection::btree_map(any::<String>(), values(), 0..6),
            pretty: bool,
        ) {
            let object = Value::Object(object.into_iter().collect());
            let record = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let found: Value = fields(record.as_bytes())
                .map(|(name, value)| (name.into_owned(), serde_json::from_slice(value).unwrap()))
                .collect::<serde_json::Map<_, _>>()
                .into();
            prop_assert_eq!(&found, &object);
            let plain = serde_json::to_vec(&object).unwrap();
            prop_assert_eq!(&*compact(record.as_bytes()), &plain);
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\ ".to_vec())], 0..60)) {
            prop_assert!(fields(&bytes).count() <= bytes.len());
            prop_assert!(compact(&bytes).len() <= bytes.len());
        }
    }

    #[test]
    fn the_first_of_a_name_counts() {
        let [a, b] = named(br#"{"a":1, "A":2, "a":3, "b" : null}"#, ["a", "b"]);
        assert_eq!((a, b), (Some(&b"1"[..]), Some(&b"null"[..])));
    }
}
