//! A short list of workers without an allocation.

use crate::ids::WorkerId;

/// The first of the workers on a task's list, kept with the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FewWorkers {
    workers: [WorkerId; Self::MOST],
    len: u8,
    is_complete: bool,
}

impl FewWorkers {
    /// So many are kept.
    pub const MOST: usize = 4;

    pub(super) fn new(list: &[WorkerId]) -> Self {
        let len = list.len().min(Self::MOST);
        let mut workers = [WorkerId::new(0); Self::MOST];
        workers[..len].copy_from_slice(&list[..len]);
        Self { workers, len: u8::try_from(len).expect("at most 4"), is_complete: list.len() <= Self::MOST }
    }

    /// The ones that are kept.
    #[must_use]
    pub fn as_slice(&self) -> &[WorkerId] {
        &self.workers[..usize::from(self.len)]
    }

    /// Whether the list had no more.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }
}
