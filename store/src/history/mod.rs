//! History: values of many series on a fixed step, for the last hour or so.
//!
//! Values are kept as whole multiples of each series' resolution, in chunks of a fixed number of steps: [`History`]
//! appends to one open chunk per series and puts full ones into [`Records`](crate::Records). A step without a value is a
//! **gap**, which is neither zero nor the value before.
//!
//! # The clock
//!
//! Time is the wall clock's, in milliseconds since 1970, rounded down to steps, and handed in with each [`append`](History::append).
//!
//! * **Forwards by a leap** (the machine slept, the process was stopped): the steps between are gaps.
//! * **Backwards**: the clock was corrected, so what was recorded for later than now was wrong, and is forgotten. History
//!   never holds a value from the future.
//! * **Late values** (a page that was away sends its queue) go where they belong, as far back as values are kept. Of two values for one
//!   step the last counts.
//! * What is older than the retention is dropped, by whole chunks on the medium and exactly in what is answered.
//!
//! # What is kept where, and when
//!
//! Chunks wait in memory until [`commit`](History::commit), which also writes the open ones on [`flush`](History::flush). Where the
//! medium fails they go on waiting, within the retention, and the next commit tries again: nothing is lost but what a
//! killed process had not committed. Where a broken file was set aside, all that is still in memory goes into the new one.
//!
//! With the defaults a series takes 4.9 KB for its open chunk, and about a byte per value for full ones: a series that changes
//! a little at each step took 3.3 KB for the hour before (`cargo test -p quillwork-store bytes_of -- --nocapture`). A value
//! never takes more than 10 bytes.
//!
//! ```
//! use quillwork_store::backend::Memory;
//! use quillwork_store::history::{History, HistoryOptions};
//! use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
//!
//! let mut history = History::open(Memory::new(), HistoryOptions::default())?.history;
//! let cpu = history.add_series(SeriesSpec {
//!     key: SeriesKey::plain("host.cpu.total")?,
//!     kind: SeriesKind::Gauge,
//!     unit: "ratio".into(),
//!     resolution: 0.001,
//! })?;
//!
//! let start = 1_700_000_000_000;
//! for (second, busy) in [(0, 0.25), (1, 0.5), (3, 0.75)] {
//!     let now = start + second * 1_000;
//!     history.append(now, now, &[(cpu, Some(busy))])?;
//! }
//! let slice = history.query(cpu, start, start + 4_000, 100)?;
//! assert_eq!(slice.values, [Some(0.25), Some(0.5), None, Some(0.75)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunk;
mod errors;
mod keys;
mod log;
mod open;
mod options;
mod query;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod model_tests;

pub use errors::{AddSeriesError, HistoryError, OpenError};
pub use log::{Appended, History};
pub use open::OpenedHistory;
pub use options::HistoryOptions;
pub use query::Slice;
