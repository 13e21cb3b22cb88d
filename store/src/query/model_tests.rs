//! Queries against plain arithmetic over what was appended.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quillwork_core::telemetry::{RelativeAccuracy, Sketch};

use super::{Answer, Export, Format, Function, Group, Join, Query, QueryError, Shape};
use crate::history::{History, HistoryOptions};
use crate::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use crate::volume::Memory;

const START: u64 = 1_700_000_000_000 / 3_600_000 * 3_600_000;

fn spec(name: &str, labels: &[(&str, &str)], kind: SeriesKind) -> SeriesSpec {
    let key = SeriesKey::new(name, labels.iter().copied()).unwrap();
    SeriesSpec { key, kind, unit: "bytes".into(), resolution: 1.0 }
}

/// Two disks of two devices each, and a counter; their values by second.
struct World {
    history: History<Memory>,
    gauges: [(SeriesId, BTreeMap<u64, f64>); 3],
    counter: (SeriesId, BTreeMap<u64, f64>),
}

fn world(gauges: &[[Option<i32>; 3]], counts: &[Option<u32>]) -> World {
    let mut history = History::open(Memory::new(), HistoryOptions::default(), START).unwrap();
    let labels =
        [[("disk", "a"), ("part", "1")], [("disk", "a"), ("part", "2")], [("disk", "b"), ("part", "1")]];
    let ids = labels.map(|labels| history.add_series(spec("used", &labels, SeriesKind::Gauge)).unwrap());
    let counter = history.add_series(spec("sent", &[], SeriesKind::Counter)).unwrap();
    let mut world =
        World { history, gauges: ids.map(|id| (id, BTreeMap::new())), counter: (counter, BTreeMap::new()) };
    for second in 0..gauges.len().max(counts.len()) {
        let now = START + second as u64 * 1_000;
        let mut values = Vec::new();
        for ((id, kept), value) in world.gauges.iter_mut().zip(gauges.get(second).into_iter().flatten()) {
            if let Some(value) = value {
                values.push((*id, f64::from(*value)));
                kept.insert(now / 1_000, f64::from(*value));
            }
        }
        if let Some(count) = counts.get(second).copied().flatten() {
            values.push((counter, f64::from(count)));
            world.counter.1.insert(now / 1_000, f64::from(count));
        }
        world.history.append(now, now, &values);
        world.history.commit().unwrap();
    }
    world
}

fn ask(world: &World, query: &Query) -> Result<Answer, QueryError> {
    query.run(&world.history.reader(query.ids(&world.history)?))
}

fn query(selector: &str, seconds: u64) -> Query {
    Query {
        step_millis: Some(5_000),
        ..Query::new(selector.parse().unwrap(), START, START + seconds * 1_000)
    }
}

fn steps(answer: &Answer, line: usize) -> &[Option<f64>] {
    match &answer.lines[line].shape {
        Shape::Steps(steps) => steps,
        Shape::Spikes(_) => panic!("steps were expected"),
    }
}

/// A function of the values of one step.
type Plain = fn(&[f64]) -> f64;

/// Values of each five seconds.
fn fives(values: &BTreeMap<u64, f64>, seconds: u64) -> Vec<Vec<f64>> {
    let first = START / 1_000;
    let five = |number| {
        values.range(first + number * 5..first + (number + 1) * 5).map(|(_, value)| *value).collect()
    };
    (0..seconds.div_ceil(5)).map(five).collect()
}

fn same(found: &[Option<f64>], expected: &[Option<f64>]) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|pair| match pair {
            (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            (found, expected) => found.is_none() && expected.is_none(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 4) })]

    #[test]
    fn functions_and_groups_are_plain_arithmetic(
        gauges in prop::collection::vec(prop::array::uniform3(prop::option::weighted(0.7, -500_i32..500)), 1..90),
    ) {
        let seconds = gauges.len() as u64;
        let world = world(&gauges, &[]);
        if world.gauges.iter().all(|(_, values)| values.is_empty()) {
            return Ok(());
        }
        let of = |function: fn(&[f64]) -> f64| {
            move |values: &BTreeMap<u64, f64>| -> Vec<Option<f64>> {
                fives(values, seconds).iter().map(|five| (!five.is_empty()).then(|| function(five))).collect()
            }
        };
        let mean: fn(&[f64]) -> f64 = |five| five.iter().sum::<f64>() / five.len() as f64;
        let functions: [(Function, Plain); 7] = [
            (Function::Avg, mean),
            (Function::Sum, |five| five.iter().sum()),
            (Function::Min, |five| five.iter().copied().fold(f64::INFINITY, f64::min)),
            (Function::Max, |five| five.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            (Function::Count, |five| five.len() as f64),
            (Function::Last, |five| five[five.len() - 1]),
            (Function::Quantile(0.5), |five| {
                let mut sorted = five.to_vec();
                sorted.sort_by(f64::total_cmp);
                sorted[sorted.len().div_ceil(2) - 1]
            }),
        ];
        for (function, plain) in functions {
            let answer = ask(&world, &Query { function, ..query("used", seconds) }).unwrap();
            prop_assert_eq!(answer.start_unix_millis, START);
            for (number, (_, values)) in world.gauges.iter().enumerate() {
                prop_assert!(same(steps(&answer, number), &of(plain)(values)), "{:?} of line {}", function, number);
            }
        }
        let group = Group { by: vec!["disk".into()], with: Join::Sum };
        let answer = ask(&world, &Query { group: Some(group), ..query("used", seconds) }).unwrap();
        prop_assert_eq!(answer.lines[0].labels.clone(), vec![("disk".to_owned(), "a".to_owned())]);
        let (one, two) = (of(mean)(&world.gauges[0].1), of(mean)(&world.gauges[1].1));
        let both: Vec<Option<f64>> = one.iter().zip(&two).map(|(one, two)| match (one, two) {
            (None, None) => None,
            _ => Some(one.unwrap_or(0.0) + two.unwrap_or(0.0)),
        }).collect();
        prop_assert!(same(steps(&answer, 0), &both));
    }

    #[test]
    fn increases_add_up_to_what_was_counted_whatever_begins_anew(
        counts in prop::collection::vec(prop::option::weighted(0.8, 0_u32..1_000), 2..90),
    ) {
        let seconds = counts.len() as u64;
        let world = world(&[], &counts);
        let readings: Vec<f64> = world.counter.1.values().copied().collect();
        if readings.is_empty() {
            return Ok(());
        }
        let grown: f64 = readings.windows(2).map(|pair| if pair[1] >= pair[0] { pair[1] - pair[0] } else { pair[1] }).sum();
        let answer = ask(&world, &Query { function: Function::Increase, ..query("sent", seconds) }).unwrap();
        let increases: f64 = steps(&answer, 0).iter().flatten().sum();
        prop_assert!((increases - grown).abs() < 1e-6, "{} is not {}", increases, grown);
        let rates = ask(&world, &Query { function: Function::Rate, ..query("sent", seconds) }).unwrap();
        prop_assert_eq!(rates.lines[0].unit.as_str(), "bytesPerSecond");
        let rates: f64 = steps(&rates, 0).iter().flatten().sum();
        prop_assert!((rates * 5.0 - grown).abs() < 1e-6);
    }
}

fn hour_of_one_spike() -> World {
    let gauges: Vec<_> = (0..3_600)
        .map(|second| [Some(if second == 1_234 { 900 } else { 10 }), Some(second % 7), None])
        .collect();
    world(&gauges, &[])
}

#[test]
fn a_spike_of_one_second_is_among_forty_points_of_an_hour() {
    let world = hour_of_one_spike();
    let spikes = Query {
        step_millis: None,
        max_points: 40,
        keeps_spikes: true,
        ..query(r#"used{part="1",disk="a"}"#, 3_600)
    };
    let answer = ask(&world, &spikes).unwrap();
    let Shape::Spikes(points) = &answer.lines[0].shape else { panic!("spikes were asked for") };
    assert!(points.len() <= 40, "{}", points.len());
    let highest = points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert!(
        (highest.1 - 900.0).abs() < 1e-9 && highest.0.abs_diff(START + 1_234_000) < 10_000,
        "{highest:?}"
    );
}

#[test]
fn the_top_lines_are_the_largest() {
    let world = hour_of_one_spike();
    let answer = ask(&world, &Query { top: Some(1), step_millis: None, ..query("used", 3_600) }).unwrap();
    assert_eq!(answer.lines.len(), 1);
    assert_eq!(answer.lines[0].labels[1].1, "1", "ten is more than the mean of 0 to 6");
    assert!(steps(&answer, 0).len() <= 1_000 && answer.step_millis.is_multiple_of(1_000));
}

#[test]
fn a_step_that_is_longer_than_all_time_is_one_value() {
    let world = hour_of_one_spike();
    let whole = ask(&world, &Query { step_millis: Some(86_400_000), ..query("used", 3_600) }).unwrap();
    for step in [1 << 50, 1 << 60, u64::MAX] {
        for keeps_spikes in [false, true] {
            let asked = Query { step_millis: Some(step), keeps_spikes, ..query("used", 3_600) };
            let answer = ask(&world, &asked).unwrap();
            assert_eq!(answer.lines.len(), whole.lines.len());
            if !keeps_spikes {
                assert_eq!((steps(&answer, 0), answer.start_unix_millis), (steps(&whole, 0), 0));
            }
        }
        let ids = query("used", 3_600).ids(&world.history).unwrap();
        let reader = world.history.reader(ids);
        let mut export = Export::new(&reader, Format::Csv, 0, u64::MAX, step);
        let mut text = String::new();
        while let Some(piece) = export.next_piece().unwrap() {
            text += &piece;
        }
        assert!(text.lines().skip(1).all(|line| line.contains(",bytes,0,")), "{text}");
        assert_eq!(text.lines().count(), 3, "one series has no value: {text}");
    }
}

#[test]
fn sketches_of_a_group_are_merged_before_they_are_asked() {
    let mut history = History::open(Memory::new(), HistoryOptions::default(), START).unwrap();
    let ids = ["a", "b"]
        .map(|page| history.add_series(spec("response", &[("source", page)], SeriesKind::Sketch)).unwrap());
    let mut all = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
    for (second, id) in (0_u32..20).zip(ids.into_iter().cycle()) {
        let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
        for sketch in [&mut sketch, &mut all] {
            sketch.record(f64::from(second) * 10.0 + 1.0).unwrap();
        }
        let now = START + u64::from(second) * 1_000;
        history.append_sketch(now, now, id, &sketch);
    }
    let query = Query {
        function: Function::Quantile(0.95),
        group: Some(Group { by: Vec::new(), with: Join::Avg }),
        step_millis: Some(60_000),
        ..query("response", 20)
    };
    let answer = query.run(&history.reader(query.ids(&history).unwrap())).unwrap();
    assert_eq!(steps(&answer, 0), [all.quantile(0.95)]);
}

#[test]
fn what_makes_no_sense_or_costs_too_much_is_refused_with_advice() {
    let world = hour_of_one_spike();
    let refused = |change: &dyn Fn(&mut Query)| {
        let mut query = query("used", 3_600);
        change(&mut query);
        ask(&world, &query).unwrap_err()
    };
    assert_eq!(refused(&|query| query.step_millis = Some(0)), QueryError::Nothing);
    assert_eq!(refused(&|query| query.max_points = 0), QueryError::Nothing);
    assert_eq!(refused(&|query| query.top = Some(0)), QueryError::Nothing);
    assert_eq!(refused(&|query| query.to_unix_millis = START), QueryError::Range);
    assert_eq!(refused(&|query| query.function = Function::Quantile(1.5)), QueryError::Quantile(1.5));
    assert_eq!(refused(&|query| query.selector = "none".parse().unwrap()), QueryError::NoSeries);
    let kind = refused(&|query| query.function = Function::Rate).to_string();
    assert_eq!(kind, "rate makes no sense of a gauge: ask for avg, min, max, last, sum, count or a quantile");

    let long = 40 * 3_600_000;
    let mut history = world.history;
    history.append(START + long, START + long, &[]);
    let query =
        Query { step_millis: Some(1_000), ..Query::new("used".parse().unwrap(), START, START + long) };
    let error = query.run(&history.reader(query.ids(&history).unwrap())).unwrap_err();
    assert!(matches!(error, QueryError::TooManyPoints { limit: 11_000, .. }), "{error}");
}
