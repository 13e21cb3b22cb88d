//! Cosine similarity against its definition in `f64`.

use pollster::block_on;
use proptest::prelude::*;
use quillwork_compute::accuracy::Sequence;
use quillwork_compute::{Compute, Device, Preference, RanOn};

fn cosine(x: &[f32], y: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let lengths = (dot(x, x) * dot(y, y)).sqrt();
    if lengths > 0.0 { dot(x, y) / lengths } else { 0.0 }
}

fn assert_cosines(compute: &Compute, vectors: &[f32], count: usize, dim: usize, device: Device) -> RanOn {
    let outcome = block_on(compute.cosine_similarity(vectors, count, dim, device)).expect("sizes fit");
    for (i, x) in vectors.chunks_exact(dim).enumerate() {
        for (j, y) in vectors.chunks_exact(dim).enumerate() {
            let found = f64::from(outcome.data[i * count + j]);
            let expected = cosine(x, y);
            // Two roundings of each factor to f32 on top of the sum of dim terms.
            let bound = f64::from(f32::EPSILON) * (f64::from(u32::try_from(dim).expect("small")) + 3.0);
            assert!((found - expected).abs() <= bound, "{found} for {expected} at {i}, {j}");
        }
    }
    outcome.ran_on
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_pair_has_the_cosine_of_its_angle(count in 1_usize..30, dim in 1_usize..50, seed: u64, zero in 0_usize..30) {
        let compute = block_on(Compute::new(Preference::CpuOnly));
        let mut vectors = Sequence::new(seed).take(count * dim);
        if zero < count {
            vectors[zero * dim..][..dim].fill(0.0);
        }
        assert_cosines(&compute, &vectors, count, dim, Device::Auto);
    }
}

#[test]
fn the_gpu_agrees() {
    let compute = block_on(Compute::new(Preference::default()));
    let vectors = Sequence::new(9).take(70 * 40);
    let ran_on = assert_cosines(&compute, &vectors, 70, 40, Device::Gpu);
    assert_eq!(matches!(ran_on, RanOn::Gpu(_)), compute.adapter().is_ok());
}

#[test]
fn no_vector_gives_nan_and_none_leaves_the_interval() {
    let compute = block_on(Compute::new(Preference::CpuOnly));
    let tiny = f32::from_bits(1);
    let vectors = [
        [0.0, 0.0, 0.0],
        [f32::NAN, 1.0, 0.0],
        [f32::INFINITY, 0.0, 0.0],
        [f32::MAX, f32::MAX, f32::MAX],
        [tiny, tiny, tiny],
        [0.1, 0.7, 0.3],
    ]
    .concat();
    let similarity =
        block_on(compute.cosine_similarity(&vectors, 6, 3, Device::Auto)).expect("sizes fit").data;
    assert!(similarity.iter().all(|value| (-1.0..=1.0).contains(value)), "{similarity:?}");
    for without_direction in 0..3 {
        assert!(similarity[without_direction * 6..][..6].iter().all(|&value| value.to_bits() << 1 == 0));
    }
    // The largest and the smallest numbers there are point the same way.
    assert!((similarity[3 * 6 + 4] - 1.0).abs() < 1e-6);
}

#[test]
fn wrong_sizes_are_refused() {
    let compute = block_on(Compute::new(Preference::CpuOnly));
    for (len, count, dim) in [(0, 0, 3), (0, 3, 0), (5, 2, 3), (6, usize::MAX, 2)] {
        let refused = block_on(compute.cosine_similarity(&vec![1.0; len], count, dim, Device::Auto));
        assert!(refused.is_err(), "{len} numbers as {count} x {dim}");
    }
}
