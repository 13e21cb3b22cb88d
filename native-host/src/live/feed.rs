//! One subscriber's place in the sequence of ticks.

use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};

use super::hub::{Frame, Hub, Told};
use super::selection::Selection;
use crate::state::Tick;

/// What a subscriber was sent last, and with that what it is sent next.
#[derive(Debug)]
pub(crate) struct Feed {
    selection: Arc<Selection>,
    /// What it holds.
    base: Option<Arc<Told>>,
    sent_at: Option<Instant>,
}

/// Ticks come about once a second: an update that is due within this time is not put off to the next.
const EARLY: Duration = Duration::from_millis(250);

impl Feed {
    /// A subscriber that holds the state of `base`, or nothing.
    pub(crate) fn new(selection: Selection, base: Option<Arc<Tick>>) -> Self {
        Self {
            selection: Arc::new(selection),
            base: base.map(|tick| Arc::new(Told::new(tick))),
            sent_at: None,
        }
    }

    /// What to send at this tick: nothing before the interval has passed, and nothing twice.
    pub(crate) fn next(&mut self, hub: &Hub, tick: &Arc<Tick>) -> Option<Frame> {
        if self.base.as_ref().map_or(0, |base| base.sequence()) >= tick.sequence {
            return None;
        }
        let not_before =
            self.sent_at.zip(self.selection.interval()).map(|(sent_at, interval)| sent_at + interval);
        if not_before.is_some_and(|not_before| not_before > tick.at + EARLY) {
            return None;
        }
        let (told, frame) = hub.frame(tick, &self.selection, self.base.as_deref());
        self.base = Some(told);
        self.sent_at = Some(tick.at);
        Some(frame)
    }
}
