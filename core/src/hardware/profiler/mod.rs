//! Where a run's time went: waiting, crossing to a worker and back, being copied, running, being settled.
//!
//! A task that took 40 ms may have run for 2. Which of its phases is worth work differs from one task type to the next, so
//! the [`Profiler`] keeps a distribution of each phase for each type. It is meant to stay on: recording a run is
//! five sums and five counts, and allocates nothing once a type was seen.
//!
//! ```
//! use quillwork_core::hardware::profiler::{Phase, Profiler, ProfilerConfig, RunTimes};
//! use quillwork_core::ids::{TaskId, TaskType};
//! use quillwork_core::time::Duration;
//!
//! let mut profiler = Profiler::new(ProfilerConfig::default())?;
//! let layout = TaskType::new(7);
//! for number in 1..=100 {
//!     profiler.record(layout, TaskId::new(number), RunTimes {
//!         queue: Duration::from_millis(3),
//!         transfer: Duration::from_millis(12),
//!         run: Duration::from_millis(5),
//!         ..RunTimes::default()
//!     });
//! }
//! let profile = profiler.profile();
//! let row = &profile.rows[0];
//! assert_eq!(row.dominant, Phase::Transfer);
//! assert_eq!(row.phase(Phase::Transfer).share_ratio, 0.6);
//! println!("{profile}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod histogram;
mod profile;
mod recorder;
mod times;

pub use profile::{PhaseProfile, Profile, ProfileRow};
pub use recorder::{Profiler, ProfilerConfig, ProfilerConfigError};
pub use times::{Phase, RunStamps, RunTimes};
