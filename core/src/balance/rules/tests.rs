//! Rules at work.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;
use crate::balance::{BalanceConfig, Ineligible, Load, Refusal, WorkerSpec, WorkerStatus};
use crate::ids::TaskId;
use crate::time::Duration;

const SEARCH: TaskType = TaskType::new(3);
const NOW: Instant = Instant::ZERO;

fn worker(number: u32) -> WorkerId {
    WorkerId::new(number)
}

fn balancer(workers: u32, history_rule: Option<HistoryRule>) -> LoadBalancer {
    let config = BalanceConfig { strategy: "round-robin", history_rule, ..BalanceConfig::default() };
    let mut balancer = LoadBalancer::new(config, 1).unwrap();
    for number in 0..workers {
        let region = Some(RegionId::new(number % 2));
        let capabilities = if number == 3 { Capabilities::from_bits(1) } else { Capabilities::NONE };
        let spec =
            WorkerSpec { region, capabilities, capacity: Load::new(4), ..WorkerSpec::new(worker(number)) };
        balancer.handle_joined(NOW, spec);
    }
    balancer
}

fn search(number: u64) -> Task<'static> {
    Task { task_type: SEARCH, ..Task::new(TaskId::new(number)) }
}

/// Which workers get the searches, by and by.
fn chosen(balancer: &mut LoadBalancer) -> Vec<u32> {
    let mut all: Vec<u32> =
        (0..12).filter_map(|number| Some(balancer.select_worker(NOW, &search(number)).ok()?.get())).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn rule(workers: RuleWorkers, effect: RuleEffect) -> Rule {
    Rule { task_type: Some(SEARCH), workers, effect }
}

#[test]
fn a_preference_holds_while_one_of_them_has_room() {
    let mut balancer = balancer(4, None);
    balancer.add_rule(rule(RuleWorkers::InRegion(RegionId::new(1)), RuleEffect::Prefer));
    assert_eq!(chosen(&mut balancer), [1, 3]);
    for number in 0..8 {
        balancer.assign(NOW, &search(number)).unwrap();
    }
    assert_eq!(chosen(&mut balancer), [0, 2]);
    // A task's own list goes first.
    let own = [worker(2)];
    assert_eq!(balancer.select_worker(NOW, &Task { affinity: &own, ..search(9) }), Ok(worker(2)));
}

#[test]
fn of_several_requirements_one_must_hold_and_a_ban_beats_all() {
    let mut balancer = balancer(4, None);
    balancer.add_rule(rule(RuleWorkers::Worker(worker(0)), RuleEffect::Require));
    balancer.add_rule(rule(RuleWorkers::Capable(Capabilities::from_bits(1)), RuleEffect::Require));
    assert_eq!(chosen(&mut balancer), [0, 3]);
    balancer.add_rule(Rule {
        task_type: None,
        workers: RuleWorkers::Worker(worker(3)),
        effect: RuleEffect::Forbid,
    });
    assert_eq!(chosen(&mut balancer), [0]);
    // Other types are bound by the rule for all alone.
    let other = balancer.select_worker(NOW, &Task::new(TaskId::new(99))).unwrap();
    assert_ne!(other, worker(3));
    balancer.remove_rules(|rule| rule.effect == RuleEffect::Forbid);
    assert_eq!(chosen(&mut balancer), [0, 3]);
    assert_eq!(balancer.rules().len(), 2);
}

#[test]
fn a_refusal_speaks_of_those_that_the_rules_leave() {
    let mut balancer = balancer(4, None);
    balancer.add_rule(rule(RuleWorkers::Worker(worker(1)), RuleEffect::Require));
    for number in 0..4 {
        assert_eq!(balancer.assign(NOW, &search(number)), Ok(worker(1)));
    }
    let full = Refusal::NoRoom { needed: Load::ONE, most_free: Load::ZERO };
    assert_eq!(balancer.select_worker(NOW, &search(9)), Err(full));
    let mut out = Vec::new();
    assert_eq!(balancer.candidates(NOW, &search(9), &mut out), Err(full));
    balancer.handle_status(NOW, worker(1), WorkerStatus::Offline);
    let refused = balancer.select_worker(NOW, &search(9));
    assert!(matches!(refused, Err(Refusal::AllOffline { offline: 1, .. })), "{refused:?}");
    balancer.handle_left(NOW, worker(1));
    assert_eq!(balancer.select_worker(NOW, &search(9)), Err(Refusal::AllForbidden { forbidden: 3 }));
    assert_eq!(balancer.check(NOW, &search(9), worker(0)), Err(Ineligible::Forbidden));
}

#[test]
fn migration_keeps_to_the_rules() {
    let mut balancer = balancer(3, None);
    balancer.add_rule(rule(RuleWorkers::Worker(worker(2)), RuleEffect::Forbid));
    for number in 0..4 {
        balancer.handle_assigned(NOW, &search(number), worker(0));
    }
    let mut out = Vec::new();
    balancer.suggest_migration(NOW, &mut out);
    assert!(!out.is_empty() && out.iter().all(|migration| migration.to == worker(1)), "{out:?}");
}

#[test]
fn who_did_badly_with_a_type_is_avoided_for_it_only_while_there_is_another() {
    let mut balancer = balancer(2, Some(HistoryRule::default()));
    for _ in 0..20 {
        balancer.update_context(NOW, worker(0), SEARCH, false, Duration::from_millis(5));
        balancer.update_context(NOW, worker(1), SEARCH, true, Duration::from_millis(5));
    }
    assert_eq!(chosen(&mut balancer), [1]);
    balancer.handle_status(NOW, worker(1), WorkerStatus::Offline);
    assert_eq!(chosen(&mut balancer), [0]);
}

#[test]
fn a_history_that_makes_no_sense_is_refused() {
    let history_rule = Some(HistoryRule { min_runs: f64::NAN, ..HistoryRule::default() });
    let refused =
        LoadBalancer::new(BalanceConfig { history_rule, ..BalanceConfig::default() }, 1).unwrap_err();
    assert!(refused.to_string().contains("more than 0 runs"));
}
