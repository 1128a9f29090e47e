//! Parts as their readers find them: the text, whatever it is compressed with.

use super::Compression;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a part to read its text; its name says how it is compressed. Where the file was cut short or altered, reading a
/// compressed one ends with an error: of kind `UnexpectedEof` where something is missing.
pub fn open_part(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    text_of(path, File::open(path)?)
}

/// The text out of a part's bytes, as [`open_part`] gives it.
pub(crate) fn text_of<'a>(path: &Path, bytes: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match Compression::of(path) {
        Compression::None => Box::new(bytes),
        Compression::Gzip => Box::new(MultiGzDecoder::new(bytes)),
        Compression::Zstd => Box::new(zstd::Decoder::new(bytes)?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::part_file::{hash_of, PartFile};
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;

    const EACH: [(Compression, &str); 3] = [
        (Compression::None, "part-1.ndjson"),
        (Compression::Gzip, "part-1.ndjson.gz"),
        (Compression::Zstd, "part-1.ndjson.zst"),
    ];

    fn write(folder: &Path, (compression, name): (Compression, &str), pieces: &[Vec<u8>]) -> PathBuf {
        let path = folder.join(name);
        let mut file = PartFile::create(&path, compression).unwrap();
        pieces.iter().for_each(|piece| file.write_all(piece).unwrap());
        let text: usize = pieces.iter().map(Vec::len).sum();
        let finished = file.finish().unwrap();
        assert_eq!(finished.bytes, fs::metadata(&path).unwrap().len());
        assert_eq!(finished.sha256, hash_of(&path).unwrap());
        let compressed = compression != Compression::None;
        assert_eq!(finished.uncompressed, compressed.then_some(text as u64));
        path
    }

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        open_part(path)?.read_to_end(&mut text).map(|_| text)
    }

    #[test]
    fn what_is_cut_short_or_altered_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (0..200_000u32)
            .flat_map(|number| (number * number).to_le_bytes())
            .collect();
        for each in &EACH[1..] {
            let path = write(folder.path(), *each, std::slice::from_ref(&text));
            let whole = fs::read(&path).unwrap();
            for length in [0, 1, whole.len() / 2, whole.len() - 1] {
                fs::write(&path, &whole[..length]).unwrap();
                let end = read(&path).map(|text| text.len());
                // No bytes at all are no frames.
                assert!(
                    end.is_err() || (length, end.as_ref().ok()) == (0, Some(&0)),
                    "{each:?} {length}: {end:?}"
                );
            }
            for at in [whole.len() / 2, whole.len() - 3] {
                let mut altered = whole.clone();
                altered[at] ^= 0x10;
                fs::write(&path, altered).unwrap();
                assert!(read(&path).is_err(), "{each:?} {at}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_was_written_is_read(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70_000), 0..4)) {
            let folder = tempfile::tempdir().unwrap();
            for each in EACH {
                let path = write(folder.path(), each, &pieces);
                prop_assert!(read(&path).unwrap() == pieces.concat());
            }
        }
    }
}
