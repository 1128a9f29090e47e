//! Values that leave the core: what an event, an error or an immediate call carries, and how it is written for a caller
//! in another language.
//!
//! The encoding is one tag byte, then the value, all numbers little-endian: 0 null, 1 false, 2 true, 3 i64, 4 f64,
//! 5 text (u32 length, UTF-8), 6 time (i64 milliseconds since 1970-01-01 UTC), 7 list (u32 count, values), 8 map (u32
//! count, then for each entry a key as u32 length + UTF-8 and a value), 9 bytes (u32 length). A secret is written as text, or as
//! bytes where its reader is to clear them.

use crate::secret::Secret;
use bytes::BufMut;
use std::borrow::Cow;

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(String),
    Secret(Secret),
    /// A secret that is written as bytes: its reader gets a buffer that it can clear, where a text would stay.
    Hidden(Secret),
    /// Milliseconds since 1970-01-01 UTC.
    Time(i64),
    List(Vec<Value>),
    /// Keys that are known here take no memory of their own.
    Map(Vec<(Cow<'static, str>, Value)>),
    Bytes(Vec<u8>),
}

impl Value {
    /// An empty map, to be filled by [`Value::with`].
    pub fn map() -> Self {
        // Room for most of the maps that are made; growing costs more than it.
        Value::Map(Vec::with_capacity(10))
    }

    /// Adds an entry to a map; on anything else the value is returned as it is.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        if let Value::Map(entries) = &mut self {
            entries.push((Cow::Borrowed(key), value.into()));
        }
        self
    }

    /// The entry of a map, if this is one and has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Secret(secret) | Value::Hidden(secret) => Some(secret.expose()),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::I64(number) | Value::Time(number) => Some(*number),
            Value::Bool(flag) => Some(i64::from(*flag)),
            _ => None,
        }
    }

    /// Appends the encoding to `out`, which must have room for [`Value::encoded_len`] bytes if it cannot grow.
    pub fn encode(&self, out: &mut impl BufMut) {
        match self {
            Value::Null => out.put_u8(0),
            Value::Bool(flag) => out.put_u8(1 + u8::from(*flag)),
            Value::I64(number) => {
                out.put_u8(3);
                out.put_i64_le(*number);
            }
            Value::F64(number) => {
                out.put_u8(4);
                out.put_f64_le(*number);
            }
            Value::Text(text) => {
                out.put_u8(5);
                encode_bytes(text.as_bytes(), out);
            }
            Value::Secret(secret) => {
                out.put_u8(5);
                encode_bytes(secret.expose().as_bytes(), out);
            }
            Value::Time(millis) => {
                out.put_u8(6);
                out.put_i64_le(*millis);
            }
            Value::Hidden(secret) => {
                out.put_u8(9);
                encode_bytes(secret.expose().as_bytes(), out);
            }
            Value::List(values) => {
                out.put_u8(7);
                encode_length(values.len(), out);
                for value in values {
                    value.encode(out);
                }
            }
            Value::Map(entries) => {
                out.put_u8(8);
                encode_length(entries.len(), out);
                for (key, value) in entries {
                    encode_bytes(key.as_bytes(), out);
                    value.encode(out);
                }
            }
            Value::Bytes(bytes) => {
                out.put_u8(9);
                encode_bytes(bytes, out);
            }
        }
    }

    /// How many bytes [`Value::encode`] writes. Knowing it first lets a buffer of secrets be made once, so that growing
    /// leaves no copies behind.
    pub fn encoded_len(&self) -> usize {
        const LENGTH: usize = 4;
        1 + match self {
            Value::Null | Value::Bool(_) => 0,
            Value::I64(_) | Value::F64(_) | Value::Time(_) => 8,
            Value::Text(text) => LENGTH + text.len(),
            Value::Secret(secret) | Value::Hidden(secret) => LENGTH + secret.expose().len(),
            Value::Bytes(bytes) => LENGTH + bytes.len(),
            Value::List(values) => LENGTH + values.iter().map(Value::encoded_len).sum::<usize>(),
            Value::Map(entries) => {
                LENGTH
                    + entries
                        .iter()
                        .map(|(key, value)| LENGTH + key.len() + value.encoded_len())
                        .sum::<usize>()
            }
        }
    }
}

fn encode_bytes(bytes: &[u8], out: &mut impl BufMut) {
    encode_length(bytes.len(), out);
    out.put_slice(bytes);
}

fn encode_length(length: usize, out: &mut impl BufMut) {
    // INVARIANT: no event comes near 4 GiB; replies are limited to far less where they are read.
    out.put_u32_le(u32::try_from(length).unwrap_or(u32::MAX));
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Self {
        Value::Secret(secret)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::I64(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::I64),
            any::<f64>().prop_map(Value::F64),
            ".*".prop_map(Value::Text),
            ".*".prop_map(|text| Value::Secret(Secret::new(text))),
            ".*".prop_map(|text| Value::Hidden(Secret::new(text))),
            any::<i64>().prop_map(Value::Time),
            prop::collection::vec(any::<u8>(), 0..64).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
                prop::collection::vec((".*".prop_map(Cow::Owned), inner), 0..8).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn encoded_len_is_what_encode_writes(value in values()) {
            let mut out = Vec::new();
            value.encode(&mut out);
            prop_assert_eq!(out.len(), value.encoded_len());
        }
    }
}
