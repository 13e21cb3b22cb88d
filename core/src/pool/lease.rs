//! How long a worker may be silent.

use crate::time::{Duration, Instant};

/// When a worker was last heard of, and whether it has been asked since.
///
/// A worker is asked for a sign of life after half of its lease, and given up when the other half passes without one.
/// The second half counts from the question and not from the last word: a whole machine that slept, timers and all, finds
/// its workers asked once more and not given up at once. For one that slept after the question, see
/// [`Lease::check_or_ask_again`].
///
/// ```
/// use quillwork_core::pool::{Lease, LeaseCheck};
/// use quillwork_core::time::{Duration, Instant};
///
/// let at = Instant::from_secs;
/// let length = Duration::from_secs(30);
/// let mut lease = Lease::new(at(0));
/// assert_eq!(lease.check(at(10), length), LeaseCheck::Current { check_at: at(15) });
/// assert_eq!(lease.check(at(15), length), LeaseCheck::Probe { check_at: at(30) });
/// lease.renew(at(16));
/// assert_eq!(lease.check(at(30), length), LeaseCheck::Current { check_at: at(31) });
/// assert_eq!(lease.check(at(31), length), LeaseCheck::Probe { check_at: at(46) });
/// assert_eq!(lease.check(at(46), length), LeaseCheck::Lapsed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    last_seen: Instant,
    probed_at: Option<Instant>,
    probed_twice: bool,
}

/// What to do about a lease now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseCheck {
    /// Nothing until then.
    Current {
        /// When to check again.
        check_at: Instant,
    },
    /// Ask the worker for a sign of life. It counts as asked.
    Probe {
        /// When it is given up, if it stays silent.
        check_at: Instant,
    },
    /// It was asked and did not answer.
    Lapsed,
}

impl Lease {
    /// Of a worker that is heard of now.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { last_seen: now, probed_at: None, probed_twice: false }
    }

    /// A sign of life. Any message is one.
    pub fn renew(&mut self, now: Instant) {
        self.last_seen = self.last_seen.max(now);
        self.probed_at = None;
        self.probed_twice = false;
    }

    /// Looks whether the worker is to be asked or given up, for a lease of this length. Calling it early or late is
    /// harmless.
    pub fn check(&mut self, now: Instant, length: Duration) -> LeaseCheck {
        let check_at = self.next_check(length);
        if now < check_at {
            return LeaseCheck::Current { check_at };
        }
        if self.is_silent() {
            return LeaseCheck::Lapsed;
        }
        self.probe(now, length)
    }

    /// As [`Lease::check`], where nobody makes sure that workers were heard after a standstill: one that comes so late that
    /// another answer would have had the time asks again, once.
    pub fn check_or_ask_again(&mut self, now: Instant, length: Duration) -> LeaseCheck {
        let stood_still = now >= self.next_check(length) + answer_time(length);
        if self.is_silent() && stood_still && !self.probed_twice {
            self.probed_twice = true;
            return self.probe(now, length);
        }
        self.check(now, length)
    }

    fn probe(&mut self, now: Instant, length: Duration) -> LeaseCheck {
        self.probed_at = Some(now);
        LeaseCheck::Probe { check_at: self.next_check(length) }
    }

    /// When there is something to do about a lease of this length, if the worker stays silent.
    #[must_use]
    pub fn next_check(&self, length: Duration) -> Instant {
        match self.probed_at {
            Some(probed_at) => probed_at + answer_time(length),
            None => self.last_seen + (length - answer_time(length)),
        }
    }

    /// When the worker was last heard of.
    #[must_use]
    pub const fn last_seen(&self) -> Instant {
        self.last_seen
    }

    /// Whether it was asked and has not answered yet.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.probed_at.is_some()
    }
}

/// The second half of a lease, and the longer one where it is odd.
const fn answer_time(length: Duration) -> Duration {
    Duration::from_nanos(length.as_nanos().div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(10);

    #[test]
    fn a_machine_that_slept_asks_before_it_gives_up() {
        let mut lease = Lease::new(Instant::from_secs(0));
        let woken = Instant::from_secs(8 * 3_600);
        assert_eq!(
            lease.check(woken, LENGTH),
            LeaseCheck::Probe { check_at: woken + Duration::from_secs(5) }
        );
    }

    #[test]
    fn a_machine_that_slept_after_the_question_asks_again_and_only_once() {
        let mut lease = Lease::new(Instant::from_secs(0));
        let probe = |check_at| LeaseCheck::Probe { check_at: Instant::from_secs(check_at) };
        assert_eq!(lease.check_or_ask_again(Instant::from_secs(5), LENGTH), probe(10));
        assert_eq!(lease.check_or_ask_again(Instant::from_secs(15), LENGTH), probe(20));
        let mut answers = lease;
        assert_eq!(lease.check_or_ask_again(Instant::from_secs(60), LENGTH), LeaseCheck::Lapsed);

        answers.renew(Instant::from_secs(16));
        assert_eq!(answers.check_or_ask_again(Instant::from_secs(21), LENGTH), probe(26));
        assert_eq!(answers.check_or_ask_again(Instant::from_secs(36), LENGTH), probe(41));
    }

    #[test]
    fn a_check_that_is_hardly_late_gives_up() {
        let mut lease = Lease::new(Instant::from_secs(0));
        lease.check_or_ask_again(Instant::from_secs(5), LENGTH);
        assert_eq!(lease.check_or_ask_again(Instant::from_millis(14_999), LENGTH), LeaseCheck::Lapsed);
    }

    #[test]
    fn a_clock_that_goes_back_neither_renews_nor_ends_a_lease() {
        let mut lease = Lease::new(Instant::from_secs(100));
        lease.renew(Instant::from_secs(50));
        assert_eq!(lease.last_seen(), Instant::from_secs(100));
        let LeaseCheck::Probe { check_at } = lease.check(Instant::from_secs(105), LENGTH) else {
            panic!("half of the lease is over")
        };
        assert_eq!(lease.check(Instant::from_secs(101), LENGTH), LeaseCheck::Current { check_at });
    }
}
