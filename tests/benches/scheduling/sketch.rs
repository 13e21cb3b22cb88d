//! Records response times into a sketch, and asks it for its 99th percentile, beside crate `sketches-ddsketch`.
//!
//! Both have a relative accuracy of 1 % and 2,048 buckets, and are given the same lognormal values.

use std::hint::black_box;

use quillwork_core::rng::Rng;
use quillwork_core::telemetry::{RelativeAccuracy, Sketch};
use sketches_ddsketch::{Config, DDSketch};

use crate::rounds::compare;

const PEER: &str = "sketches-ddsketch 0.4.2";

pub(crate) fn run() {
    let mut rng = Rng::from_seed(1);
    let values: Vec<f64> = (0..4_096).map(|_| (2.0 + rng.exponential(1.0)).exp()).collect();
    let mut ours = Sketch::with_max_buckets(RelativeAccuracy::new(0.01).expect("1 %"), 2_048);
    let mut theirs = DDSketch::new(Config::new(0.01, 2_048, 1e-9));
    let (mut next_ours, mut next_theirs) = (0, 0);
    compare(
        "record a value in a sketch",
        PEER,
        500_000,
        || {
            next_ours = (next_ours + 1) % values.len();
            ours.record(black_box(values[next_ours])).expect("it is finite and positive");
        },
        || {
            next_theirs = (next_theirs + 1) % values.len();
            theirs.add(black_box(values[next_theirs]));
        },
    );
    compare(
        "ask a sketch for its p99",
        PEER,
        20_000,
        || ours.quantile(black_box(0.99)),
        || theirs.quantile(black_box(0.99)),
    );
}
