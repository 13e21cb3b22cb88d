//! One hedged call.

use crate::time::{Duration, Instant};

use super::hedger::AttemptEnd;
use super::{HedgeAttempt, HedgeAttempts, Hedger};

/// One hedged call: it starts a further attempt where the first takes unusually long, and the first success wins (Dean and
/// Barroso, "The Tail at Scale", CACM 2013).
///
/// Only for calls that may be made twice. The first attempt is never held back; a hedge takes a token of the
/// [`Hedger`]'s budget, so that a backend that is slow because it is overloaded isn't given twice the work. A failure waits
/// for the attempts still under way; when the last of them has failed the call has failed. Hedging is no retry: a call
/// whose only attempt fails before its delay has failed at once.
///
/// The value is small and holds no memory of its own: make one per call, and hand the same [`Hedger`] to all of its
/// methods. A call that is dropped without an end leaves its attempts counted as under way.
///
/// ```
/// use quillwork_core::flow::hedge::{Hedge, HedgeAttempt, HedgeConfig, HedgeDecision, HedgeDelay, Hedger};
/// use quillwork_core::time::{Duration, Instant};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let at = Instant::from_millis;
/// let delay = HedgeDelay::Fixed(Duration::from_millis(50));
/// let mut hedger = Hedger::new(HedgeConfig { delay, ..HedgeConfig::default() }, at(0))?;
/// let mut call = Hedge::new(&mut hedger, at(0));
///
/// // Nothing has come after 50 ms: try it a second time.
/// assert_eq!(call.next_deadline(), Some(at(50)));
/// let second = call.handle_deadline(at(50), &mut hedger).expect("the budget is full");
/// let HedgeDecision::Won { cancel } = call.handle_success(at(60), second, &mut hedger) else { unreachable!() };
/// assert!(cancel.iter().eq([HedgeAttempt::FIRST]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Hedge {
    started: Instant,
    delay: Duration,
    hedge_at: Option<Instant>,
    attempts: u8,
    in_flight: HedgeAttempts,
}

/// What follows from the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a caller waits for it, and attempts may have to be cancelled"]
pub enum HedgeDecision {
    /// It is the call's result. Cancel these; what they give is [`Late`](Self::Late).
    Won {
        /// The attempts still under way.
        cancel: HedgeAttempts,
    },
    /// It failed and others are under way.
    Wait,
    /// It failed and was the last: its failure is the call's.
    Failed,
    /// Nobody waits for it any more.
    Late,
}

impl Hedge {
    /// A call whose first attempt, [`HedgeAttempt::FIRST`], starts `now`.
    #[must_use]
    pub fn new(hedger: &mut Hedger, now: Instant) -> Self {
        hedger.count_start();
        let delay = hedger.delay(now);
        let mut in_flight = HedgeAttempts::NONE;
        in_flight.insert(HedgeAttempt::FIRST);
        Self {
            started: now,
            delay: delay.unwrap_or(Duration::MAX),
            hedge_at: delay.map(|delay| now + delay).filter(|&at| at != Instant::NEVER),
            attempts: 1,
            in_flight,
        }
    }

    /// Time has passed. Gives the attempt to start now, if it is time for one and the budget has a token; where it has
    /// none the call is not hedged again.
    pub fn handle_deadline(&mut self, now: Instant, hedger: &mut Hedger) -> Option<HedgeAttempt> {
        self.hedge_at.filter(|&at| at <= now)?;
        self.hedge_at = None;
        if !hedger.try_hedge(now) {
            return None;
        }
        let attempt = HedgeAttempt(self.attempts);
        self.attempts += 1;
        self.in_flight.insert(attempt);
        if self.attempts <= hedger.max_hedges() {
            self.hedge_at = Some(now + self.delay).filter(|&at| at != Instant::NEVER);
        }
        Some(attempt)
    }

    /// An attempt succeeded.
    pub fn handle_success(
        &mut self,
        now: Instant,
        attempt: HedgeAttempt,
        hedger: &mut Hedger,
    ) -> HedgeDecision {
        if !self.in_flight.contains(attempt) {
            return HedgeDecision::Late;
        }
        // The first attempt counts once: as it ended, or as it was cancelled here. If it has failed before, not at all.
        if self.in_flight.contains(HedgeAttempt::FIRST) {
            hedger.measure(now, now - self.started);
        }
        self.in_flight.remove(attempt);
        hedger.count_end(AttemptEnd::Won);
        hedger.handle_success(now, attempt.is_hedge());
        HedgeDecision::Won { cancel: self.cancel_all(hedger) }
    }

    /// An attempt failed.
    pub fn handle_failure(&mut self, attempt: HedgeAttempt, hedger: &mut Hedger) -> HedgeDecision {
        if !self.in_flight.remove(attempt) {
            return HedgeDecision::Late;
        }
        hedger.count_end(AttemptEnd::Failed);
        if self.in_flight.is_empty() {
            self.hedge_at = None;
            return HedgeDecision::Failed;
        }
        HedgeDecision::Wait
    }

    /// The caller wants no result any more. Gives the attempts to cancel.
    pub fn handle_abort(&mut self, hedger: &mut Hedger) -> HedgeAttempts {
        self.cancel_all(hedger)
    }

    /// When to call [`Hedge::handle_deadline`].
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.hedge_at
    }

    /// The attempts under way. None: the call is over.
    #[must_use]
    pub const fn in_flight(&self) -> HedgeAttempts {
        self.in_flight
    }

    fn cancel_all(&mut self, hedger: &mut Hedger) -> HedgeAttempts {
        self.hedge_at = None;
        let cancelled = core::mem::take(&mut self.in_flight);
        for _ in cancelled {
            hedger.count_end(AttemptEnd::Cancelled);
        }
        cancelled
    }
}
