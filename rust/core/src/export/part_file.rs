//! The file that becomes a part: it compresses what is written to it, and knows its size and hash.

use super::Compression;
use flate2::write::GzEncoder;
use openssl::sha::Sha256;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Bytes that gather before they go on.
const BUFFER: usize = 32 << 10;

/// On audit records within 6 % of the size that level 6 gives, for two thirds of its time.
const GZIP_LEVEL: u32 = 4;
/// Higher levels cost more and give no smaller files with this window.
const ZSTD_LEVEL: i32 = 1;
/// One MiB: records are alike over many of them, and an encoder then takes 1.8 MiB.
const ZSTD_WINDOW_LOG: u32 = 20;

/// A file on its way.
pub(crate) struct PartFile {
    packed: Packed,
    buffer: Vec<u8>,
    text_bytes: u64,
}

/// What a finished file is.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    /// The bytes that were compressed to it, if they were.
    pub(crate) uncompressed: Option<u64>,
}

enum Packed {
    None(Hashed),
    Gzip(Box<GzEncoder<Hashed>>),
    Zstd(Box<zstd::Encoder<'static, Hashed>>),
}

/// The bytes of the file itself.
struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Packed {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Packed::None(out) => out.write_all(bytes),
            Packed::Gzip(encoder) => encoder.write_all(bytes),
            Packed::Zstd(encoder) => encoder.write_all(bytes),
        }
    }
}

impl PartFile {
    pub(crate) fn create(path: &Path, compression: Compression) -> io::Result<Self> {
        let out = Hashed {
            file: File::create_new(path)?,
            hash: Sha256::new(),
            bytes: 0,
        };
        let packed = match compression {
            Compression::None => Packed::None(out),
            Compression::Gzip => Packed::Gzip(Box::new(GzEncoder::new(out, flate2::Compression::new(GZIP_LEVEL)))),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.window_log(ZSTD_WINDOW_LOG)?;
                encoder.include_checksum(true)?;
                Packed::Zstd(Box::new(encoder))
            }
        };
        Ok(PartFile {
            packed,
            buffer: Vec::new(),
            text_bytes: 0,
        })
    }

    /// The bytes that were written to it.
    pub(crate) fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Writes what is left and makes the file last.
    pub(crate) fn finish(mut self) -> io::Result<Finished> {
        self.flush()?;
        let (out, uncompressed) = match self.packed {
            Packed::None(out) => (out, None),
            Packed::Gzip(encoder) => (encoder.finish()?, Some(self.text_bytes)),
            Packed::Zstd(encoder) => (encoder.finish()?, Some(self.text_bytes)),
        };
        out.file.sync_all()?;
        Ok(Finished {
            sha256: hex(&out.hash.finish()),
            bytes: out.bytes,
            uncompressed,
        })
    }
}

impl fmt::Debug for PartFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartFile")
            .field("text_bytes", &self.text_bytes)
            .finish_non_exhaustive()
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() >= BUFFER {
            self.packed.write_all(bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.text_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Passes on what has gathered; an encoder may keep it.
    fn flush(&mut self) -> io::Result<()> {
        self.packed.write_all(&self.buffer)?;
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER);
        Ok(())
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // INVARIANT: writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The SHA-256 of a file, as the journal and the manifest have it.
pub(crate) fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finish())),
            length => hash.update(&buffer[..length]),
        }
    }
}
