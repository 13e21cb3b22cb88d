//! The last minute instead of since the start: a ring of slots of fixed length.

use alloc::vec::Vec;
use core::fmt;

use crate::time::{Duration, Instant};

/// What a slot of a [`Rolling`] window can hold: something that can be emptied and keeps its memory.
pub trait Reset {
    /// Makes it as new.
    fn reset(&mut self);
}

/// Slots of `step` each, the newest of them holding now: together they cover the last `step * slots`.
///
/// Slots are aligned to multiples of the step since the clock's origin, so the newest is partly filled and what is
/// read covers between `slots - 1` and `slots` steps. A step in which nothing came has an empty slot. The clock is expected
/// not to go back; where it does, the newest slot takes what comes.
#[derive(Clone, Debug)]
pub struct Rolling<T> {
    step: Duration,
    /// Slot of step `n` is at `n % slots.len()`.
    slots: Vec<T>,
    /// Step of the newest slot; the slots before it are of the steps before it.
    newest: u64,
    /// Where it is, and when the next step begins.
    newest_at: usize,
    newest_ends: Instant,
}

impl<T: Reset> Rolling<T> {
    /// A window of `slots` slots, each made by `make`.
    ///
    /// # Errors
    ///
    /// Where the step is no time or there is no slot.
    pub fn new(step: Duration, slots: usize, make: impl FnMut() -> T) -> Result<Self, RollingError> {
        if step.is_zero() {
            return Err(RollingError::ZeroStep);
        }
        if slots == 0 {
            return Err(RollingError::NoSlots);
        }
        Ok(Self {
            step,
            slots: core::iter::repeat_with(make).take(slots).collect(),
            newest: 0,
            newest_at: 0,
            newest_ends: Instant::ZERO + step,
        })
    }

    /// The slot that takes what happens `now`. Slots that have become too old are emptied on the way.
    #[inline]
    pub fn slot_mut(&mut self, now: Instant) -> &mut T {
        if now >= self.newest_ends {
            self.advance(now);
        }
        &mut self.slots[self.newest_at]
    }

    fn advance(&mut self, now: Instant) {
        let step = self.step_of(now);
        let len = self.slots.len() as u64;
        let passed = step.saturating_sub(self.newest).min(len);
        for recent in 0..passed {
            let at = self.place_of(step - recent);
            self.slots[at].reset();
        }
        self.newest = step;
        self.newest_at = self.place_of(step);
        self.newest_ends = Instant::from_nanos(self.step.as_nanos().saturating_mul(step.saturating_add(1)));
    }

    /// The slots of the window that ends `now`, oldest first. Steps in which nothing came are missing at the end, where
    /// nothing has come since; use [`steps`](Self::steps) for a fixed number.
    pub fn slots(&self, now: Instant) -> impl Iterator<Item = &T> {
        self.steps(now).flatten()
    }

    /// One item for each step of the window that ends `now`, oldest first; `None` where nothing has come since that step.
    pub fn steps(&self, now: Instant) -> impl Iterator<Item = Option<&T>> {
        let last = self.step_of(now).max(self.newest);
        let len = self.slots.len() as u64;
        (0..len).rev().map(move |ago| {
            let step = last.checked_sub(ago)?;
            (step <= self.newest && self.newest - step < len).then(|| &self.slots[self.place_of(step)])
        })
    }

    /// Length of a slot.
    #[must_use]
    pub const fn step(&self) -> Duration {
        self.step
    }

    /// Length of the window.
    #[must_use]
    pub fn span(&self) -> Duration {
        self.step * self.slots.len() as u64
    }

    fn step_of(&self, now: Instant) -> u64 {
        now.as_nanos() / self.step.as_nanos()
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

/// A window that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RollingError {
    /// A step takes no time.
    ZeroStep,
    /// There is no slot.
    NoSlots,
}

impl fmt::Display for RollingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroStep => "a rolling window needs steps longer than zero",
            Self::NoSlots => "a rolling window needs at least one slot",
        })
    }
}

impl core::error::Error for RollingError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    impl Reset for u64 {
        fn reset(&mut self) {
            *self = 0;
        }
    }

    #[test]
    fn nonsense_windows_are_refused() {
        assert_eq!(Rolling::new(Duration::ZERO, 3, || 0_u64).err(), Some(RollingError::ZeroStep));
        assert_eq!(Rolling::new(Duration::from_secs(1), 0, || 0_u64).err(), Some(RollingError::NoSlots));
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_fills_the_newest_slot() {
        let mut window = Rolling::new(Duration::from_secs(1), 3, || 0_u64).unwrap();
        *window.slot_mut(Instant::from_secs(10)) += 1;
        *window.slot_mut(Instant::from_secs(10)) += 1;
        *window.slot_mut(Instant::from_secs(4)) += 1;
        assert_eq!(window.slots(Instant::from_secs(4)).sum::<u64>(), 3);
        assert_eq!(window.slots(Instant::from_secs(12)).sum::<u64>(), 3);
        assert_eq!(window.slots(Instant::from_secs(13)).sum::<u64>(), 0);
    }

    proptest! {
        /// Against a model that remembers every event.
        #[test]
        fn it_holds_what_came_in_the_last_steps(
            slots in 1_usize..6,
            events in prop::collection::vec((0_u64..4_000, 1_u64..9), 1..60),
        ) {
            let mut window = Rolling::new(Duration::from_millis(500), slots, || 0_u64).unwrap();
            let mut by_step = BTreeMap::<u64, u64>::new();
            let mut now_millis = 0;
            for (pause_millis, amount) in events {
                now_millis += pause_millis;
                let now = Instant::from_millis(now_millis);
                *window.slot_mut(now) += amount;
                *by_step.entry(now_millis / 500).or_default() += amount;

                let later = now_millis + pause_millis / 2;
                let last = later / 500;
                let expected: Vec<u64> = (0..slots as u64)
                    .rev()
                    .map(|ago| last.checked_sub(ago).and_then(|step| by_step.get(&step)).copied().unwrap_or(0))
                    .collect();
                let got: Vec<u64> =
                    window.steps(Instant::from_millis(later)).map(|slot| slot.copied().unwrap_or(0)).collect();
                prop_assert_eq!(got, expected);
            }
        }
    }
}
