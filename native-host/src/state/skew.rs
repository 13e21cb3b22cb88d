//! From a page's clock to the host's.

use std::collections::VecDeque;

/// Offset of a page's wall clock.
///
/// Each batch tells when it was sent; received minus sent is the offset plus the time it travelled. Travelling takes
/// time and never less than none, so the smallest of the last differences is nearest to the offset (the clock filter
/// of NTP, RFC 5905 section 10).
///
/// A page's clock that is set forward shows at once, by a smaller difference. One that is set back would only show when the
/// old differences are forgotten: two batches that were sent apart and tell the same later time are taken for that. Batches that were
/// held up on their way together arrive together, so that those sent apart don't tell the same.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    differences: VecDeque<i64>,
    newest_sent: u64,
}

/// Few enough to follow a clock that is set.
const REMEMBERED: usize = 8;

/// More than batches travel, mostly.
const STEP_MILLIS: i64 = 2_000;
/// Two batches tell the same time within this.
const AGREEMENT_MILLIS: i64 = 250;
/// And were sent apart by this.
const APART_MILLIS: u64 = 500;

impl Skew {
    /// Takes the times of a batch.
    pub(crate) fn observe(&mut self, received_unix_millis: u64, sent_unix_millis: u64) {
        let difference = i128::from(received_unix_millis) - i128::from(sent_unix_millis);
        let clamped = difference.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let difference = i64::try_from(clamped).expect("clamped to the range of i64");
        if self.was_set_back(difference, sent_unix_millis) {
            self.differences.drain(..self.differences.len() - 1);
        }
        if self.differences.len() == REMEMBERED {
            self.differences.pop_front();
        }
        self.differences.push_back(difference);
        self.newest_sent = sent_unix_millis;
    }

    /// Whether this difference and the one before say that the clock was set back.
    fn was_set_back(&self, difference: i64, sent_unix_millis: u64) -> bool {
        let (Some(least), Some(before)) = (self.differences.iter().min(), self.differences.back()) else {
            return false;
        };
        let is_later = |one: i64| one.saturating_sub(*least) > STEP_MILLIS;
        is_later(difference)
            && is_later(*before)
            && difference.abs_diff(*before) <= AGREEMENT_MILLIS.unsigned_abs()
            && sent_unix_millis.saturating_sub(self.newest_sent) >= APART_MILLIS
    }

    /// How far the page's clock is behind the host's; below zero where it is ahead. Unknown before the first batch.
    #[expect(clippy::cast_precision_loss, reason = "an offset of 2^53 milliseconds is as good as any other")]
    pub(crate) fn offset_millis(&self) -> Option<f64> {
        self.differences.iter().min().map(|offset| *offset as f64)
    }

    /// An instant of the page on the host's clock: never later than now, since it has been heard of.
    pub(crate) fn to_host(&self, page_unix_millis: u64, now_unix_millis: u64) -> u64 {
        let offset = self.differences.iter().min().copied().unwrap_or(0);
        page_unix_millis.saturating_add_signed(offset).min(now_unix_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_batch_tells_the_offset() {
        let mut skew = Skew::default();
        // The page's clock is an hour behind; batches travel 40, 5 and 900 ms.
        for (sent, travelled) in [(1_000, 40), (2_000, 5), (3_000, 900)] {
            skew.observe(3_600_000 + sent + travelled, sent);
        }
        assert_eq!(skew.to_host(2_500, 10_000_000), 3_602_505);
        assert_eq!(skew.offset_millis(), Some(3_600_005.0));
    }

    #[test]
    fn nothing_lies_in_the_future_and_nothing_overflows() {
        let mut skew = Skew::default();
        skew.observe(1_000, u64::MAX);
        assert_eq!(skew.to_host(u64::MAX, 1_000), 1_000);
        assert_eq!(skew.to_host(5, 1_000), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed_by_the_second_batch() {
        let mut skew = Skew::default();
        for second in 0..10 {
            skew.observe(100_000 + second * 1_000 + 20, 100_000 + second * 1_000);
        }
        // An hour back; the first batch might just have been slow.
        let set_back = |second: u64| (10_000_000 + second * 1_000 + 30, 6_400_000 + second * 1_000);
        let (received, sent) = set_back(0);
        skew.observe(received, sent);
        assert_eq!(skew.to_host(sent, received), sent + 20);
        let (received, sent) = set_back(1);
        skew.observe(received, sent);
        assert_eq!(skew.to_host(sent, received), received);
    }

    #[test]
    fn batches_that_were_held_up_together_are_no_clock_that_was_set() {
        let mut skew = Skew::default();
        skew.observe(1_020, 1_000);
        // All arrive at 60 s: some sent a second apart, some at once.
        for sent in [2_000, 3_000, 4_000, 4_010, 4_020] {
            skew.observe(60_000, sent);
        }
        assert_eq!(skew.to_host(4_020, 60_000), 4_040);
    }

    #[test]
    fn a_clock_that_is_set_is_followed() {
        let mut skew = Skew::default();
        skew.observe(1_000, 1_000);
        for n in 0..8 {
            skew.observe(60_000 + n, n);
        }
        assert_eq!(skew.to_host(7, 100_000), 60_007);
    }
}
