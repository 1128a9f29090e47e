//! Which records the output holds, in bounded memory: the latest in a set, the others in sorted runs on disk.
//!
//! A run is a file without a name: it is gone when the process is, however that ends. What it holds is in the journal as
//! well, so nothing here has to last.

use super::dedupe::{self, Dedupe, Entry, Place, Seen};
use super::folder::failed;
use super::room::{Room, Share};
use crate::error::Result;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

const ENTRY: usize = size_of::<Entry>();
/// Entries that are read at once.
const BLOCK: usize = 200;
/// Runs that are asked one after the other; more are made into one.
const MOST_RUNS: usize = 8;
/// Bits of the filter for each entry, and its largest size in bytes.
const FILTER_BITS: usize = 10;
const LARGEST_FILTER: usize = 8 << 20;

/// The set.
#[derive(Debug)]
pub struct Known {
    recent: Dedupe,
    runs: Vec<Run>,
    /// Entries that are kept in memory.
    most: usize,
    /// What it has of a room for several sets.
    share: Option<Share>,
    /// Where runs are written.
    folder: PathBuf,
}

impl Known {
    pub fn new(folder: &Path, most: usize) -> Self {
        Known {
            recent: Dedupe::new(),
            runs: Vec::new(),
            most: most.max(1),
            share: None,
            folder: folder.to_owned(),
        }
    }

    /// The same, within a room that it shares with others, if there is one.
    pub fn within(self, room: Option<&Room>) -> Self {
        Known {
            share: room.map(Room::share),
            ..self
        }
    }

    /// Adds a record unless its key is known.
    pub fn insert(&mut self, entry: Entry) -> Result<Seen> {
        if !self.runs.is_empty() {
            if let Some(seen) = self.find(&entry)? {
                return Ok(seen);
            }
        }
        let seen = self.recent.insert(entry);
        let is_new = seen == Seen::New;
        let is_crowded = is_new && self.share.as_mut().is_some_and(Share::take);
        if self.recent.len() >= self.most || is_crowded {
            self.spill()?;
        }
        Ok(seen)
    }

    /// Bytes that the set holds on to.
    pub fn memory(&self) -> usize {
        self.recent.memory() + self.runs.iter().map(Run::memory).sum::<usize>()
    }

    pub fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.runs.is_empty()
    }

    /// What is known of a record; `None` where nothing is.
    pub(crate) fn find(&self, entry: &Entry) -> Result<Option<Seen>> {
        if let Some(known) = self.recent.find(entry) {
            return Ok(Some(dedupe::compare(known, entry)));
        }
        let place = dedupe::place(entry);
        for run in self.runs.iter().rev() {
            let found = run.find(&place, entry).map_err(|cause| self.failed(&cause))?;
            if let Some(known) = found {
                return Ok(Some(dedupe::compare(&known, entry)));
            }
        }
        Ok(None)
    }

    fn spill(&mut self) -> Result<()> {
        let recent = std::mem::take(&mut self.recent);
        let count = recent.len();
        let entries = recent.sorted().map(|entry| Ok(*entry));
        let run = Run::write(&self.folder, count, entries).map_err(|cause| self.failed(&cause))?;
        self.runs.push(run);
        self.share.iter_mut().for_each(Share::give_back);
        if self.runs.len() > MOST_RUNS {
            let count = self.runs.iter().map(|run| run.count).sum();
            let merged = Merge::of(&self.runs).and_then(|entries| Run::write(&self.folder, count, entries));
            self.runs = vec![merged.map_err(|cause| self.failed(&cause))?];
        }
        Ok(())
    }

    #[cold]
    fn failed(&self, cause: &io::Error) -> crate::error::Error {
        failed("keep a list of records in", &self.folder, cause)
    }
}

/// Entries in the order of their places.
#[derive(Debug)]
struct Run {
    file: File,
    count: usize,
    /// The place of each block's first entry.
    starts: Vec<Place>,
    filter: Filter,
}

impl Run {
    fn write(folder: &Path, count: usize, entries: impl Iterator<Item = io::Result<Entry>>) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(64 << 10, tempfile::tempfile_in(folder)?);
        let mut starts = Vec::with_capacity(count.div_ceil(BLOCK));
        let mut filter = Filter::new(count);
        for (number, entry) in entries.enumerate() {
            let entry = entry?;
            if number % BLOCK == 0 {
                starts.push(dedupe::place(&entry));
            }
            filter.add(&entry);
            out.write_all(&entry)?;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Run {
            file,
            count,
            starts,
            filter,
        })
    }

    fn find(&self, place: &Place, entry: &Entry) -> io::Result<Option<Entry>> {
        if !self.filter.may_have(entry) {
            return Ok(None);
        }
        let Some(block) = self.starts.partition_point(|start| start <= place).checked_sub(1) else {
            return Ok(None);
        };
        let first = block * BLOCK;
        let length = (self.count - first).min(BLOCK);
        let mut bytes = [0; BLOCK * ENTRY];
        let bytes = &mut bytes[..length * ENTRY];
        read_at(&self.file, bytes, (first * ENTRY) as u64)?;
        let entries: Vec<Entry> = bytes
            .chunks_exact(ENTRY)
            .filter_map(|entry| entry.try_into().ok())
            .collect();
        let found = entries.binary_search_by(|known| dedupe::place(known).cmp(place));
        Ok(found.ok().map(|at| entries[at]))
    }

    fn memory(&self) -> usize {
        self.starts.capacity() * size_of::<Place>() + self.filter.words.capacity() * size_of::<u64>()
    }
}

/// The entries of several runs in the order of their places.
struct Merge {
    /// Each run's next entry and the rest of it.
    heads: Vec<(Entry, BufReader<Part>)>,
}

/// A run's file from its beginning, read without moving the file's own position.
struct Part {
    file: File,
    at: u64,
    end: u64,
}

impl Merge {
    fn of(runs: &[Run]) -> io::Result<Self> {
        let mut heads = Vec::with_capacity(runs.len());
        for run in runs {
            let part = Part {
                file: run.file.try_clone()?,
                at: 0,
                end: (run.count * ENTRY) as u64,
            };
            let mut rest = BufReader::with_capacity(32 << 10, part);
            if let Some(first) = next_entry(&mut rest)? {
                heads.push((first, rest));
            }
        }
        Ok(Merge { heads })
    }
}

impl Iterator for Merge {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        let least = self
            .heads
            .iter()
            .enumerate()
            .min_by_key(|(_, (entry, _))| dedupe::place(entry));
        let at = least.map(|(at, _)| at)?;
        let (entry, rest) = &mut self.heads[at];
        let found = *entry;
        match next_entry(rest) {
            Ok(Some(next)) => *entry = next,
            Ok(None) => drop(self.heads.swap_remove(at)),
            Err(cause) => return Some(Err(cause)),
        }
        Some(Ok(found))
    }
}

impl Read for Part {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min((self.end - self.at) as usize);
        read_at(&self.file, &mut into[..length], self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}

fn next_entry(from: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut entry = [0; ENTRY];
    match from.read_exact(&mut entry) {
        Ok(()) => Ok(Some(entry)),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Fills `into` from a place in the file.
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<()> {
    #[cfg(unix)]
    {
        std::os::unix::fs::FileExt::read_exact_at(file, into, at)
    }
    #[cfg(windows)]
    {
        let mut done = 0;
        while done < into.len() {
            match std::os::windows::fs::FileExt::seek_read(file, &mut into[done..], at + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => done += length,
            }
        }
        Ok(())
    }
}

/// Says of most entries that are not in a run that they are not (a Bloom filter of blocks as large as a cache line).
#[derive(Debug)]
struct Filter {
    words: Vec<u64>,
}

impl Filter {
    const BLOCK: usize = 8;

    fn new(count: usize) -> Self {
        let bits = (count * FILTER_BITS).min(LARGEST_FILTER * 8);
        let blocks = bits.div_ceil(Filter::BLOCK * 64).max(1);
        Filter {
            words: vec![0; blocks * Filter::BLOCK],
        }
    }

    fn add(&mut self, entry: &Entry) {
        let (block, bits) = self.spots(entry);
        for bit in bits {
            self.words[block + bit / 64] |= 1 << (bit % 64);
        }
    }

    fn may_have(&self, entry: &Entry) -> bool {
        let (block, bits) = self.spots(entry);
        bits.into_iter()
            .all(|bit| self.words[block + bit / 64] & (1 << (bit % 64)) != 0)
    }

    fn spots(&self, entry: &Entry) -> (usize, [usize; 6]) {
        let [first, second] = dedupe::hashes(entry);
        let blocks = (self.words.len() / Filter::BLOCK) as u64;
        let block = ((u128::from(first) * u128::from(blocks)) >> 64) as usize * Filter::BLOCK;
        (block, std::array::from_fn(|at| (second >> (at * 9)) as usize & 511))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn entry(number: u64, content: u32) -> Entry {
        // Keys that share their beginning are as good as others.
        let mut key = [7; 16];
        key[8..].copy_from_slice(&number.to_be_bytes());
        dedupe::entry(&key, content)
    }

    #[test]
    fn many_records_stay_within_the_memory_that_they_may_have() {
        let folder = tempfile::tempdir().unwrap();
        let mut known = Known::new(folder.path(), 20_000);
        let mut largest = 0;
        for number in 0..500_000 {
            assert_eq!(known.insert(entry(number, 1)).unwrap(), Seen::New);
            if number % 5_000 == 0 {
                largest = largest.max(known.memory());
            }
        }
        // 20,000 entries, and for each of the others ten bits and its share of a block's start.
        assert!(largest < 2 << 20, "{largest} bytes");
        for number in (0..500_000).step_by(997) {
            assert_eq!(known.insert(entry(number, 1)).unwrap(), Seen::Duplicate);
            assert_eq!(known.insert(entry(number, 2)).unwrap(), Seen::Conflict);
        }
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "runs have no names"
        );
    }

    #[test]
    fn a_set_that_keeps_its_place_takes_none_from_the_others_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::new(1000, 50);
        let set = || Known::new(folder.path(), 600).within(Some(&room));
        // As many as are set aside, each with all that it may have.
        let mut kept: Vec<Known> = (0..20).map(|_| set()).collect();
        for (set, number) in kept.iter_mut().zip(0..) {
            for record in 0..590 {
                set.insert(entry(number * 1000 + record, 1)).unwrap();
            }
        }
        assert!(room.used() <= 1000 + 20 * 50, "{}", room.used());
        let mut other = set();
        for record in 0..5_000 {
            assert_eq!(other.insert(entry(1_000_000 + record, 1)).unwrap(), Seen::New);
            assert!(room.used() <= 1000 + 21 * 50, "{}", room.used());
        }
        for record in (0..5_000).step_by(37) {
            assert_eq!(other.insert(entry(1_000_000 + record, 1)).unwrap(), Seen::Duplicate);
        }
        assert_eq!(kept[0].insert(entry(3, 1)).unwrap(), Seen::Duplicate);
        drop((kept, other));
        assert_eq!(room.used(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_says_what_a_map_says(records in prop::collection::vec((0u64..400, 0u32..3), 0..3000), most in 1usize..60) {
            let folder = tempfile::tempdir().unwrap();
            let mut known = Known::new(folder.path(), most);
            let mut model = HashMap::new();
            for (number, content) in records {
                let expected = match model.get(&number) {
                    None => Seen::New,
                    Some(before) if *before == content => Seen::Duplicate,
                    Some(_) => Seen::Conflict,
                };
                model.entry(number).or_insert(content);
                prop_assert_eq!(known.insert(entry(number, content)).unwrap(), expected);
            }
            prop_assert!(known.runs.len() <= MOST_RUNS);
        }
    }
}
