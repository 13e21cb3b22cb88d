//! Every strategy: what it picks, what it scores, and what health makes of the workers meanwhile.

use quillwork_core::balance::{
    BalanceConfig, EjectionConfig, HealthConfig, HistoryRule, LoadBalancer, Rule, RuleEffect, RuleWorkers,
    SlowStartConfig,
};
use quillwork_core::ids::{RegionId, TaskType};
use quillwork_core::pool::Capabilities;
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use super::life::Life;
use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut decisions = Decisions::new();
    let names: Vec<_> = balancer(seed).strategy_names().collect();
    for name in names {
        let mut balancer = balancer(seed);
        balancer.set_strategy(name).expect("it was just named");
        decisions.record(&name);
        live(&mut balancer, Rng::from_seed(seed), &mut decisions);
    }
    decisions.digest()
}

fn balancer(seed: u64) -> LoadBalancer {
    let ejection = EjectionConfig {
        interval: Duration::from_millis(400),
        base: Duration::from_millis(300),
        longest: Duration::from_secs(3),
        ..EjectionConfig::default()
    };
    let slow_start = SlowStartConfig { window: Duration::from_secs(2), aggression: 1.3, min_factor: 0.1 };
    let health =
        HealthConfig { ejection: Some(ejection), slow_start: Some(slow_start), ..HealthConfig::on() };
    let config = BalanceConfig {
        evidence_half_life: Duration::from_millis(1_700),
        latency_half_life: Duration::from_millis(900),
        health,
        history_rule: Some(HistoryRule::default()),
        ..BalanceConfig::default()
    };
    let mut balancer = LoadBalancer::new(config, seed).expect("the settings make sense");
    balancer.add_rule(Rule {
        task_type: Some(TaskType::new(1)),
        workers: RuleWorkers::InRegion(RegionId::new(2)),
        effect: RuleEffect::Prefer,
    });
    balancer.add_rule(Rule {
        task_type: Some(TaskType::new(2)),
        workers: RuleWorkers::Capable(Capabilities::from_bits(4)),
        effect: RuleEffect::Forbid,
    });
    balancer
}

fn live(balancer: &mut LoadBalancer, rng: Rng, decisions: &mut Decisions) {
    let mut life = Life::new(rng);
    for _ in 0..6 {
        let now = life.tick();
        life.join(now, balancer);
    }
    let mut scores = Vec::new();
    for step in 0..500 {
        let now = life.tick();
        if balancer.next_deadline().is_some_and(|deadline| deadline <= now) {
            balancer.handle_deadline(now);
        }
        if life.rng.chance(0.05) {
            life.disturb(now, balancer, decisions);
        } else {
            life.work(now, balancer, decisions);
        }
        while let Some(change) = balancer.poll_health_change() {
            decisions.record(&change);
        }
        if step % 20 == 0 {
            let task = life.task(&[], &[]);
            balancer.score_workers(now, &task, &mut scores);
            for score in &scores {
                decisions.record(&(score.worker, score.eligible));
                for part in
                    [score.capacity, score.performance, score.affinity, score.reliability, score.total]
                {
                    decisions.record_f64(Some(part));
                }
            }
        }
    }
    decisions.record(&(balancer.in_flight(), balancer.invalid_choices(), balancer.next_deadline()));
}
