//! Values that leave the core: what an event, an error or an immediate call carries, and how it is written for a caller
//! in another language.
//!
//! The encoding is one tag byte, then the value, all numbers little-endian: 0 null, 1 false, 2 true, 3 i64, 4 f64,
//! 5 text (u32 length, UTF-8), 6 time (i64 milliseconds since 1970-01-01 UTC), 7 list (u32 count, values), 8 map (u32
//! count, then for each entry a key as u32 length + UTF-8 and a value), 9 bytes (u32 length). A secret is written as text.

use crate::secret::Secret;

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(String),
    Secret(Secret),
    /// Milliseconds since 1970-01-01 UTC.
    Time(i64),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Bytes(Vec<u8>),
}

impl Value {
    /// An empty map, to be filled by [`Value::with`].
    pub fn map() -> Self {
        Value::Map(Vec::new())
    }

    /// Adds an entry to a map; on anything else the value is returned as it is.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        if let Value::Map(entries) = &mut self {
            entries.push((key.to_owned(), value.into()));
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
            Value::Secret(secret) => Some(secret.expose()),
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

    /// Appends the encoding to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => out.push(0),
            Value::Bool(flag) => out.push(1 + u8::from(*flag)),
            Value::I64(number) => {
                out.push(3);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::F64(number) => {
                out.push(4);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Text(text) => {
                out.push(5);
                encode_bytes(text.as_bytes(), out);
            }
            Value::Secret(secret) => {
                out.push(5);
                encode_bytes(secret.expose().as_bytes(), out);
            }
            Value::Time(millis) => {
                out.push(6);
                out.extend_from_slice(&millis.to_le_bytes());
            }
            Value::List(values) => {
                out.push(7);
                encode_length(values.len(), out);
                for value in values {
                    value.encode(out);
                }
            }
            Value::Map(entries) => {
                out.push(8);
                encode_length(entries.len(), out);
                for (key, value) in entries {
                    encode_bytes(key.as_bytes(), out);
                    value.encode(out);
                }
            }
            Value::Bytes(bytes) => {
                out.push(9);
                encode_bytes(bytes, out);
            }
        }
    }
}

fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    encode_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn encode_length(length: usize, out: &mut Vec<u8>) {
    // INVARIANT: no event comes near 4 GiB; replies are limited to far less where they are read.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
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
