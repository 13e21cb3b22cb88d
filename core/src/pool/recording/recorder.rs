//! Writing a log.

use alloc::vec::Vec;

use crate::digest::Digest;
use crate::time::Instant;

use super::super::{Input, PoolConfig};
use super::code::{Code, Encoder};
use super::{BLOCK_HEAD, CHECKSUM, END, HEADER, MAGIC, RECORDS, VERSION};

/// Appends inputs to a log.
///
/// Records are collected in blocks of about 4 KiB. Where the log is kept in memory, [`Recorder::finish`] returns it whole. A
/// shell that writes it somewhere takes the finished blocks from time to time with [`Recorder::take_blocks`], after which
/// their memory is used again: nothing is allocated then however long the recording goes on.
#[derive(Clone, Debug)]
pub struct Recorder {
    encoder: Encoder,
    /// Where the open block begins.
    block_at: usize,
    /// Of everything before the open block, that which was taken included.
    digest: Digest,
    records: u64,
}

impl Recorder {
    /// A log of a pool that is made with these settings at that time. `seed` is kept for whoever needs to know where the run
    /// came from; the scheduler itself draws nothing.
    #[must_use]
    pub fn new(config: &PoolConfig, start: Instant, seed: u64) -> Self {
        let mut encoder = Encoder { bytes: Vec::with_capacity(2 * BLOCK_BYTES), ..Encoder::default() };
        encoder.bytes.extend_from_slice(&MAGIC);
        encoder.bytes.extend_from_slice(&VERSION.to_le_bytes());
        let mut recorder = Self { encoder, block_at: 0, digest: Digest::new(), records: 0 };
        recorder.cover(0);
        recorder.open(HEADER);
        seed.encode(&mut recorder.encoder);
        recorder.encoder.time(start);
        config.encode(&mut recorder.encoder);
        recorder.close();
        recorder.open(RECORDS);
        recorder
    }

    /// Appends an input that is handed in now. To be called before the scheduler takes it.
    pub fn record(&mut self, now: Instant, input: &Input) {
        self.encoder.time(now);
        input.encode(&mut self.encoder);
        self.records += 1;
        if self.encoder.bytes.len() - self.block_at >= BLOCK_BYTES {
            self.close();
            self.open(RECORDS);
        }
    }

    /// Finishes the open block early, so that a crash right after [`Recorder::take_blocks`] loses nothing.
    pub fn flush(&mut self) {
        if self.encoder.bytes.len() > self.block_at + BLOCK_HEAD {
            self.close();
            self.open(RECORDS);
        }
    }

    /// Hands the finished blocks out, to be appended to what was handed out before, and forgets them.
    pub fn take_blocks(&mut self, write: impl FnOnce(&[u8])) {
        if self.block_at > 0 {
            write(&self.encoder.bytes[..self.block_at]);
            self.encoder.bytes.copy_within(self.block_at.., 0);
            self.encoder.bytes.truncate(self.encoder.bytes.len() - self.block_at);
            self.block_at = 0;
        }
    }

    /// Finishes the log and returns all of it that was not taken. Only a finished log is known to be whole.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.flush();
        self.encoder.bytes.truncate(self.block_at);
        self.open(END);
        self.records.encode(&mut self.encoder);
        self.close();
        self.encoder.bytes
    }

    /// Inputs recorded so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Bytes that were not taken.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.encoder.bytes.len()
    }

    /// A record as bytes, for tests of what no writer writes.
    #[cfg(test)]
    pub(super) fn push_raw(&mut self, record: &[u8]) {
        self.encoder.bytes.extend_from_slice(record);
    }

    fn open(&mut self, kind: u8) {
        self.block_at = self.encoder.bytes.len();
        self.encoder.bytes.extend_from_slice(&[kind, 0, 0, 0, 0]);
    }

    fn close(&mut self) {
        let payload = self.encoder.bytes.len() - self.block_at - BLOCK_HEAD;
        let length = u32::try_from(payload).expect("a block holds a few kilobytes").to_le_bytes();
        self.encoder.bytes[self.block_at + 1..self.block_at + BLOCK_HEAD].copy_from_slice(&length);
        self.cover(self.block_at);
        self.encoder.bytes.extend_from_slice(&self.digest.value().to_le_bytes());
        self.cover(self.encoder.bytes.len() - CHECKSUM);
        self.block_at = self.encoder.bytes.len();
    }

    fn cover(&mut self, from: usize) {
        self.encoder.bytes[from..].iter().for_each(|&byte| self.digest.write_u8(byte));
    }
}

/// A block is finished when it has reached this.
const BLOCK_BYTES: usize = 4_096;
