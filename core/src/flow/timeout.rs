//! When a call has taken too long.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::{Duration, Instant};

/// How long a call may take. Both limits are off by default: a time-out that nobody chose is a surprise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeoutConfig {
    /// From the start of each execution. Waiting in a queue or between retries doesn't count.
    pub execution: Option<Duration>,
    /// From the call to its end, with everything: waiting in a queue, every attempt, the waits between them.
    pub total: Option<Duration>,
}

impl TimeoutConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), TimeoutConfigError> {
        for (limit, length) in [(TimeLimit::Execution, self.execution), (TimeLimit::Total, self.total)] {
            if length.is_some_and(Duration::is_zero) {
                return Err(TimeoutConfigError::Zero { limit });
            }
        }
        Ok(())
    }
}

/// Which limit was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeLimit {
    /// [`TimeoutConfig::execution`]. The call may be tried again.
    Execution,
    /// [`TimeoutConfig::total`]. The call is over.
    Total,
}

/// One execution of a call, counted from 0: what fences off results that come too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Execution(u32);

impl Execution {
    /// Its number, from 0.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A limit was passed. The shell tells the caller and cancels the execution, if one was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// Which limit.
    pub limit: TimeLimit,
    /// How long it was.
    pub after: Duration,
    /// What to cancel. Its result, should it still come, is [`Late`].
    pub cancel: Option<Execution>,
}

/// The time-outs of one call: one per execution, one for the whole.
///
/// They are two different wishes. "No attempt may hang" counts from the start of an execution, so that a long queue alone
/// times nothing out. "The user waits two seconds" counts everything.
///
/// What is handed in first decides: a result that comes before [`Timeout::handle_deadline`] saw the limit passed is a
/// result. After that it is [`Late`] and changes nothing, also where the next execution runs already. The value is small
/// and holds no memory of its own: make one per call.
///
/// ```
/// use quillwork_core::flow::timeout::{Late, TimeLimit, Timeout, TimeoutConfig};
/// use quillwork_core::time::{Duration, Instant};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limits = TimeoutConfig { execution: Some(Duration::from_millis(100)), total: Some(Duration::from_secs(1)) };
/// let mut call = Timeout::new(limits, Instant::ZERO)?;
///
/// // It waits in a queue for 500 ms, which is no execution time.
/// let first = call.handle_start(Instant::from_millis(500)).expect("there is time left");
/// assert_eq!(call.next_deadline(), Some(Instant::from_millis(600)));
/// let timed_out = call.handle_deadline(Instant::from_millis(600)).expect("it is due");
/// assert_eq!((timed_out.limit, timed_out.cancel), (TimeLimit::Execution, Some(first)));
///
/// let second = call.handle_start(Instant::from_millis(610)).expect("there is time left");
/// assert_eq!(call.handle_result(Instant::from_millis(620), first), Err(Late));
/// assert_eq!(call.handle_result(Instant::from_millis(640), second), Ok(Duration::from_millis(30)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Timeout {
    config: TimeoutConfig,
    total_due: Instant,
    next: u32,
    running: Option<Running>,
    over: bool,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    execution: Execution,
    since: Instant,
    due: Instant,
}

impl Timeout {
    /// A call that was made `now` and isn't executed yet.
    ///
    /// # Errors
    ///
    /// The first limit that can't be used.
    pub fn new(config: TimeoutConfig, now: Instant) -> Result<Self, TimeoutConfigError> {
        config.validate()?;
        let total_due = config.total.map_or(Instant::NEVER, |total| now + total);
        Ok(Self { config, total_due, next: 0, running: None, over: false })
    }

    /// An execution of the call starts. One that was still under way is given up: its result is late from here on.
    ///
    /// # Errors
    ///
    /// Where the call is over: it timed out as a whole, was finished or aborted. Don't execute it.
    pub fn handle_start(&mut self, now: Instant) -> Result<Execution, Late> {
        if self.over {
            return Err(Late);
        }
        let execution = Execution(self.next);
        self.next = self.next.wrapping_add(1);
        let due = self.config.execution.map_or(Instant::NEVER, |limit| now + limit);
        self.running = Some(Running { execution, since: now, due });
        Ok(execution)
    }

    /// An execution ended, well or badly. Gives how long it took. The call may be executed again, after a failure say.
    ///
    /// # Errors
    ///
    /// Where nobody waits for it any more. The result is to be dropped.
    pub fn handle_result(&mut self, now: Instant, execution: Execution) -> Result<Duration, Late> {
        match self.running {
            Some(running) if running.execution == execution => {
                self.running = None;
                Ok(now - running.since)
            }
            Some(_) | None => Err(Late),
        }
    }

    /// The call is over, with a result or because nobody wants one any more. Gives what to cancel.
    pub fn handle_end(&mut self) -> Option<Execution> {
        self.over = true;
        self.running.take().map(|running| running.execution)
    }

    /// Time has passed. Where both limits are due it is the total that was passed.
    pub fn handle_deadline(&mut self, now: Instant) -> Option<TimedOut> {
        if self.over {
            return None;
        }
        let total = self.config.total.filter(|_| self.total_due <= now);
        if let Some(after) = total {
            return Some(TimedOut { limit: TimeLimit::Total, after, cancel: self.handle_end() });
        }
        let running = self.running.filter(|running| running.due <= now)?;
        let after = self.config.execution?;
        self.running = None;
        Some(TimedOut { limit: TimeLimit::Execution, after, cancel: Some(running.execution) })
    }

    /// When to call [`Timeout::handle_deadline`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let execution_due = self.running.map_or(Instant::NEVER, |running| running.due);
        let due = self.total_due.min(execution_due);
        (!self.over && due != Instant::NEVER).then_some(due)
    }

    /// Whether the call takes no further execution.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }
}

/// Nobody waits for this any more: it timed out, was given up for another execution, or its call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late;

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody waits for this execution any more")
    }
}

impl Error for Late {}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            TimeLimit::Execution => write!(f, "the execution took longer than {:?}", self.after),
            TimeLimit::Total => write!(f, "the call took longer than {:?} in all", self.after),
        }
    }
}

impl Error for TimedOut {}

/// A limit that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeoutConfigError {
    /// No time at all.
    Zero {
        /// Which limit.
        limit: TimeLimit,
    },
}

impl Say for TimeoutConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        let Self::Zero { limit } = self;
        let name = match limit {
            TimeLimit::Execution => "execution",
            TimeLimit::Total => "total",
        };
        say!(to, "the ", name, " time-out must be longer than zero; leave it out for none")
    }
}

displayed!(TimeoutConfigError);

impl Error for TimeoutConfigError {}
