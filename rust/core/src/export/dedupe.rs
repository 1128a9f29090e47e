//! Records that are known, in memory: 20 bytes a record, grown in small steps.
//!
//! The keys lie in 4,096 sorted runs. Each run grows by an eighth, so that a million records cost little more than their
//! 20 MB and no growth ever needs twice the memory for a moment, as one big hash table would.

use super::text;
use openssl::sha::Sha256;

const SHARDS: usize = 4096;

/// What a record is known by: its `Id` where it has one, its bytes where it has none.
pub type Key = [u8; 16];

/// A key and the CRC-32 of the record's bytes.
pub type Entry = [u8; 20];

/// What the set says about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    New,
    /// The same record again.
    Duplicate,
    /// The same `Id` with other bytes: the first one stays.
    Conflict,
}

/// The records that the output holds.
#[derive(Debug)]
pub struct Dedupe {
    shards: Vec<Vec<Entry>>,
    len: usize,
}

impl Default for Dedupe {
    fn default() -> Self {
        Dedupe {
            shards: vec![Vec::new(); SHARDS],
            len: 0,
        }
    }
}

impl Dedupe {
    pub fn new() -> Self {
        Dedupe::default()
    }

    /// How many records it knows.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a record unless its key is known.
    pub fn insert(&mut self, entry: Entry) -> Seen {
        let shard = &mut self.shards[shard_of(&entry)];
        match shard.binary_search_by(|known| known[..16].cmp(&entry[..16])) {
            Ok(at) => compare(&shard[at], &entry),
            Err(at) => {
                if shard.len() == shard.capacity() {
                    shard.reserve_exact(shard.len() / 8 + 4);
                }
                shard.insert(at, entry);
                self.len += 1;
                Seen::New
            }
        }
    }

    /// What is known under an entry's key.
    pub fn find(&self, entry: &Entry) -> Option<&Entry> {
        let shard = &self.shards[shard_of(entry)];
        let at = shard.binary_search_by(|known| known[..16].cmp(&entry[..16])).ok()?;
        shard.get(at)
    }

    /// All entries in the order of their places.
    pub fn sorted(&self) -> impl Iterator<Item = &Entry> {
        self.shards.iter().flatten()
    }

    /// Bytes that the set holds on to.
    pub fn memory(&self) -> usize {
        let entries: usize = self.shards.iter().map(Vec::capacity).sum();
        entries * size_of::<Entry>() + self.shards.capacity() * size_of::<Vec<Entry>>()
    }
}

/// An entry against what is known under the same key.
pub fn compare(known: &Entry, entry: &Entry) -> Seen {
    if known == entry {
        Seen::Duplicate
    } else {
        Seen::Conflict
    }
}

/// Where an entry stands in the order of [`Dedupe::sorted`].
pub type Place = (u16, Key);

pub fn place(entry: &Entry) -> Place {
    let key = entry.first_chunk::<16>().copied().unwrap_or_default();
    (shard_of(entry) as u16, key)
}

fn shard_of(entry: &Entry) -> usize {
    (hashes(entry)[0] >> 52) as usize
}

/// Two numbers in which all of the key takes part: ids carry the time in their last digits.
pub fn hashes(entry: &Entry) -> [u64; 2] {
    let half = |from: usize| {
        entry[from..]
            .first_chunk::<8>()
            .map_or(0, |half| u64::from_le_bytes(*half))
    };
    let (one, other) = (half(0), half(8));
    let first = (one ^ other.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let second = (other ^ one.rotate_left(17)).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    [first, second ^ (second >> 31)]
}

/// The key of a record, from what stands between the quotes of its `Id`.
///
/// Two spellings of one GUID are one key. An `Id` that is no GUID, and bytes without an `Id`, are hashed apart from
/// each other, so that none can be mistaken for another.
pub fn key(id: Option<&[u8]>, bytes: &[u8]) -> Key {
    match id {
        Some(id) if !id.is_empty() => match guid(id) {
            Some(key) => key,
            None => hashed(b"id", text::unescape(id).as_bytes()),
        },
        _ => hashed(b"bytes", bytes),
    }
}

/// Key and fingerprint in one.
pub fn entry(key: &Key, fingerprint: u32) -> Entry {
    let mut entry = [0; 20];
    entry[..16].copy_from_slice(key);
    entry[16..].copy_from_slice(&fingerprint.to_le_bytes());
    entry
}

/// The CRC-32 of `bytes`: enough to see that two records of one `Id` differ, not meant to withstand a forger.
pub fn fingerprint(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn hashed(domain: &[u8], text: &[u8]) -> Key {
    let mut hash = Sha256::new();
    hash.update(&[domain.len() as u8]);
    hash.update(domain);
    hash.update(text);
    let digest = hash.finish();
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    key
}

/// The bytes of a GUID in its usual form of 36 characters.
fn guid(text: &[u8]) -> Option<Key> {
    if text.len() != 36 {
        return None;
    }
    let mut key = [0; 16];
    let mut nibbles = 0;
    for (at, &byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let nibble = char::from(byte).to_digit(16)? as u8;
        key[nibbles / 2] = key[nibbles / 2] << 4 | nibble;
        nibbles += 1;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn id(number: u64) -> String {
        // The shape of real ids: random in front, the time behind.
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!(
            "{:08x}-{:04x}-4{:03x}-8000-08de{:08x}",
            mixed >> 32,
            mixed >> 16 & 0xFFFF,
            mixed & 0xFFF,
            number
        )
    }

    #[test]
    fn a_million_records_stay_under_24_mebibytes() {
        let mut set = Dedupe::new();
        let mut largest_step = 0;
        let mut before = set.memory();
        for number in 0..1_000_000 {
            assert_eq!(set.insert(entry(&key(Some(id(number).as_bytes()), b""), 1)), Seen::New);
            if number % 1000 == 0 {
                largest_step = largest_step.max(set.memory() - before);
                before = set.memory();
            }
        }
        assert_eq!(set.len(), 1_000_000);
        assert!(set.memory() < 24 << 20, "{} bytes", set.memory());
        assert!(largest_step < 1 << 20, "a step of {largest_step} bytes");
    }

    #[test]
    fn spellings_of_one_guid_are_one_key() {
        let lower = key(Some(b"08de1a2b-ffff-4e2c-8000-0123456789ab"), b"x");
        let upper = key(Some(b"08DE1A2B-FFFF-4E2C-8000-0123456789AB"), b"y");
        assert_eq!(lower, upper);
        assert_ne!(lower, key(Some(b"08de1a2b-ffff-4e2c-8000-0123456789ac"), b"x"));
    }

    #[test]
    fn ids_that_are_no_guid_compare_by_their_text() {
        assert_eq!(key(Some(b"caf\\u00e9"), b"x"), key(Some("caf\u{e9}".as_bytes()), b"y"));
        assert_ne!(key(Some(b"a"), b""), key(None, b"a"));
        assert_eq!(key(Some(b""), b"a"), key(None, b"a"));
    }

    proptest! {
        #[test]
        fn it_says_what_a_map_says(records in prop::collection::vec((0u64..60, 0u32..3), 0..400)) {
            let mut set = Dedupe::new();
            let mut model = HashMap::new();
            for (number, content) in records {
                let expected = match model.get(&number) {
                    None => Seen::New,
                    Some(known) if *known == content => Seen::Duplicate,
                    Some(_) => Seen::Conflict,
                };
                model.entry(number).or_insert(content);
                prop_assert_eq!(set.insert(entry(&key(Some(id(number).as_bytes()), b""), content)), expected);
                prop_assert_eq!(set.len(), model.len());
            }
        }
    }
}
