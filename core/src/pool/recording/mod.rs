//! A pool's run as bytes: recorded while it happens, replayed to the same decisions on any machine.
//!
//! A [`Recorder`] takes every input with its time, as it is handed in; [`Reader`] gives them back; [`replay`] hands them to a
//! new scheduler and returns what comes out, byte for byte the same natively and in WASM. A bug that a user saw becomes a
//! test this way, and traffic that a user had becomes a workload for the simulator.
//!
//! # Format, version 4
//!
//! ```text
//! log     = magic (8 bytes) version (u16, little-endian) block*
//! block   = kind (1 byte) length (u32) payload (length bytes) checksum (u64)
//! kinds   = 1 header: seed, start, settings | 2 records | 3 end: number of records
//! record  = time since the record before, kind of the input (1 byte), its fields
//! ```
//!
//! Numbers are LEB128 varints; signed differences are zigzag-coded first. Times carry their unit (ns, µs, ms or s), so
//! that a clock of whole milliseconds costs a byte or two. A task's id is coded as the difference to the one before, and
//! what a submitter says about a task as what differs from the task before: most tasks are like their predecessors. A
//! record takes four to seven bytes in practice.
//!
//! The checksum (FNV-1a, 64 bits) of a block covers everything from the log's first byte to its own, so that a flipped
//! bit, a block that is missing and one that is out of its place are all found, before any record of that block is given
//! out. A log that was cut off, because its page died, replays up to its last whole record; the records of the block in
//! which it was cut can't be verified, and the reader says that it was cut.
//!
//! ```
//! use quillwork_core::ids::TaskId;
//! use quillwork_core::pool::recording::{Ending, Recorder, replay};
//! use quillwork_core::pool::{Input, PoolConfig, Scheduler, TaskSpec};
//! use quillwork_core::time::Instant;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (config, start) = (PoolConfig::default(), Instant::ZERO);
//! let mut pool = Scheduler::new(config, start)?;
//! let mut recorder = Recorder::new(&config, start, 0);
//! for number in 0..1_000 {
//!     let now = Instant::from_millis(5 * number);
//!     let input = Input::Submit { task: TaskId::new(number), spec: TaskSpec::default() };
//!     recorder.record(now, &input);
//!     pool.handle_input(now, input)?;
//!     while pool.poll_output().is_some() {}
//! }
//! let log = recorder.finish();
//! assert!(log.len() < 6_000);
//!
//! let replayed = replay(&log)?;
//! assert_eq!((replayed.inputs, replayed.ending), (1_000, Ending::Complete));
//!
//! let cut = replay(&log[..2_000])?;
//! assert!(cut.inputs > 400 && matches!(cut.ending, Ending::Truncated { .. }));
//! assert!(replayed.outputs.starts_with(&cut.outputs));
//! # Ok(())
//! # }
//! ```

mod code;
mod error;
mod pool_types;
mod reader;
mod recorder;
mod replay;

#[cfg(test)]
mod tests;

pub use error::RecordingError;
pub use reader::{Header, Reader};
pub use recorder::Recorder;
pub use replay::{Ending, OutputBytes, Replayed, replay, replay_each};

/// The first bytes of a log. The line ends and the high bit tell when it was damaged by a transfer as text.
const MAGIC: [u8; 8] = *b"\x89QWP\r\n\x1a\n";
/// What this build writes and reads.
const VERSION: u16 = 4;
const HEADER: u8 = 1;
const RECORDS: u8 = 2;
const END: u8 = 3;
/// Kind and length before the payload, and the checksum after it.
const BLOCK_HEAD: usize = 5;
const CHECKSUM: usize = 8;
