//! The phases of a run, and how they follow from what a shell can see.

use core::fmt;

use crate::time::{Duration, Instant};

/// A part of the time between a task's submission and its settlement. Together they are all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Waiting for a worker. Helped by more workers, or less work.
    Queue,
    /// On the way to the worker and back: waking it, its event loop, the page's event loop. Helped by prefetch, batching and
    /// shared memory.
    Boundary,
    /// Copying arguments and results. Helped by transferring instead of copying, and by sending less.
    Transfer,
    /// Running the task itself. Helped by a better algorithm, or the GPU.
    Run,
    /// Handing the result to whoever waits, on the page.
    Settle,
}

impl Phase {
    /// All of them, in the order in which a run goes through them first.
    pub const ALL: [Self; PHASES] = [Self::Queue, Self::Boundary, Self::Transfer, Self::Run, Self::Settle];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Boundary => "boundary",
            Self::Transfer => "transfer",
            Self::Run => "run",
            Self::Settle => "settle",
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How long each phase of one run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTimes {
    /// See [`Phase::Queue`].
    pub queue: Duration,
    /// See [`Phase::Boundary`].
    pub boundary: Duration,
    /// See [`Phase::Transfer`].
    pub transfer: Duration,
    /// See [`Phase::Run`].
    pub run: Duration,
    /// See [`Phase::Settle`].
    pub settle: Duration,
}

impl RunTimes {
    /// How long one phase took.
    #[must_use]
    pub const fn phase(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Queue => self.queue,
            Phase::Boundary => self.boundary,
            Phase::Transfer => self.transfer,
            Phase::Run => self.run,
            Phase::Settle => self.settle,
        }
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> Duration {
        Phase::ALL.into_iter().fold(Duration::ZERO, |sum, phase| sum + self.phase(phase))
    }
}

/// What a shell sees of one run: four times of its own clock, and two lengths that the worker measured. The worker's clock need
/// not agree with the shell's: only its lengths are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunStamps {
    /// The task was submitted.
    pub submitted: Instant,
    /// It was sent to its worker. After a redelivery the last time: what went before counts as queue.
    pub dispatched: Instant,
    /// The worker's answer came.
    pub answered: Instant,
    /// Whoever waited had the result.
    pub settled: Instant,
    /// How long the worker and the shell took to copy arguments and results, as measured on each side.
    pub transfer: Duration,
    /// How long the task ran, as the worker measured it.
    pub run: Duration,
}

impl RunStamps {
    /// Of a task that was submitted just now: nothing has taken any time yet. The other fields are set as things happen.
    #[must_use]
    pub const fn new(submitted: Instant) -> Self {
        Self {
            submitted,
            dispatched: submitted,
            answered: submitted,
            settled: submitted,
            transfer: Duration::ZERO,
            run: Duration::ZERO,
        }
    }

    /// The phases. What lies between dispatch and answer and is neither run nor transfer was spent at the boundary; it is
    /// zero where the worker's clock ran so fast that nothing is left. Times that go backwards count as no time.
    #[must_use]
    pub fn times(&self) -> RunTimes {
        RunTimes {
            queue: self.dispatched - self.submitted,
            boundary: (self.answered - self.dispatched) - self.run - self.transfer,
            transfer: self.transfer,
            run: self.run,
            settle: self.settled - self.answered,
        }
    }
}

pub(super) const PHASES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps() -> RunStamps {
        RunStamps {
            submitted: Instant::from_millis(100),
            dispatched: Instant::from_millis(130),
            answered: Instant::from_millis(150),
            settled: Instant::from_millis(151),
            transfer: Duration::from_millis(4),
            run: Duration::from_millis(10),
        }
    }

    #[test]
    fn phases_add_up_to_the_whole() {
        let times = stamps().times();
        let millis = Phase::ALL.map(|phase| times.phase(phase).as_millis());
        assert_eq!(millis, [30, 6, 4, 10, 1]);
        assert_eq!(times.total(), Duration::from_millis(51));
    }

    #[test]
    fn clocks_that_disagree_give_no_negative_time() {
        let fast = RunStamps { run: Duration::from_millis(90), ..stamps() };
        assert_eq!(fast.times().boundary, Duration::ZERO);
        let backwards = RunStamps { dispatched: Instant::from_millis(99), ..stamps() };
        assert_eq!(backwards.times().queue, Duration::ZERO);
    }
}
