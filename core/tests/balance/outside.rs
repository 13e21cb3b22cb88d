//! Settings, strategies by name, scores to read, and choices made outside.

use quillwork_core::balance::strategies::{ConsistentHash, LeastLoaded};
use quillwork_core::balance::{
    BalanceConfig, ConfigError, Eligible, Ineligible, LoadBalancer, ScoreWeights, Slot, Strategy,
    StrategyError, Task, WorkerStatus,
};
use quillwork_core::ids::TaskType;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::rig::{at, balancer, task, worker};

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let refused = |config: BalanceConfig| LoadBalancer::new(config, 0).unwrap_err().to_string();
    let default = BalanceConfig::default;
    assert!(
        refused(BalanceConfig { evidence_half_life: Duration::ZERO, ..default() })
            .contains("evidence_half_life")
    );
    assert!(refused(BalanceConfig { failure_penalty: 0.5, ..default() }).contains("failure_penalty"));
    assert!(refused(BalanceConfig { failure_penalty: f64::NAN, ..default() }).contains("failure_penalty"));
    assert!(refused(BalanceConfig { sticky_slack: -0.1, ..default() }).contains("sticky_slack"));
    assert!(refused(BalanceConfig { max_task_types: 0, ..default() }).contains("max_task_types"));
    assert!(refused(BalanceConfig { strategy: "best", ..default() }).contains("`best`"));
    let weights = ScoreWeights { capacity: 0.9, ..ScoreWeights::DEFAULT };
    let error = LoadBalancer::new(BalanceConfig { score: weights, ..default() }, 0).unwrap_err();
    assert!(matches!(error, ConfigError::WeightsDontAddUp { sum } if (sum - 1.5).abs() < 1e-9));
    let weights = ScoreWeights { capacity: 1.2, performance: -0.5, ..ScoreWeights::DEFAULT };
    assert!(weights.validate().is_err());
}

#[test]
fn strategies_go_by_their_names() {
    let mut balancer = balancer("round-robin", &[8, 8]);
    let names: Vec<_> = balancer.strategy_names().collect();
    for name in names {
        balancer.set_strategy(name).unwrap();
        assert_eq!(balancer.current_strategy(), name);
        assert!(balancer.select_worker(at(0), &task(1)).is_ok());
    }
    balancer.set_strategy("random").unwrap();
    assert_eq!(balancer.set_strategy("fastest"), Err(StrategyError::Unknown));
    assert_eq!(balancer.current_strategy(), "random", "the current one stays");
    let taken = balancer.register_strategy(Box::new(LeastLoaded));
    assert_eq!(taken, Err(StrategyError::NameTaken { name: "least-loaded" }));
    assert!(balancer.register_strategy(Box::new(ConsistentHash::default())).is_err());
}

/// Chooses a worker that left long ago, and one that is full.
#[derive(Debug)]
struct Stubborn(Option<Slot>);

impl Strategy for Stubborn {
    fn name(&self) -> &'static str {
        "stubborn"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        *self.0.get_or_insert(eligible.nth(eligible.len() - 1))
    }

    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        out.extend(eligible.iter().map(|_| 0.5));
    }
}

#[test]
fn a_strategy_that_errs_is_overruled_and_counted() {
    let mut balancer = balancer("least-loaded", &[2, 2]);
    balancer.register_strategy(Box::new(Stubborn(None))).unwrap();
    balancer.set_strategy("stubborn").unwrap();
    let chosen: Vec<_> = (0..4).map(|id| balancer.assign(at(0), &task(id)).unwrap()).collect();
    assert_eq!(chosen, [worker(1), worker(1), worker(0), worker(0)]);
    assert_eq!(balancer.invalid_choices(), 2);
    balancer.handle_left(at(1), worker(1));
    balancer.handle_finished(at(1), task(2).id, true);
    assert_eq!(balancer.assign(at(1), &task(9)), Ok(worker(0)));
}

#[test]
fn an_answer_from_outside_is_checked_against_the_present() {
    let mut balancer = balancer("least-loaded", &[1, 1, 1]);
    let mut candidates = Vec::new();
    balancer.candidates(at(0), &task(1), &mut candidates).unwrap();
    assert_eq!(candidates, [worker(0), worker(1), worker(2)]);
    // While the question was out, the world went on.
    balancer.handle_assigned(at(1), &task(2), worker(0));
    balancer.handle_status(at(1), worker(1), WorkerStatus::Draining);
    assert!(matches!(balancer.check(at(2), &task(1), worker(0)), Err(Ineligible::NoRoom { .. })));
    assert!(matches!(balancer.check(at(2), &task(1), worker(1)), Err(Ineligible::NotUp { .. })));
    assert!(matches!(balancer.check(at(2), &task(1), worker(7)), Err(Ineligible::Unknown { .. })));
    assert_eq!(balancer.check(at(2), &task(1), worker(2)), Ok(()));
    assert!(balancer.handle_assigned(at(2), &task(1), worker(2)));
}

#[test]
fn scores_are_the_weighted_sum_of_what_they_show() {
    let mut balancer = balancer("best-score", &[4, 4]);
    let task_type = TaskType::new(3);
    for _ in 0..6 {
        balancer.update_context(at(0), worker(0), task_type, false, Duration::from_millis(5));
        balancer.update_context(at(0), worker(1), task_type, true, Duration::from_millis(5));
    }
    balancer.handle_assigned(at(0), &task(1), worker(1));
    let affine = [worker(0)];
    let task = Task { task_type, affinity: &affine, ..task(2) };
    let mut scores = Vec::new();
    balancer.score_workers(at(0), &task, &mut scores);
    let [failing, good] = &scores[..] else { panic!("two workers") };
    // 0 of 6 runs succeeded, with two successes thrown in; of the type, with two runs of that ratio thrown in. A run counts
    // a sixty-fourth less for each one after it.
    let runs: f64 = (0..6).map(|later| (1.0_f64 - 1.0 / 64.0).powi(later)).sum();
    let ratio = 2.0 / (runs + 2.0);
    assert!((failing.performance - ratio).abs() < 1e-9 && (good.performance - 1.0).abs() < 1e-9);
    assert!((failing.affinity - (0.5 + 0.5 * 2.0 * ratio / (runs + 2.0))).abs() < 1e-9, "{failing:?}");
    assert!((good.affinity - 0.5).abs() < 1e-9 && (good.capacity - 0.75).abs() < 1e-9);
    assert!(failing.reliability < good.reliability);
    for score in &scores {
        let sum =
            0.4 * score.capacity + 0.3 * score.performance + 0.2 * score.affinity + 0.1 * score.reliability;
        assert!((score.total - sum).abs() < 1e-12 && score.eligible);
    }
}

#[test]
fn outages_show_in_reliability_and_fade() {
    let mut balancer = balancer("least-loaded", &[4]);
    balancer.handle_status(at(0), worker(0), WorkerStatus::Offline);
    balancer.handle_status(Instant::from_secs(600), worker(0), WorkerStatus::Ready);
    let reliability = |balancer: &mut LoadBalancer, secs| {
        let mut scores = Vec::new();
        balancer.score_workers(Instant::from_secs(secs), &task(1), &mut scores);
        scores[0].reliability
    };
    // Speed is 0.5 for a worker of which nothing is known, and half an outage of one half-life is left.
    assert!((reliability(&mut balancer, 600) - 0.5).abs() < 1e-6);
    assert!((reliability(&mut balancer, 1_200) - 0.625).abs() < 1e-6);
}

#[test]
fn the_same_seed_and_events_lead_to_the_same_choices() {
    let run = |seed| {
        let config = BalanceConfig { strategy: "random", ..BalanceConfig::default() };
        let mut balancer = LoadBalancer::new(config, seed).unwrap();
        for id in 0..9 {
            balancer.handle_joined(at(0), crate::rig::spec(id, 1_000));
        }
        (0..100).map(|id| balancer.assign(at(id), &task(id)).unwrap().get()).collect::<Vec<_>>()
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
