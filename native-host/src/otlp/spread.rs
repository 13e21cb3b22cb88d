//! Histograms: how many values fell where.

use quillwork_core::telemetry::{DEFAULT_MAX_BUCKETS, RelativeAccuracy, Sketch, SketchParts};

use super::message::{ExponentialPoint, HistogramPoint};

/// Counts of values by the value that stands for their bucket, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    /// How many, and their sum where it is known.
    pub(crate) count: u64,
    /// See `count`.
    pub(crate) sum: Option<f64>,
    /// Values and how many of each.
    pub(crate) values: Vec<(f64, u64)>,
}

/// Buckets of one point. The specification's own default is 160.
const MOST_BUCKETS: usize = 1_024;

impl Spread {
    /// Of explicit bounds: values of a bucket count as the geometric middle of its bounds, those of the outer ones as their only
    /// bound; none lies outside the smallest and largest value, where they are told.
    pub(super) fn explicit(point: &HistogramPoint, scale: f64) -> Result<Self, &'static str> {
        let bounds = &point.explicit_bounds;
        if point.bucket_counts.len() > MOST_BUCKETS {
            return Err("a histogram has more than 1024 buckets");
        }
        if !point.bucket_counts.is_empty() && point.bucket_counts.len() != bounds.len() + 1 {
            return Err("a histogram must have one bucket more than bounds");
        }
        if bounds.iter().any(|bound| !bound.is_finite()) || !bounds.is_sorted_by(|a, b| a < b) {
            return Err("a histogram's bounds must be finite and ascending");
        }
        let least = point.min.filter(|min| min.is_finite());
        if least.is_some_and(|min| min < 0.0) || bounds.first().is_some_and(|first| *first < 0.0) {
            return Err("histograms of values below zero are not kept");
        }
        let most = point.max.filter(|max| max.is_finite());
        let stands_for = |bucket: usize| {
            let lower = bucket.checked_sub(1).and_then(|before| bounds.get(before)).copied();
            let middle = match (lower, bounds.get(bucket).copied()) {
                (Some(lower), Some(upper)) if lower > 0.0 => (lower * upper).sqrt(),
                (Some(lower), Some(upper)) => f64::midpoint(lower, upper),
                (Some(lower), None) => most.unwrap_or(lower),
                (None, upper) => upper.unwrap_or(0.0) / 2.0,
            };
            let at_least = least.map_or(middle, |least| middle.max(least));
            most.map_or(at_least, |most| at_least.min(most)) * scale
        };
        let counted = point.bucket_counts.iter().enumerate().filter(|(_, count)| **count > 0);
        Ok(Self {
            count: point.count,
            sum: point.sum.filter(|sum| sum.is_finite()).map(|sum| sum * scale),
            values: counted.map(|(bucket, count)| (stands_for(bucket), *count)).collect(),
        })
    }

    /// Of exponential buckets: values count as the geometric middle of their bucket.
    pub(super) fn exponential(point: &ExponentialPoint, scale: f64) -> Result<Self, &'static str> {
        if point.negative.as_ref().is_some_and(|below| below.bucket_counts.iter().any(|count| *count > 0)) {
            return Err("histograms of values below zero are not kept");
        }
        if !(-10..=20).contains(&point.scale) {
            return Err("an exponential histogram's scale must be from -10 to 20");
        }
        let mut values = Vec::new();
        if point.zero_count > 0 {
            values.push((0.0, point.zero_count));
        }
        if let Some(buckets) = &point.positive {
            if buckets.bucket_counts.len() > MOST_BUCKETS {
                return Err("a histogram has more than 1024 buckets");
            }
            let width = f64::from(-point.scale).exp2();
            for (index, count) in buckets.bucket_counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let index = f64::from(buckets.offset) + f64::from(u16::try_from(index).unwrap_or(u16::MAX));
                values.push((((index + 0.5) * width).exp2() * scale, *count));
            }
        }
        if values.iter().any(|(value, _)| !value.is_finite()) {
            return Err("an exponential histogram's buckets lie beyond all numbers");
        }
        let sum = point.sum.filter(|sum| sum.is_finite()).map(|sum| sum * scale);
        Ok(Self { count: point.count, sum, values })
    }

    /// The values as a sketch, none where there are none. Where the sum is told its mean is exact; its quantiles are within one per cent of the value that stands
    /// for a bucket.
    pub(crate) fn sketch(&self) -> Option<Sketch> {
        let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
        for (value, times) in &self.values {
            sketch.record_many(*value, *times).expect("values of a spread are finite and not below zero");
        }
        if sketch.is_empty() {
            return None;
        }
        let parts = sketch.to_parts();
        let bounds = parts.min * count(&parts)..=parts.max * count(&parts);
        // One that no values near the buckets' middles come to is left to them.
        match self.sum.filter(|sum| bounds.contains(sum)) {
            Some(sum) => Sketch::from_parts(&SketchParts { sum, ..parts }, DEFAULT_MAX_BUCKETS).ok(),
            None => Some(sketch),
        }
    }

    /// What was added since `before`; none where that can't be the same histogram's earlier state.
    pub(crate) fn since(&self, before: &Self) -> Option<Self> {
        let mut added = Vec::new();
        let mut earlier = before.values.iter().peekable();
        for (value, count) in &self.values {
            let mut known = 0;
            while let Some((earlier_value, earlier_count)) = earlier.next_if(|(earlier, _)| earlier <= value)
            {
                // Its bucket would have to be among ours.
                if earlier_value < value {
                    return None;
                }
                known = *earlier_count;
            }
            match count.checked_sub(known)? {
                0 => {}
                more => added.push((*value, more)),
            }
        }
        if earlier.next().is_some() {
            return None;
        }
        Some(Self {
            count: self.count.checked_sub(before.count)?,
            sum: self.sum.zip(before.sum).map(|(now, before)| now - before),
            values: added,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(parts: &SketchParts) -> f64 {
    parts.count as f64
}

#[cfg(test)]
mod tests {
    use super::super::message::Buckets;
    use super::*;

    fn explicit(bounds: &[f64], counts: &[u64]) -> HistogramPoint {
        HistogramPoint {
            explicit_bounds: bounds.to_vec(),
            bucket_counts: counts.to_vec(),
            count: counts.iter().sum(),
            ..HistogramPoint::default()
        }
    }

    #[test]
    fn values_stand_in_the_middle_of_their_bucket() {
        let point = HistogramPoint {
            min: Some(0.004),
            max: Some(3.0),
            ..explicit(&[0.01, 0.09, 1.0], &[1, 2, 0, 3])
        };
        let spread = Spread::explicit(&point, 1_000.0).unwrap();
        assert_eq!(spread.values, [(5.0, 1), (30.0, 2), (3_000.0, 3)]);
        // At scale 0 bucket 3 holds what is above 8 and up to 16.
        let positive = Some(Buckets { offset: 3, bucket_counts: vec![4, 0, 1] });
        let point = ExponentialPoint { positive, zero_count: 2, count: 7, ..ExponentialPoint::default() };
        let spread = Spread::exponential(&point, 1.0).unwrap();
        assert_eq!(spread.values[0], (0.0, 2));
        assert!((spread.values[1].0 - 11.3137).abs() < 0.001 && spread.values[1].1 == 4);
        assert!((spread.values[2].0 - 45.2548).abs() < 0.001 && spread.values[2].1 == 1);
    }

    #[test]
    fn a_sketch_has_the_buckets_quantiles_and_the_programs_mean() {
        // 0 to 0.1, to 0.4 and above.
        let mut point = explicit(&[0.1, 0.4], &[50, 45, 5]);
        point.sum = Some(16.0);
        let sketch = Spread::explicit(&point, 1_000.0).unwrap().sketch().unwrap();
        assert_eq!((sketch.count(), sketch.mean()), (100, Some(160.0)));
        assert!((sketch.quantile(0.9).unwrap() - 200.0).abs() <= 2.0, "the geometric middle");
        // Of one bucket no other value is known than its middle.
        point = explicit(&[0.1, 0.4], &[0, 10, 0]);
        point.sum = Some(3.0);
        let sketch = Spread::explicit(&point, 1_000.0).unwrap().sketch().unwrap();
        assert!((sketch.mean().unwrap() - 200.0).abs() < 1e-9);
        assert_eq!(Spread::explicit(&explicit(&[0.1], &[0, 0]), 1.0).unwrap().sketch(), None);
    }

    #[test]
    fn an_earlier_state_is_taken_away() {
        let spread = |counts: &[u64]| Spread::explicit(&explicit(&[1.0, 2.0], counts), 1.0).unwrap();
        let added = spread(&[3, 0, 5]).since(&spread(&[1, 0, 5])).unwrap();
        assert_eq!((added.count, added.values.as_slice()), (2, &[(0.5, 2)][..]));
        assert_eq!(spread(&[3, 0, 5]).since(&spread(&[4, 0, 0])), None, "fewer than before");
        assert_eq!(spread(&[3, 0, 5]).since(&spread(&[0, 1, 0])), None, "other buckets");
        assert_eq!(spread(&[3, 0, 0]).since(&spread(&[0, 0, 1])), None, "a bucket that is gone");
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        for point in [
            explicit(&[1.0], &[1]),
            explicit(&[2.0, 1.0], &[0, 0, 0]),
            explicit(&[f64::NAN], &[0, 0]),
            explicit(&[-1.0], &[0, 0]),
            explicit(&[], &vec![0; 2_000]),
        ] {
            Spread::explicit(&point, 1.0).unwrap_err();
        }
        for scale in [-11, 21, i32::MIN] {
            Spread::exponential(&ExponentialPoint { scale, ..ExponentialPoint::default() }, 1.0).unwrap_err();
        }
        let positive = Some(Buckets { offset: i32::MAX, bucket_counts: vec![1] });
        let beyond = ExponentialPoint { positive, ..ExponentialPoint::default() };
        Spread::exponential(&beyond, 1.0).unwrap_err();
    }
}
