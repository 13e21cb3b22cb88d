//! A limiter that settings choose.

use crate::time::Instant;

use super::{
    Gcra, GcraMark, Quota, RateLimiter, Reservation, SlidingLog, SlidingLogMark, WeightExceedsCapacity,
};

/// How much in what time, and how exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// A steady rate with the quota's burst on top: [`Gcra`].
    Steady(Quota),
    /// Never more than the quota in any rolling window: [`SlidingLog`].
    Strict(Quota),
}

/// The limiter of a [`Rate`], for where that is known only at run time.
///
/// ```
/// use quillwork_core::flow::rate_limit::{Quota, Rate, RateLimit, RateLimiter};
/// use quillwork_core::time::Instant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let quota = Quota::per_second(2)?;
/// for rate in [Rate::Steady(quota), Rate::Strict(quota)] {
///     let mut limit = RateLimit::new(rate);
///     let admitted = (0..5).filter(|_| limit.check(Instant::ZERO, 1).is_ok()).count();
///     assert_eq!(admitted, 2);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub enum RateLimit {
    /// Of [`Rate::Steady`].
    Steady(Gcra),
    /// Of [`Rate::Strict`].
    Strict(SlidingLog),
}

impl RateLimit {
    /// A limiter with its whole burst or quota.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        match rate {
            Rate::Steady(quota) => Self::Steady(Gcra::new(quota)),
            Rate::Strict(quota) => Self::Strict(SlidingLog::new(quota)),
        }
    }
}

impl RateLimiter for RateLimit {
    type Mark = RateMark;

    fn earliest(&self, now: Instant, weight: u32) -> Result<Instant, WeightExceedsCapacity> {
        match self {
            Self::Steady(limiter) => limiter.earliest(now, weight),
            Self::Strict(limiter) => limiter.earliest(now, weight),
        }
    }

    fn admit(&mut self, now: Instant, start: Instant, weight: u32) -> RateMark {
        match self {
            Self::Steady(limiter) => RateMark::Steady(limiter.admit(now, start, weight)),
            Self::Strict(limiter) => RateMark::Strict(limiter.admit(now, start, weight)),
        }
    }

    fn cancel(&mut self, now: Instant, reservation: Reservation<RateMark>) {
        let Reservation { starts_at, weight, mark } = reservation;
        match (self, mark) {
            (Self::Steady(limiter), RateMark::Steady(mark)) => {
                limiter.cancel(now, Reservation { starts_at, weight, mark });
            }
            (Self::Strict(limiter), RateMark::Strict(mark)) => {
                limiter.cancel(now, Reservation { starts_at, weight, mark });
            }
            // Another limiter's: there is nothing here to give back.
            (Self::Steady(_), RateMark::Strict(_)) | (Self::Strict(_), RateMark::Steady(_)) => {}
        }
    }

    fn idle_from(&self) -> Instant {
        match self {
            Self::Steady(limiter) => limiter.idle_from(),
            Self::Strict(limiter) => limiter.idle_from(),
        }
    }

    fn reset(&mut self) {
        match self {
            Self::Steady(limiter) => limiter.reset(),
            Self::Strict(limiter) => limiter.reset(),
        }
    }

    fn capacity(&self) -> u32 {
        match self {
            Self::Steady(limiter) => limiter.capacity(),
            Self::Strict(limiter) => limiter.capacity(),
        }
    }
}

/// What a [`RateLimit`] remembers of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateMark {
    /// A [`Gcra`]'s.
    Steady(GcraMark),
    /// A [`SlidingLog`]'s.
    Strict(SlidingLogMark),
}
