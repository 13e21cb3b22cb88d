//! History against a map of what was appended, whatever the clock does.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quillwork_core::telemetry::{RelativeAccuracy, Sketch};

use super::test_support::{START, STEP, key, open, options, read, settle, spec, values};
use super::{AddSeriesError, Aggregate, History, HistoryOptions, OpenError, ReadError, Steps};
use crate::series::{InvalidSpec, SeriesId, SeriesKind};
use crate::volume::Memory;

#[derive(Clone, Debug)]
enum Operation {
    /// The clock moves by so many milliseconds, and so late a value comes for each series.
    Append {
        moves: i64,
        late: u64,
        values: [Option<i32>; 2],
    },
    Commit,
    Settle,
    /// The process ends in order and starts again.
    Restart,
    Replace(usize),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let moves = prop_oneof![30 => Just(100_i64), 5 => 0_i64..350, 1 => -1_500_i64..0, 1 => 0_i64..6_000];
    let late = prop_oneof![10 => Just(0_u64), 2 => 0_u64..9_000];
    let value = prop::option::weighted(0.8, -1_000..1_000);
    let append = (moves, late, [value.clone(), value]).prop_map(|(moves, late, values)| Operation::Append {
        moves,
        late,
        values,
    });
    let operation = prop_oneof![
        60 => append,
        20 => Just(Operation::Commit),
        2 => Just(Operation::Settle),
        1 => Just(Operation::Restart),
        1 => (0_usize..2).prop_map(Operation::Replace),
    ];
    prop::collection::vec(operation, 1..300)
}

/// Values by series and step.
type Model = BTreeMap<(usize, u64), i64>;

fn expected(model: &Model, series: usize, from: u64, now: u64, step: u64) -> BTreeMap<u64, Aggregate> {
    let mut steps: BTreeMap<u64, Aggregate> = BTreeMap::new();
    let range = (series, from / step * step / STEP)..=(series, now / STEP);
    for (&(_, at), &value) in model.range(range) {
        let value = Aggregate::of(value);
        steps.entry(at * STEP / step).and_modify(|all| *all = all.then(&value)).or_insert(value);
    }
    steps
}

/// `peak` is the latest that the clock has ever shown: what was dropped for its age then stays dropped.
fn check(
    history: &History<Memory>,
    ids: [SeriesId; 2],
    model: &Model,
    now: u64,
    peak: u64,
) -> Result<(), TestCaseError> {
    for (series, id) in ids.into_iter().enumerate() {
        for tier in options().tiers {
            // Of each tier as far back as it is kept, in its own steps and in longer ones.
            let from = peak - tier.retention_millis + tier.window_millis();
            for step in [tier.step_millis, 3 * tier.step_millis] {
                let from = from.div_ceil(step) * step;
                let found = read(history, id, from, u64::MAX, step);
                let expected = expected(model, series, from, now, step);
                let lost = expected.keys().find(|at| !found.contains_key(at));
                let invented = found.keys().find(|at| !expected.contains_key(at));
                prop_assert_eq!(
                    (lost, invented),
                    (None, None),
                    "in steps of {} ms from {} to {}",
                    step,
                    from,
                    now
                );
                for (found, expected) in found.values().zip(expected.values()) {
                    prop_assert_eq!((found.count, found.last), (expected.count, expected.last));
                    if series == 0 {
                        prop_assert_eq!(
                            (found.sum, found.min, found.max),
                            (expected.sum, expected.min, expected.max)
                        );
                    } else {
                        prop_assert_eq!((found.first, found.increase), (expected.first, expected.increase));
                    }
                }
            }
        }
    }
    Ok(())
}

const KINDS: [SeriesKind; 2] = [SeriesKind::Gauge, SeriesKind::Counter];
const NAMES: [&str; 2] = ["a", "b"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 2) })]

    #[test]
    fn agrees_with_a_map(operations in operations()) {
        let (mut now, mut peak) = (START, START);
        let mut history = open(Memory::new(), now);
        let add = |history: &mut History<Memory>, series: usize| {
            history.add_series(spec(NAMES[series], KINDS[series])).unwrap()
        };
        let mut ids = [add(&mut history, 0), add(&mut history, 1)];
        let mut model = Model::new();
        // What is too late for the finest tier that is left is refused then.
        let mut restarted = false;
        for operation in operations {
            match operation {
                Operation::Append { moves, late, values } => {
                    let back = moves < 0;
                    now = now.saturating_add_signed(moves);
                    peak = peak.max(now);
                    if back {
                        model.retain(|&(_, step), _| step <= now / STEP);
                    }
                    let at = now - late;
                    for (series, value) in values.into_iter().enumerate() {
                        let Some(value) = value else { continue };
                        let appended = history.append(now, at, &[(ids[series], f64::from(value))]);
                        let must = late + options().tiers[0].window_millis() <= options().tiers[0].retention_millis;
                        prop_assert!(appended.stored == 1 || !must || restarted || now < peak, "{late} ms late");
                        if appended.stored == 1 {
                            model.insert((series, at / STEP), i64::from(value));
                        }
                    }
                    history.append(now, now, &[]);
                }
                Operation::Commit => history.commit().unwrap(),
                Operation::Settle => settle(&mut history),
                Operation::Restart => {
                    restarted = true;
                    history.flush().unwrap();
                    let volume = history.volume.clone();
                    history = open(volume, now);
                    ids = NAMES.map(|name| history.find(&key(name)).expect("it was stored"));
                }
                Operation::Replace(series) => {
                    prop_assert!(history.remove_series(ids[series]));
                    ids[series] = add(&mut history, series);
                    model.retain(|&(other, _), _| other != series);
                }
            }
        }
        check(&history, ids, &model, now, peak)?;
        settle(&mut history);
        check(&history, ids, &model, now, peak)?;
        prop_assert_eq!(history.take_damaged(), []);
    }
}

/// Values of twenty seconds, one of them far above the others.
fn twenty_seconds(history: &mut History<Memory>) -> (SeriesId, u64) {
    let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    let mut now = START;
    for step in 0..200 {
        now = START + step * STEP;
        history.append(now, now, &[(id, if step == 30 { 900.0 } else { 5.0 })]);
        history.commit().unwrap();
    }
    settle(history);
    (id, now)
}

#[test]
fn what_is_rolled_up_keeps_its_spikes_and_what_is_old_goes() {
    let mut history = open(Memory::new(), START);
    let (id, now) = twenty_seconds(&mut history);
    let rolled = read(&history, id, START, now, 400);
    assert_eq!(
        rolled[&((START + 3_000) / 400)],
        Aggregate { count: 4, sum: 915, min: 5, max: 900, first: 5, last: 5, increase: 0 }
    );
    assert_eq!(history.reader([id]).finest_step_millis(now - 1_000), STEP);
    assert_eq!(history.reader([id]).finest_step_millis(START), 400, "its single steps are gone");
    assert!(values(&history, id, START, START + 5_000).is_empty());

    let later = now + 60_000;
    history.append(later, later, &[]);
    settle(&mut history);
    assert_eq!(history.reader([id]).finest_step_millis(START), 800);
    history.append(later + 90_000, later + 90_000, &[]);
    settle(&mut history);
    let files = history.files.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn a_late_value_is_in_the_coarser_tiers_too() {
    let mut history = open(Memory::new(), START);
    let (id, now) = twenty_seconds(&mut history);
    let at = now - 4_000;
    assert_eq!(history.append(now, at, &[(id, -70.0)]).stored, 1);
    history.flush().unwrap();
    settle(&mut history);
    for step in [400, 800] {
        assert_eq!(read(&history, id, at, at + 1, step)[&(at / step)].min, -70, "in steps of {step} ms");
    }
}

#[test]
fn sketches_are_merged_so_that_quantiles_of_a_long_time_are_right() {
    let mut history = open(Memory::new(), START);
    let id = history.add_series(spec("response", SeriesKind::Sketch)).unwrap();
    let mut all = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
    for step in 0..100 {
        let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
        for value in [10.0, 10.0 + step as f64] {
            sketch.record(value).unwrap();
            all.record(value).unwrap();
        }
        let now = START + step * STEP;
        assert_eq!(history.append_sketch(now, now, id, &sketch).stored, 1);
        history.commit().unwrap();
    }
    settle(&mut history);
    let now = START + 99 * STEP;
    let read = history.reader([id]).read(START, now + 1, 12_800).unwrap();
    let Steps::Sketches(steps) = &read.series[0].1.steps else { panic!("a sketch has sketches") };
    assert_eq!((steps.len(), steps[0].1.count()), (1, 200));
    assert_eq!(steps[0].1.quantile(0.95), all.quantile(0.95));
    assert_eq!(history.append(now, now, &[(id, 1.0)]).refused, 1, "a sketch takes no numbers");
}

#[test]
fn series_are_bounded_and_room_comes_back() {
    let mut history = open(Memory::new(), START);
    let gauge = |name| spec(name, SeriesKind::Gauge);
    let ids = ["a", "b", "c", "d"].map(|name| history.add_series(gauge(name)).unwrap());
    assert_eq!(history.add_series(gauge("e")), Err(AddSeriesError::TooManySeries { limit: 4 }));
    assert_eq!(history.add_series(gauge("b")), Ok(ids[1]));
    assert!(history.remove_series(ids[2]));
    assert!(!history.remove_series(ids[2]));
    assert!(history.add_series(gauge("e")).unwrap() > ids[3], "its number is new");
    assert!(history.catalogue().map(|(_, spec)| spec.key.name()).eq(["a", "b", "d", "e"]));

    let mut refused = |change: &dyn Fn(&mut crate::series::SeriesSpec)| {
        let mut spec = gauge("a");
        change(&mut spec);
        history.add_series(spec).unwrap_err()
    };
    assert_eq!(refused(&|spec| spec.unit = "bytes".into()), AddSeriesError::Differs);
    assert_eq!(refused(&|spec| spec.kind = SeriesKind::Counter), AddSeriesError::Differs);
    let invalid = AddSeriesError::Invalid;
    assert_eq!(refused(&|spec| spec.resolution = 0.0), invalid(InvalidSpec::Resolution(0.0)));
    assert_eq!(refused(&|spec| spec.unit = "x".repeat(65)), invalid(InvalidSpec::Unit(65)));
}

#[test]
fn options_that_make_no_sense_and_those_of_another_file_are_refused() {
    let mut history = open(Memory::new(), START);
    history.flush().unwrap();
    let other = History::open(history.volume.clone(), HistoryOptions::default(), START).unwrap_err();
    assert_eq!(other, OpenError::OtherFormat);
    let refused = |change: &dyn Fn(&mut HistoryOptions)| {
        let mut options = options();
        change(&mut options);
        assert_eq!(History::open(Memory::new(), options, START).unwrap_err(), OpenError::Options);
    };
    refused(&|options| options.head_steps = 0);
    refused(&|options| options.head_steps = 65);
    refused(&|options| options.head_steps = 3);
    refused(&|options| options.tiers.clear());
    refused(&|options| options.tiers[1].step_millis = 250);
    refused(&|options| options.tiers[0].retention_millis = 100);
    assert!(History::open(Memory::new(), HistoryOptions::default(), START).is_ok());
}

#[test]
fn ranges_and_instants_at_the_end_of_time_are_empty_and_harmless() {
    let mut history = open(Memory::new(), START);
    let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    history.append(START, START, &[(id, 1.0)]);
    for from in [START + 100, u64::MAX - 2_000, u64::MAX] {
        assert!(read(&history, id, from, u64::MAX, STEP).is_empty(), "from {from}");
    }
    assert_eq!(values(&history, id, 0, u64::MAX).len(), 1);
    assert_eq!(history.append(START, START + 200, &[(id, 1.0)]).refused, 1, "of the future");
    assert_eq!(history.append(START, START, &[(id, f64::NAN), (id, 1e300)]).refused, 2);
    assert_eq!(history.reader([id]).read(0, 1, 150), Err(ReadError::Step { finest_millis: STEP }));
}

#[test]
fn what_a_wrong_clock_recorded_is_forgotten_in_coarser_tiers_too() {
    let mut history = open(Memory::new(), START);
    let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    let ahead = START + 2_000;
    history.append(START + 300, START + 300, &[(id, 7.0)]);
    history.append(ahead, ahead, &[]);
    settle(&mut history);
    assert_eq!(read(&history, id, START, ahead, 400).len(), 1);
    // Back into the coarse step that has the value, and before it.
    history.append(START + 200, START + 200, &[]);
    history.append(ahead, ahead, &[]);
    settle(&mut history);
    for step in [STEP, 400, 800] {
        assert!(read(&history, id, START, ahead, step).is_empty(), "in steps of {step} ms");
    }
}

#[test]
fn a_clock_that_starts_in_1970_forgets_nothing() {
    let mut history = open(Memory::new(), START);
    let (id, now) = twenty_seconds(&mut history);
    let far = 40 * 3_600_000;
    let ahead = now + far;
    let mut history = open(history.volume.clone(), 5_000);
    history.append(5_000, 5_000, &[(id, 1.0)]);
    history.commit().unwrap();
    assert!(values(&history, id, 0, u64::MAX).values().eq([&1]), "what lies ahead is not shown");
    history.append(now, now, &[]);
    history.commit().unwrap();
    assert!(values(&history, id, now - 1_000, now).len() > 5, "its time has come");
    // Nor does a leap to years ahead drop anything before it is sure.
    history.append(ahead, ahead, &[]);
    history.commit().unwrap();
    assert!(!history.files.is_empty());
    history.append(ahead + 600_000, ahead + 600_000, &[]);
    settle(&mut history);
    assert!(history.files.is_empty());
}
