//! Levels that get worse at once and better only after a while.

use crate::time::{Duration, Instant};

/// A level with hysteresis: it rises at once, and falls when it has looked lower, by thresholds that lie below those it
/// rose by, for a whole dwell.
///
/// Reading it changes nothing; time passing makes it better where it was about to become so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Graded<L> {
    level: L,
    /// What it becomes when it has looked so for the dwell, and since when it does.
    lower: Option<(L, Instant)>,
}

impl<L: Copy + Ord> Graded<L> {
    pub(super) fn at(&self, now: Instant, dwell: Duration) -> L {
        match self.lower {
            Some((to, since)) if now - since >= dwell => to,
            Some(_) | None => self.level,
        }
    }

    /// When it falls, if nothing is heard until then.
    pub(super) fn falls_at(&self, dwell: Duration) -> Option<Instant> {
        self.lower.map(|(_, since)| since + dwell)
    }

    /// Takes a new reading: the level that it reaches by the thresholds for rising, and by those for falling, which is the
    /// same or a higher one.
    pub(super) fn update(&mut self, now: Instant, dwell: Duration, rises_to: L, falls_to: L) {
        let level = self.at(now, dwell);
        if rises_to >= level || falls_to >= level {
            *self = Self { level: level.max(rises_to), lower: None };
            return;
        }
        // Falling to yet another level doesn't start the wait anew, or a slow recovery would never count.
        let since = match self.lower {
            Some((_, since)) if level == self.level => since,
            Some(_) | None => now,
        };
        *self = Self { level, lower: Some((falls_to, since)) };
    }
}
