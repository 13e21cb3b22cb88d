//! History against a map of what was appended, whatever the clock does.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quillwork_core::telemetry::{RelativeAccuracy, Sketch};

use super::block::{BlockId, Table};
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

/// What the clock did. `peak` is the latest that it has ever shown: what was dropped for its age then stays dropped. `deep` has the instants to which it was set
/// back further than single values are kept: the coarse steps around those went whole.
struct Clock {
    now: u64,
    peak: u64,
    deep: Vec<u64>,
}

fn check(
    history: &History<Memory>,
    ids: [SeriesId; 2],
    model: &Model,
    Clock { now, peak, deep }: &Clock,
) -> Result<(), TestCaseError> {
    let (now, peak) = (*now, *peak);
    for (series, id) in ids.into_iter().enumerate() {
        for tier in options().tiers {
            // Of each tier as far back as it is kept, in its own steps and in longer ones.
            let from = peak - tier.retention_millis + tier.window_millis();
            for step in [tier.step_millis, 3 * tier.step_millis] {
                let from = from.div_ceil(step) * step;
                let mut found = read(history, id, from, u64::MAX, step);
                let mut expected = expected(model, series, from, now, step);
                for at in deep.iter().filter(|_| step > STEP).map(|at| at / step) {
                    found.remove(&at);
                    expected.remove(&at);
                }
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
        let mut clock = Clock { now: START, peak: START, deep: Vec::new() };
        let mut history = open(Memory::new(), START);
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
                    let finest = options().tiers[0];
                    let now = clock.now.saturating_add_signed(moves);
                    clock.now = now;
                    clock.peak = clock.peak.max(now);
                    if moves < 0 {
                        model.retain(|&(_, step), _| step <= now / STEP);
                        if now + finest.retention_millis <= clock.peak + finest.window_millis() {
                            clock.deep.push(now);
                        }
                    }
                    let at = now - late;
                    for (series, value) in values.into_iter().enumerate() {
                        let Some(value) = value else { continue };
                        let appended = history.append(now, at, &[(ids[series], f64::from(value))]);
                        let must = late + finest.window_millis() <= finest.retention_millis;
                        prop_assert!(appended.stored == 1 || !must || restarted || now < clock.peak, "{late} ms late");
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
                    history = open(volume, clock.now);
                    ids = NAMES.map(|name| history.find(&key(name)).expect("it was stored"));
                }
                Operation::Replace(series) => {
                    prop_assert!(history.remove_series(ids[series]));
                    ids[series] = add(&mut history, series);
                    model.retain(|&(other, _), _| other != series);
                }
            }
        }
        check(&history, ids, &model, &clock)?;
        settle(&mut history);
        check(&history, ids, &model, &clock)?;
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
fn a_history_that_began_within_a_coarse_window_is_as_fine_as_what_it_has() {
    let mut history = open(Memory::new(), START);
    let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    let window = options().tiers[2].window_millis();
    let first = START + window - 5 * STEP;
    let append = |history: &mut History<Memory>, now: u64| {
        history.append(now, now, &[(id, 5.0)]);
        history.commit().unwrap();
    };
    (0..60).for_each(|step| append(&mut history, first + step * STEP));
    settle(&mut history);
    let coarse = BlockId::new(Table::Tier(2), START / window);
    assert!(history.files.contains_key(&coarse), "the coarse window is over");
    let finest = |history: &History<Memory>| history.reader([id]).finest_step_millis(START);
    assert_eq!(finest(&history), STEP, "nothing was there before the first value");
    assert_eq!(values(&history, id, START, first + 60 * STEP).len(), 60);

    let retention = options().tiers[0].retention_millis;
    append(&mut history, first + retention + options().tiers[0].window_millis() + 60 * STEP);
    settle(&mut history);
    assert_eq!(finest(&history), options().tiers[1].step_millis, "now single steps are gone");
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
fn another_retention_counts_from_the_next_start() {
    let mut history = open(Memory::new(), START);
    let (id, now) = twenty_seconds(&mut history);
    history.flush().unwrap();
    assert_eq!(values(&history, id, now - 3_200, now - 1_600).len(), 16);
    let kept_for = |millis: u64| {
        let mut options = options();
        options.tiers[0].retention_millis = millis;
        options
    };
    let mut shorter = History::open(history.volume.clone(), kept_for(800), now).unwrap();
    settle(&mut shorter);
    assert!(values(&shorter, id, START, now - 1_600).is_empty(), "single values are kept for less");
    assert_eq!(read(&shorter, id, START, now - 1_600, 400).len(), 46, "what was rolled up is left");
    let mut longer = History::open(shorter.volume.clone(), kept_for(12_800), now).unwrap();
    for now in (now + 100..now + 10_000).step_by(100) {
        longer.append(now, now, &[(id, 1.0)]);
        longer.commit().unwrap();
    }
    assert_eq!(values(&longer, id, now + 100, now + 1_700).len(), 16, "they are kept for longer");
    let without = History::open(longer.volume.clone(), options().without_bounds(), now + 900_000).unwrap();
    assert_eq!(values(&without, id, now + 100, now + 1_700).len(), 16);
}

#[test]
fn what_is_kept_too_short_is_named_with_what_it_needs() {
    let with = |tier: usize, millis: u64| {
        let mut options = options();
        options.tiers[tier].retention_millis = millis;
        options.kept_too_short()
    };
    assert_eq!(options().kept_too_short(), None);
    assert_eq!(with(0, 700), Some((0, 800)), "a window");
    assert_eq!(with(1, 12_700), Some((1, 12_800)), "the finest and a window of the coarser tier");
    assert_eq!(with(2, 25_600), Some((2, 26_400)), "longer than the finer one");
    assert_eq!(with(0, 19_300), Some((1, 25_700)));
    assert_eq!(HistoryOptions::default().without_bounds().kept_too_short(), None);
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

/// The clock leaps so far that single values go for their age, and is set back to where values of their time are taken.
fn dropped_and_set_back(restarts: bool) -> (History<Memory>, SeriesId) {
    let mut history = open(Memory::new(), START);
    let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    for at in (START..START + 1_600).step_by(100) {
        history.append(at, at, &[(id, 5.0)]);
    }
    history.append(START + 8_000, START + 8_000, &[]);
    settle(&mut history);
    assert!(values(&history, id, START, START + 8_000).is_empty(), "they are older than 6.4 s");
    if restarts {
        history.flush().unwrap();
        history = open(history.volume.clone(), START + 8_000);
    }
    history.append(START + 7_200, START + 7_200, &[]);
    (history, id)
}

#[test]
fn a_late_value_does_not_stand_for_what_was_dropped_after_the_clock_was_set_back() {
    for restarts in [false, true] {
        let (mut history, id) = dropped_and_set_back(restarts);
        let late = history.append(START + 7_200, START + 1_500, &[(id, 9.0)]);
        for step in [400, 800] {
            let kept = read(&history, id, START, START + 7_000, step);
            assert_eq!(kept.values().map(|step| step.count).sum::<u64>(), 16, "in steps of {step} ms");
        }
        assert_eq!(late.refused, 1);
        settle(&mut history);
        assert_eq!(read(&history, id, START, START + 7_000, 400).len(), 4);
    }
}

#[test]
fn what_was_rolled_up_stays_where_the_clock_is_set_back_into_it() {
    let (mut history, id) = dropped_and_set_back(true);
    // Into the second of two coarse steps of a window, of which no single values are left.
    let now = START + 1_250;
    history.append(now, now, &[(id, 9.0)]);
    let steps = |history: &History<Memory>| {
        let steps = read(history, id, START, START + 7_000, 400);
        steps
            .into_iter()
            .map(|(step, all)| ((step * 400 - START) / 400, all.count, all.last))
            .collect::<Vec<_>>()
    };
    let expected = [(0, 4, 5), (1, 4, 5), (2, 4, 5), (3, 1, 9)];
    assert_eq!(steps(&history), expected, "the coarse step around now went whole");
    history.append(now + 2_000, now + 2_000, &[]);
    settle(&mut history);
    assert_eq!(steps(&history), expected);
    assert_eq!(read(&history, id, START, START + 7_000, 800).len(), 2);
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
