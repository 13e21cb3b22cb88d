//! Times by logarithm with linear steps in each octave: a count costs a shift and an addition (HdrHistogram).

use alloc::boxed::Box;

use crate::time::Duration;

/// Counts of times, each in a bucket of which the middle is off by 1.6 % at most; below 2 µs by 16 ns. Times from 18 minutes on share the
/// last bucket; the longest is kept exactly.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Box<[u32; BUCKETS]>,
    total: u64,
    longest: Duration,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0, longest: Duration::ZERO }
    }

    pub(super) fn record(&mut self, time: Duration) {
        let count = &mut self.counts[bucket_of(time)];
        *count = count.saturating_add(1);
        self.total = self.total.saturating_add(1);
        self.longest = self.longest.max(time);
    }

    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
        (self.total, self.longest) = (0, Duration::ZERO);
    }

    pub(super) const fn longest(&self) -> Duration {
        self.longest
    }

    /// The time of rank `floor(q * (count - 1))`, counted from the shortest; none where nothing was counted.
    pub(super) fn quantile(&self, q: f64) -> Option<Duration> {
        let last = self.total.checked_sub(1)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to the number of times"
        )]
        let rank = (q.clamp(0.0, 1.0) * last as f64) as u64;
        let mut seen = 0_u64;
        let bucket = self.counts.iter().position(|&count| {
            seen += u64::from(count);
            seen > rank
        });
        Some(bucket.map_or(self.longest, |bucket| middle_of(bucket).min(self.longest)))
    }
}

fn bucket_of(time: Duration) -> usize {
    let units = (time.as_nanos() >> UNIT_BITS).min(MOST_UNITS);
    let octave = (units | (LINEAR - 1)).ilog2() + 1 - LINEAR.ilog2();
    // In the octaves past the linear part the highest bit is left out: each has half as many steps.
    let step = units >> octave;
    #[expect(clippy::cast_possible_truncation, reason = "below the number of buckets")]
    let bucket = (u64::from(octave) * (LINEAR / 2) + step) as usize;
    bucket
}

fn middle_of(bucket: usize) -> Duration {
    let bucket = bucket as u64;
    if bucket == 0 {
        return Duration::ZERO;
    }
    let octave = (bucket / (LINEAR / 2)).saturating_sub(1);
    let step = bucket - octave * (LINEAR / 2);
    let (low, width) = (step << octave, 1 << octave);
    Duration::from_nanos((low << UNIT_BITS) + (width << UNIT_BITS >> 1))
}

/// Times are counted in units of 32 ns.
const UNIT_BITS: u32 = 5;
/// So many units have buckets of their own; from there on an octave has half as many.
const LINEAR: u64 = 64;
const OCTAVES: u32 = 29;
const MOST_UNITS: u64 = (LINEAR << OCTAVES) - 1;
const BUCKETS: usize = 64 + 29 * 32;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn buckets_follow_each_other_without_gaps() {
        let mut last = 0;
        for units in (0..20_000).chain((20..35).flat_map(|bits| [(1 << bits) - 1, 1 << bits])) {
            let bucket = bucket_of(Duration::from_nanos(units << UNIT_BITS));
            assert!(bucket == last || bucket == last + 1 || units >= 20_000 && bucket > last, "{units}");
            last = bucket;
        }
        assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn quantiles_are_near_those_of_a_sorted_list(nanos in prop::collection::vec(0_u64..1_000_000_000_000, 1..200), q in 0.0_f64..=1.0) {
            let mut histogram = Histogram::new();
            nanos.iter().for_each(|&nanos| histogram.record(Duration::from_nanos(nanos)));
            let mut sorted: Vec<u64> = nanos;
            sorted.sort_unstable();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank in the list")]
            let exact = sorted[(q * (sorted.len() - 1) as f64) as usize] as f64;
            let found = histogram.quantile(q).unwrap().as_nanos() as f64;
            prop_assert!((found - exact).abs() <= (exact / 64.0).max(32.0), "{found} for {exact}");
        }
    }

    #[test]
    fn small_times_are_near_too_and_nothing_has_no_quantile() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), None);
        for nanos in 0..5_000 {
            histogram.clear();
            histogram.record(Duration::from_nanos(nanos));
            histogram.record(Duration::from_secs(9));
            let found = histogram.quantile(0.0).unwrap().as_nanos();
            assert!(found.abs_diff(nanos) <= (nanos / 64).max(32), "{found} for {nanos}");
        }
        assert_eq!(histogram.longest(), Duration::from_secs(9));
    }
}
