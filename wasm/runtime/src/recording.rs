//! A pool's run as it is recorded in the page, with a digest of what was decided.

use alloc::vec::Vec;

use quillwork_core::digest::Digest;
use quillwork_core::pool::recording::{OutputBytes, Recorder};
use quillwork_core::pool::{Input, Output, PoolConfig};
use quillwork_core::time::Instant;

/// A log of inputs that ends when it has grown to its bound, and a digest of the outputs that they led to: replayed anywhere, the log
/// leads to the same one.
#[derive(Clone, Debug)]
pub struct Recording {
    recorder: Recorder,
    outputs: OutputBytes,
    digest: Digest,
    max_bytes: usize,
    is_full: bool,
}

impl Recording {
    /// Of a pool that is made now.
    #[must_use]
    pub fn new(config: &PoolConfig, start: Instant, max_bytes: usize) -> Self {
        Self {
            recorder: Recorder::new(config, start, config.seed),
            outputs: OutputBytes::new(),
            digest: Digest::new(),
            max_bytes,
            is_full: false,
        }
    }

    /// An input that is handed in now, after all outputs of the one before it.
    pub fn input(&mut self, now: Instant, input: &Input) {
        if self.is_full {
            return;
        }
        self.end_step();
        self.is_full = self.recorder.buffered_bytes() >= self.max_bytes;
        if !self.is_full {
            self.recorder.record(now, input);
        }
    }

    /// An output of the last input.
    pub fn output(&mut self, output: &Output) {
        if !self.is_full {
            self.outputs.push(output);
            self.outputs.fold_into(&mut self.digest);
        }
    }

    /// The log up to now. One that has reached its bound has no end, so that its reader knows that it was cut.
    #[must_use]
    pub fn log(&self) -> Vec<u8> {
        let mut recorder = self.recorder.clone();
        if !self.is_full {
            return recorder.finish();
        }
        let mut log = Vec::with_capacity(recorder.buffered_bytes());
        recorder.flush();
        recorder.take_blocks(|blocks| log.extend_from_slice(blocks));
        log
    }

    /// A digest of the outputs of all recorded inputs: of what `quillwork_core::pool::recording::replay` gives for the log.
    #[must_use]
    pub fn decisions(&self) -> u64 {
        let mut last = self.clone();
        if !self.is_full {
            last.end_step();
        }
        last.digest.value()
    }

    /// Inputs that were recorded.
    #[must_use]
    pub const fn inputs(&self) -> u64 {
        self.recorder.records()
    }

    /// Whether the log has reached its bound, and what came later is not in it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    fn end_step(&mut self) {
        self.outputs.end_step();
        self.outputs.fold_into(&mut self.digest);
    }
}

#[cfg(test)]
mod tests {
    use quillwork_core::ids::{Generation, TaskId, WorkerId};
    use quillwork_core::pool::recording::{Ending, replay};
    use quillwork_core::pool::{CloseMode, Offer, TaskSpec};

    use super::*;
    use crate::driver::PoolDriver;
    use crate::slots::{MAX_RECORDS, Slots};

    /// A pool of one worker that ran so many tasks, recorded up to so many bytes.
    fn recorded(tasks: u32, max_bytes: usize) -> Recording {
        let mut slots = Slots::new();
        let config = PoolConfig { workers: 1, ..PoolConfig::default() };
        let mut pool = PoolDriver::new(Instant::ZERO, config, Some(max_bytes)).expect("a pool of one");
        pool.drain(&mut slots);
        let (worker, generation) = (WorkerId::new(0), Generation::FIRST);
        pool.input(Instant::ZERO, Input::WorkerReady { worker, generation, offer: Offer::PLAIN }, &mut slots);
        for number in 0..tasks {
            let (now, task) = (Instant::from_millis(number.into()), TaskId::new(number.into()));
            pool.input(now, Input::Submit { task, spec: TaskSpec::default() }, &mut slots);
            slots.answers_mut()[..2].copy_from_slice(&[number, 0]);
            pool.answers(now, worker, generation, 0..1, &mut slots);
        }
        pool.recording().expect("it was asked for").clone()
    }

    fn digest_of(bytes: &[u8]) -> u64 {
        let mut digest = Digest::new();
        bytes.iter().for_each(|&byte| digest.write_u8(byte));
        digest.value()
    }

    #[test]
    fn a_log_replays_to_the_decisions_that_were_made() {
        let recording = recorded(500, usize::MAX);
        let replayed = replay(&recording.log()).expect("a whole log");
        assert_eq!((replayed.inputs, replayed.ending), (1_001, Ending::Complete));
        assert_eq!(recording.inputs(), 1_001);
        assert_eq!(digest_of(&replayed.outputs), recording.decisions());
    }

    #[test]
    fn a_log_that_is_full_says_so_and_replays_as_far_as_it_goes() {
        let recording = recorded(5_000, 20_000);
        assert!(recording.is_full() && recording.log().len() < 25_000);
        let replayed = replay(&recording.log()).expect("a log that was cut");
        assert!(matches!(replayed.ending, Ending::Truncated { .. }));
        assert_eq!(replayed.inputs, recording.inputs());
        assert_eq!(digest_of(&replayed.outputs), recording.decisions());
    }

    #[test]
    fn outputs_that_did_not_fit_at_once_belong_to_their_input() {
        let mut slots = Slots::new();
        let config = PoolConfig { workers: 1, ..PoolConfig::default() };
        let mut pool = PoolDriver::new(Instant::ZERO, config, Some(usize::MAX)).expect("a pool of one");
        pool.drain(&mut slots);
        for number in 0..300 {
            let submit = Input::Submit { task: TaskId::new(number), spec: TaskSpec::default() };
            pool.input(Instant::ZERO, submit, &mut slots);
        }
        let close = Input::Close { mode: CloseMode::Now };
        let mut written = pool.input(Instant::ZERO, close, &mut slots) as usize;
        while written == MAX_RECORDS {
            written = pool.drain(&mut slots) as usize;
        }
        let recording = pool.recording().expect("it was asked for");
        let replayed = replay(&recording.log()).expect("a whole log");
        assert_eq!(digest_of(&replayed.outputs), recording.decisions());
    }
}
