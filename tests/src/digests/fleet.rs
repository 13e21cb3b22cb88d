//! Simulated fleets: every kind of arrivals, service and fault, under every strategy, the pool and the bounds.

use quillwork_core::pool::PoolConfig;
use quillwork_core::rng::Rng;
use quillwork_sim::fleet::{Binding, FleetReport, record, recorded_traffic, simulate, strategy_names};

use super::Decisions;
use crate::random_fleet::random_fleet;

pub(super) fn digest(seed: u64) -> u64 {
    let mut decisions = Decisions::new();
    let scenario = random_fleet(&mut Rng::from_seed(seed), 400);
    let pool = PoolConfig { max_queued: 10_000, ..PoolConfig::default() };
    let early = strategy_names().into_iter().map(Binding::Early);
    for binding in early.chain([Binding::CentralQueue, Binding::Clairvoyant]) {
        fold(&simulate(seed, &scenario, &binding), &mut decisions);
    }
    let (report, log) = record(seed, &scenario, pool);
    fold(&report, &mut decisions);
    decisions.record(&log);
    match recorded_traffic(&log) {
        Ok(traffic) => {
            decisions.record(&(traffic.jobs, traffic.workers, traffic.estimated, traffic.truncated))
        }
        Err(error) => decisions.record(&error),
    }
    decisions.digest()
}

fn fold(report: &FleetReport, decisions: &mut Decisions) {
    for of in [&report.response, &report.slowdown] {
        of.values().iter().for_each(|&value| decisions.record_f64(Some(value)));
        decisions.record_f64(Some(of.mean()));
    }
    decisions.record_f64(Some(report.goodput_per_sec));
    decisions.record(&(report.errors, &report.given, report.attempts));
}
