//! Records that wait in a file of their own until their part is finished.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

const BUFFER: usize = 32 << 10;

#[derive(Debug)]
pub(crate) struct Spool {
    lines: BufWriter<File>,
    path: PathBuf,
    bytes: u64,
}

impl Spool {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        Ok(Spool {
            lines: BufWriter::with_capacity(BUFFER, file),
            path: path.to_owned(),
            bytes: 0,
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds records, each a line.
    pub(crate) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.bytes += lines.len() as u64;
        self.lines.write_all(lines)
    }

    /// Gives the lines to `each`, one at a time in their order, and removes the file.
    pub(crate) fn drain(self, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut file = self.lines.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut lines = BufReader::with_capacity(BUFFER, file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            each(&line)?;
            line.clear();
        }
        // Windows removes no file that is open.
        drop(lines);
        fs::remove_file(&self.path)
    }
}
