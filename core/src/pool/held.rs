//! What a worker has been given and has not reported on.

use crate::ids::TaskId;
use crate::time::Instant;

use super::Load;

/// One task at a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) task: TaskId,
    /// Its slot in the table of tasks, which it keeps until the worker lets go of it.
    pub(super) slot: u32,
    pub(super) load: Load,
    pub(super) stage: Stage,
    /// Its promise is settled: the worker was asked to stop it and has not said that it did.
    pub(super) settled: bool,
}

/// How far a task has come at its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It runs since then, and its load counts.
    Started(Instant),
}

impl Held {
    pub(super) fn runs(&self) -> bool {
        matches!(self.stage, Stage::Started(_)) && !self.settled
    }
}
