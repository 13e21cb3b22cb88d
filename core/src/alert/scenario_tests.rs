//! Alerts as somebody lives through them, on virtual time.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{
    Condition, Direction, Engine, Level, ObserveError, Rule, Selector, Severity, State, Transition, Unit,
    default_rules,
};
use crate::time::{Duration, Instant};

/// Warns above 10 for 3 s until 8, is critical above 20 for 2 s until 18; keeps firing for 4 s; stale after 5 s.
pub(super) fn rule() -> Rule {
    let level =
        |threshold, clear, secs| Some(Level { threshold, clear, for_duration: Duration::from_secs(secs) });
    Rule {
        warning: level(10.0, 8.0, 3),
        critical: level(20.0, 18.0, 2),
        keep_firing: Duration::from_secs(4),
        stale_after: Duration::from_secs(5),
        ..Rule::new("load", Condition::Value(Selector::all("load")), Unit::PerSecond, Direction::Above)
    }
}

/// One rule on one series, fed by the second.
struct Scenario {
    engine: Engine,
    second: u64,
}

pub(super) const LABELS: &[(&str, &str)] = &[("source", "p7")];

impl Scenario {
    fn new(rule: Rule) -> Self {
        Self { engine: Engine::new(vec![rule], 10).expect("the rule is sound"), second: 0 }
    }

    fn observe(&mut self, value: Option<f64>) {
        self.engine.observe(Instant::from_secs(self.second), "load", LABELS, value, u64::MAX).unwrap();
    }

    /// One sample per second; gives the changes as (second, to).
    fn feed(&mut self, values: &[f64]) -> Vec<(u64, State)> {
        for &value in values {
            self.second += 1;
            self.observe(Some(value));
        }
        self.changes()
    }

    /// Time passes without samples, deadlines are handled.
    fn wait(&mut self, secs: u64) -> Vec<(u64, State)> {
        for _ in 0..secs {
            self.second += 1;
            self.engine.handle_deadline(Instant::from_secs(self.second));
        }
        self.changes()
    }

    fn drain(&mut self) -> Vec<Transition> {
        core::iter::from_fn(|| self.engine.poll_output()).collect()
    }

    fn changes(&mut self) -> Vec<(u64, State)> {
        let changes = self.drain();
        changes
            .iter()
            .map(|change| (change.at.as_millis() / 1_000, change.to.expect("nothing was removed")))
            .collect()
    }

    fn state(&self) -> State {
        self.engine.statuses().next().expect("there is an instance").state
    }
}

use State::{Critical, NoData, Ok as Fine, Pending, Warning};

#[test]
fn it_fires_after_its_duration_and_resolves_after_its_keep() {
    let mut scenario = Scenario::new(rule());
    assert_eq!(scenario.feed(&[5.0, 12.0, 12.0, 12.0, 12.0]), [(2, Pending), (5, Warning)]);
    assert_eq!(scenario.feed(&[7.0, 7.0, 7.0, 7.0, 7.0]), [(10, Fine)]);
}

#[test]
fn one_sample_within_bounds_starts_the_duration_anew() {
    let mut scenario = Scenario::new(rule());
    assert_eq!(
        scenario.feed(&[12.0, 12.0, 12.0, 9.0, 12.0, 12.0, 12.0]),
        [(1, Pending), (4, Fine), (5, Pending)]
    );
}

#[test]
fn exactly_at_a_threshold_is_not_beyond_it() {
    let mut scenario = Scenario::new(rule());
    assert_eq!(scenario.feed(&[10.0; 10]), []);
    scenario.feed(&[11.0; 4]);
    assert_eq!(scenario.state(), Warning);
    // Firing, it holds above the clear level and lets go at it.
    assert_eq!(scenario.feed(&[8.1; 20]), []);
    assert_eq!(scenario.feed(&[8.0; 5]), [(39, Fine)]);
}

#[test]
fn below_is_the_mirror_of_above() {
    let mut mirrored = rule();
    mirrored.direction = Direction::Below;
    for level in [&mut mirrored.warning, &mut mirrored.critical].into_iter().flatten() {
        level.threshold = -level.threshold;
        level.clear = -level.clear;
    }
    let values = [
        5.0, 12.0, 12.0, 12.0, 12.0, 25.0, 25.0, 25.0, 15.0, 15.0, 15.0, 15.0, 15.0, 8.0, 8.0, 8.0, 8.0, 8.0,
    ];
    let negated: Vec<f64> = values.iter().map(|value| -value).collect();
    let changes = Scenario::new(rule()).feed(&values);
    assert_eq!(changes, [(2, Pending), (5, Warning), (8, Critical), (13, Warning), (18, Fine)]);
    assert_eq!(Scenario::new(mirrored).feed(&negated), changes);
}

#[test]
fn without_a_duration_the_first_sample_fires() {
    let mut quick = rule();
    quick.warning.as_mut().unwrap().for_duration = Duration::ZERO;
    quick.keep_firing = Duration::ZERO;
    let mut scenario = Scenario::new(quick);
    assert_eq!(scenario.feed(&[11.0, 7.0, 11.0]), [(1, Warning), (2, Fine), (3, Warning)]);
}

#[test]
fn a_raise_is_no_resolution_and_the_alert_stays_the_same() {
    let mut scenario = Scenario::new(rule());
    scenario.feed(&[12.0; 4]);
    for value in [25.0, 25.0, 25.0] {
        scenario.second += 1;
        scenario.observe(Some(value));
    }
    let changes = scenario.drain();
    let raise = changes.last().expect("it was raised");
    assert_eq!((changes.len(), raise.from, raise.to, raise.value), (1, Warning, Some(Critical), Some(25.0)));
    assert_eq!(raise.firing_since, Some(Instant::from_secs(4)));
    assert_eq!(scenario.engine.statuses().next().unwrap().since, Instant::from_secs(7));
}

#[test]
fn critical_may_fire_before_the_warning_would() {
    let mut scenario = Scenario::new(rule());
    assert_eq!(scenario.feed(&[25.0, 25.0, 25.0]), [(1, Pending), (3, Critical)]);
    // It comes down through warning, since what was critical was a warning too.
    assert_eq!(scenario.feed(&[15.0; 5]), [(8, Warning)]);
}

#[test]
fn a_flapping_value_is_one_alert() {
    let mut scenario = Scenario::new(rule());
    scenario.feed(&[12.0; 4]);
    for _ in 0..100 {
        assert_eq!(scenario.feed(&[5.0, 5.0, 5.0, 12.0]), []);
    }
    assert_eq!(scenario.state(), Warning);
}

#[test]
fn a_value_flapping_across_the_threshold_never_fires() {
    let mut scenario = Scenario::new(rule());
    for _ in 0..50 {
        scenario.feed(&[12.0, 12.0, 9.0]);
        assert_eq!(scenario.state(), Fine);
    }
}

#[test]
fn losing_the_source_never_resolves_what_was_firing() {
    let mut scenario = Scenario::new(rule());
    scenario.feed(&[25.0; 4]);
    let firing = Some(Severity::Critical);
    assert_eq!(scenario.wait(1_000), [(9, NoData { firing })]);
    assert_eq!(scenario.state().severity(), firing);
    // Data is back and fine: it resolves on samples, after its keep.
    assert_eq!(scenario.feed(&[1.0; 5]), [(1_005, Critical), (1_009, Fine)]);
}

#[test]
fn a_source_that_comes_back_worse_goes_on_where_it_was() {
    let mut scenario = Scenario::new(rule());
    scenario.feed(&[12.0; 5]);
    scenario.wait(20);
    scenario.second += 1;
    scenario.observe(Some(12.0));
    let changes = scenario.drain();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].to, changes[0].firing_since), (Some(Warning), Some(Instant::from_secs(4))));
}

#[test]
fn what_was_pending_before_a_gap_starts_anew() {
    let mut scenario = Scenario::new(rule());
    scenario.feed(&[12.0, 12.0]);
    assert_eq!(scenario.wait(10), [(7, NoData { firing: None })]);
    assert_eq!(scenario.feed(&[12.0, 12.0, 12.0, 12.0]), [(13, Pending), (16, Warning)]);
}

/// A machine that sleeps handles neither samples nor deadlines.
#[test]
fn a_suspended_machine_fires_nothing_on_waking() {
    let mut scenario = Scenario::new(rule());
    scenario.feed(&[12.0, 12.0]);
    scenario.second += 8 * 3_600;
    assert_eq!(scenario.feed(&[12.0]), [(7, NoData { firing: None }), (28_803, Pending)]);
}

#[test]
fn it_makes_no_difference_whether_the_deadline_or_the_sample_comes_first() {
    let run = |deadline_first: bool, pause: u64| {
        let mut scenario = Scenario::new(rule());
        scenario.feed(&[25.0; 4]);
        scenario.second += pause;
        if deadline_first {
            scenario.engine.handle_deadline(Instant::from_secs(scenario.second + 1));
        }
        scenario.feed(&[25.0])
    };
    for pause in 0..12 {
        assert_eq!(run(true, pause), run(false, pause));
    }
}

#[test]
fn missing_samples_and_nonsense_confirm_nothing_and_clear_nothing() {
    for absent in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
        let mut scenario = Scenario::new(rule());
        scenario.feed(&[12.0; 4]);
        for _ in 0..4 {
            scenario.second += 1;
            scenario.observe(absent);
        }
        assert_eq!(scenario.changes(), []);
        assert_eq!(scenario.state(), Warning);
        // They don't count as data either.
        let firing = Some(Severity::Warning);
        assert_eq!(scenario.wait(2), [(9, NoData { firing })]);
    }
}

#[test]
fn a_clock_that_stands_still_or_goes_back_fires_nothing() {
    let mut scenario = Scenario::new(rule());
    for second in [10, 10, 10, 4, 1, 10, 12] {
        scenario.second = second;
        scenario.observe(Some(50.0));
    }
    assert_eq!(scenario.changes(), [(10, Pending), (12, Critical)]);
}

#[test]
fn a_ratio_of_too_few_events_is_no_sample() {
    let mut strict = rule();
    strict.min_count = 50;
    let mut scenario = Scenario::new(strict);
    let mut counted = |second, value, count| {
        scenario.engine.observe(Instant::from_secs(second), "load", LABELS, Some(value), count).unwrap();
        scenario.state()
    };
    for second in 1..20 {
        assert_eq!(counted(second, 99.0, 49), NoData { firing: None });
    }
    assert_eq!(counted(20, 1.0, 50), Fine);
}

#[test]
fn a_removed_subject_ends_with_its_own_transition() {
    let mut scenario = Scenario::new(rule());
    scenario.feed(&[25.0; 4]);
    scenario.engine.remove(Instant::from_secs(5), "source", "p7");
    let end = scenario.drain();
    assert_eq!((end.len(), end[0].from, end[0].to), (1, Critical, None));
    assert_eq!(scenario.engine.statuses().count(), 0);
    scenario.engine.remove(Instant::from_secs(6), "source", "p7");
    assert_eq!(scenario.drain(), []);
}

#[test]
fn instances_are_bounded_and_room_comes_back() {
    let mut engine = Engine::new(vec![rule()], 2).unwrap();
    let observe = |engine: &mut Engine, source: &str, at, value| {
        engine.observe(Instant::from_secs(at), "load", &[("source", source)], value, u64::MAX)
    };
    observe(&mut engine, "1", 1, Some(50.0)).unwrap();
    observe(&mut engine, "2", 1, Some(50.0)).unwrap();
    assert_eq!(observe(&mut engine, "3", 1, Some(50.0)), Err(ObserveError::TooManyInstances { limit: 2 }));
    observe(&mut engine, "2", 4, Some(50.0)).unwrap();
    engine.remove(Instant::from_secs(5), "source", "1");
    assert_eq!(observe(&mut engine, "3", 6, None), Ok(()));
    let states: Vec<_> =
        engine.statuses().map(|status| (status.labels.value_of("source").unwrap(), status.state)).collect();
    assert_eq!(states, [("2", Critical), ("3", NoData { firing: None })]);
}

#[test]
fn the_rules_that_ship_have_the_thresholds_of_the_budgets() {
    use Direction::{Above, Below};
    let rules = default_rules();
    let levels = |name: &str| {
        let rule = rules.iter().find(|rule| *rule.name == *name).expect("it ships");
        let threshold = |level: Option<Level>| level.map(|level| level.threshold);
        (rule.direction, threshold(rule.warning), threshold(rule.critical))
    };
    let (day, hours_4) = (86_400_000.0, 14_400_000.0);
    assert_eq!(levels("host-cpu"), (Above, Some(0.70), Some(0.80)));
    assert_eq!(levels("host-memory"), (Above, Some(0.80), Some(0.90)));
    assert_eq!(levels("page-memory"), (Above, Some(0.60), Some(0.70)));
    assert_eq!(levels("page-memory-maximum"), (Above, None, Some(0.80)));
    assert_eq!(levels("page-errors"), (Above, Some(0.02), Some(0.05)));
    assert_eq!(levels("page-response"), (Above, Some(75.0), Some(100.0)));
    assert_eq!(levels("page-fps"), (Below, Some(55.0), Some(30.0)));
    assert_eq!(levels("page-cache-hits"), (Below, Some(0.70), Some(0.50)));
    assert_eq!(levels("page-cache-evictions").1, Some(0.05));
    assert_eq!(levels("page-garbage-collection").1, Some(10.0));
    assert_eq!(levels("host-disk-full"), (Below, Some(day), Some(hours_4)));
    assert!(Engine::new(default_rules(), 10).is_ok());
    let silent: Vec<&str> = rules
        .iter()
        .filter(|rule| rule.notify && rule.look_first.is_empty())
        .map(|rule| &*rule.name)
        .collect();
    assert_eq!(silent, [""; 0], "who is told is told where to look");
}

/// Bounds a level by the samples alone: it may only fire where each of the last seconds was beyond the threshold.
fn lasted(values: &[f64], threshold: f64, secs: usize) -> bool {
    values.len() > secs && values[values.len() - 1 - secs..].iter().all(|&value| value > threshold)
}

proptest! {
    /// Whatever the samples: nothing starts to fire without its duration, nothing resolves without its keep.
    #[test]
    fn it_fires_and_resolves_only_with_good_reason(values in prop::collection::vec(0.0_f64..30.0, 1..120)) {
        let mut scenario = Scenario::new(rule());
        let mut before = Fine;
        for at in 0..values.len() {
            scenario.feed(&values[at..=at]);
            let (state, seen) = (scenario.state(), &values[..=at]);
            match (before.severity(), state.severity()) {
                (None, Some(Severity::Warning)) => prop_assert!(lasted(seen, 10.0, 3)),
                (Some(Severity::Warning) | None, Some(Severity::Critical)) => prop_assert!(lasted(seen, 20.0, 2)),
                (Some(_), None) => prop_assert!(seen[seen.len() - 5..].iter().all(|&value| value <= 8.0)),
                (Some(Severity::Critical), Some(Severity::Warning)) => {
                    prop_assert!(seen[seen.len() - 5..].iter().all(|&value| value <= 18.0));
                }
                (None, None) | (Some(_), Some(_)) => {}
            }
            prop_assert!(!lasted(seen, 20.0, 2) || state == Critical);
            prop_assert!(!lasted(seen, 10.0, 3) || state.severity().is_some());
            before = state;
        }
    }
}
