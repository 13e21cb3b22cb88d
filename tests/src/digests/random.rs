//! The generator that all randomness comes from, and what is derived of it with floating-point functions.

use quillwork_core::rng::Rng;

use super::Decisions;

pub(super) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    for round in 1..=1_000 {
        decisions.record(&rng.next_u64());
        decisions.record(&rng.below(round));
        decisions.record_f64(Some(rng.exponential(3.5)));
    }
    let mut items: Vec<u32> = (0..100).collect();
    rng.shuffle(&mut items);
    decisions.record(&items);
    decisions.digest()
}
