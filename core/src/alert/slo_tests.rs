//! A month of an objective in milliseconds.

use alloc::vec;

use super::{Budget, Direction, Engine, Indicator, Rule, Selector, Slo, State};
use crate::time::{Duration, Instant};

const NONE: &[(&str, &str)] = &[];
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// Instants are those of a wall clock: nothing happens near zero.
const START: u64 = 1_700_000_000;

struct Service {
    engine: Engine,
    second: u64,
    /// Seconds between samples.
    step: u64,
}

impl Service {
    /// 99.9 % of requests, at ten a second.
    fn new() -> Self {
        let events = Indicator::Events { bad: Selector::all("bad"), total: Selector::all("all") };
        Self::with(Slo { min_events: 100, ..Slo::new(0.999, events) })
    }

    fn with(slo: Slo) -> Self {
        let engine = Engine::new(vec![Rule::objective("slo", slo)], 4).unwrap();
        Self { engine, second: START, step: 60 }
    }

    /// Traffic of ten requests a second, `bad_ratio` of it failing; stops when it is firing otherwise, and says when.
    fn run(&mut self, secs: u64, bad_ratio: f64) -> Option<(u64, State)> {
        let severity = |state: Option<State>| state.and_then(State::severity);
        let before = severity(self.state());
        let begin = self.second;
        while self.second < begin + secs {
            self.second += self.step;
            let now = Instant::from_secs(self.second);
            // Whole errors, spread evenly.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "far below 2^53")]
            let errors = |second: u64| (second as f64 * 10.0 * bad_ratio) as u64;
            let bad = errors(self.second) - errors(self.second - self.step);
            self.engine.observe(now, "bad", NONE, Some(bad as f64), u64::MAX).unwrap();
            self.engine.observe(now, "all", NONE, Some(10.0 * self.step as f64), u64::MAX).unwrap();
            self.engine.handle_deadline(now);
            if severity(self.state()) != before {
                return Some((self.second - begin, self.state().unwrap()));
            }
        }
        None
    }

    fn state(&self) -> Option<State> {
        self.engine.statuses().next().map(|status| status.state)
    }

    fn budget(&self) -> Budget {
        self.engine.budgets(Instant::from_secs(self.second)).next().unwrap().2
    }
}

#[test]
fn a_month_within_its_objective_stays_quiet_and_spends_its_budget() {
    let mut service = Service::new();
    service.run(10, 0.0);
    assert_eq!(service.run(30 * DAY, 0.000_9), None);
    let budget = service.budget();
    assert!((budget.left.unwrap() - 0.1).abs() < 0.01, "{budget:?}");
    assert!((budget.attained.unwrap() - 0.999_1).abs() < 0.000_01, "{budget:?}");
    assert!(budget.events > 25_000_000, "{budget:?}");
    assert!(budget.observed > Duration::from_secs(30 * DAY - 7 * HOUR), "{budget:?}");
}

#[test]
fn an_outage_is_critical_within_minutes_and_over_soon_after_it_ends() {
    let mut service = Service::new();
    service.run(4 * DAY, 0.0);
    service.step = 10;
    // All is lost: 2 % of the month's budget, 864 bad seconds at 0.1 %, are spent in 52 s; the hour's window says it first.
    let (after, state) = service.run(DAY, 1.0).unwrap();
    assert_eq!(state, State::Critical);
    assert!((50..=70).contains(&after), "{after}");
    service.run(300, 1.0);
    // The short window of thirty minutes holds it for longest; then the warnings of the long ones.
    let (after, state) = service.run(DAY, 0.0).unwrap();
    assert_eq!(state, State::Warning);
    assert!(after <= 40 * 60, "{after}");
    assert!(service.budget().left.unwrap() < 1.0);
}

/// The rates of the workbook: fourteen times and a half for an hour, six for six, three for a day, one for three.
#[test]
fn slow_burns_are_found_by_the_longer_windows() {
    for (rate, longest, expected) in [
        (15.0, HOUR, State::Critical),
        (7.0, 6 * HOUR, State::Critical),
        (3.5, DAY, State::Warning),
        (1.3, 3 * DAY, State::Warning),
    ] {
        let mut service = Service::new();
        service.run(4 * DAY, 0.0);
        let mut found = None;
        let mut passed = 0;
        // A fast burn is a slow one before.
        while let Some((after, state)) = service.run(2 * longest, 0.001 * rate) {
            passed += after;
            found = Some(state);
            if state == expected {
                break;
            }
        }
        assert_eq!(found, Some(expected), "{rate}");
        assert!(passed <= longest, "{rate}: {passed} s");
    }
    let mut service = Service::new();
    service.run(4 * DAY, 0.0);
    assert_eq!(service.run(10 * DAY, 0.000_95), None, "within the budget nobody is called");
}

#[test]
fn little_traffic_says_little() {
    let events = Indicator::Events { bad: Selector::all("bad"), total: Selector::all("all") };
    let mut service = Service::with(Slo { min_events: 100_000, ..Slo::new(0.999, events) });
    service.run(20 * 60, 1.0);
    assert_eq!(service.state(), Some(State::NoData { firing: None }));
    assert_eq!(service.budget().burn_rate_1h, None);
}

fn up() -> Service {
    let of = Selector::all("up");
    let samples = Indicator::Samples { of, bound: 0.5, direction: Direction::Below };
    Service::with(Slo { min_events: 5, ..Slo::new(0.999, samples) })
}

#[test]
fn a_closed_page_is_not_observed_and_not_down() {
    let mut service = up();
    let mut look = |secs: u64, up: Option<f64>| {
        for _ in 0..secs / 60 {
            service.second += 60;
            let now = Instant::from_secs(service.second);
            if let Some(up) = up {
                service.engine.observe(now, "up", NONE, Some(up), u64::MAX).unwrap();
            }
            service.engine.handle_deadline(now);
        }
        (service.state().unwrap(), service.budget())
    };
    look(DAY, Some(1.0));
    let (state, budget) = look(2 * DAY, None);
    assert_eq!(state, State::NoData { firing: None });
    assert_eq!(budget.attained, Some(1.0));
    let day = Duration::from_secs(DAY);
    assert!(budget.observed >= day - Duration::from_secs(60) && budget.observed <= day, "{budget:?}");
    let (state, budget) = look(1_200, Some(0.0));
    assert_eq!(state, State::Critical, "lost without a goodbye is down");
    assert!(budget.left.unwrap() < 0.0, "{budget:?}");
}

#[test]
fn weak_objectives_can_be_missed_too() {
    let events = Indicator::Events { bad: Selector::all("bad"), total: Selector::all("all") };
    let mut service = Service::with(Slo { min_events: 100, ..Slo::new(0.5, events) });
    service.run(HOUR, 0.4);
    assert_eq!(service.state(), Some(State::Ok));
    // A rate of 14.4 can't be reached where half of all may be bad; four fifths of the highest possible can.
    while service.state() != Some(State::Critical) {
        assert!(service.run(3 * HOUR, 1.0).is_some(), "an hour of nothing but bad ones");
    }
}
