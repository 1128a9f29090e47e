//! Gzip content (RFC 1952, the `gzip` of RFC 9110, section 8.4.1), unpacked as it comes and in pieces of a bounded size: what
//! is small on the wire must not be large in memory.

use bytes::{Buf, Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, Read};

/// The largest piece that is unpacked at a time.
const PIECE: usize = 32 << 10;

/// Why there is no more to come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The bytes ended before the content did.
    CutShort,
    /// The bytes are no gzip content; the decoder says what is wrong.
    Damaged(String),
}

/// Feed it with [`Gunzip::push`], empty it with [`Gunzip::next`] before the next push, and say [`Gunzip::end`] at the end.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Input>,
    piece: BytesMut,
}

impl Gunzip {
    pub(super) fn new() -> Self {
        Gunzip {
            decoder: MultiGzDecoder::new(Input::default()),
            piece: BytesMut::new(),
        }
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        let input = self.decoder.get_mut();
        debug_assert!(input.bytes.is_empty(), "the bytes before these were not unpacked");
        input.bytes = bytes;
    }

    /// No more bytes will come.
    pub(super) fn end(&mut self) {
        self.decoder.get_mut().ended = true;
    }

    /// The next piece. `None` where more bytes are needed, and after [`Gunzip::end`] once the content is whole.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Flaw> {
        // Takes the room of the pieces before it again where nobody holds them any more.
        self.piece.resize(PIECE, 0);
        match self.decoder.read(&mut self.piece) {
            Ok(0) => Ok(None),
            Ok(length) => {
                let piece = self.piece.split_to(length).freeze();
                self.piece.clear();
                Ok(Some(piece))
            }
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => Ok(None),
            // Whatever is wrong with the bytes themselves was found before there were no more.
            Err(_) if self.decoder.get_ref().ended => Err(Flaw::CutShort),
            Err(cause) => Err(Flaw::Damaged(cause.to_string())),
        }
    }
}

/// What the decoder reads: the bytes that are there, and "not yet" behind them until the end is known.
#[derive(Default)]
struct Input {
    bytes: Bytes,
    ended: bool,
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(into)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.bytes.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, length: usize) {
        self.bytes.advance(length.min(self.bytes.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use flate2::Compression;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// What comes out of chunks of this size; every piece is within its bound.
    fn unpack(packed: &[u8], chunk: usize) -> (Vec<u8>, Result<(), Flaw>) {
        let mut gunzip = Gunzip::new();
        let mut out = Vec::new();
        let mut chunks = packed.chunks(chunk.max(1));
        loop {
            let more = chunks.next();
            match more {
                Some(chunk) => gunzip.push(Bytes::copy_from_slice(chunk)),
                None => gunzip.end(),
            }
            loop {
                match gunzip.next() {
                    Ok(Some(piece)) => {
                        assert!(!piece.is_empty() && piece.len() <= PIECE);
                        out.extend_from_slice(&piece);
                    }
                    Ok(None) => break,
                    Err(flaw) => return (out, Err(flaw)),
                }
            }
            if more.is_none() {
                return (out, Ok(()));
            }
        }
    }

    #[test]
    fn members_one_after_the_other_are_one_content() {
        let packed = [gzip(b"one "), gzip(b"and another")].concat();
        for chunk in [1, 7, 1000] {
            assert_eq!(unpack(&packed, chunk), (b"one and another".to_vec(), Ok(())));
        }
    }

    #[test]
    fn what_is_no_gzip_content_is_damaged() {
        let mut wrong_sum = gzip(b"content");
        let at = wrong_sum.len() - 5;
        wrong_sum[at] ^= 1;
        let behind = [gzip(b"content"), b"and more than a header".to_vec()].concat();
        for packed in [b"no gzip at all".to_vec(), wrong_sum, behind] {
            assert!(matches!(unpack(&packed, 5).1, Err(Flaw::Damaged(_))), "{packed:?}");
        }
    }

    #[test]
    fn a_large_content_comes_in_small_pieces() {
        let content = vec![b'a'; 10 << 20];
        let packed = gzip(&content);
        assert!(packed.len() < content.len() / 100);
        assert_eq!(unpack(&packed, packed.len()), (content, Ok(())));
    }

    proptest! {
        #[test]
        fn any_content_in_any_chunks(content in prop::collection::vec(any::<u8>(), 0..4000), repeat in 1usize..40, chunk in 1usize..5000) {
            let content = content.repeat(repeat);
            prop_assert_eq!(unpack(&gzip(&content), chunk), (content, Ok(())));
        }

        #[test]
        fn every_cut_is_noticed(content in prop::collection::vec(any::<u8>(), 0..4000), repeat in 1usize..20, chunk in 1usize..5000, cut in any::<prop::sample::Index>()) {
            let content = content.repeat(repeat);
            let packed = gzip(&content);
            let (out, end) = unpack(&packed[..cut.index(packed.len())], chunk);
            prop_assert_eq!(end, Err(Flaw::CutShort));
            prop_assert!(content.starts_with(&out));
        }
    }
}
