//! Each condition as somebody would use it, on virtual time.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::scenario_tests::rule;
use super::{Condition, Direction, Engine, Labels, Level, Matcher, Rule, Selector, State, Unit};
use crate::telemetry::{RelativeAccuracy, Sketch};
use crate::time::{Duration, Instant};

const NONE: &[(&str, &str)] = &[];

fn at_once(condition: Condition, direction: Direction, threshold: f64) -> Rule {
    Rule {
        warning: Some(Level::at(threshold)),
        keep_firing: Duration::ZERO,
        ..Rule::new("rule", condition, Unit::Count, direction)
    }
}

fn engine(rules: Vec<Rule>) -> Engine {
    Engine::new(rules, 100).expect("the rules are sound")
}

fn feed(engine: &mut Engine, second: u64, series: &str, value: f64) {
    engine.observe(Instant::from_secs(second), series, NONE, Some(value), u64::MAX).unwrap();
    engine.handle_deadline(Instant::from_secs(second));
}

fn state(engine: &Engine, rule: &str) -> State {
    let named = |status: &super::Status<'_>| *engine.rule(status.rule).name == *rule;
    engine.statuses().find(named).expect("there is an instance").state
}

fn value(engine: &Engine) -> Option<f64> {
    engine.statuses().next().and_then(|status| status.value)
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_mean_says_nothing_until_its_window_is_covered() {
    let of = Selector::all("x");
    let mut engine = engine(vec![at_once(Condition::Mean { of, window: MINUTE }, Direction::Above, 5.0)]);
    for second in 1..40 {
        feed(&mut engine, second, "x", 10.0);
        assert_eq!(state(&engine, "rule"), State::NoData { firing: None }, "second {second}");
    }
    for second in 40..60 {
        feed(&mut engine, second, "x", 10.0);
    }
    assert_eq!((state(&engine, "rule"), value(&engine)), (State::Warning, Some(10.0)));
    for second in 60..100 {
        feed(&mut engine, second, "x", 0.0);
    }
    assert_eq!(state(&engine, "rule"), State::Ok, "40 of 60 seconds are zero: {:?}", value(&engine));
}

#[test]
fn collections_of_a_minute_add_up() {
    let of = Selector::all("gc");
    let mut engine = engine(vec![at_once(Condition::Sum { of, window: MINUTE }, Direction::Above, 10.0)]);
    for second in 1..=300 {
        feed(&mut engine, second, "gc", f64::from(u8::from(second % 5 == 0)));
    }
    // Twelve a minute.
    assert_eq!(state(&engine, "rule"), State::Warning);
    for second in 301..=420 {
        feed(&mut engine, second, "gc", f64::from(u8::from(second % 10 == 0)));
    }
    assert_eq!(state(&engine, "rule"), State::Ok, "{:?}", value(&engine));
}

#[test]
fn a_change_is_per_second() {
    let of = Selector::all("heap");
    let mut engine = engine(vec![at_once(Condition::Change { of, window: MINUTE }, Direction::Above, 1.0)]);
    for second in 0..=90 {
        feed(&mut engine, second, "heap", 100.0 + second as f64 * 2.0);
    }
    assert_eq!((state(&engine, "rule"), value(&engine)), (State::Warning, Some(2.0)));
    for second in 91..=200 {
        feed(&mut engine, second, "heap", 280.0);
    }
    assert_eq!((state(&engine, "rule"), value(&engine)), (State::Ok, Some(0.0)));
}

#[test]
fn a_disk_that_fills_is_foreseen() {
    let condition =
        Condition::TimeToReach { of: Selector::all("used"), limit: 1.0, window: Duration::from_secs(3_600) };
    let hour = 3_600_000.0;
    let mut rising = engine(vec![at_once(condition.clone(), Direction::Below, 24.0 * hour)]);
    // From half full it gains 5 % an hour: ten hours are left, less what has passed.
    for second in (0..=3_600_u64).step_by(10) {
        feed(&mut rising, second, "used", 0.5 + 0.05 * second as f64 / 3_600.0);
    }
    let millis = value(&rising).unwrap();
    assert!((millis - 9.0 * hour).abs() < 0.01 * hour, "{millis}");
    assert_eq!(state(&rising, "rule"), State::Warning);

    for (name, slope) in [("steady", 0.0), ("falling", -0.05)] {
        let mut other = engine(vec![at_once(condition.clone(), Direction::Below, 24.0 * hour)]);
        for second in (0..=3_600_u64).step_by(10) {
            feed(&mut other, second, "used", 0.5 + slope * second as f64 / 3_600.0);
        }
        assert_eq!(state(&other, "rule"), State::Ok, "{name}");
        assert_eq!(value(&other), Some(super::NEVER_REACHED_MILLIS), "{name}");
    }
}

#[test]
fn absence_counts_from_the_last_sample_and_only_for_what_was_there() {
    let rule = at_once(Condition::Absent(Selector::all("up")), Direction::Above, 5_000.0);
    let mut engine = engine(vec![rule]);
    let tick = |engine: &mut Engine, second| engine.handle_deadline(Instant::from_secs(second));
    tick(&mut engine, 100);
    assert_eq!(engine.statuses().count(), 0, "what was never seen isn't missing");
    feed(&mut engine, 100, "up", 1.0);
    tick(&mut engine, 105);
    assert_eq!(state(&engine, "rule"), State::Ok);
    for second in 106..1_000 {
        tick(&mut engine, second);
        assert_eq!(state(&engine, "rule"), State::Warning, "it is never stale");
    }
    feed(&mut engine, 1_000, "up", 1.0);
    assert_eq!(state(&engine, "rule"), State::Ok);
}

#[test]
fn one_error_of_two_tasks_is_not_an_outage() {
    let condition = Condition::Ratio {
        part: Selector::all("failed"),
        total: Selector::all("ended"),
        window: MINUTE,
        min_total: 50.0,
        by: None,
    };
    let mut engine = engine(vec![at_once(condition, Direction::Above, 0.05)]);
    for second in 1..=10 {
        feed(&mut engine, second, "failed", 1.0);
        feed(&mut engine, second, "ended", 2.0);
        assert_eq!(state(&engine, "rule"), State::NoData { firing: None });
    }
    for second in 11..=60 {
        feed(&mut engine, second, "failed", 1.0);
        feed(&mut engine, second, "ended", 2.0);
    }
    assert_eq!((state(&engine, "rule"), value(&engine)), (State::Warning, Some(0.5)));
    for second in 61..=200 {
        feed(&mut engine, second, "ended", 2.0);
    }
    assert_eq!((state(&engine, "rule"), value(&engine)), (State::Ok, Some(0.0)), "no errors are zero errors");
}

#[test]
fn quantiles_are_of_all_pages_together() {
    let condition = Condition::Quantile {
        of: Selector { name: "response".into(), matchers: vec![Matcher::like("source", "p*")] },
        q: 0.5,
        window: MINUTE,
        by: Some(vec![]),
    };
    let rule = Rule { min_count: 4, ..at_once(condition, Direction::Above, 50.0) };
    let mut engine = engine(vec![rule]);
    let mut observe = |second, source: &str, value| {
        let now = Instant::from_secs(second);
        engine.observe(now, "response", &[("source", source)], Some(value), u64::MAX).unwrap();
        engine.statuses().map(|status| (status.labels.clone(), status.state)).collect::<Vec<_>>()
    };
    observe(1, "p1", 10.0);
    observe(1, "other", 10_000.0);
    assert_eq!(observe(2, "p2", 90.0), [(Labels::none(), State::NoData { firing: None })], "two are too few");
    observe(3, "p3", 90.0);
    assert_eq!(observe(4, "p4", 90.0), [(Labels::none(), State::Warning)]);

    let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
    sketch.record_many(10.0, 100).unwrap();
    engine.observe_sketch(Instant::from_secs(5), "response", &[("source", "p1")], &sketch).unwrap();
    assert_eq!(state(&engine, "rule"), State::Ok, "a hundred fast ones came in a sketch");
}

/// Two rules on series `a` and `b` of each source, and both of their composites.
fn composed() -> Engine {
    let single =
        |name: &str| Rule { name: name.into(), condition: Condition::Value(Selector::all(name)), ..rule() };
    let both = |name: &str, condition| Rule {
        critical: Some(Level::at(1.5)),
        stale_after: Duration::from_secs(5),
        ..Rule { name: name.into(), ..at_once(condition, Direction::Above, 0.5) }
    };
    let (of, by) = (vec!["a".into(), "b".into()], vec!["source".into()]);
    let all = both("all", Condition::All { of: of.clone(), by: by.clone() });
    engine(vec![single("a"), single("b"), all, both("any", Condition::Any { of, by })])
}

#[test]
fn composites_are_as_bad_as_the_best_and_the_worst_of_their_members() {
    let mut engine = composed();
    let mut second = 0;
    let mut feed = |engine: &mut Engine, source: &str, values: [f64; 2], times: u64| {
        for _ in 0..times {
            second += 1;
            let now = Instant::from_secs(second);
            for (name, value) in ["a", "b"].into_iter().zip(values) {
                engine.observe(now, name, &[("source", source)], Some(value), u64::MAX).unwrap();
            }
            engine.handle_deadline(now);
        }
        let named = |name: &str| {
            let is = |status: &super::Status<'_>| {
                *engine.rule(status.rule).name == *name && status.labels.value_of("source") == Some(source)
            };
            engine.statuses().find(is).unwrap().state
        };
        (named("all"), named("any"))
    };
    assert_eq!(feed(&mut engine, "p1", [12.0, 5.0], 6), (State::Ok, State::Warning));
    assert_eq!(feed(&mut engine, "p1", [25.0, 12.0], 6), (State::Warning, State::Critical));
    assert_eq!(feed(&mut engine, "p1", [25.0, 25.0], 6), (State::Critical, State::Critical));
    // Another source is another instance.
    assert_eq!(feed(&mut engine, "p2", [5.0, 5.0], 2), (State::Ok, State::Ok));
}

#[test]
fn a_composite_without_data_keeps_firing_too() {
    let mut engine = composed();
    for second in 1..=6 {
        for name in ["a", "b"] {
            let now = Instant::from_secs(second);
            engine.observe(now, name, &[("source", "p1")], Some(12.0), u64::MAX).unwrap();
            engine.handle_deadline(now);
        }
    }
    assert_eq!(state(&engine, "all"), State::Warning);
    for second in 7..60 {
        engine.handle_deadline(Instant::from_secs(second));
    }
    assert_eq!(state(&engine, "all"), State::NoData { firing: Some(super::Severity::Warning) });
    engine.remove(Instant::from_secs(60), "source", "p1");
    assert_eq!(engine.statuses().count(), 0);
}

#[test]
fn a_cache_that_was_just_made_may_miss() {
    let condition = Condition::Ratio {
        part: Selector::all("hits"),
        total: Selector::all("lookups"),
        window: MINUTE,
        min_total: 1.0,
        by: None,
    };
    let rule = Rule { warm_up: MINUTE, ..at_once(condition, Direction::Below, 0.7) };
    let mut engine = engine(vec![rule]);
    for second in 0..60 {
        feed(&mut engine, second, "lookups", 10.0);
        assert_eq!(state(&engine, "rule"), State::NoData { firing: None });
    }
    feed(&mut engine, 60, "lookups", 10.0);
    assert_eq!(state(&engine, "rule"), State::Warning);
}

#[test]
fn what_has_had_no_data_for_a_day_ends_as_unknown() {
    let mut engine = engine(vec![at_once(Condition::Value(Selector::all("x")), Direction::Above, 1.0)]);
    feed(&mut engine, 0, "x", 5.0);
    for minute in 1..=24 * 60 {
        engine.handle_deadline(Instant::from_secs(minute * 60));
    }
    assert_eq!(engine.statuses().count(), 1);
    engine.handle_deadline(Instant::from_secs(86_411));
    assert_eq!(engine.statuses().count(), 0);
    let last = core::iter::from_fn(|| engine.poll_output()).last().unwrap();
    assert_eq!((last.from.severity(), last.to), (Some(super::Severity::Warning), None));
    feed(&mut engine, 86_500, "x", 5.0);
    assert_eq!(state(&engine, "rule"), State::Warning, "it is found again");
}

#[test]
fn a_reload_keeps_what_is_unchanged() {
    let mut engine = engine(vec![
        Rule { name: "kept".into(), ..at_once(Condition::Value(Selector::all("x")), Direction::Above, 1.0) },
        Rule { name: "gone".into(), ..at_once(Condition::Value(Selector::all("x")), Direction::Above, 1.0) },
        Rule { name: "other".into(), ..at_once(Condition::Value(Selector::all("x")), Direction::Above, 1.0) },
    ]);
    feed(&mut engine, 10, "x", 5.0);
    while engine.poll_output().is_some() {}
    let raised =
        Rule { name: "kept".into(), ..at_once(Condition::Value(Selector::all("x")), Direction::Above, 3.0) };
    let of = Selector::all("x");
    let other = Rule {
        name: "other".into(),
        ..at_once(Condition::Sum { of, window: MINUTE }, Direction::Above, 1.0)
    };
    let bad = Rule { warning: None, ..raised.clone() };
    assert!(engine.reload(Instant::from_secs(11), vec![bad]).is_err());
    assert_eq!(engine.rules().len(), 3, "a bad set changes nothing");

    engine.reload(Instant::from_secs(11), vec![other, raised]).unwrap();
    let ended: Vec<_> =
        core::iter::from_fn(|| engine.poll_output()).map(|change| (change.rule, change.to)).collect();
    assert_eq!(ended, [("gone".into(), None), ("other".into(), None)]);
    feed(&mut engine, 12, "x", 4.0);
    let kept = engine.statuses().find(|status| *engine.rule(status.rule).name == *"kept").unwrap();
    assert_eq!((kept.state, kept.firing_since), (State::Warning, Some(Instant::from_secs(10))));
    feed(&mut engine, 13, "x", 2.0);
    assert_eq!(state(&engine, "kept"), State::Ok, "the new threshold counts");
}

#[test]
fn what_was_forgotten_under_a_new_rule_is_watched_all_the_same() {
    let mut engine = engine(vec![at_once(Condition::Value(Selector::all("x")), Direction::Above, 1.0)]);
    feed(&mut engine, 1, "y", 5.0);
    assert_eq!(engine.statuses().count(), 0);
    engine
        .reload(
            Instant::from_secs(2),
            vec![at_once(Condition::Value(Selector::all("y")), Direction::Above, 1.0)],
        )
        .unwrap();
    feed(&mut engine, 3, "y", 5.0);
    assert_eq!(state(&engine, "rule"), State::Warning);
}

proptest! {
    /// Ratio, sum and mean against a model that remembers every sample. A window covers between 30 and 31 of its slots.
    #[test]
    fn windows_hold_what_came_in_them(samples in prop::collection::vec((1_u64..20, 0.0_f64..10.0), 1..80)) {
        let window = Duration::from_secs(60);
        let of = || Selector::all("x");
        let mut engine = engine(vec![
            Rule { name: "sum".into(), ..at_once(Condition::Sum { of: of(), window }, Direction::Above, 1e9) },
        ]);
        let mut seen = Vec::new();
        let mut second = 0;
        for (pause, value) in samples {
            second += pause;
            feed(&mut engine, second, "x", value);
            seen.push((second, value));
            let got = super::condition_tests::value(&engine).unwrap();
            let sum = |span| -> f64 { seen.iter().filter(|(at, _)| second - at < span).map(|(_, value)| value).sum() };
            prop_assert!(got >= sum(60) - 1e-9 && got <= sum(62) + 1e-9, "{} of {}..{}", got, sum(60), sum(62));
        }
    }
}
