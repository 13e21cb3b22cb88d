//! Two limits at once.

use crate::time::Instant;

use super::{RateLimiter, Reservation, WeightExceedsCapacity};

/// Admitted where both admit: "10 a second, and 100 a minute". A refusal by one leaves the other as it was. Three
/// limits are `(a, (b, c))`.
impl<A: RateLimiter, B: RateLimiter> RateLimiter for (A, B) {
    type Mark = (A::Mark, B::Mark);

    fn earliest(&self, now: Instant, weight: u32) -> Result<Instant, WeightExceedsCapacity> {
        let capacity = self.capacity();
        if weight > capacity {
            return Err(WeightExceedsCapacity { weight, capacity });
        }
        Ok(self.0.earliest(now, weight)?.max(self.1.earliest(now, weight)?))
    }

    fn admit(&mut self, now: Instant, start: Instant, weight: u32) -> Self::Mark {
        (self.0.admit(now, start, weight), self.1.admit(now, start, weight))
    }

    fn cancel(&mut self, now: Instant, reservation: Reservation<Self::Mark>) {
        let Reservation { starts_at, weight, mark } = reservation;
        self.0.cancel(now, Reservation { starts_at, weight, mark: mark.0 });
        self.1.cancel(now, Reservation { starts_at, weight, mark: mark.1 });
    }

    fn idle_from(&self) -> Instant {
        self.0.idle_from().max(self.1.idle_from())
    }

    fn reset(&mut self) {
        self.0.reset();
        self.1.reset();
    }

    fn capacity(&self) -> u32 {
        self.0.capacity().min(self.1.capacity())
    }
}
