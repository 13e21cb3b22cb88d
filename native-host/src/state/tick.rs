//! One tick, serialised once for everybody.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::annotation::Annotation;
use quillwork_protocol::snapshot::Snapshot;
use quillwork_protocol::socket::ServerMessage;

use crate::clock::Now;
use crate::export::Figures;

/// A snapshot and the message that carries it.
#[derive(Debug)]
pub struct Tick {
    /// [`Snapshot::sequence`].
    pub sequence: u64,
    /// What it says.
    pub snapshot: Snapshot,
    /// The newest annotations, which only subscribers hear of.
    pub annotations: Arc<[Annotation]>,
    /// What was sent on, by destination.
    pub(crate) exports: Arc<[(&'static str, Figures)]>,
    /// When it was made.
    pub at: Instant,
    /// The same on the wall clock.
    pub at_unix_millis: u64,
    /// [`ServerMessage::Tick`] as JSON; copies of it share the text.
    pub message: Utf8Bytes,
}

impl Tick {
    /// Serialises the snapshot.
    pub(super) fn new(
        now: Now,
        snapshot: Snapshot,
        annotations: Arc<[Annotation]>,
        exports: Arc<[(&'static str, Figures)]>,
    ) -> Self {
        let sequence = snapshot.sequence;
        let message = ServerMessage::Tick(snapshot);
        let text = serde_json::to_string(&message).expect("messages have string keys and no failing fields");
        let ServerMessage::Tick(snapshot) = message else { unreachable!("it was made as a tick") };
        Self {
            sequence,
            snapshot,
            annotations,
            exports,
            at: now.monotonic,
            at_unix_millis: now.unix_millis,
            message: text.into(),
        }
    }

    /// How far the wall clock was set back since, where it is more than what slewing and rounding come to.
    pub(super) fn clock_set_back(&self, now: Now) -> Option<Duration> {
        set_back(self.at, self.at_unix_millis, now)
    }
}

fn set_back(at: Instant, at_unix_millis: u64, now: Now) -> Option<Duration> {
    let expected = at_unix_millis + now.monotonic.duration_since(at).as_millis();
    let back = Duration::from_millis(expected.saturating_sub(now.unix_millis));
    (back > Duration::from_secs(2)).then_some(back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_is_told_from_one_that_is_slewed_or_leaps_ahead() {
        let since = |seconds: u64, unix_millis| {
            let now = Now { monotonic: Instant::from_secs(7_200 + seconds), unix_millis };
            set_back(Instant::from_secs(7_200), 1_000_000, now)
        };
        assert_eq!(since(10, 1_010_000), None);
        assert_eq!(since(10, 1_009_500), None, "slewed");
        assert_eq!(since(10, 9_000_000), None, "the machine slept");
        assert_eq!(since(10, 950_000), Some(Duration::from_secs(60)));
    }
}
