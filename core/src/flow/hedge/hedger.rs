//! What all hedged calls to one backend share.

use crate::flow::retry::RetryBudget;
use crate::telemetry::{RelativeAccuracy, RollingSketch, Sketch};
use crate::time::{Duration, Instant};

use super::{HedgeConfig, HedgeConfigError, HedgeDelay};

/// What all hedged calls to one backend share: how long first attempts take, what hedges may cost, and counts.
///
/// Latency is measured on first attempts only, so that each call counts once. A first attempt that lost to its hedge is
/// measured as the time until it was cancelled. That is less than it would have taken but more than the delay, which is
/// all that the quantile asks: the share of calls that are hedged stays what was asked for. Failures are not measured; a
/// backend that fails fast must not look fast.
#[derive(Clone, Debug)]
pub struct Hedger {
    config: HedgeConfig,
    budget: RetryBudget,
    latency: RollingSketch,
    merged: Sketch,
    delay: Option<Duration>,
    refresh_at: Instant,
    /// Since the last refresh.
    measured: u64,
    metrics: HedgerMetrics,
}

impl Hedger {
    /// Without any measurement, and with a full budget.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(config: HedgeConfig, now: Instant) -> Result<Self, HedgeConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            budget: RetryBudget::new(config.budget, now).map_err(HedgeConfigError::Budget)?,
            latency: RollingSketch::last_minute(),
            merged: Sketch::new(RelativeAccuracy::ONE_PER_CENT),
            delay: match config.delay {
                HedgeDelay::Fixed(delay) => Some(delay),
                HedgeDelay::Quantile { .. } => None,
            },
            refresh_at: Instant::ZERO,
            measured: 0,
            metrics: HedgerMetrics::default(),
        })
    }

    /// How long a call that starts now waits before its first hedge; `None` while too little was measured.
    pub fn delay(&mut self, now: Instant) -> Option<Duration> {
        if let HedgeDelay::Quantile { q, min_samples, at_least } = self.config.delay
            && (now >= self.refresh_at || (self.delay.is_none() && self.measured >= min_samples))
        {
            self.delay = self.quantile(now, q, min_samples).map(|delay| delay.max(at_least));
            self.refresh_at = now + REFRESH;
            self.measured = 0;
        }
        self.delay
    }

    /// What it has counted.
    #[must_use]
    pub const fn metrics(&self) -> HedgerMetrics {
        self.metrics
    }

    pub(super) const fn max_hedges(&self) -> u8 {
        self.config.max_hedges
    }

    pub(super) const fn count_start(&mut self) {
        self.metrics.calls += 1;
        self.metrics.attempts += 1;
        self.metrics.in_flight += 1;
    }

    /// Whether there is a token for one more hedge.
    pub(super) fn try_hedge(&mut self, now: Instant) -> bool {
        let granted = self.budget.try_withdraw(now).is_ok();
        if granted {
            self.metrics.attempts += 1;
            self.metrics.in_flight += 1;
            self.metrics.hedges += 1;
        } else {
            self.metrics.refused += 1;
        }
        granted
    }

    pub(super) const fn count_end(&mut self, end: AttemptEnd) {
        self.metrics.in_flight -= 1;
        match end {
            AttemptEnd::Won => self.metrics.succeeded += 1,
            AttemptEnd::Failed => self.metrics.failed += 1,
            AttemptEnd::Cancelled => self.metrics.cancelled += 1,
        }
    }

    pub(super) fn handle_success(&mut self, now: Instant, by_hedge: bool) {
        self.budget.handle_success(now);
        self.metrics.won_by_hedge += u64::from(by_hedge);
    }

    pub(super) fn measure(&mut self, now: Instant, took: Duration) {
        self.latency.record_duration(now, took);
        self.measured += 1;
    }

    fn quantile(&mut self, now: Instant, q: f64, min_samples: u64) -> Option<Duration> {
        self.latency.merge_into(now, &mut self.merged).expect("both were made with one accuracy");
        let millis = self.merged.quantile(q).filter(|_| self.merged.count() >= min_samples);
        millis.map(Duration::from_millis_f64)
    }
}

/// How an attempt ended. Each ends once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptEnd {
    Won,
    Failed,
    Cancelled,
}

/// What a [`Hedger`] has counted. At all times
/// `attempts = calls + hedges = succeeded + failed + cancelled + in_flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HedgerMetrics {
    /// Calls.
    pub calls: u64,
    /// Attempts, first ones and hedges.
    pub attempts: u64,
    /// Attempts that were started beside another.
    pub hedges: u64,
    /// Hedges that the budget refused.
    pub refused: u64,
    /// Attempts that succeeded first: one for each call that succeeded.
    pub succeeded: u64,
    /// Of those: hedges.
    pub won_by_hedge: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Attempts that were cancelled because another won or the call was aborted.
    pub cancelled: u64,
    /// Attempts under way.
    pub in_flight: u64,
}

const REFRESH: Duration = Duration::from_secs(1);
