//! How long to wait before a retry.

use core::error::Error;
use core::fmt;

use crate::rng::Rng;
use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// Exponential back-off: each wait is longer than the one before, up to a cap.
///
/// Jitter spreads the retries of many callers that failed together; without it they come back together. The rules are
/// those of Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
///
/// The cap is applied *before* the jitter: the longest waits are spread as well. (Capping a decorrelated draw
/// afterwards, as is often done, puts two thirds of the draws of a long outage exactly on the cap, in step again.)
///
/// [`Backoff::delay`] is total: whatever the settings and however many failures, it gives a delay of at most the cap.
///
/// ```
/// use quillwork_core::flow::retry::{Backoff, Jitter};
/// use quillwork_core::rng::Rng;
/// use quillwork_core::time::Duration;
///
/// let mut rng = Rng::from_seed(1);
/// let steady = Backoff { jitter: Jitter::None, ..Backoff::default() };
/// let delays: Vec<u64> =
///     (1..=9).map(|failures| steady.delay(failures, Duration::ZERO, &mut rng).as_millis()).collect();
/// assert_eq!(delays, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The wait after the first failure, before jitter. Zero retries at once. Default 100 ms.
    pub base: Duration,
    /// The longest wait, at least `base`. Default 10 s.
    pub cap: Duration,
    /// By how much each wait is longer than the one before: 1 (always `base`) and more. Without meaning under
    /// [`Jitter::Decorrelated`]. Default 2.
    pub factor: f64,
    /// How the wait is spread. Default [`Jitter::Full`].
    pub jitter: Jitter,
}

/// How a wait is spread. `ceiling` is `min(cap, base * factor^(failures - 1))`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Jitter {
    /// The wait is the ceiling. For one caller that nobody else fails together with.
    None,
    /// The wait is uniform in `0..=ceiling`. Least work for the other side; some retries come almost at once.
    #[default]
    Full,
    /// The wait is uniform in `base..=min(cap, 3 * previous wait)`. Never shorter than the base, and drifts instead of
    /// doubling.
    Decorrelated,
}

impl Backoff {
    /// No wait at all: a retry starts when its attempt before has failed.
    pub const NONE: Self =
        Self { base: Duration::ZERO, cap: Duration::ZERO, factor: 1.0, jitter: Jitter::None };

    /// The same wait before each retry, without jitter.
    #[must_use]
    pub const fn constant(delay: Duration) -> Self {
        Self { base: delay, cap: delay, factor: 1.0, jitter: Jitter::None }
    }

    /// Doubles from `base` to `cap`, with full jitter.
    #[must_use]
    pub const fn exponential(base: Duration, cap: Duration) -> Self {
        Self { base, cap, factor: 2.0, jitter: Jitter::Full }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), BackoffError> {
        if !self.factor.is_finite() || self.factor < 1.0 {
            return Err(BackoffError::Factor { asked: self.factor });
        }
        if self.cap < self.base {
            return Err(BackoffError::CapBelowBase { base: self.base, cap: self.cap });
        }
        if self.jitter == Jitter::Decorrelated && self.base.is_zero() {
            return Err(BackoffError::DecorrelatedFromZero);
        }
        Ok(())
    }

    /// How long to wait after this many failures in a row (1 after the first). `previous` is the delay that this gave for
    /// the failure before, zero for the first; only [`Jitter::Decorrelated`] looks at it.
    #[must_use]
    pub fn delay(&self, failures: u32, previous: Duration, rng: &mut Rng) -> Duration {
        match self.jitter {
            Jitter::None => self.ceiling(failures),
            Jitter::Full => Duration::from_nanos(rng.in_range(0..=self.ceiling(failures).as_nanos())),
            Jitter::Decorrelated => {
                let shortest = self.base.min(self.cap);
                let longest = previous.saturating_mul(3).clamp(shortest, self.cap);
                Duration::from_nanos(rng.in_range(shortest.as_nanos()..=longest.as_nanos()))
            }
        }
    }

    /// The longest wait after this many failures in a row: `min(cap, base * factor^(failures - 1))`.
    #[must_use]
    pub fn ceiling(&self, failures: u32) -> Duration {
        let grown = self.base.as_millis_f64() * libm::pow(self.factor, f64::from(failures.saturating_sub(1)));
        // A base of zero times an overflown power is NaN, which becomes zero: right for that base.
        Duration::from_millis_f64(grown).min(self.cap)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(100), Duration::from_secs(10))
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BackoffError {
    /// Waits that become shorter, or no number.
    Factor {
        /// What was asked for.
        asked: f64,
    },
    /// The longest wait is shorter than the first.
    CapBelowBase {
        /// The first wait.
        base: Duration,
        /// The longest wait.
        cap: Duration,
    },
    /// Decorrelated jitter multiplies the wait before, and from zero it stays zero.
    DecorrelatedFromZero,
}

impl Say for BackoffError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Factor { asked } => {
                say!(to, "a back-off's factor must be a finite number of at least 1; ", asked, " was asked for")
            }
            Self::CapBelowBase { base, cap } => say!(to, "a back-off's cap must be at least its base; a cap of ", cap, " below a base of ", base, " was asked for"),
            Self::DecorrelatedFromZero => to.write_str(
                "decorrelated jitter grows from the base, so that must be longer than zero; take Backoff::NONE for no wait",
            ),
        }
    }
}

displayed!(BackoffError);

impl Error for BackoffError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::*;

    fn backoff() -> impl Strategy<Value = Backoff> {
        let jitter = prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Decorrelated)];
        (0_u64..=u64::MAX / 2, 0_u64..=u64::MAX / 2, 1.0..1e300_f64, jitter).prop_map(
            |(base, more, factor, jitter)| Backoff {
                base: Duration::from_nanos(base),
                cap: Duration::from_nanos(base + more),
                factor,
                jitter,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn thousands_of_attempts_stay_within_the_cap(backoff in backoff(), seed: u64, first in 1_u32..4_000_000_000) {
            let mut rng = Rng::from_seed(seed);
            let mut previous = Duration::ZERO;
            for failures in (1..2_000).chain(first..first + 2_000) {
                let delay = backoff.delay(failures, previous, &mut rng);
                prop_assert!(delay <= backoff.cap);
                if backoff.jitter == Jitter::Decorrelated {
                    prop_assert!(delay >= backoff.base);
                }
                previous = delay;
            }
        }

        #[test]
        fn ceilings_never_fall(backoff in backoff(), failures in 1_u32..5_000) {
            prop_assert!(backoff.ceiling(failures) <= backoff.ceiling(failures + 1));
            prop_assert_eq!(backoff.ceiling(1), backoff.ceiling(0));
        }
    }

    /// Its mean is half the ceiling, and it fills the whole range: many callers don't come back together.
    #[test]
    fn full_jitter_is_spread_over_the_whole_wait_also_at_the_cap() {
        let backoff = Backoff::exponential(Duration::from_millis(100), Duration::from_millis(800));
        let mut rng = Rng::from_seed(1);
        for failures in [1, 2, 5_000] {
            let ceiling = backoff.ceiling(failures).as_nanos();
            let mut tenths = [0_u32; 10];
            for _ in 0..10_000 {
                let delay = backoff.delay(failures, Duration::ZERO, &mut rng).as_nanos();
                tenths[usize::try_from(u128::from(delay) * 10 / (u128::from(ceiling) + 1)).unwrap()] += 1;
            }
            assert!(tenths.iter().all(|&count| count.abs_diff(1_000) < 200), "{failures}: {tenths:?}");
        }
    }

    #[test]
    fn decorrelated_jitter_grows_to_the_cap_and_is_spread_there() {
        let backoff = Backoff {
            jitter: Jitter::Decorrelated,
            ..Backoff::exponential(Duration::from_millis(100), Duration::from_secs(2))
        };
        let mut rng = Rng::from_seed(2);
        assert_eq!(backoff.delay(1, Duration::ZERO, &mut rng), Duration::from_millis(100));
        let mut previous = Duration::ZERO;
        let mut at_cap = 0;
        let mut upper_half = 0;
        for failures in 1..=10_000 {
            previous = backoff.delay(failures, previous, &mut rng);
            at_cap += u32::from(previous == backoff.cap);
            upper_half += u32::from(previous > Duration::from_secs(1));
        }
        assert_eq!(at_cap, 0, "draws must not pile up on the cap");
        assert!((3_000..7_000).contains(&upper_half), "{upper_half}");
    }

    #[test]
    fn settings_without_sense_are_refused_and_do_no_harm() {
        let good = Backoff::default();
        let mut rng = Rng::from_seed(3);
        for factor in [f64::NAN, f64::INFINITY, 0.5, -2.0] {
            let bad = Backoff { factor, ..good };
            assert!(matches!(bad.validate(), Err(BackoffError::Factor { .. })));
            assert!((1..100).all(|failures| bad.delay(failures, Duration::ZERO, &mut rng) <= bad.cap));
        }
        let bad = Backoff { cap: Duration::from_millis(1), ..good };
        assert!(matches!(bad.validate(), Err(BackoffError::CapBelowBase { .. })));
        let decorrelated = Backoff { jitter: Jitter::Decorrelated, ..bad };
        assert!(decorrelated.delay(9, Duration::MAX, &mut rng) <= bad.cap);
        let bad = Backoff { jitter: Jitter::Decorrelated, ..Backoff::NONE };
        assert_eq!(bad.validate(), Err(BackoffError::DecorrelatedFromZero));
        assert_eq!((good.validate(), Backoff::NONE.validate()), (Ok(()), Ok(())));
    }

    #[test]
    fn a_zero_base_never_waits() {
        let backoff = Backoff { cap: Duration::MAX, factor: 1e300, ..Backoff::NONE };
        assert!((1..5_000).all(|failures| backoff.ceiling(failures).is_zero()));
    }
}
