//! Only so many calls at a time, and only so many that wait.

mod calls;
mod config;

use alloc::collections::VecDeque;
use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;

use crate::time::Instant;
use calls::{Calls, State};

pub use calls::BulkheadTicket;
pub use config::{BulkheadConfig, BulkheadConfigError};

/// Bounds how many calls run at a time, so that one slow backend or one greedy caller can't take everything. Calls beyond
/// that wait in a bounded queue, first come first served; calls beyond the queue are refused at once.
///
/// A newcomer never overtakes who waits: there is a free place only where nobody waits. A call that is aborted leaves the
/// queue at once and its place goes to another. One that runs holds its place until the shell tells that it has really
/// ended, with [`Bulkhead::handle_leave`]: its work uses the backend until then.
///
/// Every call that enters ends in exactly one way: it is refused, or leaves, or is aborted while it waits, or waits too
/// long. A ticket that has ended is unknown from then on, and what is told about it changes nothing.
///
/// ```
/// use quillwork_core::flow::bulkhead::{Admission, Bulkhead, BulkheadConfig, BulkheadOutput};
/// use quillwork_core::time::Instant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = Instant::ZERO;
/// let mut loads = Bulkhead::new(BulkheadConfig { max_queued: 1, ..BulkheadConfig::concurrent(1)? })?;
/// let Admission::Started(first) = loads.handle_enter(now)? else { unreachable!("it is empty") };
/// let Admission::Queued(second) = loads.handle_enter(now)? else { unreachable!("it is full") };
/// assert_eq!(loads.handle_enter(now).unwrap_err().to_string(), "1 call runs and 1 waits, as many as may");
///
/// loads.handle_leave(now, first);
/// assert_eq!(loads.poll_output(), Some(BulkheadOutput::Start { ticket: second }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Bulkhead {
    config: BulkheadConfig,
    calls: Calls,
    outputs: VecDeque<BulkheadOutput>,
    latest: Instant,
    counters: Counters,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    started: u64,
    refused: u64,
    aborted: u64,
    waited_too_long: u64,
}

/// Where a call that enters goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a call that was started must leave, or its place is lost"]
pub enum Admission {
    /// Run it now.
    Started(BulkheadTicket),
    /// Keep it until an output names it.
    Queued(BulkheadTicket),
}

impl Admission {
    /// The call's ticket.
    #[must_use]
    pub const fn ticket(self) -> BulkheadTicket {
        match self {
            Self::Started(ticket) | Self::Queued(ticket) => ticket,
        }
    }
}

/// What to do with a call that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkheadOutput {
    /// Its turn has come: run it now.
    Start {
        /// The call.
        ticket: BulkheadTicket,
    },
    /// It has waited for [`BulkheadConfig::max_wait`] and is no longer in the queue: tell its caller.
    WaitedTooLong {
        /// The call.
        ticket: BulkheadTicket,
    },
}

/// What an abort met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkheadAbort {
    /// The call waited. It is gone.
    Dequeued,
    /// The call runs. Cancel its work; its place is free once it has left.
    Running,
    /// The call has ended before.
    Unknown,
}

impl Bulkhead {
    /// An empty bulkhead.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(config: BulkheadConfig) -> Result<Self, BulkheadConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            calls: Calls::default(),
            outputs: VecDeque::new(),
            latest: Instant::ZERO,
            counters: Counters::default(),
        })
    }

    /// A call wants to run.
    ///
    /// # Errors
    ///
    /// Where all places are taken and the queue is full.
    pub fn handle_enter(&mut self, now: Instant) -> Result<Admission, BulkheadFull> {
        let now = self.advance(now);
        if self.calls.running() < self.config.max_concurrent.get() {
            self.counters.started += 1;
            return Ok(Admission::Started(self.calls.start_new()));
        }
        if self.calls.queued() >= self.config.max_queued {
            self.counters.refused += 1;
            return Err(BulkheadFull {
                max_concurrent: self.config.max_concurrent,
                max_queued: self.config.max_queued,
            });
        }
        let due = self.config.max_wait.map_or(Instant::NEVER, |wait| now + wait);
        Ok(Admission::Queued(self.calls.enqueue_new(due)))
    }

    /// A call that was started has ended, well or badly. Its place goes to who has waited longest.
    pub fn handle_leave(&mut self, now: Instant, ticket: BulkheadTicket) {
        self.advance(now);
        if self.calls.state(ticket) == Some(State::Running) {
            self.calls.remove(ticket);
            self.fill();
        }
    }

    /// The caller of a call wants no result any more.
    pub fn handle_abort(&mut self, now: Instant, ticket: BulkheadTicket) -> BulkheadAbort {
        self.advance(now);
        match self.calls.state(ticket) {
            Some(State::Queued { .. }) => {
                self.calls.remove(ticket);
                self.counters.aborted += 1;
                BulkheadAbort::Dequeued
            }
            Some(State::Running) => BulkheadAbort::Running,
            None => BulkheadAbort::Unknown,
        }
    }

    /// Changes how many calls may run: what an adaptive limit does. Calls that run are not stopped when it falls.
    pub fn set_max_concurrent(&mut self, now: Instant, max_concurrent: NonZeroU32) {
        self.advance(now);
        self.config.max_concurrent = max_concurrent;
        self.fill();
    }

    /// Time has passed.
    pub fn handle_deadline(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When to call [`Bulkhead::handle_deadline`]: when who waits longest has waited too long.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.calls.first_due().filter(|&due| due != Instant::NEVER)
    }

    /// The next thing to do. To be called until `None` after each input.
    pub fn poll_output(&mut self) -> Option<BulkheadOutput> {
        self.outputs.pop_front()
    }

    /// What it holds and has done.
    #[must_use]
    pub fn metrics(&self) -> BulkheadMetrics {
        let Counters { started, refused, aborted, waited_too_long } = self.counters;
        BulkheadMetrics {
            running: self.calls.running(),
            queued: self.calls.queued(),
            max_concurrent: self.config.max_concurrent.get(),
            started,
            refused,
            aborted,
            waited_too_long,
        }
    }

    /// Gives up who has waited too long, before anyone is started: a place that becomes free at the same time is for
    /// those who still want it. Gives the latest time seen, so that deadlines in the queue never fall.
    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        while let Some(ticket) = self.calls.pop_due(self.latest) {
            self.counters.waited_too_long += 1;
            self.outputs.push_back(BulkheadOutput::WaitedTooLong { ticket });
        }
        self.latest
    }

    fn fill(&mut self) {
        while self.calls.running() < self.config.max_concurrent.get() {
            let Some(ticket) = self.calls.start_first() else { break };
            self.counters.started += 1;
            self.outputs.push_back(BulkheadOutput::Start { ticket });
        }
    }
}

/// What a [`Bulkhead`] holds and has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadMetrics {
    /// Calls that run.
    pub running: u32,
    /// Calls that wait.
    pub queued: u32,
    /// Calls that may run.
    pub max_concurrent: u32,
    /// Calls that were started, at once or from the queue.
    pub started: u64,
    /// Calls that found it full.
    pub refused: u64,
    /// Calls that were aborted while they waited.
    pub aborted: u64,
    /// Calls that waited for longer than they may.
    pub waited_too_long: u64,
}

/// No place and no room to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadFull {
    /// So many calls may run.
    pub max_concurrent: NonZeroU32,
    /// So many may wait.
    pub max_queued: u32,
}

impl fmt::Display for BulkheadFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = if self.max_concurrent.get() == 1 { "call runs" } else { "calls run" };
        let wait = if self.max_queued == 1 { "waits" } else { "wait" };
        write!(f, "{} {calls} and {} {wait}, as many as may", self.max_concurrent, self.max_queued)
    }
}

impl Error for BulkheadFull {}
