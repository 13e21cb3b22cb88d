//! Time as core sees it: an argument, never something that is read.
//!
//! [`Instant`] and [`Duration`] are whole nanoseconds in a `u64` (584 years), the same bits natively and in WASM. All
//! arithmetic saturates: a deadline past the end of time is "never", an earlier instant minus a later one is zero.
//! So a clock that steps backwards can't panic or wrap a policy; at worst it makes it wait.
//!
//! The origin of [`Instant`] is the shell's choice (its start, usually) and only differences mean something. Wall time
//! lives in the shells.
//!
//! ```
//! use quillwork_core::time::{Duration, Instant};
//!
//! let start = Instant::from_millis(1_500);
//! let deadline = start + Duration::from_secs(2);
//! assert_eq!(deadline - start, Duration::from_millis(2_000));
//! assert_eq!(start - deadline, Duration::ZERO);
//! assert_eq!(start + Duration::MAX, Instant::NEVER);
//! ```

use core::fmt;
use core::ops::{Add, AddAssign, Mul, Sub};

/// A point on the shell's monotonic clock, in nanoseconds since an origin that the shell chose.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin.
    pub const ZERO: Self = Self(0);
    /// The end of time: a deadline that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// From nanoseconds since the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From microseconds since the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(NANOS_PER_MICRO))
    }

    /// From milliseconds since the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// From seconds since the origin.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// From fractional milliseconds, the unit of JavaScript's clocks. Rounds to the nearest nanosecond; negative and NaN
    /// become the origin, infinity becomes [`Instant::NEVER`].
    #[must_use]
    pub const fn from_millis_f64(millis: f64) -> Self {
        Self(nanos_from_millis_f64(millis))
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the origin, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// Milliseconds since the origin. Exact to the nanosecond up to 104 days.
    #[must_use]
    pub const fn as_millis_f64(self) -> f64 {
        millis_f64_from_nanos(self.0)
    }

    /// Time from `earlier` to here; zero where `earlier` is in fact later.
    #[must_use]
    pub const fn duration_since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// Time from `earlier` to here, or `None` where `earlier` is later: how to notice a clock that stepped back.
    #[must_use]
    pub const fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        match self.0.checked_sub(earlier.0) {
            Some(nanos) => Some(Duration(nanos)),
            None => None,
        }
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER { f.write_str("never") } else { write!(f, "@{:?}", Duration(self.0)) }
    }
}

/// A length of time in nanoseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// Longer than anything runs: 584 years.
    pub const MAX: Self = Self(u64::MAX);

    /// From nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(NANOS_PER_MICRO))
    }

    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// From seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// From fractional milliseconds. Rounds to the nearest nanosecond; negative and NaN become zero, infinity
    /// becomes [`Duration::MAX`].
    #[must_use]
    pub const fn from_millis_f64(millis: f64) -> Self {
        Self(nanos_from_millis_f64(millis))
    }

    /// From fractional seconds, with the same rounding as [`Duration::from_millis_f64`].
    #[must_use]
    pub const fn from_secs_f64(secs: f64) -> Self {
        Self(nanos_from_millis_f64(secs * 1e3))
    }

    /// Nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// Milliseconds. Exact to the nanosecond up to 104 days.
    #[must_use]
    pub const fn as_millis_f64(self) -> f64 {
        millis_f64_from_nanos(self.0)
    }

    /// Seconds.
    #[must_use]
    pub const fn as_secs_f64(self) -> f64 {
        millis_f64_from_nanos(self.0) / 1e3
    }

    /// Whether this is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This length `factor` times, at most [`Duration::MAX`].
    #[must_use]
    pub const fn saturating_mul(self, factor: u64) -> Self {
        // A product that is known to fit costs WebAssembly a tenth of one that is checked.
        if self.0 | factor <= u32::MAX as u64 {
            return Self(self.0 * factor);
        }
        Self(self.0.saturating_mul(factor))
    }

    /// How often `other` fits into this; `u64::MAX` where `other` is zero.
    #[must_use]
    pub const fn div_duration(self, other: Self) -> u64 {
        match self.0.checked_div(other.0) {
            Some(times) => times,
            None => u64::MAX,
        }
    }
}

impl Add for Duration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Duration {
    type Output = Self;

    fn mul(self, factor: u64) -> Self {
        self.saturating_mul(factor)
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::MAX {
            return f.write_str("forever");
        }
        fmt::Debug::fmt(&core::time::Duration::from_nanos(self.0), f)
    }
}

impl From<core::time::Duration> for Duration {
    /// Saturates past 584 years.
    fn from(duration: core::time::Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Duration> for core::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_nanos(duration.0)
    }
}

const NANOS_PER_MICRO: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SEC: u64 = 1_000_000_000;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates: NaN and negative become 0, too large becomes u64::MAX, as documented"
)]
const fn nanos_from_millis_f64(millis: f64) -> u64 {
    // Adding a half and truncating rounds to nearest without needing libm's `round` in a const fn.
    (millis * 1e6 + 0.5) as u64
}

const fn millis_f64_from_nanos(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javascript_milliseconds_survive_a_round_trip() {
        for millis in [0.0, 0.1, 16.666_667, 1_234.567_89, 86_400_000.5] {
            let back = Instant::from_millis_f64(millis).as_millis_f64();
            assert!((back - millis).abs() <= 1e-6, "{millis} came back as {back}");
        }
    }

    #[test]
    fn nonsense_from_a_float_is_clamped() {
        assert_eq!(Instant::from_millis_f64(f64::NAN), Instant::ZERO);
        assert_eq!(Instant::from_millis_f64(-5.0), Instant::ZERO);
        assert_eq!(Instant::from_millis_f64(f64::INFINITY), Instant::NEVER);
        assert_eq!(Duration::from_secs_f64(-0.1), Duration::ZERO);
        assert_eq!(Duration::from_millis_f64(f64::MAX), Duration::MAX);
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Instant::NEVER + Duration::from_secs(1), Instant::NEVER);
        assert_eq!(Instant::ZERO - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(Duration::from_secs(1) - Duration::from_secs(2), Duration::ZERO);
        assert_eq!(Duration::MAX * 2, Duration::MAX);
        assert_eq!(Duration::from_secs(u64::MAX), Duration::MAX);
    }

    #[test]
    fn a_backward_step_is_seen_by_the_checked_difference_only() {
        let (earlier, later) = (Instant::from_millis(3), Instant::from_millis(9));
        assert_eq!(earlier.checked_duration_since(later), None);
        assert_eq!(earlier.duration_since(later), Duration::ZERO);
        assert_eq!(later.checked_duration_since(earlier), Some(Duration::from_millis(6)));
    }
}
