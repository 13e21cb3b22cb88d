//! History: values of many series on a fixed step, from the last minute to the last years.
//!
//! Values are kept as whole multiples of each series' resolution: step by step for a day, and rolled up in coarser [tiers](TierOptions)
//! for longer. A step without a value is a **gap**, which is neither zero nor the value before.
//!
//! # Tiers
//!
//! By default a second for a day, ten seconds for a week, a minute for 30 days, an hour for two years. A rolled-up step of a gauge
//! holds the number of values, their sum, smallest, largest and latest; of a counter the first and latest reading and the increase,
//! which minds that counters begin anew; of a sketch the merged sketch. So means, rates and quantiles of a long time are as right as of
//! a short one. [`Reader`] takes each stretch from the coarsest tier that can tell.
//!
//! # Files
//!
//! A [`Volume`](crate::volume::Volume) holds a file per window, which is written once and read in pieces: heads of a minute, one after
//! the other; from 60 of them an hour, sealed and densely packed; from hours the windows of coarser tiers. A file names itself and checks each of its
//! parts, so that a flipped bit costs one part at most and is never data. [`History::open`] reads the list of files and the catalogue of
//! series, and no values.
//!
//! Of 26 series of a busy Linux machine (processors, memory, load, interfaces, disks, pressure), recorded for 872 seconds, a sample took 0.39
//! bytes where it is kept by the second (`cargo run --release -p quillwork-store --example density -- recorded.csv`).
//!
//! # What may be lost
//!
//! A killed process or a cut of power loses what [`commit`](History::commit) had not written: the running minute and the five seconds
//! that a head waits for late values. Nothing older. While the medium fails values wait in memory, up to some 8 MB.
//!
//! # Room
//!
//! All files together never exceed [`max_bytes`](HistoryOptions::max_bytes): before one is written others make room, those whose age is the largest
//! share of what their tier keeps, so that all tiers shrink alike.
//!
//! # The clock
//!
//! Time is the wall clock's, in milliseconds since 1970, handed in with each [`append`](History::append) and rounded down to steps.
//!
//! * **Forwards by a leap** (the machine slept, the process was stopped): the steps between are gaps. After more than an hour nothing is dropped for its
//!   age until the clock has gone on steadily for ten minutes: it may be wrong.
//! * **Backwards**: what was recorded for later than now was wrong, and is forgotten; a coarse step that reaches beyond now goes whole where the finer
//!   values in it are no longer kept. A clock that is set back by more than 25 hours is not believed
//!   so far: what lies ahead stays, and is not shown until its time.
//! * **Late values** (a page that was away sends its queue) go where they belong, as far back as the finest tier goes, and the coarser tiers
//!   are made again. Where single values were dropped already they are refused, whatever the clock says: one would stand for all that was there. Of two values for one step the last counts.
//! * A value of the future is refused.
//!
//! ```
//! use quillwork_store::history::{History, HistoryOptions, Steps};
//! use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
//! use quillwork_store::volume::Memory;
//!
//! let start = 1_700_000_000_000;
//! let mut history = History::open(Memory::new(), HistoryOptions::default(), start)?;
//! let cpu = history.add_series(SeriesSpec {
//!     key: SeriesKey::plain("host.cpu.total")?,
//!     kind: SeriesKind::Gauge,
//!     unit: "ratio".into(),
//!     resolution: 0.001,
//! })?;
//! for (second, busy) in [(0, 0.25), (1, 0.5), (3, 0.75)] {
//!     let now = start + second * 1_000;
//!     history.append(now, now, &[(cpu, busy)]);
//!     history.commit()?;
//! }
//! let read = history.reader([cpu]).read(start, start + 10_000, 10_000)?;
//! let Steps::Numbers(steps) = &read.series[0].1.steps else { panic!("a gauge has numbers") };
//! let (_, all) = steps[0];
//! assert_eq!((all.count, all.sum, all.max), (3, 1_500, 750), "in thousandths");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aggregate;
mod block;
mod catalogue;
mod check;
mod clock;
mod column;
mod errors;
mod head;
mod log;
mod options;
mod points;
mod read;
mod replica;
mod rollup;
mod room;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod replica_tests;
#[cfg(test)]
mod test_support;

pub use aggregate::Aggregate;
pub(crate) use aggregate::growth;
pub use check::{Checked, check, copy, repair};
pub use errors::{AddSeriesError, Damage, Damaged, FollowError, OpenError, ReadError};
pub use log::{Appended, History};
pub use options::{HistoryOptions, TierOptions};
pub use read::{Read, Reader, Steps, Stretch};
pub use replica::{FileVersion, Tail, is_derived, is_values, version_of, versions};
