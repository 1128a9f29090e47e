//! Numbers and identifiers that follow from a seed.
//!
//! Nothing here is fit for cryptography, and nothing needs to be: the sandbox has no secrets. What matters is that any
//! value can be computed on its own, from a seed and a position, without computing those before it.

/// A small generator (SplitMix64) whose whole state is one number.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// A generator for one named purpose and position under a seed.
    pub(crate) fn at(seed: u64, purpose: &str, position: u64) -> Self {
        let mut state = seed ^ 0x51_7c_c1_b7_27_22_0a_95;
        for byte in purpose.bytes() {
            state = scramble(state ^ u64::from(byte));
        }
        Random(scramble(
            state.wrapping_add(position.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        ))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// A number below `bound` (0 when `bound` is 0).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True with the given probability (0 to 1).
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 <= probability && probability > 0.0
    }

    /// One of the items.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// A version 4 GUID in lower case.
    pub(crate) fn guid(&mut self) -> String {
        guid_text(self.next(), self.next())
    }

    /// A code that people can read to each other: nine letters without vowels.
    pub(crate) fn user_code(&mut self) -> String {
        const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
        (0..9).map(|_| char::from(*self.pick(LETTERS))).collect()
    }

    /// The same as [`Random::text`] for what stands for a secret, from a stream of its own: in another sandbox of the same seed
    /// the same numbers make public text, and a search for the secret would find that.
    pub(crate) fn secret(&mut self, length: usize) -> String {
        Random(scramble(!self.next())).text(length)
    }

    /// Text of `length` URL-safe characters.
    pub(crate) fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::with_capacity(length + 10);
        while text.len() < length {
            let mut bits = self.next();
            for _ in 0..10 {
                text.push(char::from(ALPHABET[(bits & 63) as usize]));
                bits >>= 6;
            }
        }
        text.truncate(length);
        text
    }
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Formats 128 bits as a version 4 GUID.
pub(crate) fn guid_text(high: u64, low: u64) -> String {
    let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// Whether the text is a GUID in its usual form.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_position_gives_the_same_value() {
        assert_eq!(Random::at(7, "tenant", 3).guid(), Random::at(7, "tenant", 3).guid());
        assert_ne!(Random::at(7, "tenant", 3).guid(), Random::at(7, "tenant", 4).guid());
        assert_ne!(Random::at(7, "tenant", 3).guid(), Random::at(8, "tenant", 3).guid());
    }

    #[test]
    fn a_guid_is_a_version_4_guid() {
        let guid = Random::new(1).guid();
        assert!(is_guid(&guid), "{guid}");
        assert_eq!(&guid[14..15], "4");
    }
}
