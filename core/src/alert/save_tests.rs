//! What outlives the process.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::scenario_tests::{LABELS, rule};
use super::{
    Condition, Direction, Engine, Indicator, Level, Rule, Selector, Severity, Slo, State, Unit, Unreadable,
};
use crate::time::{Duration, Instant};

const TOLERANCE: Duration = Duration::from_secs(60);

fn rules() -> Vec<Rule> {
    let absent = Condition::Absent(Selector::all("load"));
    let events = Indicator::Samples { of: Selector::all("load"), bound: 10.0, direction: Direction::Above };
    vec![
        rule(),
        Rule {
            warning: Some(Level::at(20_000.0)),
            ..Rule::new("absent", absent, Unit::Millis, Direction::Above)
        },
        Rule::objective("slo", Slo::new(0.99, events)),
    ]
}

fn feed(engine: &mut Engine, seconds: core::ops::RangeInclusive<u64>, value: f64) {
    for second in seconds {
        let now = Instant::from_secs(second);
        engine.observe(now, "load", LABELS, Some(value), u64::MAX).unwrap();
        engine.handle_deadline(now);
    }
}

fn restarted(saved: &[u8], second: u64) -> Engine {
    let mut engine = Engine::new(rules(), 10).unwrap();
    engine.restore(Instant::from_secs(second), saved, TOLERANCE).unwrap();
    engine
}

fn load(engine: &Engine) -> super::Status<'_> {
    engine.statuses().next().unwrap()
}

#[test]
fn what_fires_goes_on_firing_since_then() {
    let mut engine = Engine::new(rules(), 10).unwrap();
    feed(&mut engine, 1_000..=1_010, 25.0);
    for away in [1, 30, 86_400] {
        let mut engine = restarted(&engine.save(), 1_010 + away);
        assert_eq!(load(&engine).state.severity(), Some(Severity::Critical));
        feed(&mut engine, 1_011 + away..=1_011 + away, 25.0);
        assert_eq!(load(&engine).firing_since, Some(Instant::from_secs(1_002)), "away for {away} s");
        let outputs: Vec<_> =
            core::iter::from_fn(|| engine.poll_output()).filter(|change| *change.rule == *"load").collect();
        assert!(outputs.iter().all(|change| change.to.unwrap().severity().is_some()), "{outputs:?}");
    }
}

#[test]
fn what_was_pending_goes_on_after_a_short_absence_and_anew_after_a_long_one() {
    let mut engine = Engine::new(rules(), 10).unwrap();
    feed(&mut engine, 1_000..=1_001, 12.0);
    assert_eq!(load(&engine).state, State::Pending);
    let saved = engine.save();
    let mut soon = restarted(&saved, 1_031);
    feed(&mut soon, 1_031..=1_031, 12.0);
    assert_eq!(load(&soon).state, State::Warning);
    let mut late = restarted(&saved, 1_200);
    feed(&mut late, 1_200..=1_200, 12.0);
    assert_eq!(load(&late).state, State::Pending);
}

#[test]
fn nothing_was_missing_while_nobody_looked() {
    let mut engine = Engine::new(rules(), 10).unwrap();
    feed(&mut engine, 1_000..=1_010, 5.0);
    let mut engine = restarted(&engine.save(), 90_000);
    engine.handle_deadline(Instant::from_secs(90_001));
    let absent = |engine: &Engine| {
        engine.statuses().find(|status| *engine.rule(status.rule).name == *"absent").unwrap().state
    };
    assert_eq!(absent(&engine), State::Ok);
    engine.handle_deadline(Instant::from_secs(90_021));
    assert_eq!(absent(&engine), State::Warning);
}

#[test]
fn budgets_are_kept() {
    let mut engine = Engine::new(rules(), 10).unwrap();
    feed(&mut engine, 100_000..=110_000, 5.0);
    feed(&mut engine, 110_001..=110_100, 15.0);
    let before: Vec<_> = engine.budgets(Instant::from_secs(110_100)).map(|budget| budget.2).collect();
    let restored = restarted(&engine.save(), 110_100);
    let after: Vec<_> = restored.budgets(Instant::from_secs(110_100)).map(|budget| budget.2).collect();
    assert_eq!((before.len(), &before), (1, &after));
    assert_eq!(before[0].bad_events, 100);
}

#[test]
fn a_clock_that_was_set_back_meanwhile_holds_nothing_up() {
    let mut engine = Engine::new(rules(), 10).unwrap();
    feed(&mut engine, 100_000..=100_010, 25.0);
    let mut engine = restarted(&engine.save(), 5_000);
    feed(&mut engine, 5_001..=5_020, 1.0);
    assert_eq!(load(&engine).state, State::Ok);
}

#[test]
fn rules_that_are_gone_are_left_out() {
    let mut engine = Engine::new(rules(), 10).unwrap();
    feed(&mut engine, 1_000..=1_010, 25.0);
    let mut fewer = Engine::new(vec![rule()], 10).unwrap();
    fewer.restore(Instant::from_secs(1_011), &engine.save(), TOLERANCE).unwrap();
    assert_eq!(fewer.statuses().count(), 1);
}

proptest! {
    #[test]
    fn broken_bytes_are_refused_whole(at in 0_usize..400, flip in 1_u8..=255, cut in 0_usize..400) {
        let mut engine = Engine::new(rules(), 10).unwrap();
        feed(&mut engine, 1_000..=1_010, 25.0);
        let mut saved = engine.save();
        let place = at % saved.len();
        saved[place] ^= flip;
        let mut other = Engine::new(rules(), 10).unwrap();
        // Not every flip can be noticed without a checksum, which is the store's business; none panics.
        let _any = other.restore(Instant::from_secs(1_011), &saved, TOLERANCE);
        let cut = cut % saved.len();
        saved[place] ^= flip;
        let mut other = Engine::new(rules(), 10).unwrap();
        let restored = other.restore(Instant::from_secs(1_011), &saved[..cut], TOLERANCE);
        prop_assert_eq!(restored, Err(Unreadable));
        prop_assert_eq!(other.statuses().count(), 0);
    }
}
