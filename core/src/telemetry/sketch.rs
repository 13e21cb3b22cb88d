//! Quantiles within a relative accuracy, in bounded memory: DDSketch (Masson, Rim and Lee, VLDB 2019).

use alloc::vec::Vec;
use core::fmt;

use super::logarithm::ln;

/// How far a quantile may be off, relative to the true value: 0.01 is one per cent.
///
/// Buckets grow by `g = (1 + a) / (1 - a)`, so halving `a` doubles their number.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct RelativeAccuracy(f64);

impl RelativeAccuracy {
    /// One per cent, what the wire protocol speaks: a p95 of 100 ms is between 99 and 101.
    pub const ONE_PER_CENT: Self = Self(0.01);

    /// A checked accuracy.
    ///
    /// # Errors
    ///
    /// Where it is not between [`MIN_ACCURACY`] and [`MAX_ACCURACY`], ends included.
    pub fn new(accuracy: f64) -> Result<Self, InvalidAccuracy> {
        if (MIN_ACCURACY..=MAX_ACCURACY).contains(&accuracy) {
            Ok(Self(accuracy))
        } else {
            Err(InvalidAccuracy(accuracy))
        }
    }

    /// As a ratio.
    #[must_use]
    pub const fn as_ratio(self) -> f64 {
        self.0
    }

    /// Logarithm of the growth of the buckets.
    fn log_growth(self) -> f64 {
        libm::log1p(2.0 * self.0 / (1.0 - self.0))
    }
}

impl Default for RelativeAccuracy {
    fn default() -> Self {
        Self::ONE_PER_CENT
    }
}

/// A mergeable summary of many non-negative values that answers any quantile within a [`RelativeAccuracy`].
///
/// Bucket `i` counts the values in `(g^(i-1), g^i]`; values below [`MIN_INDEXABLE`] count as zeros. Count, sum, smallest
/// and largest are kept exactly. A sketch holds at most `max_buckets` buckets of 16 bytes: where more would be needed the
/// lowest are folded into one, so the accuracy holds for the upper quantiles, which is where budgets are. 2,048 buckets
/// at one per cent span 17 decimal orders, so folding needs nonsense values to begin with.
///
/// Merging is exactly commutative and associative in the counts (for sums up to rounding), and merging sketches of
/// parts gives the same buckets as one sketch of everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    pub(super) accuracy: RelativeAccuracy,
    log_growth: f64,
    inverse_log_growth: f64,
    max_buckets: usize,
    /// Ascending by index, no count zero.
    pub(super) buckets: Vec<(i32, u64)>,
    pub(super) zeros: u64,
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    recent: Recent,
}

/// The value that was counted last and where its bucket stood then: measured by a clock of milliseconds, most values are as the one
/// before them. It is looked at again before it is believed, and is no part of what a sketch says.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    bits: u64,
    index: i32,
    at: usize,
}

impl PartialEq for Recent {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Sketch {
    /// An empty sketch with room for [`DEFAULT_MAX_BUCKETS`].
    #[must_use]
    pub fn new(accuracy: RelativeAccuracy) -> Self {
        Self::with_max_buckets(accuracy, DEFAULT_MAX_BUCKETS)
    }

    /// An empty sketch of at most so many buckets, and at least one.
    #[must_use]
    pub fn with_max_buckets(accuracy: RelativeAccuracy, max_buckets: usize) -> Self {
        let log_growth = accuracy.log_growth();
        Self {
            accuracy,
            log_growth,
            inverse_log_growth: 1.0 / log_growth,
            max_buckets: max_buckets.max(1),
            buckets: Vec::new(),
            zeros: 0,
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            recent: Recent::default(),
        }
    }

    /// As [`new`](Self::new), with room for so many buckets from the start: recording allocates nothing while values fill no
    /// more. At one per cent 512 buckets, of 8 KiB, take values of which the largest is 28,000 times the smallest.
    #[must_use]
    pub fn with_capacity(accuracy: RelativeAccuracy, buckets: usize) -> Self {
        let buckets = Vec::with_capacity(buckets.min(DEFAULT_MAX_BUCKETS));
        Self { buckets, ..Self::new(accuracy) }
    }

    /// Counts one value.
    ///
    /// # Errors
    ///
    /// Where it is negative, infinite or not a number; the sketch is as before.
    #[inline]
    pub fn record(&mut self, value: f64) -> Result<(), InvalidSample> {
        self.add::<false>(value, 1, value)
    }

    /// As [`record`](Self::record), several times faster where the value is the one that was counted last in this way, and a little slower
    /// where it isn't.
    #[inline]
    pub(crate) fn record_alike(&mut self, value: f64) -> Result<(), InvalidSample> {
        self.add::<true>(value, 1, value)
    }

    /// Counts one value `times` times.
    ///
    /// # Errors
    ///
    /// As [`record`](Self::record).
    pub fn record_many(&mut self, value: f64, times: u64) -> Result<(), InvalidSample> {
        self.add::<false>(value, times, value * times as f64)
    }

    #[inline]
    fn add<const ALIKE: bool>(&mut self, value: f64, times: u64, sum: f64) -> Result<(), InvalidSample> {
        if !(0.0..=f64::MAX).contains(&value) {
            let negative = value < 0.0 && value.is_finite();
            return Err(if negative { InvalidSample::Negative } else { InvalidSample::NotFinite });
        }
        if times == 0 {
            return Ok(());
        }
        // Adding 0.0 turns a negative zero into a positive one.
        let value = value + 0.0;
        if value < MIN_INDEXABLE {
            self.zeros = self.zeros.saturating_add(times);
        } else if ALIKE {
            self.add_to_bucket_of(value, times);
        } else {
            self.add_to_bucket(self.index_of(value), times);
        }
        self.count = self.count.saturating_add(times);
        let total = self.sum + sum;
        self.sum = if total < f64::MAX { total } else { f64::MAX };
        // Branches that are hardly ever taken cost less than a minimum and a maximum.
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        Ok(())
    }

    /// Adds everything that `other` has counted.
    ///
    /// # Errors
    ///
    /// Where the accuracies differ: their buckets have different bounds. This sketch is as before.
    pub fn merge(&mut self, other: &Self) -> Result<(), AccuracyMismatch> {
        if self.accuracy != other.accuracy {
            return Err(AccuracyMismatch { ours: self.accuracy, theirs: other.accuracy });
        }
        self.absorb(other);
        Ok(())
    }

    /// The value of rank `floor(q * (count - 1))`, counted from the smallest: 0 is the smallest, 0.5 the (lower) median, 1 the
    /// largest. `None` where nothing was counted, or `q` is not between 0 and 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and count, as q is between 0 and 1"
        )]
        let rank = (q * (self.count - 1) as f64) as u64;
        if rank == 0 {
            return Some(self.min);
        }
        if rank >= self.count - 1 {
            return Some(self.max);
        }
        if rank < self.zeros {
            return Some(0.0_f64.clamp(self.min, self.max));
        }
        // From the nearer end: the quantiles that are asked for are mostly near the upper one.
        if rank > self.count / 2 {
            let mut below = self.count;
            for &(index, times) in self.buckets.iter().rev() {
                below = below.saturating_sub(times);
                if rank >= below {
                    return Some(self.value_of(index).clamp(self.min, self.max));
                }
            }
        }
        let mut seen = self.zeros;
        for &(index, times) in &self.buckets {
            seen = seen.saturating_add(times);
            if rank < seen {
                return Some(self.value_of(index).clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }

    /// How many values were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was counted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Their sum; 0 where there are none.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }

    /// Their mean.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The smallest, exactly.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest, exactly.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// The accuracy it was made with.
    #[must_use]
    pub const fn accuracy(&self) -> RelativeAccuracy {
        self.accuracy
    }

    /// Forgets all values and keeps the memory for the next.
    pub fn clear(&mut self) {
        self.buckets.clear();
        self.zeros = 0;
        self.count = 0;
        self.sum = 0.0;
        self.min = f64::INFINITY;
        self.max = f64::NEG_INFINITY;
    }

    /// Number of the bucket that holds `value`, which is [`MIN_INDEXABLE`] or more.
    #[inline]
    pub(super) fn index_of(&self, value: f64) -> i32 {
        let exact = ln(value) * self.inverse_log_growth;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "ln(f64::MAX) over the smallest log_growth is below 4 million"
        )]
        let truncated = exact as i32;
        truncated + i32::from(f64::from(truncated) < exact)
    }

    /// The value with the same relative distance to both ends of a bucket.
    fn value_of(&self, index: i32) -> f64 {
        libm::exp(f64::from(index) * self.log_growth) * (1.0 - self.accuracy.0)
    }

    /// Merges a sketch of the same accuracy.
    pub(super) fn absorb(&mut self, other: &Self) {
        for &(index, times) in &other.buckets {
            self.add_to_bucket(index, times);
        }
        self.zeros = self.zeros.saturating_add(other.zeros);
        self.count = self.count.saturating_add(other.count);
        self.sum = (self.sum + other.sum).min(f64::MAX);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Where the bucket is or would have to be: before the first that isn't below it. Hardly any bucket is empty between
    /// the lowest and the highest, so the search begins where this one would be if none were, and doubles its steps.
    fn place_of(&self, index: i32, without_gaps: usize) -> usize {
        let is_below = |at: usize| self.buckets[at].0 < index;
        let mut end = without_gaps.min(self.buckets.len());
        let mut step = 1;
        while end > 0 && !is_below(end - 1) {
            let start = end.saturating_sub(step);
            if start == 0 || is_below(start - 1) {
                return start + self.buckets[start..end].partition_point(|&(other, _)| other < index);
            }
            end = start;
            step *= 2;
        }
        end
    }

    #[inline]
    fn add_to_bucket_of(&mut self, value: f64, times: u64) {
        let Recent { bits, index, at } = self.recent;
        if bits == value.to_bits()
            && let Some(bucket) = self.buckets.get_mut(at)
            && bucket.0 == index
        {
            bucket.1 = bucket.1.saturating_add(times);
            return;
        }
        let index = self.index_of(value);
        let at = self.add_to_bucket(index, times);
        self.recent = Recent { bits: value.to_bits(), index, at };
    }

    /// Returns where the bucket stands, or where another is that took its values.
    #[inline]
    fn add_to_bucket(&mut self, index: i32, times: u64) -> usize {
        let lowest = self.buckets.first().map_or(index, |&(lowest, _)| lowest);
        let without_gaps = usize::try_from(i64::from(index) - i64::from(lowest)).unwrap_or(0);
        if let Some(bucket) = self.buckets.get_mut(without_gaps)
            && bucket.0 == index
        {
            bucket.1 = bucket.1.saturating_add(times);
            return without_gaps;
        }
        self.add_beside_gaps(index, without_gaps, times)
    }

    #[inline(never)]
    fn add_beside_gaps(&mut self, index: i32, without_gaps: usize, times: u64) -> usize {
        let at = self.place_of(index, without_gaps);
        if let Some(bucket) = self.buckets.get_mut(at)
            && bucket.0 == index
        {
            bucket.1 = bucket.1.saturating_add(times);
            at
        } else if self.buckets.len() < self.max_buckets {
            self.buckets.insert(at, (index, times));
            at
        } else if at == 0 {
            self.buckets[0].1 = self.buckets[0].1.saturating_add(times);
            0
        } else {
            // The lowest bucket gives up its place and is folded into the one that is the lowest then.
            let (_, folded) = self.buckets[0];
            self.buckets.copy_within(1..at, 0);
            self.buckets[at - 1] = (index, times);
            self.buckets[0].1 = self.buckets[0].1.saturating_add(folded);
            at - 1
        }
    }
}

impl Default for Sketch {
    fn default() -> Self {
        Self::new(RelativeAccuracy::default())
    }
}

/// An accuracy that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidAccuracy(pub f64);

impl fmt::Display for InvalidAccuracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "relative accuracy {} is not between {MIN_ACCURACY} and {MAX_ACCURACY}", self.0)
    }
}

impl core::error::Error for InvalidAccuracy {}

/// A value that a sketch can't count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSample {
    /// Infinite or not a number.
    NotFinite,
    /// Below zero. Sketches are of durations and sizes.
    Negative,
}

impl fmt::Display for InvalidSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "a sketch counts finite values only",
            Self::Negative => "a sketch counts values of zero and more only",
        })
    }
}

impl core::error::Error for InvalidSample {}

/// Two sketches whose buckets have different bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccuracyMismatch {
    /// Of the sketch that was to take the other in.
    pub ours: RelativeAccuracy,
    /// Of the other.
    pub theirs: RelativeAccuracy,
}

impl fmt::Display for AccuracyMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sketches of relative accuracy {} and {} can't be merged", self.ours.0, self.theirs.0)
    }
}

impl core::error::Error for AccuracyMismatch {}

/// Finest accuracy: finer ones need more buckets than are worth it.
pub const MIN_ACCURACY: f64 = 0.000_1;
/// Coarsest accuracy.
pub const MAX_ACCURACY: f64 = 0.5;
/// Values below this count as zeros. In milliseconds it is a picosecond.
pub const MIN_INDEXABLE: f64 = 1e-9;
/// At most 32 KiB for one sketch.
pub const DEFAULT_MAX_BUCKETS: usize = 2_048;
