//! A circuit breaker: calls to a service that fails are refused at once instead of adding to its trouble.
//!
//! A [`Breaker`] that is *closed* lets calls through and counts how they end. When too many fail or take too long, it
//! *opens*: every call is refused for a time. Then it is *half-open*: a few trial calls go through, and how these end closes
//! it or opens it again, for longer each time.
//!
//! * **Permits carry a generation.** Each change of state begins a new one. What a call that was let through before the
//!   change comes to afterwards changes nothing.
//! * **Half-open lets exactly [`BreakerConfig::trials`] calls end.** A trial that is cancelled or whose outcome is ignored
//!   gives its place back. Trials that don't end in time count as failed.
//! * **Transitions are lazy.** Time is compared when a call comes, so a shell needs no timer;
//!   [`Breaker::next_deadline`] is there for observers who want to hear of a change when it is due. Whether
//!   [`Breaker::handle_deadline`] is called changes no decision.
//! * A clock that goes backwards stands still here: it neither opens nor closes anything.
//!
//! The pattern is Nygard's (*Release It!*, 2007); windows, slow calls, trials and the operator's modes are those of
//! resilience4j.
//!
//! ```
//! use quillwork_core::flow::breaker::{Breaker, BreakerConfig, Outcome, Refusal};
//! use quillwork_core::time::{Duration, Instant};
//!
//! let mut breaker = Breaker::new(BreakerConfig { trials: 1, ..BreakerConfig::consecutive(3) })?;
//! let at = Instant::from_secs;
//! let took = Duration::from_millis(20);
//!
//! for _ in 0..3 {
//!     let permit = breaker.try_acquire(at(1)).expect("it is closed");
//!     breaker.record(at(1), permit, Outcome::Failure, took);
//! }
//! let rejected = breaker.try_acquire(at(2)).expect_err("three in a row open it");
//! assert_eq!(rejected.refusal, Refusal::Open { until: at(6) });
//!
//! // After its open time one trial goes through, and closes it.
//! let trial = breaker.try_acquire(at(6)).expect("the open time is over");
//! assert_eq!(breaker.try_acquire(at(6)).expect_err("one trial at a time").refusal, Refusal::TrialsOut);
//! breaker.record(at(7), trial, Outcome::Success, took);
//! assert!(breaker.try_acquire(at(7)).is_ok());
//! # Ok::<(), quillwork_core::flow::breaker::BreakerConfigError>(())
//! ```

mod config;
mod event;
mod metrics;
mod permit;
mod snapshot;
mod window;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

use self::config::Ratio;
use self::event::Events;
use self::window::Results;
use crate::ids::Generation;
use crate::time::{Duration, Instant};

pub use self::config::{BreakerConfig, BreakerConfigError, OpenTime, Window};
pub use self::event::{BreakerCause, BreakerEvent, BreakerMode, BreakerState};
pub use self::metrics::{BreakerMetrics, BreakerTotals};
pub use self::permit::{Outcome, Permit, Refusal, Rejected};
pub use self::snapshot::{BreakerRestoreError, BreakerSnapshot};
pub use self::window::Counts;

/// Decides which calls go through. See [the module](self).
#[derive(Clone, Debug)]
pub struct Breaker {
    state: BreakerState,
    generation: Generation,
    consecutive_failures: u32,
    /// Of metrics-only: [`BreakerEvent::WouldOpen`] was said and has not passed.
    would_open: bool,
    latest: Instant,
    results: Results,
    config: BreakerConfig,
    trials: Trials,
    failed_rounds: u32,
    totals: BreakerTotals,
    events: Events,
}

/// The trials of one half-open period.
#[derive(Clone, Copy, Debug, Default)]
struct Trials {
    out: u32,
    ended: Counts,
    /// While any is out: when they are overdue, counted from the first.
    deadline: Option<Instant>,
}

impl Breaker {
    /// A closed breaker in automatic mode.
    ///
    /// # Errors
    ///
    /// Where no breaker can follow the settings; the error says which and what to do.
    pub fn new(config: BreakerConfig) -> Result<Self, BreakerConfigError> {
        config.validate()?;
        Ok(Self {
            state: BreakerState::Closed,
            generation: Generation::FIRST,
            consecutive_failures: 0,
            would_open: false,
            latest: Instant::ZERO,
            results: Results::new(config.window),
            config,
            trials: Trials::default(),
            failed_rounds: 0,
            totals: BreakerTotals::default(),
            events: Events::default(),
        })
    }

    /// May a call be made now?
    ///
    /// # Errors
    ///
    /// Where it may not: why, when to ask again, and what to give the caller instead.
    #[inline]
    pub fn try_acquire(&mut self, now: Instant) -> Result<Permit, Rejected> {
        self.latest = self.latest.max(now);
        if matches!(self.state, BreakerState::Closed) {
            return Ok(Permit { generation: self.generation });
        }
        self.try_acquire_guarded()
    }

    fn try_acquire_guarded(&mut self) -> Result<Permit, Rejected> {
        self.catch_up(self.latest);
        let refusal = match self.state {
            BreakerState::Open { until } => Refusal::Open { until },
            BreakerState::ForcedOpen => Refusal::ForcedOpen,
            BreakerState::HalfOpen if !self.takes_a_trial() => Refusal::TrialsOut,
            BreakerState::HalfOpen => {
                self.trials.out += 1;
                if self.trials.deadline.is_none() {
                    self.trials.deadline = self.config.trial_deadline.map(|wait| self.latest + wait);
                }
                return Ok(Permit { generation: self.generation });
            }
            BreakerState::Closed
            | BreakerState::ForcedClosed
            | BreakerState::Disabled
            | BreakerState::MetricsOnly => return Ok(Permit { generation: self.generation }),
        };
        self.totals.refused += 1;
        Err(Rejected { refusal, fallback: self.config.fallback })
    }

    /// The call ended, after `duration`. A permit of an older generation changes nothing but [`BreakerTotals::late`].
    #[inline]
    pub fn record(&mut self, now: Instant, permit: Permit, outcome: Outcome, duration: Duration) {
        self.latest = self.latest.max(now);
        if matches!(self.state, BreakerState::HalfOpen) {
            self.catch_up(now);
        }
        if permit.generation != self.generation {
            self.totals.late += 1;
            return;
        }
        let failed = match outcome {
            Outcome::Success => false,
            Outcome::Failure => true,
            Outcome::Ignored => return self.release_current(Given::Ignored),
        };
        let slow = self.config.slow_call.is_some_and(|limit| duration > limit);
        match self.state {
            BreakerState::Closed | BreakerState::ForcedClosed | BreakerState::MetricsOnly => {
                self.record_call(failed, slow);
            }
            BreakerState::HalfOpen => self.record_trial(failed, slow),
            // Nothing is let through in the other two, so no permit is of their generation.
            BreakerState::Disabled | BreakerState::Open { .. } | BreakerState::ForcedOpen => {}
        }
    }

    /// The call was cancelled, or never made: it counts as none, and a trial's place is free again.
    pub fn release(&mut self, now: Instant, permit: Permit) {
        self.catch_up(now);
        if permit.generation == self.generation {
            self.release_current(Given::Cancelled);
        } else {
            self.totals.late += 1;
        }
    }

    /// Keeps it open at least until `until`, for a service that has said when to come back (Retry-After). In another mode
    /// than automatic it changes nothing.
    pub fn hold_open(&mut self, now: Instant, until: Instant) {
        self.catch_up(now);
        match self.state {
            BreakerState::Closed | BreakerState::HalfOpen if until > self.latest => {
                self.totals.opened += 1;
                self.change(self.latest, BreakerState::Open { until }, BreakerCause::Asked);
            }
            BreakerState::Open { until: before } if before < until => {
                self.change(self.latest, BreakerState::Open { until }, BreakerCause::Asked);
            }
            BreakerState::Closed
            | BreakerState::HalfOpen
            | BreakerState::Open { .. }
            | BreakerState::ForcedOpen
            | BreakerState::ForcedClosed
            | BreakerState::Disabled
            | BreakerState::MetricsOnly => {}
        }
    }

    /// Sets who decides. Another mode than the one before begins anew: nothing counted, and automatic is closed.
    pub fn set_mode(&mut self, now: Instant, mode: BreakerMode) {
        self.catch_up(now);
        if mode != self.mode() {
            self.start_anew();
            self.change(self.latest, mode.state(), BreakerCause::Asked);
        }
    }

    /// Makes the transition that is due, so that observers hear of it. No decision depends on it.
    pub fn handle_deadline(&mut self, now: Instant) {
        self.catch_up(now);
    }

    /// When a transition is due by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let due = match self.state {
            BreakerState::Open { until } => Some(until),
            BreakerState::HalfOpen => self.trials.deadline,
            BreakerState::Closed
            | BreakerState::ForcedOpen
            | BreakerState::ForcedClosed
            | BreakerState::Disabled
            | BreakerState::MetricsOnly => None,
        };
        due.filter(|&due| due != Instant::NEVER)
    }

    /// The next event for observers. The last four are kept; who never polls loses only them.
    pub fn poll_output(&mut self) -> Option<BreakerEvent> {
        self.events.pop()
    }

    /// The state that a call would meet `now`.
    #[must_use]
    pub fn state(&self, now: Instant) -> BreakerState {
        let now = now.max(self.latest);
        let mut state = self.state;
        if let Some(overdue) = self.overdue(now) {
            state = BreakerState::Open { until: self.reopened_until(overdue) };
        }
        match state {
            BreakerState::Open { until } if until <= now => BreakerState::HalfOpen,
            state => state,
        }
    }

    /// Who decides.
    #[must_use]
    pub const fn mode(&self) -> BreakerMode {
        match self.state {
            BreakerState::Closed | BreakerState::Open { .. } | BreakerState::HalfOpen => {
                BreakerMode::Automatic
            }
            BreakerState::ForcedOpen => BreakerMode::ForcedOpen,
            BreakerState::ForcedClosed => BreakerMode::ForcedClosed,
            BreakerState::Disabled => BreakerMode::Disabled,
            BreakerState::MetricsOnly => BreakerMode::MetricsOnly,
        }
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &BreakerConfig {
        &self.config
    }

    /// What there is to show.
    #[must_use]
    pub fn metrics(&self, now: Instant) -> BreakerMetrics {
        BreakerMetrics {
            state: self.state(now),
            window: self.results.counts(now.max(self.latest)),
            consecutive_failures: self.consecutive_failures,
            failed_rounds: self.failed_rounds_at(now),
            trials_out: self.trials.out,
            trials: self.trials.ended,
            totals: self.totals,
        }
    }

    #[inline]
    fn record_call(&mut self, failed: bool, slow: bool) {
        self.totals.count(failed, slow);
        self.consecutive_failures = if failed { self.consecutive_failures.saturating_add(1) } else { 0 };
        let window = self.results.record(self.latest, failed, slow);
        if window.failed | window.slow | u64::from(self.consecutive_failures) != 0 || self.would_open {
            self.judge_closed(window);
        }
    }

    fn judge_closed(&mut self, window: Counts) {
        let cause = self.trip_cause(window);
        match (self.state, cause) {
            (BreakerState::Closed, Some(cause)) => {
                self.totals.opened += 1;
                let until = self.latest + self.config.open_time.after(0);
                self.change(self.latest, BreakerState::Open { until }, cause);
            }
            (BreakerState::MetricsOnly, Some(cause)) if !self.would_open => {
                self.would_open = true;
                self.events.push(BreakerEvent::WouldOpen { at: self.latest, cause });
            }
            (BreakerState::MetricsOnly, None) => self.would_open = false,
            _ => {}
        }
    }

    fn trip_cause(&self, window: Counts) -> Option<BreakerCause> {
        let failures = self.consecutive_failures;
        if self.config.consecutive_failures.is_some_and(|limit| failures >= limit) {
            return Some(BreakerCause::ConsecutiveFailures { failures });
        }
        if window.calls < u64::from(self.config.min_calls) {
            return None;
        }
        self.config.judge(window).map(|ratio| ratio.cause(window))
    }

    fn takes_a_trial(&self) -> bool {
        u64::from(self.trials.out) + self.trials.ended.calls < u64::from(self.config.trials)
    }

    fn record_trial(&mut self, failed: bool, slow: bool) {
        self.totals.count(failed, slow);
        self.trial_is_back();
        self.trials.ended.add(Counts::of(failed, slow));
        let counts = self.trials.ended;
        if counts.calls < u64::from(self.config.trials) {
            return;
        }
        match self.config.judge(counts) {
            Some(ratio) => self.reopen(self.latest, ratio.cause(counts)),
            None => {
                self.failed_rounds = 0;
                self.change(self.latest, BreakerState::Closed, BreakerCause::TrialsPassed { counts });
            }
        }
    }

    fn release_current(&mut self, given: Given) {
        if matches!(self.state, BreakerState::Disabled) {
            return;
        }
        match given {
            Given::Ignored => self.totals.ignored += 1,
            Given::Cancelled => self.totals.cancelled += 1,
        }
        if matches!(self.state, BreakerState::HalfOpen) {
            self.trial_is_back();
        }
    }

    fn trial_is_back(&mut self) {
        self.trials.out = self.trials.out.saturating_sub(1);
        if self.trials.out == 0 {
            // Nothing is out that could be overdue; how long no call comes says nothing about the service.
            self.trials.deadline = None;
        }
    }

    /// Makes the transitions that have become due by `now`.
    fn catch_up(&mut self, now: Instant) {
        self.latest = self.latest.max(now);
        if let Some(overdue) = self.overdue(self.latest) {
            self.reopen(overdue, BreakerCause::TrialsOverdue);
        }
        if let BreakerState::Open { until } = self.state
            && until <= self.latest
        {
            self.change(self.latest, BreakerState::HalfOpen, BreakerCause::OpenTimeOver);
        }
    }

    /// Since when trials are overdue.
    fn overdue(&self, now: Instant) -> Option<Instant> {
        match self.state {
            BreakerState::HalfOpen => self.trials.deadline.filter(|&deadline| deadline <= now),
            _ => None,
        }
    }

    fn reopened_until(&self, at: Instant) -> Instant {
        at + self.config.open_time.after(self.failed_rounds.saturating_add(1))
    }

    fn failed_rounds_at(&self, now: Instant) -> u32 {
        self.failed_rounds.saturating_add(u32::from(self.overdue(now.max(self.latest)).is_some()))
    }

    fn reopen(&mut self, at: Instant, cause: BreakerCause) {
        let until = self.reopened_until(at);
        self.failed_rounds = self.failed_rounds.saturating_add(1);
        self.totals.opened += 1;
        self.change(at, BreakerState::Open { until }, cause);
    }

    /// Every change of state goes through here, so that none forgets what it has to begin anew.
    fn change(&mut self, at: Instant, to: BreakerState, cause: BreakerCause) {
        let from = core::mem::replace(&mut self.state, to);
        self.generation = self.generation.next();
        self.trials = Trials::default();
        if matches!(to, BreakerState::Closed) {
            self.consecutive_failures = 0;
            self.results.clear();
        }
        self.events.push(BreakerEvent::Changed { at, from, to, cause });
    }

    fn start_anew(&mut self) {
        self.consecutive_failures = 0;
        self.failed_rounds = 0;
        self.would_open = false;
        self.results.clear();
    }
}

#[derive(Clone, Copy)]
enum Given {
    Ignored,
    Cancelled,
}

impl Ratio {
    const fn cause(self, counts: Counts) -> BreakerCause {
        match self {
            Self::Failure => BreakerCause::FailureRatio { counts },
            Self::Slow => BreakerCause::SlowRatio { counts },
        }
    }
}
