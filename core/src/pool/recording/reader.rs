//! Reading a log.

use crate::digest::Digest;
use crate::time::Instant;

use super::super::{Input, PoolConfig};
use super::code::{Code, Decoder, Stop};
use super::{BLOCK_HEAD, CHECKSUM, END, HEADER, MAGIC, RECORDS, RecordingError, VERSION};

/// What a pool was made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// Where the run came from.
    pub seed: u64,
    /// When the pool was made.
    pub start: Instant,
    /// Its settings.
    pub config: PoolConfig,
}

/// The inputs of a log with their times, in their order.
///
/// The last item is the error that ended the reading, if there was one: [`RecordingError::Truncated`] where the log was cut
/// off, after all its whole records.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    header: Header,
    decoder: Decoder<'a>,
    digest: Digest,
    /// Where the payload ends that is being read.
    payload_end: usize,
    /// Whether the log goes on behind this payload.
    block_is_whole: bool,
    records: u64,
    done: bool,
}

/// A block that is there, at least in part.
struct Block {
    kind: u8,
    payload_at: usize,
    payload_end: usize,
    is_whole: bool,
}

impl<'a> Reader<'a> {
    /// Opens a log.
    ///
    /// # Errors
    ///
    /// Where it is no log, of another version, or its header is damaged or cut off.
    pub fn open(log: &'a [u8]) -> Result<Self, RecordingError> {
        let preamble = MAGIC.len() + 2;
        let known = log.len().min(MAGIC.len());
        if log[..known] != MAGIC[..known] || known == 0 {
            return Err(RecordingError::NotARecording);
        }
        let Some(&[low, high]) = log.get(MAGIC.len()..preamble).and_then(|bytes| bytes.first_chunk()) else {
            return Err(RecordingError::Truncated { records: 0, at_byte: log.len() });
        };
        let found = u16::from_le_bytes([low, high]);
        if found != VERSION {
            return Err(RecordingError::UnsupportedVersion { found, supported: VERSION });
        }
        let start = Instant::ZERO;
        let mut reader = Self {
            header: Header { seed: 0, start, config: PoolConfig::default() },
            decoder: Decoder::new(log),
            digest: Digest::new(),
            payload_end: preamble,
            block_is_whole: true,
            records: 0,
            done: false,
        };
        reader.decoder.at = preamble;
        reader.cover(0, preamble);
        reader.read_header()?;
        Ok(reader)
    }

    /// What the pool was made with.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Records given out so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    fn read_header(&mut self) -> Result<(), RecordingError> {
        let block = self.next_block()?;
        if block.kind != HEADER {
            return Err(RecordingError::UnknownKind { kind: block.kind, at_byte: MAGIC.len() + 2 });
        }
        if !block.is_whole {
            return Err(self.truncated());
        }
        self.enter(&block);
        let header = (|| {
            let seed = u64::decode(&mut self.decoder)?;
            let start = self.decoder.time()?;
            let config = PoolConfig::decode(&mut self.decoder)?;
            Ok(Header { seed, start, config })
        })();
        self.header = header.map_err(|stop| self.wrong(stop))?;
        if self.decoder.at == self.payload_end {
            Ok(())
        } else {
            Err(RecordingError::Malformed { at_byte: self.decoder.at })
        }
    }

    fn next_record(&mut self) -> Result<Option<(Instant, Input)>, RecordingError> {
        while self.decoder.at == self.payload_end {
            if !self.block_is_whole {
                return Err(self.truncated());
            }
            let block = self.next_block()?;
            match block.kind {
                RECORDS => self.enter(&block),
                END if !block.is_whole => return Err(self.truncated()),
                END => {
                    self.enter(&block);
                    return self.read_end().map(|()| None);
                }
                kind => {
                    return Err(RecordingError::UnknownKind { kind, at_byte: block.payload_at - BLOCK_HEAD });
                }
            }
        }
        let mut decoder = self.decoder.clone();
        decoder.bytes = &decoder.bytes[..self.payload_end];
        let record = (|| Ok((decoder.time()?, Input::decode(&mut decoder)?)))();
        match record {
            Ok(record) => {
                decoder.bytes = self.decoder.bytes;
                self.decoder = decoder;
                self.records += 1;
                Ok(Some(record))
            }
            Err(Stop::NoMore) if !self.block_is_whole => Err(self.truncated()),
            Err(stop) => Err(self.wrong(stop)),
        }
    }

    fn read_end(&mut self) -> Result<(), RecordingError> {
        let written = u64::decode(&mut self.decoder).map_err(|stop| self.wrong(stop))?;
        if written != self.records {
            return Err(RecordingError::Count { written, found: self.records });
        }
        let end = self.payload_end + CHECKSUM;
        if self.decoder.at != self.payload_end {
            return Err(RecordingError::Malformed { at_byte: self.decoder.at });
        }
        if end != self.decoder.bytes.len() {
            return Err(RecordingError::Trailing { at_byte: end });
        }
        Ok(())
    }

    /// The block behind the one that was read, checked where it is whole.
    fn next_block(&mut self) -> Result<Block, RecordingError> {
        let log = self.decoder.bytes;
        // The preamble has no checksum behind it.
        let at =
            if self.payload_end == MAGIC.len() + 2 { self.payload_end } else { self.payload_end + CHECKSUM };
        let Some((&[kind, a, b, c, d], rest)) = log.get(at..).and_then(|rest| rest.split_first_chunk())
        else {
            return Err(self.truncated());
        };
        let payload_at = at + BLOCK_HEAD;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if rest.len() < CHECKSUM || rest.len() - CHECKSUM < length {
            return Ok(Block {
                kind,
                payload_at,
                payload_end: payload_at + rest.len().min(length),
                is_whole: false,
            });
        }
        let payload_end = payload_at + length;
        self.cover(at, payload_end);
        let checksum = self.digest.value().to_le_bytes();
        if log[payload_end..payload_end + CHECKSUM] != checksum {
            return Err(RecordingError::Checksum { at_byte: at });
        }
        self.cover(payload_end, payload_end + CHECKSUM);
        Ok(Block { kind, payload_at, payload_end, is_whole: true })
    }

    fn enter(&mut self, block: &Block) {
        self.decoder.at = block.payload_at;
        self.payload_end = block.payload_end;
        self.block_is_whole = block.is_whole;
    }

    fn cover(&mut self, from: usize, to: usize) {
        self.decoder.bytes[from..to].iter().for_each(|&byte| self.digest.write_u8(byte));
    }

    fn truncated(&self) -> RecordingError {
        RecordingError::Truncated { records: self.records, at_byte: self.decoder.bytes.len() }
    }

    fn wrong(&self, stop: Stop) -> RecordingError {
        match stop {
            Stop::NoMore => RecordingError::Malformed { at_byte: self.payload_end },
            Stop::Wrong(error) => error,
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<(Instant, Input), RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_record().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}
