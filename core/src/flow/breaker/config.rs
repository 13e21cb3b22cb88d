//! What a breaker is set to, checked once.

use core::error::Error;
use core::fmt;

use super::window::Counts;
use crate::flow::Fallback;
use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// When a breaker opens, and how it finds out whether it may close.
///
/// It opens on whichever comes first of [`consecutive_failures`](Self::consecutive_failures) and the two ratios over the
/// [`window`](Self::window). The defaults suit a remote service that takes a call every second or more: half of the last
/// 100 calls failed, judged from 20 calls on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerConfig {
    /// So many failures in a row open it, whatever the window says. Reacts at once to a service that is gone, and suits
    /// rare calls, where a ratio has too few to count. Default `None`.
    pub consecutive_failures: Option<u32>,
    /// Over what the ratios are measured. Default the last 100 calls. `None`: only failures in a row count.
    pub window: Option<Window>,
    /// With fewer calls in the window the ratios say nothing: one failure of two calls is no outage. Not asked of trials.
    /// Default 20.
    pub min_calls: u32,
    /// This share of failed calls and more opens it, above 0 and at most 1. Default 0.5.
    pub failure_ratio: f64,
    /// This share of slow calls and more opens it, above 0 and at most 1. Default 1: all of them.
    pub slow_ratio: f64,
    /// A call that took longer than this is slow, successful or not; one that is slow and failed counts in both ratios.
    /// Default `None`: no call is slow.
    pub slow_call: Option<Duration>,
    /// How many trial calls half-open lets through, no more and no fewer: their ratios decide. Default 3.
    pub trials: u32,
    /// How long trials may be out, without a moment when none is, before the service counts as still failing. Without it, a trial that never ends keeps
    /// the breaker half-open for ever. Default 30 s.
    pub trial_deadline: Option<Duration>,
    /// How long it stays open.
    pub open_time: OpenTime,
    /// What the shell is to do in place of a call that is refused. Core only hands it out with each refusal. Default:
    /// give the error.
    pub fallback: Fallback,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            consecutive_failures: None,
            window: Some(Window::Calls(100)),
            min_calls: 20,
            failure_ratio: 0.5,
            slow_ratio: 1.0,
            slow_call: None,
            trials: 3,
            trial_deadline: Some(Duration::from_secs(30)),
            open_time: OpenTime::default(),
            fallback: Fallback::Fail,
        }
    }
}

impl BreakerConfig {
    /// A breaker that looks only at failures in a row.
    #[must_use]
    pub fn consecutive(failures: u32) -> Self {
        Self { consecutive_failures: Some(failures), window: None, ..Self::default() }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), BreakerConfigError> {
        use BreakerConfigError as Wrong;
        match self.window {
            None if self.consecutive_failures.is_none() => return Err(Wrong::NeverOpens),
            None => {}
            Some(Window::Calls(0)) => return Err(Wrong::EmptyWindow),
            Some(Window::Calls(calls)) if calls > MAX_WINDOW_CALLS => {
                return Err(Wrong::WindowTooLarge { asked: calls, limit: MAX_WINDOW_CALLS });
            }
            Some(Window::Calls(calls)) if calls < self.min_calls => {
                return Err(Wrong::MinCallsOverWindow { min_calls: self.min_calls, window: calls });
            }
            Some(Window::Calls(_)) => {}
            Some(Window::Time { bucket, buckets }) => {
                if bucket.is_zero() || buckets == 0 {
                    return Err(Wrong::EmptyWindow);
                }
                if buckets > MAX_WINDOW_BUCKETS {
                    return Err(Wrong::WindowTooLarge { asked: buckets, limit: MAX_WINDOW_BUCKETS });
                }
            }
        }
        if self.consecutive_failures == Some(0) {
            return Err(Wrong::ZeroFailures);
        }
        for (name, ratio) in [("failure_ratio", self.failure_ratio), ("slow_ratio", self.slow_ratio)] {
            if !(ratio > 0.0 && ratio <= 1.0) {
                return Err(Wrong::RatioOutOfRange { name, ratio });
            }
        }
        if self.trials == 0 {
            return Err(Wrong::NoTrials);
        }
        if self.trial_deadline == Some(Duration::ZERO) {
            return Err(Wrong::ZeroTrialDeadline);
        }
        self.open_time.validate()
    }

    /// Whether these counts are as bad as a ratio allows, and which.
    pub(super) fn judge(&self, counts: Counts) -> Option<Ratio> {
        // The quotient, not a product: 7 of 100 are 0.07 exactly as it is written, 0.07 times 100 is not 7.
        if counts.failed > 0 && counts.failed as f64 / counts.calls as f64 >= self.failure_ratio {
            Some(Ratio::Failure)
        } else if counts.slow > 0 && counts.slow as f64 / counts.calls as f64 >= self.slow_ratio {
            Some(Ratio::Slow)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ratio {
    Failure,
    Slow,
}

/// Over which calls ratios are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The last so many calls, however old. A byte each. For steady traffic.
    Calls(u32),
    /// The last `buckets` times `bucket` of time, in steps of `bucket`: at any moment between `buckets - 1` and `buckets`
    /// of them. 24 bytes each. For traffic that comes and goes: what is old is forgotten, all of it after a pause.
    Time {
        /// Length of a step.
        bucket: Duration,
        /// How many steps.
        buckets: u32,
    },
}

/// How long a breaker stays open: `base * factor^n` after `n` failed rounds of trials, at most `cap`. A round that
/// passes brings it back to `base`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTime {
    /// The first time. Default 5 s.
    pub base: Duration,
    /// Growth per failed round; 1 keeps it constant. Default 2.
    pub factor: u32,
    /// The longest. Default 60 s.
    pub cap: Duration,
}

impl Default for OpenTime {
    fn default() -> Self {
        Self { base: Duration::from_secs(5), factor: 2, cap: Duration::from_secs(60) }
    }
}

impl OpenTime {
    /// Always the same.
    #[must_use]
    pub const fn constant(time: Duration) -> Self {
        Self { base: time, factor: 1, cap: time }
    }

    /// How long after `failed_rounds` rounds of trials that failed since it first opened.
    #[must_use]
    pub fn after(self, failed_rounds: u32) -> Duration {
        let growth = u64::from(self.factor).saturating_pow(failed_rounds);
        self.base.saturating_mul(growth).min(self.cap)
    }

    fn validate(self) -> Result<(), BreakerConfigError> {
        if self.base.is_zero() || self.factor == 0 {
            return Err(BreakerConfigError::NoOpenTime);
        }
        if self.cap < self.base {
            return Err(BreakerConfigError::CapBelowBase { base: self.base, cap: self.cap });
        }
        Ok(())
    }
}

/// Settings that no breaker can follow.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BreakerConfigError {
    /// Neither failures in a row nor a window is set.
    NeverOpens,
    /// A window of no calls or no time.
    EmptyWindow,
    /// A window of more calls or buckets than is sensible.
    WindowTooLarge {
        /// What was asked for.
        asked: u32,
        /// The most.
        limit: u32,
    },
    /// The window never holds as many calls as the ratios want to see.
    MinCallsOverWindow {
        /// What the ratios want.
        min_calls: u32,
        /// What the window holds.
        window: u32,
    },
    /// Zero failures in a row.
    ZeroFailures,
    /// A ratio that isn't above 0 and at most 1.
    RatioOutOfRange {
        /// The setting.
        name: &'static str,
        /// Its value.
        ratio: f64,
    },
    /// Half-open without trials would never end.
    NoTrials,
    /// Trials that would be overdue when they begin.
    ZeroTrialDeadline,
    /// Open for no time.
    NoOpenTime,
    /// The longest open time is shorter than the first.
    CapBelowBase {
        /// The first.
        base: Duration,
        /// The longest.
        cap: Duration,
    },
}

impl Say for BreakerConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::NeverOpens => to.write_str(
                "a breaker with neither consecutive_failures nor a window never opens: set one; to let every call \
                 through on purpose use the mode ForcedClosed",
            ),
            Self::EmptyWindow => {
                to.write_str("a window needs at least 1 call, or at least 1 bucket longer than zero")
            }
            Self::WindowTooLarge { asked, limit } => say!(to, "a window of ", asked, " is too large: at most ", limit, "; for long spans use fewer, longer buckets"),
            Self::MinCallsOverWindow { min_calls, window } => say!(to, "min_calls is ", min_calls, ", but the window holds only ", window, " calls, so no ratio would ever be judged: lower min_calls or widen the window"),
            Self::ZeroFailures => to.write_str("consecutive_failures is at least 1, or None for no such rule"),
            Self::RatioOutOfRange { name, ratio } => {
                say!(to, name, " is ", ratio, ", but a ratio is above 0 and at most 1 (0.5 is half of the calls)")
            }
            Self::NoTrials => to.write_str("trials is at least 1: without one an open breaker never closes"),
            Self::ZeroTrialDeadline => {
                to.write_str("trial_deadline is longer than zero, or None to wait for ever")
            }
            Self::NoOpenTime => to.write_str("open_time needs a base longer than zero and a factor of at least 1"),
            Self::CapBelowBase { base, cap } => {
                say!(to, "open_time's cap (", cap, ") is shorter than its base (", base, "): swap or raise it")
            }
        }
    }
}

displayed!(BreakerConfigError);

impl Error for BreakerConfigError {}

/// A byte for each call; a window this long forgets nothing that a breaker should act on.
const MAX_WINDOW_CALLS: u32 = 1 << 20;
const MAX_WINDOW_BUCKETS: u32 = 1 << 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_impossible_setting_is_refused_with_its_reason() {
        let good = BreakerConfig::default();
        assert_eq!(good.validate(), Ok(()));
        let wrong = |config: BreakerConfig| {
            alloc::string::ToString::to_string(&config.validate().expect_err("it is impossible"))
        };
        let window = |window| BreakerConfig { window: Some(window), ..good };
        assert!(wrong(BreakerConfig { window: None, ..good }).contains("never opens"));
        assert!(wrong(window(Window::Calls(0))).contains("at least 1 call"));
        assert!(wrong(window(Window::Calls(19))).contains("holds only 19"));
        assert!(wrong(window(Window::Calls(u32::MAX))).contains("too large"));
        let bucket = Duration::from_secs(1);
        assert!(wrong(window(Window::Time { bucket, buckets: 0 })).contains("at least 1 bucket"));
        assert!(
            wrong(window(Window::Time { bucket: Duration::ZERO, buckets: 9 })).contains("longer than zero")
        );
        assert!(wrong(window(Window::Time { bucket, buckets: 5_000 })).contains("longer buckets"));
        assert!(wrong(BreakerConfig::consecutive(0)).contains("at least 1"));
        for ratio in [0.0, -1.0, 1.1, f64::NAN, f64::INFINITY] {
            assert!(wrong(BreakerConfig { failure_ratio: ratio, ..good }).contains("failure_ratio"));
            assert!(wrong(BreakerConfig { slow_ratio: ratio, ..good }).contains("slow_ratio"));
        }
        assert!(wrong(BreakerConfig { trials: 0, ..good }).contains("trials"));
        assert!(
            wrong(BreakerConfig { trial_deadline: Some(Duration::ZERO), ..good }).contains("trial_deadline")
        );
        let open_time = OpenTime::constant(Duration::ZERO);
        assert!(wrong(BreakerConfig { open_time, ..good }).contains("longer than zero"));
        let open_time = OpenTime { cap: Duration::from_secs(1), ..OpenTime::default() };
        assert!(wrong(BreakerConfig { open_time, ..good }).contains("cap"));
    }

    #[test]
    fn the_open_time_grows_to_its_cap_and_never_wraps() {
        let seconds = |rounds| OpenTime::default().after(rounds).as_nanos() / 1_000_000_000;
        assert_eq!([0, 1, 2, 3, 4, 100, u32::MAX].map(seconds), [5, 10, 20, 40, 60, 60, 60]);
        let steady = OpenTime::constant(Duration::from_secs(7));
        assert_eq!(steady.after(u32::MAX), Duration::from_secs(7));
    }

    #[test]
    fn a_ratio_as_it_is_written_is_reached() {
        for percent in 1..=100_u32 {
            let config =
                BreakerConfig { failure_ratio: f64::from(percent) / 100.0, ..BreakerConfig::default() };
            let counts = |failed| Counts { calls: 100, failed, slow: 0 };
            assert_eq!(config.judge(counts(u64::from(percent))), Some(Ratio::Failure));
            assert_eq!(config.judge(counts(u64::from(percent) - 1)), None);
        }
    }
}
