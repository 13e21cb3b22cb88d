//! A concurrency limit that finds out by itself how many calls a service takes.
//!
//! A fixed limit is a guess that is wrong as soon as the service gets slower. An [`AdaptiveLimit`] watches what calls
//! take: more calls at once than the service has room for don't come back sooner, they wait in its queue, and latency
//! shows it. The limit rises while latency is what it is without a queue, and falls when it isn't. Callers beyond the limit
//! are refused at once.
//!
//! * [`LimitAlgorithm::Gradient`] compares the average of each window with a baseline, after Netflix's *concurrency-limits*
//!   (gradient2), with the baseline re-measured at half of the limit now and then, after Envoy's *adaptive concurrency*
//!   filter and BBR's probes.
//! * [`LimitAlgorithm::Aimd`] adds one per round trip and takes a tenth off per drop, as TCP does.
//!
//! Calls that started while the limit was far from being used don't raise it: they show nothing about a higher one. A drop
//! lowers it once for all calls that were under way: they met the same overload. To a gradient, which has latency to go by,
//! rare drops are no overload: a tenth of a window's calls must have been dropped.
//!
//! ```
//! use quillwork_core::flow::adaptive_limit::{AdaptiveLimit, AdaptiveLimitConfig, CallEnd, LimitAlgorithm};
//! use quillwork_core::time::{Duration, Instant};
//!
//! let algorithm = LimitAlgorithm::Aimd { too_slow: Some(Duration::from_millis(200)) };
//! let mut limit = AdaptiveLimit::new(AdaptiveLimitConfig { initial: 2, algorithm, ..AdaptiveLimitConfig::default() })?;
//! let now = Instant::from_secs(1);
//!
//! let first = limit.try_acquire()?;
//! let second = limit.try_acquire()?;
//! assert_eq!(limit.try_acquire().expect_err("two are in flight").limit, 2);
//!
//! limit.record(now, first, CallEnd::Success, Duration::from_millis(20));
//! limit.record(now, second, CallEnd::Success, Duration::from_millis(20));
//! assert_eq!((limit.limit(), limit.in_flight()), (2, 0));
//! // Two calls at a limit of two are one round trip: nearly one more.
//! for _ in 0..2 {
//!     let (a, b) = (limit.try_acquire()?, limit.try_acquire()?);
//!     limit.record(now, a, CallEnd::Success, Duration::from_millis(20));
//!     limit.record(now, b, CallEnd::Success, Duration::from_millis(20));
//! }
//! assert_eq!(limit.limit(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod gradient;

#[cfg(test)]
mod scenario_tests;
#[cfg(test)]
mod tests;

use core::error::Error;
use core::fmt;

use self::gradient::{Gradient, Verdict};
use crate::time::{Duration, Instant};

pub use self::config::{AdaptiveLimitConfig, AdaptiveLimitConfigError, GradientConfig, LimitAlgorithm};

/// Decides how many calls may run at a time. See [the module](self).
#[derive(Clone, Debug)]
pub struct AdaptiveLimit {
    config: AdaptiveLimitConfig,
    /// Between floor and ceiling.
    limit: f64,
    /// Half of the limit is being tried.
    probing: bool,
    in_flight: u32,
    /// Counts what lowered the limit. A call of an earlier epoch ran under another limit: it measures nothing now.
    epoch: u32,
    control: Control,
    latest: Instant,
    totals: AdaptiveLimitTotals,
}

#[derive(Clone, Debug)]
enum Control {
    Aimd { too_slow: Duration },
    Gradient(Gradient),
}

/// The place of one call. Give it back exactly once: with [`AdaptiveLimit::record`] or [`AdaptiveLimit::release`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a slot that is never given back is lost to all later calls"]
pub struct LimitSlot {
    epoch: u32,
    /// At its start, itself included.
    in_flight: u32,
}

/// How a call ended, as far as the limit cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallEnd {
    /// It ran to its end: its latency counts.
    Success,
    /// The service had no room for it: it timed out, was refused, or failed in a way that overload explains.
    Dropped,
    /// In a way that says nothing about room, such as a bad request or a cancellation. Its latency doesn't count.
    Ignored,
}

/// As many calls are in flight as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LimitReached {
    /// The limit.
    pub limit: u32,
    /// Calls in flight; more than the limit where that has fallen since they started.
    pub in_flight: u32,
}

impl AdaptiveLimit {
    /// A limit at its initial number, with nothing in flight.
    ///
    /// # Errors
    ///
    /// Where no limit can follow the settings; the error says which and what to do.
    pub fn new(config: AdaptiveLimitConfig) -> Result<Self, AdaptiveLimitConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            limit: f64::from(config.initial),
            probing: false,
            in_flight: 0,
            epoch: 0,
            control: match config.algorithm {
                LimitAlgorithm::Aimd { too_slow } => {
                    Control::Aimd { too_slow: too_slow.unwrap_or(Duration::MAX) }
                }
                LimitAlgorithm::Gradient(gradient) => Control::Gradient(Gradient::new(gradient)),
            },
            latest: Instant::ZERO,
            totals: AdaptiveLimitTotals::default(),
        })
    }

    /// May one more call run?
    ///
    /// # Errors
    ///
    /// Where as many are in flight as may be. There is room again when one of them ends.
    pub fn try_acquire(&mut self) -> Result<LimitSlot, LimitReached> {
        let limit = self.limit();
        if self.in_flight >= limit {
            self.totals.refused += 1;
            return Err(LimitReached { limit, in_flight: self.in_flight });
        }
        self.in_flight += 1;
        self.totals.admitted += 1;
        Ok(LimitSlot { epoch: self.epoch, in_flight: self.in_flight })
    }

    /// A call ended, `latency` after it started.
    pub fn record(&mut self, now: Instant, slot: LimitSlot, end: CallEnd, latency: Duration) {
        self.latest = self.latest.max(now);
        self.in_flight = self.in_flight.saturating_sub(1);
        let too_slow = matches!(self.control, Control::Aimd { too_slow } if latency > too_slow);
        match end {
            CallEnd::Ignored => self.totals.ignored += 1,
            CallEnd::Success if !too_slow => {
                self.totals.succeeded += 1;
                if slot.epoch == self.epoch {
                    self.handle_success(&slot, latency);
                }
            }
            CallEnd::Success | CallEnd::Dropped => {
                self.totals.dropped += 1;
                if slot.epoch == self.epoch {
                    self.handle_drop();
                }
            }
        }
    }

    /// A call was cancelled or never made: as [`CallEnd::Ignored`].
    pub fn release(&mut self, slot: LimitSlot) {
        self.record(self.latest, slot, CallEnd::Ignored, Duration::ZERO);
    }

    /// How many calls may run now.
    #[must_use]
    pub fn limit(&self) -> u32 {
        let limit = if self.probing { self.limit / 2.0 } else { self.limit };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between floor and ceiling, both of which are a u32; rounding down is meant"
        )]
        let whole = limit as u32;
        whole.max(self.config.floor)
    }

    /// How many calls run.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// What there is to show.
    #[must_use]
    pub fn metrics(&self) -> AdaptiveLimitMetrics {
        let (baseline, recent) = match &self.control {
            Control::Aimd { .. } => (None, None),
            Control::Gradient(gradient) => (gradient.baseline(), gradient.recent()),
        };
        AdaptiveLimitMetrics {
            limit: self.limit(),
            in_flight: self.in_flight,
            probing: self.probing,
            baseline,
            recent,
            totals: self.totals,
        }
    }

    fn handle_success(&mut self, slot: &LimitSlot, latency: Duration) {
        match &mut self.control {
            Control::Aimd { .. } => {
                if f64::from(slot.in_flight) * 2.0 >= self.limit {
                    self.set(self.limit + 1.0 / self.limit);
                }
            }
            Control::Gradient(gradient) => {
                match gradient.handle_sample(self.latest, slot.in_flight, latency, self.limit) {
                    None => {}
                    Some(Verdict::Probe) => {
                        self.probing = true;
                        self.begin_epoch();
                    }
                    Some(Verdict::Limit(limit)) => {
                        // What started under a probe is no measure of the limit after it.
                        if core::mem::take(&mut self.probing) {
                            self.begin_epoch();
                        }
                        self.set(limit);
                    }
                }
            }
        }
    }

    fn handle_drop(&mut self) {
        if let Control::Gradient(gradient) = &mut self.control {
            if !gradient.handle_drop() {
                return;
            }
            gradient.restart();
        }
        self.probing = false;
        self.set(self.limit * self.config.drop_factor);
        self.begin_epoch();
    }

    fn set(&mut self, limit: f64) {
        self.limit = limit.clamp(f64::from(self.config.floor), f64::from(self.config.ceiling));
    }

    fn begin_epoch(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }
}

/// What an adaptive limit has to show at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdaptiveLimitMetrics {
    /// How many calls may run.
    pub limit: u32,
    /// How many run.
    pub in_flight: u32,
    /// Half of the limit is being tried.
    pub probing: bool,
    /// What calls take without a queue, as far as it is known. Only of a gradient.
    pub baseline: Option<Duration>,
    /// What calls of the last full window took on average. Only of a gradient.
    pub recent: Option<Duration>,
    /// Since it was made.
    pub totals: AdaptiveLimitTotals,
}

/// What an adaptive limit has counted. At all times `admitted = succeeded + dropped + ignored + in flight`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdaptiveLimitTotals {
    /// Calls that were let through.
    pub admitted: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Calls that ran to their end.
    pub succeeded: u64,
    /// Calls that were dropped, or too slow.
    pub dropped: u64,
    /// Calls that say nothing, cancelled ones included.
    pub ignored: u64,
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls are in flight, and the service has room for {}", self.in_flight, self.limit)
    }
}

impl Error for LimitReached {}
