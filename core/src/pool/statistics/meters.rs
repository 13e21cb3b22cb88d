//! Depth of the queue and use of the workers, over the last minute.

use alloc::vec;
use alloc::vec::Vec;

use crate::telemetry::{Reset, Rolling};
use crate::time::{Duration, Instant};

use super::super::PerMille;
use super::latencies::{STEP, STEPS};

/// The longest queue of the last minute.
#[derive(Clone, Debug)]
pub(super) struct DepthMeter {
    longest: Rolling<Longest>,
    depth: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Longest(u32);

impl Reset for Longest {
    fn reset(&mut self) {
        self.0 = 0;
    }
}

impl DepthMeter {
    pub(super) fn new() -> Self {
        Self { longest: window(Longest::default), depth: 0 }
    }

    pub(super) fn set(&mut self, now: Instant, depth: u32) {
        if depth == self.depth {
            return;
        }
        // What it was until now counts in this step, too.
        let longest = &mut self.longest.slot_mut(now).0;
        *longest = (*longest).max(self.depth).max(depth);
        self.depth = depth;
    }

    pub(super) fn max(&self, now: Instant) -> u32 {
        self.longest.slots(now).map(|longest| longest.0).max().unwrap_or(0).max(self.depth)
    }
}

/// Which share of their time workers spent on tasks, in the last minute.
#[derive(Clone, Debug)]
pub(super) struct UseMeter {
    workers: Vec<WorkerUse>,
    next_sample: Instant,
}

#[derive(Clone, Debug)]
struct WorkerUse {
    /// As last told, since the pool was made.
    busy: Duration,
    available: Duration,
    recent: Rolling<Use>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Use {
    busy: Duration,
    available: Duration,
}

impl Reset for Use {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl UseMeter {
    pub(super) fn new(workers: u32, now: Instant) -> Self {
        let worker =
            WorkerUse { busy: Duration::ZERO, available: Duration::ZERO, recent: window(Use::default) };
        Self { workers: vec![worker; workers as usize], next_sample: now }
    }

    pub(super) fn wants(&self, now: Instant) -> bool {
        now >= self.next_sample
    }

    pub(super) fn sample(&mut self, now: Instant, totals: impl Iterator<Item = (Duration, Duration)>) {
        for (worker, (busy, available)) in self.workers.iter_mut().zip(totals) {
            let slot = worker.recent.slot_mut(now);
            slot.busy += busy - worker.busy;
            slot.available += available - worker.available;
            (worker.busy, worker.available) = (busy, available);
        }
        self.next_sample = now + STEP;
    }

    /// Of one worker; `None` where it was not there.
    pub(super) fn of(&self, now: Instant, worker: usize) -> Option<PerMille> {
        let Use { busy, available } = sum(self.workers.get(worker)?.recent.slots(now));
        PerMille::of(busy.as_nanos(), available.as_nanos())
    }

    /// Of all together; `None` where none was there.
    pub(super) fn of_all(&self, now: Instant) -> Option<PerMille> {
        let Use { busy, available } = sum(self.workers.iter().flat_map(|worker| worker.recent.slots(now)));
        PerMille::of(busy.as_nanos(), available.as_nanos())
    }
}

fn sum<'a>(slots: impl Iterator<Item = &'a Use>) -> Use {
    slots.fold(Use::default(), |sum, slot| Use {
        busy: sum.busy + slot.busy,
        available: sum.available + slot.available,
    })
}

fn window<T: Reset>(make: fn() -> T) -> Rolling<T> {
    Rolling::new(STEP, STEPS, make).expect("steps of some length, and some of them")
}
