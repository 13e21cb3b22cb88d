//! The inputs of a run, from which it can be run again.

use alloc::vec::Vec;

use quillwork_core::digest::Digest;
use quillwork_core::pool::{ConfigError, Input, Output, PoolConfig, Scheduler};
use quillwork_core::time::Instant;

/// Everything that decided a run: the pool's settings, its start, and what happened when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The settings.
    pub config: PoolConfig,
    /// When the pool was made.
    pub start: Instant,
    /// What was handed in, with the time that was given for it.
    pub inputs: Vec<(Instant, Input)>,
}

impl Recording {
    /// Hands everything in again and digests what comes out.
    ///
    /// # Errors
    ///
    /// Where the settings can't be used.
    pub fn replay(&self) -> Result<u64, ConfigError> {
        let mut scheduler = Scheduler::new(self.config, self.start)?;
        let mut digest = Digest::new();
        digest_outputs(&mut scheduler, &mut digest, |_| {});
        for &(now, input) in &self.inputs {
            // A duplicate id was refused when it was recorded, too.
            let _refused_again = scheduler.handle_input(now, input);
            digest_outputs(&mut scheduler, &mut digest, |_| {});
        }
        Ok(digest.value())
    }
}

/// Drains the scheduler. The end of each step goes into the digest: an output that comes a step later is another decision.
pub(crate) fn digest_outputs(scheduler: &mut Scheduler, digest: &mut Digest, mut act: impl FnMut(&Output)) {
    while let Some(output) = scheduler.poll_output() {
        output.digest(digest);
        act(&output);
    }
    digest.write_u8(0);
}
