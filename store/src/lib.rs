//! History of series, kept in files whose content never changes.
//!
//! * [`series`]: what a series is, by name and labels.
//! * [`History`](history::History): values of many series on a fixed step, from the last minute to the last years, in
//!   files of a [`volume`]; its module has an example.
//! * [`query`]: questions about series, answered from whichever tier can tell.
//! * [`frame`] and [`unframe`]: a checksum around bytes, for what else is kept in a file. A flipped bit is an error; it is never data.

pub mod history;
pub mod query;
pub mod series;
pub mod volume;

mod record;

pub use record::{Damage, DamagedRecord, frame, unframe};
