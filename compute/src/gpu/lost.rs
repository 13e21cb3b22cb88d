//! Whether a device is gone.

use std::sync::{Arc, Mutex, PoisonError};

/// How a device went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    /// By our own request, and so not worth an attempt to get it back.
    pub(crate) requested: bool,
    pub(crate) detail: String,
}

/// Set once, by whoever hears of it first; read before and after each use of the device.
#[derive(Debug, Clone, Default)]
pub(crate) struct LossFlag(Arc<Mutex<Option<Loss>>>);

impl LossFlag {
    pub(crate) fn set(&self, loss: Loss) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(loss);
    }

    pub(crate) fn loss(&self) -> Option<Loss> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
