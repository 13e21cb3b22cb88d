//! The quantile sketch: logarithms decide the bucket of a sample.

use quillwork_core::rng::Rng;
use quillwork_core::telemetry::{RelativeAccuracy, Sketch};

use super::Decisions;

pub(super) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let accuracy = RelativeAccuracy::new(0.01).expect("one per cent is an accuracy");
    let mut decisions = Decisions::new();
    let mut all = Sketch::new(accuracy);
    for _ in 0..20 {
        let mut part = Sketch::new(accuracy);
        let scale = mean_millis(&mut rng);
        for _ in 0..500 {
            decisions.record(&part.record(rng.exponential(scale)));
        }
        decisions.record(&all.merge(&part));
        for per_cent in [0.0, 0.5, 0.9, 0.95, 0.99, 1.0] {
            decisions.record_f64(part.quantile(per_cent));
            decisions.record_f64(all.quantile(per_cent));
        }
        decisions.record_f64(all.mean());
    }
    decisions.digest()
}

/// From microseconds to minutes, in milliseconds.
fn mean_millis(rng: &mut Rng) -> f64 {
    [0.001, 0.1, 5.0, 400.0, 60_000.0][rng.index(5)]
}
