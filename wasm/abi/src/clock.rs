//! The caller's clocks and durations as core's.

use quillwork_core::time::{Duration, Instant};

/// An instant of the caller's clock.
#[must_use]
pub const fn instant(millis: f64) -> Instant {
    Instant::from_millis_f64(millis)
}

/// A limit in time; infinity is none.
#[must_use]
pub const fn limit(millis: f64) -> Option<Duration> {
    if millis.is_finite() { Some(Duration::from_millis_f64(millis)) } else { None }
}

/// A deadline as the caller reads it; none is infinity.
#[must_use]
pub fn deadline_millis(deadline: Option<Instant>) -> f64 {
    deadline.map_or(f64::INFINITY, Instant::as_millis_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinity_is_no_limit_and_no_deadline() {
        assert_eq!(limit(f64::INFINITY), None);
        assert_eq!(limit(1.5), Some(Duration::from_micros(1_500)));
        assert!(deadline_millis(None).is_infinite());
        assert!((deadline_millis(Some(instant(12.25))) - 12.25).abs() < 1e-9);
    }
}
