//! What is done with the bytes of a blob, each step alone and on one thread, by the libraries that the core uses.

use super::account::{self, Cost};
use super::Outcome;
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use openssl::sha::Sha256;
use secureapp_core::export::batch::Batcher;
use std::io::{Read, Write};
use std::sync::Arc;

/// What the core reads and writes at a time.
const PIECE: usize = 32 << 10;
const LARGEST: usize = 16 << 20;

type Measured = (u64, u64, Cost);

/// Goes over the blobs until so many records have been seen. The bytes are those of the records.
pub(crate) fn run(blobs: &[Bytes], gzip: bool, records: u64) -> Outcome<Vec<(&'static str, Measured)>> {
    let texts: Vec<Vec<u8>> = blobs
        .iter()
        .map(|blob| if gzip { inflate(blob) } else { Ok(blob.to_vec()) })
        .collect::<Outcome<_>>()?;
    let in_sample = texts.iter().map(|text| cut(text)).sum::<Outcome<u64>>()?;
    let rounds = records.div_ceil(in_sample.max(1));
    let (records, bytes) = (
        rounds * in_sample,
        rounds * texts.iter().map(|text| text.len() as u64).sum::<u64>(),
    );
    let over = |each: &mut dyn FnMut(&Bytes, &[u8]) -> Outcome<()>| -> Outcome<Measured> {
        let ((), cost) = account::measure(|| {
            for _ in 0..rounds {
                for (blob, text) in blobs.iter().zip(&texts) {
                    each(blob, text)?;
                }
            }
            Ok(())
        })?;
        Ok((records, bytes, cost))
    };
    let mut steps = Vec::new();
    if gzip {
        steps.push(("unpacking alone", over(&mut |blob, _| inflate(blob).map(drop))?));
    }
    steps.push((
        "cutting and recognising alone",
        over(&mut |_, text| cut(text).map(drop))?,
    ));
    let mut hash = Sha256::new();
    steps.push((
        "SHA-256 alone",
        over(&mut |_, text| {
            hash.update(text);
            Ok(())
        })?,
    ));
    let mut file = tempfile::tempfile()?;
    let (mut writing, syncing) = {
        let writing = over(&mut |_, text| Ok(text.chunks(PIECE).try_for_each(|piece| file.write_all(piece))?))?;
        let ((), syncing) = account::measure(|| Ok(file.sync_all()?))?;
        (writing, syncing)
    };
    writing.2.cpu += syncing.cpu;
    writing.2.wall += syncing.wall;
    steps.push(("writing alone", writing));
    Ok(steps)
}

fn inflate(blob: &[u8]) -> Outcome<Vec<u8>> {
    let mut text = Vec::new();
    let mut piece = vec![0; PIECE];
    let mut decoder = MultiGzDecoder::new(blob);
    loop {
        match decoder.read(&mut piece)? {
            0 => return Ok(text),
            length => text.extend_from_slice(&piece[..length]),
        }
    }
}

/// How many records there are.
fn cut(text: &[u8]) -> Outcome<u64> {
    let mut batcher = Batcher::new(Arc::from("blob"), 0, LARGEST);
    for chunk in text.chunks(PIECE) {
        batcher.push(chunk)?;
    }
    let seen = batcher.seen();
    batcher.finish()?;
    Ok(seen)
}
