//! The inputs of a run, from which it can be run again.

use alloc::vec::Vec;

use quillwork_core::digest::Digest;
use quillwork_core::pool::recording::{OutputBytes, RecordingError, replay_each};
use quillwork_core::pool::{Output, Scheduler};

/// Everything that decided a run, as a log of [`quillwork_core::pool::recording`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The log.
    pub log: Vec<u8>,
}

impl Recording {
    /// Hands everything in again and digests what comes out.
    ///
    /// # Errors
    ///
    /// Where the log is damaged.
    pub fn replay(&self) -> Result<u64, RecordingError> {
        let mut decisions = Decisions::default();
        replay_each(&self.log, |_, output| match output {
            Some(output) => decisions.bytes.push(output),
            None => decisions.end_step(),
        })?;
        Ok(decisions.digest.value())
    }
}

/// A running digest of what was decided.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    bytes: OutputBytes,
    digest: Digest,
}

impl Decisions {
    /// Drains the scheduler.
    pub(crate) fn drain(&mut self, scheduler: &mut Scheduler, mut act: impl FnMut(&Output)) {
        while let Some(output) = scheduler.poll_output() {
            self.bytes.push(&output);
            act(&output);
        }
        self.end_step();
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest.value()
    }

    fn end_step(&mut self) {
        self.bytes.end_step();
        self.bytes.fold_into(&mut self.digest);
    }
}
