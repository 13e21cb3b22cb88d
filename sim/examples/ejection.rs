//! What outlier ejection is worth: the study's scenarios with faulty workers that are not held out, at 70 % load, with and
//! without it. The table in `docs/balance/health-of-a-fleet.md` is made by
//! `cargo run --release -p quillwork-sim --example ejection`.

use quillwork_core::balance::{BalanceConfig, EjectionConfig, HealthConfig, LoadBalancer};
use quillwork_sim::fleet::{Fault, FleetScenario, simulate_early};
use quillwork_sim::study::{mean, scenarios};

const LOAD: f64 = 0.7;
const SEEDS: u64 = 10;

fn main() {
    println!("| scenario | strategy | p99 without, ms | p99 with, ms | errors without | errors with |");
    println!("|---|---|---|---|---|---|");
    for study in scenarios().into_iter().filter(|study| !study.held_out) {
        let scenario = FleetScenario { load: LOAD, ..study.scenario };
        if scenario.workers.iter().all(|worker| worker.fault == Fault::None) {
            continue;
        }
        for strategy in ["round-robin", "least-loaded"] {
            let [without, with] = [None, Some(EjectionConfig::default())].map(|ejection| {
                measure(&scenario, strategy, HealthConfig { ejection, ..HealthConfig::default() })
            });
            println!(
                "| {} | {strategy} | {:.0} | {:.0} | {} | {} |",
                scenario.name, without.0, with.0, without.1, with.1
            );
        }
    }
}

/// The mean p99 over all seeds, and the errors of all of them together.
fn measure(scenario: &FleetScenario, strategy: &'static str, health: HealthConfig) -> (f64, u32) {
    let config = BalanceConfig { strategy, health, ..BalanceConfig::default() };
    let reports: Vec<_> = (0..SEEDS)
        .map(|seed| {
            let mut balancer = LoadBalancer::new(config, seed).expect("the settings are sound");
            simulate_early(seed, scenario, &mut balancer)
        })
        .collect();
    let p99: Vec<f64> = reports.iter().filter_map(|report| report.response.quantile(0.99)).collect();
    (mean(&p99), reports.iter().map(|report| report.errors).sum())
}
