//! JSON text read into a [`Value`]: objects become maps in the text's own order, and nothing in it is interpreted.
//!
//! Whole numbers outside the range of 64 bits with sign become floating-point numbers. Where an object names a key twice,
//! the last value counts, at the first one's place. Nesting is limited to 128 levels by the parser.

use crate::error::{Error, Result};
use crate::value::Value;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// Reads one JSON text. The error says where the text is wrong and quotes none of it: it may hold secrets.
pub fn parse(text: &str) -> Result<Value> {
    serde_json::from_str::<Parsed>(text.trim_start_matches('\u{feff}'))
        .map(|parsed| parsed.0)
        .map_err(|cause| {
            let reason = match cause.classify() {
                serde_json::error::Category::Eof => "it ends too early",
                _ => "it breaks JSON's rules or is nested too deeply",
            };
            Error::invalid(format!(
                "the text is not JSON: {reason} at line {}, column {}",
                cause.line(),
                cause.column()
            ))
        })
}

struct Parsed(Value);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Parsed)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::I64(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::F64(number as f64), Value::I64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::F64(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Parsed(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(Cow<'static, str>, Value)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some((key, Parsed(value))) = items.next_entry::<String, Parsed>()? {
            match places.get(&key) {
                // INVARIANT: every place was the length of `entries` when its entry was pushed, and none is removed.
                Some(&place) => entries[place].1 = value,
                None => {
                    places.insert(key.clone(), entries.len());
                    entries.push((Cow::Owned(key), value));
                }
            }
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What serde_json's own tree says the text means, for comparison.
    fn matches_tree(value: &Value, tree: &serde_json::Value) -> bool {
        match (value, tree) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
            (Value::I64(a), serde_json::Value::Number(b)) => b.as_i64() == Some(*a),
            (Value::F64(a), serde_json::Value::Number(b)) => b.as_i64().is_none() && b.as_f64() == Some(*a),
            (Value::Text(a), serde_json::Value::String(b)) => a == b,
            (Value::List(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| matches_tree(a, b))
            }
            (Value::Map(a), serde_json::Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, a)| b.get(&**key).is_some_and(|b| matches_tree(a, b)))
            }
            _ => false,
        }
    }

    fn tree() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            (-1e300..1e300f64).prop_map(Into::into),
            ".{0,12}".prop_map(Into::into),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
                prop::collection::vec((".{0,6}", inner), 0..8)
                    .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn reads_what_the_text_says(tree in tree()) {
            let text = tree.to_string();
            let value = parse(&text).unwrap();
            let read_back: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!(matches_tree(&value, &read_back), "{value:?} is not {text}");
        }

        #[test]
        fn never_panics(text in ".{0,64}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn keeps_the_order_and_the_last_of_two_equal_keys() {
        let value = parse(r#"{"z":1,"a":2,"z":3}"#).unwrap();
        let Value::Map(entries) = value else {
            panic!("not a map")
        };
        let shown: Vec<_> = entries.iter().map(|(key, value)| (&**key, value.as_i64())).collect();
        assert_eq!(shown, [("z", Some(3)), ("a", Some(2))]);
    }

    #[test]
    fn an_error_names_the_place_and_quotes_nothing() {
        let error = parse("{\n \"refreshToken\": hunter2}").unwrap_err();
        assert!(error.message().contains("line 2"), "{error}");
        assert!(!format!("{error:?} {error}").contains("hunter2"));
        assert!(parse("{\"a\":").unwrap_err().message().contains("ends too early"));
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_no_obstacle() {
        assert!(matches!(parse("\u{feff}7").unwrap(), Value::I64(7)));
    }
}
