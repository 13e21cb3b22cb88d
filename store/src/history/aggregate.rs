//! What is known of a stretch of time of one series.

/// What a stretch of time comes to, in whole multiples of the series' resolution. A single value is a stretch too.
///
/// Averages of averages and quantiles of quantiles say nothing: stretches are joined from these, and a mean is asked of the
/// result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// How many values there were; at least one.
    pub count: u64,
    /// Their sum, as far as 64 bits go.
    pub sum: i64,
    /// The smallest.
    pub min: i64,
    /// The largest.
    pub max: i64,
    /// The earliest.
    pub first: i64,
    /// The latest.
    pub last: i64,
    /// By how much a counter grew from the first value to the last. Where it fell it began anew at zero.
    pub increase: i64,
}

impl Aggregate {
    /// One value.
    #[must_use]
    pub const fn of(value: i64) -> Self {
        Self { count: 1, sum: value, min: value, max: value, first: value, last: value, increase: 0 }
    }

    /// This stretch and a later one.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        Self {
            count: self.count.saturating_add(later.count),
            sum: self.sum.saturating_add(later.sum),
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            first: self.first,
            last: later.last,
            increase: self
                .increase
                .saturating_add(growth(self.last, later.first))
                .saturating_add(later.increase),
        }
    }
}

/// From one reading of a counter to the next.
pub(crate) fn growth(before: i64, after: i64) -> i64 {
    if after >= before { after.saturating_sub(before) } else { after.max(0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(values: &[i64]) -> Option<Aggregate> {
        values.iter().map(|&value| Aggregate::of(value)).reduce(|all, next| all.then(&next))
    }

    #[test]
    fn a_counter_that_begins_anew_has_grown_by_what_it_shows_since() {
        assert_eq!(joined(&[100, 130, 10, 15]).unwrap().increase, 30 + 10 + 5);
        assert_eq!(joined(&[100]).unwrap().increase, 0);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_time_is_cut(
            values in prop::collection::vec(-1_000_i64..1_000, 2..40), cut in any::<prop::sample::Index>(),
        ) {
            let (before, after) = values.split_at(1 + cut.index(values.len() - 1));
            let parts = joined(before).unwrap().then(&joined(after).unwrap());
            prop_assert_eq!(Some(parts), joined(&values));
            prop_assert_eq!(parts.sum, values.iter().sum::<i64>());
            prop_assert_eq!(Some(&parts.max), values.iter().max());
        }
    }
}
