//! Bounded numbers of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::ServerCounters;

/// A client's place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    counters: Arc<ServerCounters>,
    taken: fn(&ServerCounters) -> &AtomicU64,
}

impl Place {
    /// A place, if there is one left. `taken` is the counter of those that are taken.
    pub(crate) fn take(
        places: &Arc<Semaphore>,
        counters: &Arc<ServerCounters>,
        taken: fn(&ServerCounters) -> &AtomicU64,
    ) -> Option<Self> {
        let permit = Arc::clone(places).try_acquire_owned().ok()?;
        taken(counters).fetch_add(1, Ordering::Relaxed);
        Some(Self { _permit: permit, counters: Arc::clone(counters), taken })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.taken)(&self.counters).fetch_sub(1, Ordering::Relaxed);
    }
}
