//! What the last calls, or the calls of the last minute, came to.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::config::Window;
use crate::time::{Duration, Instant};

/// How many calls ended, and how. A call may be both failed and slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    /// All of them, ignored ones apart.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that took too long, successful or not.
    pub slow: u64,
}

impl Counts {
    /// Share of the calls that failed, 0 to 1; `None` without a call.
    #[must_use]
    pub fn failure_ratio(self) -> Option<f64> {
        (self.calls > 0).then(|| self.failed as f64 / self.calls as f64)
    }

    /// Share of the calls that were slow, 0 to 1; `None` without a call.
    #[must_use]
    pub fn slow_ratio(self) -> Option<f64> {
        (self.calls > 0).then(|| self.slow as f64 / self.calls as f64)
    }

    pub(super) fn of(failed: bool, slow: bool) -> Self {
        Self { calls: 1, failed: u64::from(failed), slow: u64::from(slow) }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.slow = self.slow.saturating_add(other.slow);
    }

    fn subtract(&mut self, other: Self) {
        self.calls = self.calls.saturating_sub(other.calls);
        self.failed = self.failed.saturating_sub(other.failed);
        self.slow = self.slow.saturating_sub(other.slow);
    }
}

/// The window of a closed breaker, with its sums kept.
#[derive(Clone, Debug)]
pub(super) enum Results {
    None,
    Calls(CallRing),
    Time(BucketRing),
}

impl Results {
    pub(super) fn new(window: Option<Window>) -> Self {
        match window {
            None => Self::None,
            Some(Window::Calls(calls)) => Self::Calls(CallRing::new(calls as usize)),
            Some(Window::Time { bucket, buckets }) => Self::Time(BucketRing::new(bucket, buckets as usize)),
        }
    }

    /// Counts a call, and gives the window's sums with it.
    #[inline]
    pub(super) fn record(&mut self, now: Instant, failed: bool, slow: bool) -> Counts {
        match self {
            Self::None => Counts::default(),
            Self::Calls(ring) => ring.record(failed, slow),
            Self::Time(ring) => ring.record(now, Counts::of(failed, slow)),
        }
    }

    /// The sums of the window that ends `now`.
    pub(super) fn counts(&self, now: Instant) -> Counts {
        match self {
            Self::None => Counts::default(),
            Self::Calls(ring) => ring.counts,
            Self::Time(ring) => ring.counts(now),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::None => {}
            Self::Calls(ring) => ring.clear(),
            Self::Time(ring) => ring.clear(),
        }
    }

    /// What it holds, oldest first: an entry for each call, or for each bucket.
    pub(super) fn export(&self, now: Instant) -> Vec<Counts> {
        match self {
            Self::None => Vec::new(),
            Self::Calls(ring) => ring.export(),
            Self::Time(ring) => ring.export(now),
        }
    }

    /// Takes what [`export`](Self::export) gave; `false` where it has another shape, and then nothing has changed.
    pub(super) fn import(&mut self, now: Instant, entries: &[Counts]) -> bool {
        match self {
            Self::None => entries.is_empty(),
            Self::Calls(ring) => ring.import(entries),
            Self::Time(ring) => ring.import(now, entries),
        }
    }
}

/// The last calls: a byte each, in a ring.
#[derive(Clone, Debug)]
pub(super) struct CallRing {
    results: Box<[u8]>,
    next: usize,
    counts: Counts,
}

impl CallRing {
    fn new(calls: usize) -> Self {
        Self { results: vec![0; calls].into_boxed_slice(), next: 0, counts: Counts::default() }
    }

    #[inline]
    fn record(&mut self, failed: bool, slow: bool) -> Counts {
        let full = self.counts.calls == self.results.len() as u64;
        let place = &mut self.results[self.next];
        if full {
            self.counts.failed -= u64::from(*place & FAILED);
            self.counts.slow -= u64::from(*place >> SLOW_SHIFT);
        } else {
            self.counts.calls += 1;
        }
        *place = u8::from(failed) | (u8::from(slow) << SLOW_SHIFT);
        self.counts.failed += u64::from(failed);
        self.counts.slow += u64::from(slow);
        self.next += 1;
        if self.next == self.results.len() {
            self.next = 0;
        }
        self.counts
    }

    fn clear(&mut self) {
        self.next = 0;
        self.counts = Counts::default();
    }

    fn export(&self) -> Vec<Counts> {
        // Until the ring is full it begins at 0; then the oldest is where the next goes.
        let full = self.counts.calls == self.results.len() as u64;
        let (newer, older) = self.results.split_at(if full { self.next } else { 0 });
        let held = if full { older } else { &self.results[..self.next] };
        let of = |&bits: &u8| Counts::of(bits & FAILED != 0, bits >> SLOW_SHIFT != 0);
        held.iter().chain(newer).map(of).collect()
    }

    fn import(&mut self, entries: &[Counts]) -> bool {
        let single = |entry: &Counts| entry.calls == 1 && entry.failed <= 1 && entry.slow <= 1;
        if !entries.iter().all(single) {
            return false;
        }
        self.clear();
        for entry in entries {
            self.record(entry.failed == 1, entry.slow == 1);
        }
        true
    }
}

/// Buckets of time in a ring, with their sum.
#[derive(Clone, Debug)]
pub(super) struct BucketRing {
    bucket: Duration,
    /// Bucket of step `n` is at `n % slots.len()`.
    slots: Box<[Counts]>,
    sum: Counts,
    /// Step of the newest bucket, and when it ends: most calls fall into it and need no division.
    newest: u64,
    newest_ends: Instant,
}

impl BucketRing {
    fn new(bucket: Duration, buckets: usize) -> Self {
        let slots = vec![Counts::default(); buckets].into_boxed_slice();
        Self { bucket, slots, sum: Counts::default(), newest: 0, newest_ends: Instant::ZERO + bucket }
    }

    #[inline]
    fn record(&mut self, now: Instant, call: Counts) -> Counts {
        if now >= self.newest_ends {
            self.roll(now);
        }
        let at = self.place_of(self.newest);
        self.slots[at].add(call);
        self.sum.add(call);
        self.sum
    }

    /// Makes `now`'s bucket the newest. Buckets that fall out of the window are emptied, all of them after a pause as
    /// long as the window.
    fn roll(&mut self, now: Instant) {
        let step = self.step_of(now);
        let passed = step.saturating_sub(self.newest).min(self.slots.len() as u64);
        for recent in 0..passed {
            let at = self.place_of(step - recent);
            self.sum.subtract(self.slots[at]);
            self.slots[at] = Counts::default();
        }
        self.newest = self.newest.max(step);
        self.newest_ends = Instant::ZERO + self.bucket.saturating_mul(self.newest.saturating_add(1));
    }

    fn counts(&self, now: Instant) -> Counts {
        let mut counts = Counts::default();
        for slot in self.held(now) {
            counts.add(slot);
        }
        counts
    }

    fn clear(&mut self) {
        self.slots.fill(Counts::default());
        self.sum = Counts::default();
    }

    fn export(&self, now: Instant) -> Vec<Counts> {
        self.held(now).collect()
    }

    fn import(&mut self, now: Instant, entries: &[Counts]) -> bool {
        let sound = |entry: &Counts| entry.failed <= entry.calls && entry.slow <= entry.calls;
        if entries.len() != self.slots.len() || !entries.iter().all(sound) {
            return false;
        }
        self.clear();
        self.roll(now);
        for (ago, &entry) in (0..self.slots.len() as u64).rev().zip(entries) {
            // Buckets before the clock's origin have a place too: where those after it will be.
            let len = self.slots.len() as u64;
            let at = self.place_of(self.newest % len + len - ago);
            self.slots[at] = entry;
            self.sum.add(entry);
        }
        true
    }

    /// The buckets of the window that ends `now`, oldest first, empty ones for steps that nothing came in.
    fn held(&self, now: Instant) -> impl Iterator<Item = Counts> {
        let len = self.slots.len() as u64;
        let last = self.step_of(now).max(self.newest);
        let passed = (last - self.newest).min(len);
        let base = self.newest % len + len;
        (passed..len)
            .rev()
            .map(move |kept| self.slots[self.place_of(base - (kept - passed))])
            .chain((0..passed).map(|_| Counts::default()))
    }

    fn step_of(&self, now: Instant) -> u64 {
        now.as_nanos() / self.bucket.as_nanos()
    }

    fn place_of(&self, step: u64) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the remainder is below a length, which is a usize"
        )]
        let place = (step % self.slots.len() as u64) as usize;
        place
    }
}

const FAILED: u8 = 1;
const SLOW_SHIFT: u32 = 1;
