//! The exact limit: a log of what was admitted.

use alloc::collections::VecDeque;

use crate::time::{Duration, Instant};

use super::{Quota, RateLimiter, Reservation, WeightExceedsCapacity};

/// No rolling window of the length of the period ever holds more than the quota, reserved starts included.
///
/// A window is half open: of two starts exactly a period apart only one is in it. The burst of the quota does not count
/// here; all of its weight may come at once.
///
/// It keeps one entry for each admission of the last period and each reserved start, so at most as many as the quota has
/// units, and the reservations. Starts at the same time share an entry unless they were reserved. Asking takes O(log n)
/// steps, admitting O(1) amortised, cancelling as many as there are entries after the cancelled one.
#[derive(Clone, Debug)]
pub struct SlidingLog {
    capacity: u32,
    period: Duration,
    /// In order of their starts, which is also the order in which they were admitted.
    entries: VecDeque<Entry>,
    /// Weight of all entries there ever were. Sums wrap: only their differences, of at most `u64::MAX`, mean something.
    admitted: u64,
    next_sequence: u64,
    /// The latest `now` at which something was admitted.
    latest: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: Instant,
    /// `admitted` before this was.
    before: u64,
    sequence: u64,
    reserved: bool,
}

impl SlidingLog {
    /// A limiter with its whole quota.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self {
            capacity: quota.weight(),
            period: quota.period(),
            entries: VecDeque::new(),
            admitted: 0,
            next_sequence: 0,
            latest: Instant::ZERO,
        }
    }

    /// What could be admitted now.
    #[must_use]
    pub fn available(&self, now: Instant) -> u32 {
        let now = now.max(self.latest);
        if self.entries.back().is_some_and(|last| last.start > now) {
            return 0;
        }
        let gone = self.entries.partition_point(|entry| entry.start + self.period <= now);
        let held = self.entries.get(gone).map_or(0, |oldest| self.admitted_since(oldest));
        u32::try_from(held).map_or(0, |held| self.capacity.saturating_sub(held))
    }

    /// Weight of this entry and all after it.
    fn admitted_since(&self, entry: &Entry) -> u64 {
        self.admitted.wrapping_sub(entry.before)
    }

    fn drop_old(&mut self, now: Instant) {
        while self.entries.front().is_some_and(|oldest| oldest.start + self.period <= now) {
            self.entries.pop_front();
        }
    }
}

impl RateLimiter for SlidingLog {
    type Mark = SlidingLogMark;

    fn earliest(&self, now: Instant, weight: u32) -> Result<Instant, WeightExceedsCapacity> {
        if weight == 0 {
            return Ok(now);
        }
        if weight > self.capacity {
            return Err(WeightExceedsCapacity { weight, capacity: self.capacity });
        }
        // A clock that was set back stands until it has caught up.
        let clock = now.max(self.latest);
        let room = u64::from(self.capacity - weight);
        let to_expire = self.entries.partition_point(|entry| self.admitted_since(entry) > room);
        let last = self.entries.back().map_or(clock, |last| last.start.max(clock));
        let start = match to_expire.checked_sub(1) {
            Some(newest) => last.max(self.entries[newest].start + self.period),
            None => last,
        };
        Ok(if start == clock { now } else { start })
    }

    fn admit(&mut self, now: Instant, start: Instant, weight: u32) -> SlidingLogMark {
        let sequence = self.next_sequence;
        let mark = SlidingLogMark { sequence };
        if weight == 0 {
            return mark;
        }
        self.latest = self.latest.max(now);
        self.drop_old(self.latest);
        let (start, before, reserved) = (start.max(self.latest), self.admitted, start > now);
        self.admitted = self.admitted.wrapping_add(u64::from(weight));
        if !reserved && self.entries.back().is_some_and(|last| last.start == start && !last.reserved) {
            return mark;
        }
        self.next_sequence += 1;
        self.entries.push_back(Entry { start, before, sequence, reserved });
        mark
    }

    fn cancel(&mut self, now: Instant, reservation: Reservation<SlidingLogMark>) {
        let Reservation { starts_at, weight, mark: SlidingLogMark { sequence } } = reservation;
        if starts_at <= now || weight == 0 {
            return;
        }
        let Ok(index) = self.entries.binary_search_by_key(&sequence, |entry| entry.sequence) else { return };
        self.entries.remove(index);
        let weight = u64::from(weight);
        self.admitted = self.admitted.wrapping_sub(weight);
        for later in self.entries.range_mut(index..) {
            later.before = later.before.wrapping_sub(weight);
        }
    }

    fn idle_from(&self) -> Instant {
        self.entries.back().map_or(Instant::ZERO, |last| last.start + self.period)
    }

    fn reset(&mut self) {
        self.entries.clear();
        self.admitted = 0;
        self.latest = Instant::ZERO;
    }

    fn capacity(&self) -> u32 {
        self.capacity
    }
}

/// What a [`SlidingLog`] remembers of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlidingLogMark {
    sequence: u64,
}
