//! How long a worker may be silent.

use crate::time::{Duration, Instant};

/// When a worker was last heard of, and whether it has been asked since.
///
/// A worker is asked for a sign of life after half of its lease, and given up when the other half passes without one.
/// The second half counts from the question and not from the last word: a whole machine that slept, timers and all, finds
/// its workers asked once more and not given up at once.
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
        Self { last_seen: now, probed_at: None }
    }

    /// A sign of life. Any message is one.
    pub fn renew(&mut self, now: Instant) {
        self.last_seen = self.last_seen.max(now);
        self.probed_at = None;
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
        self.probed_at = Some(now);
        LeaseCheck::Probe { check_at: self.next_check(length) }
    }

    /// When there is something to do about a lease of this length, if the worker stays silent.
    #[must_use]
    pub fn next_check(&self, length: Duration) -> Instant {
        let probe_after = Duration::from_nanos(length.as_nanos() / 2);
        match self.probed_at {
            Some(probed_at) => probed_at + (length - probe_after),
            None => self.last_seen + probe_after,
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
