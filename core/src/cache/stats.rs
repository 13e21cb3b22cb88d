//! What a cache has done, in all and over time.

use crate::telemetry::{Ratio, Reset};

/// What a cache has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Look-ups that found their entry.
    pub hits: u64,
    /// Look-ups that did not, those of an expired entry among them.
    pub misses: u64,
    /// Entries that came, those that replaced one of the same key among them.
    pub insertions: u64,
    /// Entries that had to make room.
    pub evictions: u64,
    /// Entries whose time was over.
    pub expirations: u64,
}

impl CacheCounts {
    /// Hits of all look-ups; `None` where there was none.
    #[must_use]
    pub fn hit_ratio(self) -> Option<f64> {
        Ratio { part: self.hits, total: self.hits.saturating_add(self.misses) }.value(1)
    }

    pub(super) fn sum(self, other: Self) -> Self {
        Self {
            hits: self.hits.saturating_add(other.hits),
            misses: self.misses.saturating_add(other.misses),
            insertions: self.insertions.saturating_add(other.insertions),
            evictions: self.evictions.saturating_add(other.evictions),
            expirations: self.expirations.saturating_add(other.expirations),
        }
    }
}

impl Reset for CacheCounts {
    fn reset(&mut self) {
        *self = Self::default();
    }
}
