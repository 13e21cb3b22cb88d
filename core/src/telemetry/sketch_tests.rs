//! What a sketch promises, against an exact sort of the same values.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::sketch_parts::{InvalidParts, SketchParts};
use super::{InvalidSample, RelativeAccuracy, Sketch};

fn sketch_of(values: &[f64], max_buckets: usize) -> Sketch {
    let mut sketch = Sketch::with_max_buckets(RelativeAccuracy::ONE_PER_CENT, max_buckets);
    for &value in values {
        sketch.record(value).unwrap();
    }
    sketch
}

/// All that does not depend on the order of additions, which is all but the last bits of the sum.
fn exact_part(sketch: &Sketch) -> SketchParts {
    SketchParts { sum: 0.0, ..sketch.to_parts() }
}

/// Values over twelve decimal orders, zeros among them.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        1 => Just(0.0),
        8 => (-6.0_f64..6.0).prop_map(|exponent| libm::pow(10.0, exponent)),
        2 => 0.0_f64..100.0,
    ];
    prop::collection::vec(value, 1..300)
}

proptest! {
    #[test]
    fn any_quantile_is_within_the_accuracy(values in values(), q in 0.0_f64..=1.0, percent in 1_u32..20) {
        let accuracy = f64::from(percent) / 100.0;
        let mut sketch = Sketch::new(RelativeAccuracy::new(accuracy).unwrap());
        for &value in &values {
            sketch.record(value).unwrap();
        }
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "q is between 0 and 1")]
        let rank = (q * (sorted.len() - 1) as f64) as usize;
        let exact = sorted[rank];
        let estimate = sketch.quantile(q).unwrap();
        // Values below 1e-9 count as zero.
        let allowed = accuracy * exact * (1.0 + 1e-9) + 1e-9;
        prop_assert!((estimate - exact).abs() <= allowed, "{estimate} for {exact}");
    }

    #[test]
    fn values_that_repeat_are_counted_as_any(
        some in prop::collection::vec(values(), 1..4),
        order in prop::collection::vec((0_usize..4, 0_usize..3), 1..200),
        max_buckets in 1_usize..8,
    ) {
        let mut alike = Sketch::with_max_buckets(RelativeAccuracy::ONE_PER_CENT, max_buckets);
        let mut plain = alike.clone();
        let some = some.concat();
        for (which, clear) in order {
            let value = some.get(which).copied().unwrap_or(0.0);
            if clear == 0 && which == 3 {
                alike.clear();
                plain.clear();
            }
            for _ in 0..=clear {
                alike.record_alike(value).unwrap();
                plain.record(value).unwrap();
            }
            prop_assert_eq!(&alike, &plain);
        }
    }

    #[test]
    fn merging_is_the_sketch_of_everything(a in values(), b in values(), c in values(), max_buckets in 1_usize..80) {
        let [sa, sb, sc] = [&a, &b, &c].map(|part| sketch_of(part, max_buckets));
        let whole = sketch_of(&[a, b, c].concat(), max_buckets);

        let mut left = sa.clone();
        left.merge(&sb).unwrap();
        left.merge(&sc).unwrap();
        let mut right = sc;
        right.merge(&sb).unwrap();
        right.merge(&sa).unwrap();
        let mut grouped = sb;
        grouped.merge(&right).unwrap();

        prop_assert_eq!(exact_part(&left), exact_part(&whole));
        prop_assert_eq!(exact_part(&right), exact_part(&whole));
        prop_assert!((left.sum() - whole.sum()).abs() <= 1e-9 * whole.sum());
    }

    #[test]
    fn folding_spares_the_upper_buckets(values in values(), max_buckets in 1_usize..40) {
        let bounded = sketch_of(&values, max_buckets);
        let unbounded = sketch_of(&values, usize::MAX);
        prop_assert!(bounded.buckets.len() <= max_buckets);
        prop_assert_eq!(bounded.count(), unbounded.count());
        let spared = bounded.buckets.len().saturating_sub(1);
        let upper = &unbounded.buckets[unbounded.buckets.len() - spared..];
        prop_assert_eq!(&bounded.buckets[bounded.buckets.len() - spared..], upper);
    }

    #[test]
    fn parts_come_back_as_the_same_sketch(values in values(), max_buckets in 1_usize..80) {
        let sketch = sketch_of(&values, max_buckets);
        prop_assert_eq!(Sketch::from_parts(&sketch.to_parts(), max_buckets), Ok(sketch));
    }

    /// Whatever parts say, they are refused or make a sketch that answers sensibly.
    #[test]
    fn hostile_parts_never_make_a_broken_sketch(
        count in any::<u64>(), sum in any::<f64>(), min in any::<f64>(), max in any::<f64>(), zeros in 0_u64..4,
        relative_accuracy in prop_oneof![Just(0.01), any::<f64>()],
        buckets in prop::collection::vec((any::<i32>(), any::<u64>()), 0..6),
    ) {
        let parts = SketchParts { count, sum, min, max, relative_accuracy, zeros, buckets };
        if let Ok(sketch) = Sketch::from_parts(&parts, 4) {
            let answer = sketch.quantile(0.5);
            prop_assert_eq!(answer.is_some(), count > 0);
            prop_assert!(answer.is_none_or(|value| (min..=max).contains(&value)));
        }
    }
}

fn good_parts() -> SketchParts {
    sketch_of(&[0.0, 5.0, 20.0, 20.0], 64).to_parts()
}

fn refused(change: impl FnOnce(&mut SketchParts)) -> InvalidParts {
    let mut parts = good_parts();
    change(&mut parts);
    Sketch::from_parts(&parts, 64).expect_err("the change made the parts invalid")
}

#[test]
fn each_kind_of_malformed_parts_is_named() {
    assert!(Sketch::from_parts(&good_parts(), 64).is_ok());
    assert_eq!(refused(|p| p.relative_accuracy = 0.0), InvalidParts::Accuracy(0.0));
    assert!(matches!(refused(|p| p.relative_accuracy = f64::NAN), InvalidParts::Accuracy(_)));
    assert!(matches!(
        refused(|p| p.buckets = vec![(1, 1); 65]),
        InvalidParts::TooManyBuckets { count: 65, limit: 64 }
    ));
    assert_eq!(refused(|p| p.count = (1 << 53) + 1), InvalidParts::CountTooLarge);
    assert_eq!(refused(|p| p.buckets[0].1 = u64::MAX), InvalidParts::CountTooLarge);
    assert!(matches!(refused(|p| p.buckets[0].1 = 0), InvalidParts::EmptyBucket { .. }));
    assert!(matches!(refused(|p| p.buckets.reverse()), InvalidParts::Unsorted { .. }));
    assert!(matches!(refused(|p| p.buckets[1].0 = p.buckets[0].0), InvalidParts::Unsorted { .. }));
    assert_eq!(refused(|p| p.count = 5), InvalidParts::CountMismatch { count: 5, counted: 4 });
    assert_eq!(refused(|p| p.sum = f64::INFINITY), InvalidParts::NotFinite);
    assert_eq!(refused(|p| p.max = f64::NAN), InvalidParts::NotFinite);
    assert!(matches!(refused(|p| p.min = -1.0), InvalidParts::Range { .. }));
    assert!(matches!(refused(|p| p.max = 0.0), InvalidParts::Range { .. } | InvalidParts::Sum { .. }));
    assert_eq!(refused(|p| p.sum = 81.0), InvalidParts::Sum { sum: 81.0 });
    assert!(matches!(refused(|p| p.sum = -1.0), InvalidParts::Sum { .. }));
    assert_eq!(refused(|p| p.buckets[1].0 = i32::MAX), InvalidParts::BucketOutOfRange { index: i32::MAX });
    assert_eq!(refused(|p| p.buckets[0].0 = i32::MIN), InvalidParts::BucketOutOfRange { index: i32::MIN });
    assert_eq!(
        refused(|p| *p = SketchParts { count: 0, zeros: 0, buckets: vec![], ..p.clone() }),
        InvalidParts::NotEmpty
    );
}

#[test]
fn empty_parts_are_an_empty_sketch() {
    let empty = Sketch::default();
    let parts = empty.to_parts();
    assert_eq!((parts.count, parts.min.to_bits(), parts.max.to_bits()), (0, 0, 0));
    assert_eq!(Sketch::from_parts(&parts, 2_048), Ok(empty));
}

#[test]
fn an_empty_sketch_has_no_quantile() {
    let sketch = Sketch::default();
    assert_eq!((sketch.quantile(0.5), sketch.min(), sketch.max(), sketch.mean()), (None, None, None, None));
}

#[test]
fn quantiles_outside_zero_to_one_are_absent() {
    let sketch = sketch_of(&[1.0], 8);
    assert_eq!((sketch.quantile(-0.1), sketch.quantile(1.1), sketch.quantile(f64::NAN)), (None, None, None));
}

#[test]
fn values_that_are_no_magnitude_are_refused_and_change_nothing() {
    let mut sketch = sketch_of(&[1.0], 8);
    let before = sketch.clone();
    assert_eq!(sketch.record(f64::NAN), Err(InvalidSample::NotFinite));
    assert_eq!(sketch.record(f64::INFINITY), Err(InvalidSample::NotFinite));
    assert_eq!(sketch.record(-1.0), Err(InvalidSample::Negative));
    assert_eq!(sketch, before);
}

#[test]
fn the_ends_of_the_number_line_have_buckets() {
    let sketch = sketch_of(&[f64::MIN_POSITIVE, 1e-9, f64::MAX], 8);
    assert_eq!(sketch.quantile(0.0), Some(f64::MIN_POSITIVE));
    assert_eq!(sketch.quantile(1.0), Some(f64::MAX));
    assert!((sketch.quantile(0.5).unwrap() - 1e-9).abs() <= 1e-11);
}

#[test]
fn counts_stop_at_their_end() {
    let mut sketch = Sketch::default();
    sketch.record_many(3.0, u64::MAX).unwrap();
    sketch.record_many(3.0, 10).unwrap();
    assert_eq!(sketch.count(), u64::MAX);
    assert!((sketch.quantile(0.5).unwrap() - 3.0).abs() <= 0.03);
}

#[test]
fn different_accuracies_do_not_merge() {
    let mut sketch = sketch_of(&[1.0], 8);
    let coarse = Sketch::new(RelativeAccuracy::new(0.05).unwrap());
    let before = sketch.clone();
    assert_eq!(sketch.merge(&coarse).unwrap_err().theirs, coarse.accuracy());
    assert_eq!(sketch, before);
}
