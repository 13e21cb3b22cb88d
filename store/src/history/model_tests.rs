//! History against a map of what was appended, whatever the clock does.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{AddSeriesError, History, HistoryError, HistoryOptions, OpenError};
use crate::backend::Memory;
use crate::series::{InvalidSpec, SeriesId, SeriesKey, SeriesKind, SeriesSpec};

const STEP: u64 = 100;
const OPTIONS: HistoryOptions =
    HistoryOptions { step_millis: 100, chunk_steps: 8, retention_millis: 3_000, max_series: 4 };
const START: u64 = 1_000_000;

fn key(name: &str) -> SeriesKey {
    SeriesKey::plain(name).unwrap()
}

fn spec(name: &str) -> SeriesSpec {
    SeriesSpec { key: key(name), kind: SeriesKind::Gauge, unit: "count".into(), resolution: 1.0 }
}

fn open(backend: Memory) -> History<Memory> {
    let opened = History::open(backend, OPTIONS).unwrap();
    assert_eq!(opened.damaged, []);
    opened.history
}

#[derive(Clone, Debug)]
enum Operation {
    /// The clock moves by so many milliseconds, and so late a value comes for each series.
    Append {
        moves: i64,
        late: u64,
        values: [Option<i32>; 2],
    },
    Commit,
    /// The process ends in order and starts again.
    Restart,
    Replace(usize),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let moves = prop_oneof![20 => Just(100_i64), 5 => 0_i64..350, 1 => -1_500_i64..0, 1 => 0_i64..6_000];
    let late = prop_oneof![10 => Just(0_u64), 2 => 0_u64..4_000];
    let value = prop::option::weighted(0.8, -1_000..1_000);
    let append = (moves, late, [value.clone(), value]).prop_map(|(moves, late, values)| Operation::Append {
        moves,
        late,
        values,
    });
    let operation = prop_oneof![
        40 => append,
        6 => Just(Operation::Commit),
        1 => Just(Operation::Restart),
        1 => (0_usize..2).prop_map(Operation::Replace),
    ];
    prop::collection::vec(operation, 1..120)
}

/// Values by series and step.
#[derive(Default)]
struct Model {
    values: BTreeMap<(usize, u64), i32>,
    now_step: u64,
}

impl Model {
    fn oldest(&self) -> u64 {
        self.now_step + 1 - OPTIONS.retention_steps()
    }

    fn range(&self, series: usize, from: u64, to: u64) -> Vec<Option<i32>> {
        let first = from.div_ceil(STEP).max(self.oldest());
        let end = to.div_ceil(STEP).min(self.now_step + 1);
        (first..end).map(|step| self.values.get(&(series, step)).copied()).collect()
    }
}

fn check(history: &mut History<Memory>, ids: [SeriesId; 2], model: &Model, from: u64, to: u64) {
    for (series, id) in ids.into_iter().enumerate() {
        let expected = model.range(series, from, to);
        let slice = history.query(id, from, to, usize::MAX).unwrap();
        let expected_values: Vec<Option<f64>> = expected.iter().map(|value| value.map(f64::from)).collect();
        assert_eq!(slice.values, expected_values);
        assert_eq!((slice.step_millis, slice.damaged.len()), (STEP, 0));
        if !expected.is_empty() {
            assert_eq!(slice.start_unix_millis, from.div_ceil(STEP).max(model.oldest()) * STEP);
        }
    }
}

proptest! {
    #[test]
    fn it_answers_what_was_appended_and_nothing_else(
        operations in operations(), from in 0_u64..4_000, length in 0_u64..5_000,
    ) {
        let mut history = open(Memory::new());
        let names = ["a", "b"];
        let mut ids = names.map(|name| history.add_series(spec(name)).unwrap());
        let mut model = Model { now_step: START / STEP, ..Model::default() };
        let mut now = START;
        history.append(now, now, &[]).unwrap();
        for operation in operations {
            match operation {
                Operation::Append { moves, late, values } => {
                    now = now.saturating_add_signed(moves);
                    model.now_step = now / STEP;
                    let (oldest, now_step) = (model.oldest(), model.now_step);
                    // What is too old goes by whole chunks; a clock that goes back shows the rest again.
                    let first_kept = oldest / u64::from(OPTIONS.chunk_steps) * u64::from(OPTIONS.chunk_steps);
                    model.values.retain(|&(_, step), _| (first_kept..=now_step).contains(&step));

                    let at = now - late;
                    let given = [0, 1].map(|series| (ids[series], values[series].map(f64::from)));
                    let appended = history.append(now, at, &given).unwrap();
                    let in_time = at / STEP >= oldest;
                    prop_assert_eq!((appended.stored, appended.refused), if in_time { (2, 0) } else { (0, 2) });
                    for (series, value) in values.into_iter().enumerate().filter(|_| in_time) {
                        match value {
                            Some(value) => model.values.insert((series, at / STEP), value),
                            None => model.values.remove(&(series, at / STEP)),
                        };
                    }
                }
                Operation::Commit => history.commit().unwrap(),
                Operation::Restart => {
                    history.flush().unwrap();
                    history = open(history.into_backend());
                    history.append(now, now, &[]).unwrap();
                    ids = names.map(|name| history.find(&key(name)).expect("it was stored"));
                }
                Operation::Replace(series) => {
                    prop_assert!(history.remove_series(ids[series]));
                    prop_assert_eq!(history.query(ids[series], 0, 1, 1), Err(HistoryError::UnknownSeries));
                    ids[series] = history.add_series(spec(names[series])).unwrap();
                    model.values.retain(|&(other, _), _| other != series);
                }
            }
        }
        let from = now - 3_500 + from;
        check(&mut history, ids, &model, from, from + length);
        check(&mut history, ids, &model, 0, u64::MAX);
    }

    /// Merged points are the means of what they cover, gaps stay gaps, and there are never more than asked for.
    #[test]
    fn merging_keeps_means_and_gaps(
        values in prop::collection::vec(prop::option::weighted(0.6, -100_i32..100), 1..30),
        max_points in 1_usize..40,
        offset in 0_u64..50,
    ) {
        let mut history = open(Memory::new());
        let id = history.add_series(spec("a")).unwrap();
        let first = START / STEP + offset;
        for (step, value) in (first..).zip(&values) {
            history.append(step * STEP, step * STEP, &[(id, value.map(f64::from))]).unwrap();
        }
        let slice = history.query(id, first * STEP, u64::MAX, max_points).unwrap();
        prop_assert!(slice.values.len() <= max_points);
        prop_assert_eq!(slice.start_unix_millis % slice.step_millis, 0);
        let merged = slice.step_millis / STEP;
        let mut groups = BTreeMap::<u64, Vec<f64>>::new();
        for (step, value) in (first..).zip(&values) {
            groups.entry(step / merged).or_default().extend(value.map(f64::from));
        }
        let means: Vec<Option<f64>> = groups
            .values()
            .map(|group| (!group.is_empty()).then(|| group.iter().sum::<f64>() / group.len() as f64))
            .collect();
        prop_assert_eq!(slice.values, means);
    }
}

#[test]
fn series_are_bounded_and_room_comes_back() {
    let mut history = open(Memory::new());
    let ids = ["a", "b", "c", "d"].map(|name| history.add_series(spec(name)).unwrap());
    assert_eq!(history.add_series(spec("e")), Err(AddSeriesError::TooManySeries { limit: 4 }));
    assert_eq!(history.add_series(spec("b")), Ok(ids[1]));
    assert!(history.remove_series(ids[2]));
    assert!(!history.remove_series(ids[2]));
    history.add_series(spec("e")).unwrap();
    assert!(history.catalogue().map(|(_, spec)| spec.key.name()).eq(["a", "b", "d", "e"]));
}

#[test]
fn series_that_make_no_sense_are_refused() {
    let mut history = open(Memory::new());
    history.add_series(spec("a")).unwrap();
    let mut refused = |change: &dyn Fn(&mut SeriesSpec)| {
        let mut spec = spec("a");
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
fn ranges_that_make_no_sense_are_refused() {
    let mut history = open(Memory::new());
    let id = history.add_series(spec("a")).unwrap();
    assert_eq!(history.query(id, 2, 1, 10), Err(HistoryError::Range));
    assert_eq!(history.query(id, 1, 2, 0), Err(HistoryError::Range));
    assert_eq!(history.query(id, 0, u64::MAX, 10).unwrap().values, []);
}

#[test]
fn the_end_of_time_is_an_empty_range() {
    let mut history = open(Memory::new());
    let id = history.add_series(spec("a")).unwrap();
    history.append(5_000, 5_000, &[(id, Some(1.0))]).unwrap();
    for from in [6_000, u64::MAX - 2_000, u64::MAX - 1, u64::MAX] {
        let slice = history.query(id, from, u64::MAX, 10).unwrap();
        assert_eq!(slice.values, [], "from {from}");
    }
}

#[test]
fn a_stored_history_is_not_opened_with_another_step() {
    let mut history = open(Memory::new());
    history.flush().unwrap();
    let other = HistoryOptions { step_millis: 1_000, ..OPTIONS };
    let error = History::open(history.into_backend(), other).unwrap_err();
    assert_eq!(error, OpenError::OtherFormat { step_millis: 100, chunk_steps: 8 });
    for nonsense in
        [HistoryOptions { step_millis: 0, ..OPTIONS }, HistoryOptions { retention_millis: 50, ..OPTIONS }]
    {
        assert_eq!(History::open(Memory::new(), nonsense).unwrap_err(), OpenError::Options);
    }
}

#[test]
fn after_eight_hours_of_sleep_there_is_a_gap_and_nothing_old() {
    let mut history = open(Memory::new());
    let id = history.add_series(spec("a")).unwrap();
    history.append(START, START, &[(id, Some(1.0))]).unwrap();
    let awake = START + 8 * 3_600_000;
    history.append(awake, awake, &[(id, Some(2.0))]).unwrap();
    let values = history.query(id, 0, u64::MAX, usize::MAX).unwrap().values;
    assert_eq!(values.len(), 30);
    assert_eq!((values[29], values[..29].iter().flatten().count()), (Some(2.0), 0));
}
