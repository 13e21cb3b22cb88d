//! The two kinds of number: one that only grows, and one that is what it was last set to.

/// A count that only grows. It stops at `u64::MAX` rather than wrap to zero, which a reader would take for a restart.
///
/// Readers that want a rate take differences of [`total`](Self::total); a reporter that sends intervals uses
/// [`take_interval`](Self::take_interval).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    total: u64,
    reported: u64,
}

impl Counter {
    /// Counts `amount` more.
    pub const fn add(&mut self, amount: u64) {
        self.total = self.total.saturating_add(amount);
    }

    /// Everything since the start.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.total
    }

    /// What came since the last [`take_interval`](Self::take_interval).
    #[must_use]
    pub const fn interval(self) -> u64 {
        self.total - self.reported
    }

    /// What came since the last call, and starts the next interval. The total stays.
    pub const fn take_interval(&mut self) -> u64 {
        let interval = self.interval();
        self.reported = self.total;
        interval
    }
}

/// A value that goes up and down, or that nobody knows: **absent is not zero**.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauge {
    value: Option<f64>,
}

impl Gauge {
    /// What it is now. A value that is not finite was not observed: the gauge becomes absent.
    pub const fn set(&mut self, value: f64) {
        self.value = if value.is_finite() { Some(value) } else { None };
    }

    /// Nobody knows what it is now.
    pub const fn clear(&mut self) {
        self.value = None;
    }

    /// What it was last set to.
    #[must_use]
    pub const fn value(self) -> Option<f64> {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_add_up_to_the_total() {
        let mut counter = Counter::default();
        counter.add(3);
        assert_eq!(counter.take_interval(), 3);
        counter.add(4);
        counter.add(5);
        assert_eq!((counter.interval(), counter.total()), (9, 12));
        assert_eq!(counter.take_interval(), 9);
        assert_eq!(counter.take_interval(), 0);
        assert_eq!(counter.total(), 12);
    }

    #[test]
    fn a_counter_stops_at_its_end_instead_of_starting_again() {
        let mut counter = Counter::default();
        counter.add(u64::MAX - 1);
        counter.add(10);
        assert_eq!(counter.total(), u64::MAX);
    }

    #[test]
    fn a_gauge_is_absent_until_set_and_after_nonsense() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.value(), None);
        gauge.set(0.0);
        assert_eq!(gauge.value(), Some(0.0));
        gauge.set(f64::NAN);
        assert_eq!(gauge.value(), None);
        gauge.set(2.5);
        gauge.clear();
        assert_eq!(gauge.value(), None);
    }
}
