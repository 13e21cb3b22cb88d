//! Min-max decimation: at most two points a pixel column and no spike lost.
//!
//! The buckets are multiples of a whole number of slots counted from the epoch, so that a point keeps its bucket while
//! the window scrolls and a live chart does not shimmer. Unlike LTTB this keeps every extreme, which is what one looks
//! for on a chart of load.

/// How a window of slots is cut into buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// First slot, a multiple of `size`.
    pub first_slot: u64,
    /// Last slot.
    pub last_slot: u64,
    /// Slots in a bucket; 1 leaves the values as they are.
    pub size: u64,
}

impl Buckets {
    /// Cuts the slots `from..=to` so that at most two points fall on a pixel column of a chart `columns` wide.
    pub fn over(from: u64, to: u64, columns: u32) -> Self {
        let slots = to.saturating_sub(from) + 1;
        let size = slots.div_ceil(u64::from(columns.max(1))).max(1);
        Self { first_slot: from - from % size, last_slot: to.max(from), size }
    }

    /// The instants of the points, in seconds since the epoch, for slots of `step_millis`.
    pub fn seconds(&self, step_millis: u64) -> Vec<f64> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit into 53 bits for 285 000 years"
        )]
        let seconds = |slot: u64, quarters: u64| {
            (slot * step_millis) as f64 / 1e3 + (self.size * step_millis * quarters) as f64 / 4e3
        };
        let starts = (self.first_slot..=self.last_slot).step_by(step(self.size));
        if self.size == 1 {
            starts.map(|slot| seconds(slot, 0)).collect()
        } else {
            starts.flat_map(|slot| [seconds(slot, 1), seconds(slot, 3)]).collect()
        }
    }

    /// Two points per bucket: its extremes in the order in which they came. NaN where nothing was observed.
    ///
    /// `values` are those of the slots from `first_slot` on.
    pub fn decimate(&self, values: &[f32]) -> Vec<f32> {
        if self.size == 1 {
            return values.to_vec();
        }
        values.chunks(step(self.size)).flat_map(extremes).collect()
    }
}

fn step(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

fn extremes(bucket: &[f32]) -> [f32; 2] {
    let mut least: Option<(usize, f32)> = None;
    let mut greatest: Option<(usize, f32)> = None;
    for (index, &value) in bucket.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        if least.is_none_or(|(_, least)| value < least) {
            least = Some((index, value));
        }
        if greatest.is_none_or(|(_, greatest)| value > greatest) {
            greatest = Some((index, value));
        }
    }
    match (least, greatest) {
        (Some((at_least, least)), Some((at_greatest, greatest))) if at_least <= at_greatest => {
            [least, greatest]
        }
        (Some((_, least)), Some((_, greatest))) => [greatest, least],
        _ => [f32::NAN; 2],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_window_is_left_as_it_is() {
        let buckets = Buckets::over(100, 159, 300);
        let values: Vec<f32> = (0..60_u16).map(f32::from).collect();
        assert_eq!(buckets.size, 1);
        assert_eq!(buckets.decimate(&values), values);
        assert_eq!(buckets.seconds(1_000)[..2], [100.0, 101.0]);
    }

    #[test]
    fn a_spike_of_one_slot_survives() {
        let buckets = Buckets::over(0, 3_599, 300);
        let mut values = vec![0.1_f32; 3_600];
        values[1_801] = 1.0;
        let points = buckets.decimate(&values);
        assert!(points.len() <= 600);
        assert!(points.contains(&1.0));
    }

    #[test]
    fn an_empty_bucket_breaks_the_line() {
        let buckets = Buckets { first_slot: 0, last_slot: 5, size: 3 };
        let points = buckets.decimate(&[1.0, f32::NAN, 2.0, f32::NAN, f32::NAN, f32::NAN]);
        assert_eq!(points[..2], [1.0, 2.0]);
        assert!(points[2].is_nan() && points[3].is_nan());
    }

    #[test]
    fn buckets_stay_put_while_the_window_scrolls() {
        let now = Buckets::over(1_000, 4_599, 300);
        let later = Buckets::over(1_001, 4_600, 300);
        let instants = now.seconds(1_000);
        let kept = later.seconds(1_000).iter().filter(|second| instants.contains(second)).count();
        assert!(kept >= instants.len() - 2, "{kept} of {}", instants.len());
    }

    proptest! {
        #[test]
        fn keeps_every_extreme_and_invents_nothing(
            values in prop::collection::vec(prop_oneof![4 => (-1e6_f32..1e6).boxed(), 1 => Just(f32::NAN).boxed()], 1..600),
            from in 0_u64..100_000,
            columns in 1_u32..200,
        ) {
            let buckets = Buckets::over(from, from + values.len() as u64 - 1, columns);
            let padding = usize::try_from(from - buckets.first_slot).expect("less than a bucket");
            let padded: Vec<f32> = std::iter::repeat_n(f32::NAN, padding).chain(values.iter().copied()).collect();
            let points = buckets.decimate(&padded);
            let seconds = buckets.seconds(1_000);

            prop_assert_eq!(points.len(), seconds.len());
            prop_assert!(buckets.size == 1 || points.len() <= 2 * (columns as usize + 1));
            prop_assert!(seconds.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(points.iter().all(|p| p.is_nan() || values.contains(p)));
            let ends = |list: &[f32]| {
                let known = list.iter().copied().filter(|value| value.is_finite());
                (known.clone().fold(f32::INFINITY, f32::min), known.fold(f32::NEG_INFINITY, f32::max))
            };
            prop_assert_eq!(ends(&points), ends(&values));
        }
    }
}
