//! Simulated fleets under every strategy, the pool and the bounds: each task ends once, and nothing is left behind.

use quillwork_core::balance::{BalanceConfig, LoadBalancer};
use quillwork_core::pool::PoolConfig;
use quillwork_core::pool::recording::{Ending, replay};
use quillwork_core::rng::Rng;
use quillwork_sim::fleet::{
    Binding, FleetReport, FleetScenario, record, recorded_traffic, simulate, simulate_early, strategy_names,
};

use crate::random_fleet::random_fleet;

const TASKS: u32 = 1_000;

pub(super) fn run(seed: u64) -> Result<u64, String> {
    let scenario = random_fleet(&mut Rng::from_seed(seed), TASKS);
    let mut steps = 0;
    for strategy in strategy_names() {
        steps += early(seed, &scenario, strategy).map_err(|broken| format!("{strategy}: {broken}"))?;
    }
    steps += late(seed, &scenario).map_err(|broken| format!("late binding: {broken}"))?;
    for bound in [Binding::CentralQueue, Binding::Clairvoyant] {
        let report = simulate(seed, &scenario, &bound);
        steps += everybody_ended(&scenario, &report).map_err(|broken| format!("{bound:?}: {broken}"))?;
    }
    Ok(steps)
}

fn early(seed: u64, scenario: &FleetScenario, strategy: &str) -> Result<u64, String> {
    let mut balancer =
        LoadBalancer::new(BalanceConfig::default(), seed).map_err(|error| error.to_string())?;
    balancer.set_strategy(strategy).map_err(|error| error.to_string())?;
    let report = simulate_early(seed, scenario, &mut balancer);
    if balancer.in_flight() != 0 {
        return Err(format!("{} tasks are in flight after the last one ended", balancer.in_flight()));
    }
    if balancer.invalid_choices() != 0 {
        return Err(format!("{} choices were none of the eligible workers", balancer.invalid_choices()));
    }
    let fleet = balancer.fleet();
    if let Some(slot) = fleet.slots().find(|&slot| fleet.load(slot).get() != 0) {
        return Err(format!("{:?} is left with a load of {:?}", fleet.worker(slot), fleet.load(slot)));
    }
    everybody_ended(scenario, &report)
}

fn late(seed: u64, scenario: &FleetScenario) -> Result<u64, String> {
    let config = PoolConfig { max_queued: 4 * TASKS, ..PoolConfig::default() };
    let (report, log) = record(seed, scenario, config);
    if report != simulate(seed, scenario, &Binding::Late(config)) {
        return Err(String::from("recording it changed what happened"));
    }
    let replayed = replay(&log).map_err(|error| error.to_string())?;
    if replayed.ending != Ending::Complete {
        return Err(format!("its recording ends {:?}", replayed.ending));
    }
    let traffic = recorded_traffic(&log).map_err(|error| error.to_string())?;
    if traffic.workers != scenario.workers.len() {
        return Err(format!("{} workers were recorded of {}", traffic.workers, scenario.workers.len()));
    }
    everybody_ended(scenario, &report)
}

/// Gives the number of attempts.
fn everybody_ended(scenario: &FleetScenario, report: &FleetReport) -> Result<u64, String> {
    let measured = (scenario.count - scenario.warm_up) as usize;
    let (responses, slowdowns) = (report.response.values(), report.slowdown.values());
    if responses.len() != measured || slowdowns.len() != measured {
        return Err(format!("{} of {measured} tasks ended", responses.len()));
    }
    if responses.iter().chain(slowdowns).any(|value| !value.is_finite() || *value < 0.0) {
        return Err(String::from("a task took no time that there is"));
    }
    let most = scenario.count.saturating_mul(scenario.client.attempts);
    if report.attempts < scenario.count || report.attempts > most {
        return Err(format!("{} attempts at {} tasks, {most} allowed", report.attempts, scenario.count));
    }
    if report.errors as usize > measured || !report.goodput_per_sec.is_finite() {
        return Err(format!("{} errors, {} good a second", report.errors, report.goodput_per_sec));
    }
    Ok(u64::from(report.attempts))
}
