//! The generic cell rate algorithm: a leaky bucket as one point in time.

use crate::time::{Duration, Instant};

use super::{Quota, RateLimiter, Refusal, Reservation, WeightExceedsCapacity};

/// A steady rate with bursts, in constant state.
///
/// It keeps the *theoretical arrival time* (TAT): when the next unit would come if units came evenly, each an *emission
/// interval* (`period / weight`) after the one before. What comes earlier than its TAT uses up the burst:
///
/// ```text
/// next     = max(TAT, now) + weight * interval
/// admitted = next - burst * interval <= now
/// earliest = next - burst * interval
/// TAT      = next, if admitted
/// ```
///
/// Any stretch of time `t` sees at most `burst + t / interval` units: over one period that can be `burst + weight`. Where
/// that is too much, lower the burst or take a [`SlidingLog`](super::SlidingLog).
///
/// From ITU-T I.371 (ATM traffic control); the same limit as a token bucket of `burst` tokens.
#[derive(Clone, Debug)]
pub struct Gcra {
    tat: Instant,
    promised: Promised,
    interval: Duration,
    /// `burst` intervals.
    tolerance: Duration,
    burst: u32,
}

/// Starts that were promised for later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Promised {
    /// The latest of them: nothing overtakes it.
    last: Instant,
    /// How many there were.
    count: u64,
    /// What cancelling them has taken off the theoretical arrival time.
    given_back: Duration,
}

impl Gcra {
    /// A limiter with its whole burst.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        let interval = quota.emission_interval();
        let tolerance = interval * u64::from(quota.burst());
        Self { tat: Instant::ZERO, promised: Promised::default(), interval, tolerance, burst: quota.burst() }
    }

    /// Admits so much now, or says when: [`RateLimiter::check`] without a detour.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn check(&mut self, now: Instant, weight: u32) -> Result<(), Refusal> {
        if weight.wrapping_sub(1) >= self.burst {
            return if weight == 0 { Ok(()) } else { Err(self.exceeded(weight).into()) };
        }
        let Some(next) = self.next_tat(now, weight) else {
            return Err(Refusal::NotUntil { earliest: Instant::NEVER });
        };
        let earliest = (next - self.tolerance).max(self.promised.last);
        if earliest > now {
            return Err(Refusal::NotUntil { earliest });
        }
        self.tat = next;
        Ok(())
    }

    /// What could be admitted now, in units of weight.
    #[must_use]
    pub fn available(&self, now: Instant) -> u32 {
        if self.promised.last > now {
            return 0;
        }
        let used = self.tat - now;
        u32::try_from((self.tolerance - used).div_duration(self.interval))
            .map_or(self.burst, |free| free.min(self.burst))
    }

    /// `None` past the end of time.
    #[inline]
    fn next_tat(&self, from: Instant, weight: u32) -> Option<Instant> {
        let cost = self.interval * u64::from(weight);
        self.tat.max(from).as_nanos().checked_add(cost.as_nanos()).map(Instant::from_nanos)
    }

    #[cold]
    fn exceeded(&self, weight: u32) -> WeightExceedsCapacity {
        WeightExceedsCapacity { weight, capacity: self.burst }
    }
}

impl RateLimiter for Gcra {
    type Mark = GcraMark;

    fn earliest(&self, now: Instant, weight: u32) -> Result<Instant, WeightExceedsCapacity> {
        if weight == 0 {
            return Ok(now);
        }
        if weight > self.burst {
            return Err(self.exceeded(weight));
        }
        let next = self.next_tat(now, weight);
        Ok(next.map_or(Instant::NEVER, |next| (next - self.tolerance).max(self.promised.last).max(now)))
    }

    fn admit(&mut self, now: Instant, start: Instant, weight: u32) -> GcraMark {
        let before = (self.tat, self.promised);
        if weight > 0 {
            self.tat = self.next_tat(start, weight).unwrap_or(Instant::NEVER);
            if start > now {
                self.promised = Promised {
                    last: start.max(self.promised.last),
                    count: self.promised.count + 1,
                    ..self.promised
                };
            }
        }
        GcraMark { before, after: (self.tat, self.promised) }
    }

    fn cancel(&mut self, now: Instant, reservation: Reservation<GcraMark>) {
        let GcraMark { before, after } = reservation.mark;
        if reservation.starts_at <= now || reservation.weight == 0 {
            return;
        }
        if (self.tat, self.promised) == after {
            (self.tat, self.promised) = before;
            return;
        }
        // No later start is after the last one promised, and all of them together take at most `later`: what was added
        // since, whether or not it was given back.
        let given_back = self.promised.given_back - after.1.given_back;
        let later = (self.tat + given_back) - after.0;
        let cost = self.interval * u64::from(reservation.weight);
        let bound = (self.promised.last + later).min(self.tat);
        let left = (self.tat - cost).max(bound);
        self.promised.given_back += self.tat - left;
        self.tat = left;
    }

    fn idle_from(&self) -> Instant {
        self.tat
    }

    fn reset(&mut self) {
        self.tat = Instant::ZERO;
        self.promised = Promised::default();
    }

    fn capacity(&self) -> u32 {
        self.burst
    }

    fn check(&mut self, now: Instant, weight: u32) -> Result<(), Refusal> {
        Self::check(self, now, weight)
    }
}

/// What a [`Gcra`] remembers of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GcraMark {
    before: (Instant, Promised),
    after: (Instant, Promised),
}
