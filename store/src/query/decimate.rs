//! Fewer points that show the same extremes.

/// Of each stretch, aligned to multiples of its length since 1970, the lowest and the highest value, each at its own instant (min-max
/// decimation). Spikes stay, and since the stretches don't move with the range, a chart that moves on does not change what it has
/// shown. `values` are steps with their lowest and highest.
pub(super) fn decimate(values: &[(u64, f64, f64)], step_millis: u64, stretch_millis: u64) -> Vec<(u64, f64)> {
    let mut points = Vec::new();
    for stretch in
        values.chunk_by(|a, b| a.0 * step_millis / stretch_millis == b.0 * step_millis / stretch_millis)
    {
        let lowest = stretch.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        // The earliest of several, as of the lowest.
        let highest = stretch.iter().rev().max_by(|a, b| a.2.total_cmp(&b.2));
        let (Some(&(low_at, low, _)), Some(&(high_at, _, high))) = (lowest, highest) else { continue };
        let (low_at, high_at) = (low_at * step_millis, high_at * step_millis);
        if low_at == high_at && low.to_bits() == high.to_bits() {
            points.push((low_at, low));
        } else if high_at < low_at {
            points.extend([(high_at, high), (low_at, low)]);
        } else {
            points.extend([(low_at, low), (high_at, high)]);
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn extremes_of_every_stretch_stay_and_nothing_is_invented(
            values in prop::collection::btree_map(0_u64..500, -100_i32..100, 1..200), stretch in 1_u64..40,
        ) {
            let steps: Vec<_> = values.iter().map(|(&step, &value)| (step, f64::from(value), f64::from(value))).collect();
            let points = decimate(&steps, 10, stretch * 10);
            prop_assert!(points.is_sorted_by_key(|(at, _)| *at));
            prop_assert!(points.iter().all(|(at, value)| f64::from(values[&(at / 10)]).to_bits() == value.to_bits()));
            for number in 0..=500 / stretch {
                let within = |at: u64| at / stretch == number;
                let all: Vec<i32> = values.iter().filter(|(at, _)| within(**at)).map(|(_, value)| *value).collect();
                let kept: Vec<f64> = points.iter().filter(|(at, _)| within(at / 10)).map(|(_, value)| *value).collect();
                prop_assert!(kept.len() <= 2);
                let extreme = |pick: fn(f64, f64) -> f64| kept.iter().copied().reduce(pick).map(f64::to_bits);
                prop_assert_eq!(extreme(f64::min), all.iter().min().map(|value| f64::from(*value).to_bits()));
                prop_assert_eq!(extreme(f64::max), all.iter().max().map(|value| f64::from(*value).to_bits()));
            }
        }
    }
}
