//! Records with checksums over interchangeable back ends, and the history kept in them.
//!
//! The layers, each of which knows only the one below:
//!
//! * [`backend`]: ordered keys and values with transactions, in [memory](backend::Memory) or in a
//!   [file](backend::FileBackend), or made to fail on purpose ([`backend::Faulty`]).
//! * [`Records`]: what is stored carries its own checksum, checked on each read. A flipped bit is an error that names
//!   the record; it is never data.
//! * [`query`]: questions about series, answered from whichever tier can tell.
//! * [`series`]: what a series is, by name and labels.
//! * [`History`](history::History): values of many series on a fixed step, from the last minute to the last years, in
//!   files of a [`volume`].
//!
//! ```
//! use quillwork_store::backend::Memory;
//! use quillwork_store::{Changes, Records};
//!
//! let mut records = Records::new(Memory::new());
//! let mut changes = Changes::new();
//! changes.put(b"greeting", b"hello");
//! records.commit(&changes)?;
//! assert_eq!(records.get(b"greeting")?, Some(b"hello".to_vec()));
//! # Ok::<(), quillwork_store::StoreError>(())
//! ```

pub mod backend;
pub mod history;
pub mod query;
pub mod series;
pub mod volume;

mod record;
mod records;

#[cfg(test)]
mod corruption_tests;

pub use backend::Changes;
pub use record::{Damage, DamagedRecord, frame, unframe};
pub use records::{Records, StoreError};
