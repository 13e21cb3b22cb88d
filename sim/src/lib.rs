//! Virtual-time simulator that drives quillwork-core.
//!
//! [`run`] plays a whole life of a pool, from the first spawn to the last settlement, in a world made from a seed: tasks
//! arrive at random, workers boot slowly or never, throw, hang, crash, die without a word, ignore aborts, and speak after
//! they were terminated; timers are late and the clock steps back. After every step it checks what the scheduler promises
//! (see [`Broken`] for the list), against books of its own.
//!
//! Everything follows from the seed and the [`Scenario`]: there is no other source of time or randomness. The
//! [`Report`] carries the recorded inputs, from which [`Recording::replay`] reproduces every decision, and a digest of all
//! decisions, by which a native run is compared with one in WASM.
//!
//! ```
//! use quillwork_sim::{Scenario, run};
//!
//! let scenario = Scenario::from_seed(7);
//! let report = run(7, &scenario);
//! assert_eq!(report.violations, []);
//! assert_eq!(report.counters.settled(), report.counters.submitted);
//! assert_eq!(report.recording.replay(), Ok(report.digest));
//! ```

#![no_std]

extern crate alloc;

mod bound;
mod check;
mod choosy;
mod driver;
mod entries;
pub mod fleet;
mod incarnation;
mod ledger;
mod recording;
mod report;
mod scenario;
mod size;
pub mod study;
mod world;

pub use driver::{fingerprint, run};
pub use recording::Recording;
pub use report::{Broken, Report, Violation};
pub use scenario::{Faults, Machine, Scenario, Workload};

/// The guide, so that its example is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/simulator.md")]
struct Guide;
