//! Figures of many values.

use quillwork_core::telemetry::Sketch;

/// Values in ascending order.
pub(super) struct Spread(Vec<f64>);

impl Spread {
    pub(super) fn new(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        (!values.is_empty()).then_some(Self(values))
    }

    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 values")]
    pub(super) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The value that this share of them don't exceed (nearest rank).
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of their number is within it"
    )]
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    pub(super) fn lowest(&self) -> f64 {
        self.0[0]
    }

    pub(super) fn highest(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The share of them for which this holds.
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 values")]
    pub(super) fn share(&self, holds: impl Fn(f64) -> bool) -> f64 {
        self.0.iter().filter(|value| holds(**value)).count() as f64 / self.0.len() as f64
    }
}

/// All sketches as one.
pub(super) fn merged<'a>(sketches: impl IntoIterator<Item = &'a Sketch>) -> Option<Sketch> {
    let mut all: Option<Sketch> = None;
    for sketch in sketches {
        match &mut all {
            // One of another accuracy can't be added; those of pages have one.
            Some(all) => drop(all.merge(sketch)),
            None => all = Some(sketch.clone()),
        }
    }
    all.filter(|all| !all.is_empty())
}

/// The share of the values of a sketch that exceed a bound, to its accuracy.
pub(super) fn share_above(sketch: &Sketch, bound: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle: f64 = 0.5 * (low + high);
        if sketch.quantile(middle).is_some_and(|value| value > bound) { high = middle } else { low = middle }
    }
    // What is above from the lowest rank to the highest, or not at all.
    if high < 1e-9 {
        1.0
    } else if low > 1.0 - 1e-9 {
        0.0
    } else {
        1.0 - low
    }
}

#[cfg(test)]
mod tests {
    use quillwork_core::telemetry::RelativeAccuracy;

    use super::*;

    #[test]
    fn a_share_above_a_bound_is_that_of_the_values() {
        let mut sketch = Sketch::new(RelativeAccuracy::new(0.01).unwrap());
        for millis in 1..=1_000_u32 {
            sketch.record(f64::from(millis)).unwrap();
        }
        assert!((share_above(&sketch, 900.0) - 0.1).abs() < 0.015);
        assert!(share_above(&sketch, 2_000.0) <= 0.0 && share_above(&sketch, 0.5) >= 1.0);
    }

    #[test]
    fn quantiles_are_values() {
        let spread = Spread::new((1..=20).map(f64::from).chain([f64::NAN])).unwrap();
        for (share, value) in [(0.0, 1.0), (0.05, 1.0), (0.5, 10.0), (0.95, 19.0), (1.0, 20.0)] {
            assert!((spread.quantile(share) - value).abs() < 1e-12, "{share}");
        }
        assert!((spread.share(|value| value > 15.0) - 0.25).abs() < 1e-12);
        assert!(Spread::new([]).is_none());
    }
}
