//! What waits to be sent, in bounds. Decides; reads no clock and sends nothing.

use std::collections::VecDeque;

use axum::body::Bytes;
use quillwork_core::time::{Duration, Instant};

/// A request's body, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parcel {
    /// Encoded and compressed.
    pub(crate) body: Bytes,
    /// Samples in it.
    pub(crate) samples: u64,
    /// Of the newest of them.
    pub(crate) at_unix_millis: u64,
}

/// What became of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was taken, but for so many samples for which the receiver gave a reason.
    Taken {
        /// Samples that the receiver did not take.
        rejected: u64,
        /// Why.
        reason: Option<String>,
    },
    /// It won't be taken, however often it is sent.
    Refused(String),
    /// Another try may go better, after this time at the earliest where the receiver said so.
    Failed {
        /// Why.
        reason: String,
        /// What the receiver asked for.
        retry_after: Option<Duration>,
    },
}

/// What was done since the start, and what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Samples that were taken.
    pub(crate) sent: u64,
    /// Samples that made room for newer ones.
    pub(crate) dropped: u64,
    /// Samples that the receiver refused.
    pub(crate) refused: u64,
    /// Requests that failed and were or will be tried again.
    pub(crate) failures: u64,
    /// Samples that wait.
    pub(crate) queued: u64,
    /// Of the oldest sample that waits.
    pub(crate) oldest_unix_millis: Option<u64>,
}

/// Parcels in the order in which they are sent. One is out at a time.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: VecDeque<Parcel>,
    bytes: usize,
    most_bytes: usize,
    out: Option<Parcel>,
    /// Failures in a row.
    in_a_row: u32,
    not_before: Instant,
    figures: Figures,
}

/// First time until another try, and the longest.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// A receiver may ask for a longer one up to this.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

impl Outbox {
    /// Nothing waits, and at most so many bytes ever do.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            bytes: 0,
            most_bytes,
            out: None,
            in_a_row: 0,
            not_before: Instant::ZERO,
            figures: Figures::default(),
        }
    }

    /// One more to send; the oldest make room for it.
    pub(crate) fn push(&mut self, parcel: Parcel) {
        self.bytes += parcel.body.len();
        self.waiting.push_back(parcel);
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.bytes > self.most_bytes {
            let Some(oldest) = self.waiting.pop_front() else { break };
            self.bytes -= oldest.body.len();
            self.figures.dropped += oldest.samples;
        }
    }

    /// When the next may be sent; none where nothing waits or one is out.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        (self.out.is_none() && !self.waiting.is_empty()).then_some(self.not_before)
    }

    /// The next to send. [`handle_outcome`](Self::handle_outcome) is told what became of it.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Parcel> {
        if self.next_due()? > now {
            return None;
        }
        let parcel = self.waiting.pop_front()?;
        self.bytes -= parcel.body.len();
        self.out = Some(parcel.clone());
        Some(parcel)
    }

    /// What became of the parcel that is out. `random` is from 0 to 1: hosts that failed together don't try again together.
    pub(crate) fn handle_outcome(&mut self, now: Instant, outcome: Outcome, random: f64) {
        let Some(parcel) = self.out.take() else { return };
        match outcome {
            Outcome::Taken { rejected, .. } => {
                let rejected = rejected.min(parcel.samples);
                self.figures.sent += parcel.samples - rejected;
                self.figures.refused += rejected;
                (self.in_a_row, self.not_before) = (0, now);
            }
            Outcome::Refused(_) => {
                self.figures.refused += parcel.samples;
                (self.in_a_row, self.not_before) = (0, now);
            }
            Outcome::Failed { retry_after, .. } => {
                self.figures.failures += 1;
                let doubled = FIRST_DELAY.as_millis().saturating_mul(1 << self.in_a_row.min(6));
                let longest = Duration::from_millis(doubled).min(LONGEST_DELAY);
                let delay =
                    Duration::from_millis_f64(longest.as_millis_f64() * (0.5 + random.clamp(0.0, 1.0) / 2.0));
                let asked = retry_after.unwrap_or(Duration::ZERO).min(LONGEST_ASKED);
                self.in_a_row += 1;
                self.not_before = now + delay.max(asked);
                self.bytes += parcel.body.len();
                self.waiting.push_front(parcel);
                self.make_room();
            }
        }
    }

    /// The next may be sent at once, and what fails is tried again as soon as at first: little time is left.
    pub(crate) fn hurry(&mut self, now: Instant) {
        (self.in_a_row, self.not_before) = (0, now);
    }

    /// What was done, and what waits.
    pub(crate) fn figures(&self) -> Figures {
        let all = || self.out.iter().chain(&self.waiting);
        Figures {
            queued: all().map(|parcel| parcel.samples).sum(),
            oldest_unix_millis: all().map(|parcel| parcel.at_unix_millis).min(),
            ..self.figures.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(number: u64, bytes: usize) -> Parcel {
        Parcel { body: vec![0; bytes].into(), samples: 10, at_unix_millis: number }
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_secs(1_000 + seconds)
    }

    fn failed(retry_after: Option<Duration>) -> Outcome {
        Outcome::Failed { reason: "down".to_owned(), retry_after }
    }

    const TAKEN: Outcome = Outcome::Taken { rejected: 0, reason: None };

    #[test]
    fn parcels_go_one_at_a_time_in_their_order() {
        let mut outbox = Outbox::new(1_000);
        (0..3).for_each(|number| outbox.push(parcel(number, 10)));
        for number in 0..3 {
            assert_eq!(outbox.take(at(0)).unwrap().at_unix_millis, number);
            assert_eq!((outbox.take(at(0)), outbox.next_due()), (None, None), "one is out");
            outbox.handle_outcome(at(0), TAKEN, 0.5);
        }
        assert_eq!(outbox.next_due(), None);
        assert_eq!(outbox.figures(), Figures { sent: 30, ..Figures::default() });
    }

    #[test]
    fn what_fails_is_tried_again_ever_later_and_never_overtaken() {
        let mut outbox = Outbox::new(1_000);
        outbox.push(parcel(0, 10));
        outbox.push(parcel(1, 10));
        let mut now = at(0);
        let mut delays = Vec::new();
        for _ in 0..9 {
            assert_eq!(outbox.take(now).unwrap().at_unix_millis, 0);
            outbox.handle_outcome(now, failed(None), 1.0);
            let due = outbox.next_due().unwrap();
            delays.push(due.duration_since(now).as_millis() / 1_000);
            assert_eq!(outbox.take(due - Duration::from_millis(1)), None);
            now = due;
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!((outbox.figures().failures, outbox.figures().queued), (9, 20));
        outbox.take(now).unwrap();
        outbox.handle_outcome(now, TAKEN, 0.0);
        assert_eq!(outbox.take(now).unwrap().at_unix_millis, 1, "at once");
        outbox.handle_outcome(now, failed(None), 0.0);
        assert_eq!(
            outbox.next_due().unwrap().duration_since(now).as_millis(),
            500,
            "it begins anew, with jitter"
        );
    }

    #[test]
    fn a_receiver_that_names_a_time_is_left_alone_so_long_within_reason() {
        let mut outbox = Outbox::new(1_000);
        outbox.push(parcel(0, 10));
        let mut now = at(0);
        for (asked, seconds) in [(90, 90), (100_000, 600)] {
            outbox.take(now).unwrap();
            outbox.handle_outcome(now, failed(Some(Duration::from_secs(asked))), 0.0);
            let due = outbox.next_due().unwrap();
            assert_eq!(due.duration_since(now).as_millis() / 1_000, seconds);
            now = due;
        }
    }

    #[test]
    fn a_hurry_waits_for_no_receiver_and_tries_as_often_as_at_first() {
        let mut outbox = Outbox::new(1_000);
        outbox.push(parcel(0, 10));
        for _ in 0..3 {
            let due = outbox.next_due().unwrap();
            outbox.take(due.max(at(0))).unwrap();
            outbox.handle_outcome(at(0), failed(Some(Duration::from_secs(600))), 1.0);
        }
        outbox.hurry(at(1));
        assert_eq!(outbox.next_due(), Some(at(1)));
        outbox.take(at(1)).unwrap();
        outbox.handle_outcome(at(1), failed(None), 1.0);
        assert_eq!(outbox.next_due(), Some(at(2)));
    }

    #[test]
    fn what_is_refused_is_given_up_and_counted() {
        let mut outbox = Outbox::new(1_000);
        (0..2).for_each(|number| outbox.push(parcel(number, 10)));
        outbox.take(at(0)).unwrap();
        outbox.handle_outcome(at(0), Outcome::Refused("bad".to_owned()), 0.5);
        outbox.take(at(0)).unwrap();
        outbox.handle_outcome(at(0), Outcome::Taken { rejected: 3, reason: None }, 0.5);
        assert_eq!(outbox.figures(), Figures { sent: 7, refused: 13, ..Figures::default() });
    }

    #[test]
    fn the_oldest_make_room_whatever_is_out() {
        let mut outbox = Outbox::new(30);
        (0..3).for_each(|number| outbox.push(parcel(number, 10)));
        assert_eq!(outbox.take(at(0)).unwrap().at_unix_millis, 0);
        outbox.push(parcel(3, 10));
        assert_eq!(outbox.figures().dropped, 0, "what is out needs no room");
        outbox.handle_outcome(at(0), failed(None), 0.5);
        assert_eq!((outbox.figures().dropped, outbox.figures().oldest_unix_millis), (10, Some(1)));
        outbox.push(parcel(4, 31));
        assert_eq!(outbox.figures(), Figures { dropped: 50, failures: 1, ..Figures::default() });
    }
}
