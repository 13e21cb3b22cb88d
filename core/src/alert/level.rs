//! One level of one instance: from crossed to firing and back.

use super::rule::{Direction, Level};
use crate::time::{Duration, Instant};

/// Where a level stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not crossed.
    #[default]
    Quiet,
    /// Crossed by each sample since then, not yet for long enough.
    Pending {
        since: Instant,
    },
    Firing,
    /// Firing, and back by each sample since then, not yet for long enough.
    Clearing {
        since: Instant,
    },
}

impl Phase {
    pub(super) const fn is_firing(self) -> bool {
        matches!(self, Self::Firing | Self::Clearing { .. })
    }

    /// What a sample makes of it. A level that a rule doesn't have any more lets go at once.
    pub(super) fn after_sample(
        self,
        at: Instant,
        value: f64,
        level: Option<&Level>,
        direction: Direction,
        keep_firing: Duration,
    ) -> Self {
        let Some(level) = level else { return Self::Quiet };
        let bound = if self.is_firing() { level.clear } else { level.threshold };
        match (self, direction.is_beyond(value, bound)) {
            (Self::Quiet, false) | (Self::Pending { .. }, false) => Self::Quiet,
            (Self::Quiet, true) => Self::Pending { since: at }.matured(at, level.for_duration),
            (Self::Pending { .. }, true) => self.matured(at, level.for_duration),
            (Self::Firing | Self::Clearing { .. }, true) => Self::Firing,
            (Self::Firing, false) => Self::Clearing { since: at }.matured(at, keep_firing),
            (Self::Clearing { .. }, false) => self.matured(at, keep_firing),
        }
    }

    /// What a gap in the data makes of it: what was running out starts anew when data is back.
    pub(super) const fn after_gap(self) -> Self {
        if self.is_firing() { Self::Firing } else { Self::Quiet }
    }

    /// The next phase, where this one has lasted for as long as it has to.
    fn matured(self, at: Instant, needed: Duration) -> Self {
        match self {
            Self::Pending { since } if at - since >= needed => Self::Firing,
            Self::Clearing { since } if at - since >= needed => Self::Quiet,
            Self::Quiet | Self::Pending { .. } | Self::Firing | Self::Clearing { .. } => self,
        }
    }
}
