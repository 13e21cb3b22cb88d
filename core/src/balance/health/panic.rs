//! Panic threshold: with too few healthy workers left, ejected ones are better than none (Envoy).

use core::fmt;

/// When ejections are ignored.
///
/// Where most workers are ejected, the cause is rarely the workers, and the few that are left would be
/// overrun. Below the threshold all workers that take tasks by their status are used, ejected or not. Workers that are draining,
/// booting or offline never are: they were not judged, they said so.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct PanicThreshold(f64);

impl PanicThreshold {
    /// Half of the workers, Envoy's default.
    pub const HALF: Self = Self(0.5);

    /// A threshold: ejections are ignored where a smaller part than this of the workers that take tasks is healthy. 0 never
    /// ignores them.
    ///
    /// # Errors
    ///
    /// Where it is not between 0 and 1.
    pub fn new(healthy_ratio: f64) -> Result<Self, InvalidPanicThreshold> {
        if (0.0..=1.0).contains(&healthy_ratio) {
            Ok(Self(healthy_ratio))
        } else {
            Err(InvalidPanicThreshold(healthy_ratio))
        }
    }

    /// As a ratio.
    #[must_use]
    pub const fn as_ratio(self) -> f64 {
        self.0
    }

    /// Whether ejections are ignored with so many workers that take tasks by their status, so many of them not ejected.
    #[must_use]
    pub fn is_crossed(self, taking_tasks: usize, healthy: usize) -> bool {
        taking_tasks > 0 && (healthy as f64) < taking_tasks as f64 * self.0
    }
}

impl Default for PanicThreshold {
    fn default() -> Self {
        Self::HALF
    }
}

/// A threshold that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidPanicThreshold(pub f64);

impl fmt::Display for InvalidPanicThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a panic threshold is a part of the workers, 0 to 1, not {}", self.0)
    }
}

impl core::error::Error for InvalidPanicThreshold {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_crossed_below_not_at_the_threshold() {
        let half = PanicThreshold::HALF;
        assert!(!half.is_crossed(4, 2));
        assert!(half.is_crossed(4, 1));
        assert!(half.is_crossed(1, 0));
        assert!(!half.is_crossed(0, 0));
        assert!(!PanicThreshold::new(0.0).unwrap().is_crossed(9, 0));
        assert!(PanicThreshold::new(1.1).is_err() && PanicThreshold::new(f64::NAN).is_err());
    }
}
