//! A cache that decides what to keep, and leaves the values to the shell.
//!
//! Keys are [`CacheId`]s, interned by the shell, which also holds the values. [`Cache`] decides what stays: by weight through an
//! [`EvictionPolicy`] ([`S3Fifo`]), and by time to live. What it drops it says through [`Cache::poll_output`], and
//! the shell lets go of those values.
//!
//! The order of events is that of the drive loop: after each call **all outputs are drained before the next**, and
//! before the shell stores the value of an insertion. An output never names the key that was just inserted.
//!
//! ```
//! use quillwork_core::cache::{Cache, CacheOptions, Dropped, Expiry, Insertion, Reason};
//! use quillwork_core::ids::CacheId;
//! use quillwork_core::time::{Duration, Instant};
//!
//! let options = CacheOptions { capacity: 2, ttl: Some(Duration::from_secs(60)), ..CacheOptions::default() };
//! let mut cache = Cache::new(options)?;
//! let now = Instant::ZERO;
//!
//! assert_eq!(cache.insert(now, CacheId::new(1)), Insertion::New);
//! assert_eq!(cache.insert(now, CacheId::new(2)), Insertion::New);
//! for _ in 0..2 {
//!     assert!(cache.get(now, CacheId::new(1)).is_hit());
//! }
//!
//! // There is no room for a third: the shell hears which value to let go of.
//! cache.insert_with(now, CacheId::new(3), 1, Expiry::After(Duration::from_secs(5)));
//! assert_eq!(cache.poll_output(), Some(Dropped { key: CacheId::new(2), reason: Reason::Evicted }));
//!
//! let later = cache.next_deadline().expect("entries with a time to live");
//! assert_eq!(later, Instant::from_secs(5));
//! cache.handle_deadline(later);
//! assert_eq!(cache.poll_output(), Some(Dropped { key: CacheId::new(3), reason: Reason::Expired }));
//! # Ok::<(), quillwork_core::cache::CacheOptionsError>(())
//! ```

mod bounded;
mod expiry;
mod ghost;
mod options;
mod s3_fifo;
mod slot_list;
mod stats;

#[cfg(test)]
mod baselines;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod trace_tests;

pub use bounded::{Cache, Dropped, Insertion, Lookup, Reason};
pub use options::{CacheOptions, CacheOptionsError, Expiry};
pub use s3_fifo::S3Fifo;
pub use stats::CacheCounts;

use crate::ids::CacheId;

/// The place of a resident entry, `0..residents` but for places that are free. A place is given to another entry once
/// its entry is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u32);

impl Slot {
    /// As an index into a table of entries.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Decides which resident entry has to go.
///
/// The cache tells what happens to its entries and asks for a victim where it needs room. It sees to capacity, keys and
/// expiry itself, so that a policy is about order alone. Calls are consistent: a slot is inserted before anything else
/// is said of it, and not spoken of after it was evicted or removed, until it is inserted again.
///
/// All policies pass the conformance suite beside this module.
pub trait EvictionPolicy {
    /// A policy for a cache that holds entries of `capacity` weight together.
    fn with_capacity(capacity: u64) -> Self
    where
        Self: Sized;

    /// An entry became resident.
    fn on_insert(&mut self, slot: Slot, key: CacheId, weight: u32);

    /// A resident entry was read or overwritten.
    fn on_access(&mut self, slot: Slot);

    /// A resident entry's weight changed.
    fn on_reweigh(&mut self, slot: Slot, weight: u32);

    /// A resident entry is gone, by removal or expiry: it was not the policy's choice.
    fn on_remove(&mut self, slot: Slot);

    /// Chooses a resident entry, forgets it, and says which. Never chooses `spared`, the entry that is being
    /// overwritten. `None` where there is no other.
    fn evict(&mut self, spared: Option<Slot>) -> Option<Slot>;

    /// All entries are gone, and whatever was remembered of earlier ones.
    fn on_clear(&mut self);
}
