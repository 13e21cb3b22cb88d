//! Counts of good and bad events over windows from minutes to a month, in little memory.

use crate::telemetry::{Reset, Rolling};
use crate::time::{Duration, Instant};

/// Four rings of ever longer steps: a window is read from the finest ring that holds all of it, so that it is never off by
/// more than a thirtieth or so.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    rings: [Rolling<Counts>; RINGS],
}

const RINGS: usize = 4;

/// Step in seconds and number of slots: five minutes, two hours, three days, thirty days; and one slot more, since
/// the newest is only partly filled.
const SHAPES: [(u64, usize); RINGS] = [(10, 31), (60, 121), (600, 433), (21_600, 121)];

/// The ring whose slots are minutes.
const MINUTES: usize = 1;

/// What happened in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) bad: u64,
    pub(super) total: u64,
    /// Minutes in which there was an event.
    pub(super) minutes: u64,
}

impl Reset for Counts {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.bad = self.bad.saturating_add(other.bad);
        self.total = self.total.saturating_add(other.total);
        self.minutes = self.minutes.saturating_add(other.minutes);
    }
}

impl Ladder {
    pub(super) fn new() -> Self {
        let ring = |(step, slots): (u64, usize)| {
            Rolling::new(Duration::from_secs(step), slots, Counts::default)
                .expect("steps and numbers of slots are not zero")
        };
        Self { rings: SHAPES.map(ring) }
    }

    pub(super) fn add(&mut self, now: Instant, bad: u64, total: u64) {
        if total == 0 && bad == 0 {
            return;
        }
        let minutes = u64::from(*self.rings[MINUTES].slot_mut(now) == Counts::default());
        for ring in &mut self.rings {
            ring.slot_mut(now).add(Counts { bad, total, minutes });
        }
    }

    /// What happened in the window that ends now.
    pub(super) fn over(&self, now: Instant, window: Duration) -> Counts {
        let fits = |shape: &(u64, usize)| Duration::from_secs(shape.0) * (shape.1 as u64 - 1) >= window;
        let at = SHAPES.iter().position(fits).unwrap_or(RINGS - 1);
        let (step, slots) = SHAPES[at];
        let wanted = window.div_duration(Duration::from_secs(step)).max(1) + 1;
        let skipped = slots.saturating_sub(usize::try_from(wanted).unwrap_or(usize::MAX));
        let mut sum = Counts::default();
        self.rings[at].steps(now).skip(skipped).flatten().for_each(|counts| sum.add(*counts));
        sum
    }

    /// In how many minutes of the window there were events.
    pub(super) fn observed(&self, now: Instant, window: Duration) -> Duration {
        let minutes = self.over(now, window).minutes;
        (Duration::from_secs(SHAPES[MINUTES].0) * minutes).min(window)
    }

    /// All that is counted: ring, beginning of the step, counts. Ascending in time within a ring.
    pub(super) fn entries(&self, now: Instant) -> impl Iterator<Item = (usize, Instant, Counts)> {
        self.rings.iter().enumerate().flat_map(move |(ring, rolling)| {
            let step = rolling.step();
            let newest = now.as_nanos() / step.as_nanos();
            let slots = SHAPES[ring].1 as u64;
            rolling.steps(now).enumerate().filter_map(move |(at, counts)| {
                let counts = counts.filter(|counts| **counts != Counts::default())?;
                let begin = (newest + 1 + at as u64).checked_sub(slots)?;
                Some((ring, Instant::ZERO + step * begin, *counts))
            })
        })
    }

    /// Puts an entry back; in the order in which [`entries`](Self::entries) gave them.
    pub(super) fn restore(&mut self, ring: usize, begin: Instant, counts: Counts) {
        if let Some(rolling) = self.rings.get_mut(ring) {
            *rolling.slot_mut(begin) = counts;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const WINDOWS: [u64; 8] = [300, 1_800, 3_600, 7_200, 21_600, 86_400, 259_200, 2_592_000];

    proptest! {
        /// Against a model that remembers every event: a window holds all of its events, and none older than one step more.
        #[test]
        fn each_window_holds_its_events(events in prop::collection::vec((0_u64..40_000, 1_u64..4), 1..80)) {
            let mut ladder = Ladder::new();
            let mut seen = Vec::new();
            let mut second = 1_000_000;
            for (pause, total) in events {
                second += pause;
                ladder.add(Instant::from_secs(second), 1, total);
                seen.push((second, total));
            }
            for window in WINDOWS {
                let got = ladder.over(Instant::from_secs(second), Duration::from_secs(window)).total;
                let step = SHAPES.iter().find(|shape| shape.0 * (shape.1 as u64 - 1) >= window).unwrap().0;
                let sum = |span: u64| -> u64 {
                    seen.iter().filter(|(at, _)| second - at < span).map(|(_, total)| total).sum()
                };
                prop_assert!(got >= sum(window) && got <= sum(window + step), "{} s: {}", window, got);
            }
        }

        #[test]
        fn what_is_saved_comes_back(events in prop::collection::vec((0_u64..40_000, 0_u64..4), 0..80)) {
            let mut ladder = Ladder::new();
            let mut second = 50;
            for (pause, bad) in events {
                second += pause;
                ladder.add(Instant::from_secs(second), bad, 4);
            }
            let now = Instant::from_secs(second + 5);
            let mut restored = Ladder::new();
            for (ring, begin, counts) in ladder.entries(now) {
                restored.restore(ring, begin, counts);
            }
            for window in WINDOWS.map(Duration::from_secs) {
                prop_assert_eq!(restored.over(now, window), ladder.over(now, window));
                prop_assert_eq!(restored.observed(now, window), ladder.observed(now, window));
            }
        }
    }
}
