//! Bounded numbers of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A client's place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    _permit: OwnedSemaphorePermit,
    counter: &'a AtomicU64,
}

impl<'a> Place<'a> {
    /// A place, if there is one left. `counter` tells how many are taken.
    pub(crate) fn take(places: &Arc<Semaphore>, counter: &'a AtomicU64) -> Option<Self> {
        let permit = Arc::clone(places).try_acquire_owned().ok()?;
        counter.fetch_add(1, Ordering::Relaxed);
        Some(Self { _permit: permit, counter })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
    }
}
