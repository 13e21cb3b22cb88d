//! Simulated fleets: every kind of arrivals, service and fault, under every strategy, the pool and the bound.

use quillwork_core::ids::TaskType;
use quillwork_core::pool::PoolConfig;
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;
use quillwork_sim::fleet::{
    Arrivals, Binding, ClientModel, Fault, FleetReport, FleetScenario, Service, TaskModel, When, WorkerModel,
    record, recorded_traffic, simulate, strategy_names,
};

use super::Decisions;

pub(super) fn digest(seed: u64) -> u64 {
    let mut decisions = Decisions::new();
    let scenario = scenario(&mut Rng::from_seed(seed));
    let pool = PoolConfig { max_queued: 10_000, lease: None, ..PoolConfig::default() };
    let early = strategy_names().into_iter().map(Binding::Early);
    for binding in early.chain([Binding::CentralQueue]) {
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

fn scenario(rng: &mut Rng) -> FleetScenario {
    let arrivals = [
        Arrivals::Deterministic,
        Arrivals::Poisson,
        Arrivals::Bursts { factor: 2.0, ratio: 0.2, period: Duration::from_millis(500) },
    ];
    let services = [
        Service::Exponential,
        Service::Bimodal { long_ratio: 0.1, factor: 10.0 },
        Service::LogNormal { sigma: 1.0 },
        Service::BoundedPareto { alpha: 1.5, span: 100.0 },
    ];
    let flapping = When::Periodic { period: Duration::from_millis(700), ratio: 0.4 };
    let faults = [
        Fault::Slow { factor: 6.0, when: flapping },
        Fault::FailFast { ratio: 0.7, after: Duration::from_millis(1), when: When::Always },
        Fault::BlackHole { when: flapping },
        Fault::Crash { mean_uptime: Duration::from_millis(600), downtime: Duration::from_millis(200) },
    ];
    let types = [TaskType::new(0), TaskType::new(1)];
    let healthy = |rng: &mut Rng| WorkerModel {
        talents: vec![(types[rng.index(2)], 0.5 + rng.unit_f64())],
        concurrency: 1 + rng.next_u32() % 2,
        latency: Duration::from_micros(rng.below(2_000)),
        ..WorkerModel::healthy(0.5 + rng.unit_f64())
    };
    let mut workers: Vec<_> = (0..4).map(|_| healthy(rng)).collect();
    workers.push(healthy(rng).with(faults[rng.index(faults.len())]));
    let tasks = types.map(|task_type| TaskModel {
        task_type,
        keys: rng.below(20),
        ..TaskModel::new(Duration::from_millis(10), services[rng.index(services.len())])
    });
    FleetScenario {
        name: String::from("digest"),
        workers,
        arrivals: arrivals[rng.index(arrivals.len())],
        tasks: tasks.to_vec(),
        load: 0.4 + 0.5 * rng.unit_f64(),
        count: 400,
        warm_up: 40,
        client: ClientModel { timeout: Duration::from_millis(500), attempts: 3 },
    }
}
