//! Fleets of all kinds, for comparisons and soaks.

use quillwork_core::ids::{RegionId, TaskType};
use quillwork_core::pool::{Capabilities, Priority};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;
use quillwork_sim::fleet::{
    Arrivals, ClientModel, Fault, FleetScenario, Service, TaskModel, When, WorkerModel,
};

/// A fleet of two to nine workers, half of them with faults, whose first can do everything and always works; and so many
/// tasks for it.
pub(crate) fn random_fleet(rng: &mut Rng, count: u32) -> FleetScenario {
    let arrivals = [
        Arrivals::Deterministic,
        Arrivals::Poisson,
        Arrivals::Bursts { factor: 2.0, ratio: 0.2, period: Duration::from_millis(500) },
    ];
    let able = WorkerModel { capabilities: Capabilities::from_bits(0b11), ..worker(rng) };
    let others = (0..=rng.below(8)).map(|_| {
        let one = worker(rng);
        let fault = fault(rng);
        if rng.chance(0.5) { one.with(fault) } else { one }
    });
    FleetScenario {
        name: String::from("random"),
        workers: core::iter::once(able).chain(others.collect::<Vec<_>>()).collect(),
        arrivals: arrivals[rng.index(arrivals.len())],
        tasks: (0..3).map(|number| tasks(rng, TaskType::new(number))).collect(),
        load: 0.3 + 0.65 * rng.unit_f64(),
        count,
        warm_up: count / 10,
        client: ClientModel {
            timeout: Duration::from_millis(100 + rng.below(1_000)),
            attempts: 1 + rng.next_u32() % 5,
        },
    }
}

fn worker(rng: &mut Rng) -> WorkerModel {
    WorkerModel {
        talents: vec![(TaskType::new(rng.next_u32() % 3), 0.3 + 2.0 * rng.unit_f64())],
        concurrency: 1 + rng.next_u32() % 3,
        capabilities: Capabilities::from_bits(rng.below(4)),
        region: rng.chance(0.5).then(|| RegionId::new(rng.next_u32() % 2)),
        latency: Duration::from_micros(if rng.chance(0.5) { rng.below(5_000) } else { 0 }),
        ..WorkerModel::healthy(0.25 + 2.0 * rng.unit_f64())
    }
}

fn fault(rng: &mut Rng) -> Fault {
    let when = if rng.chance(0.3) {
        When::Always
    } else {
        When::Periodic {
            period: Duration::from_millis(100 + rng.below(3_000)),
            ratio: 0.1 + 0.8 * rng.unit_f64(),
        }
    };
    match rng.below(4) {
        0 => Fault::Slow { factor: 1.5 + 10.0 * rng.unit_f64(), when },
        1 => Fault::FailFast {
            ratio: 0.2 + 0.8 * rng.unit_f64(),
            after: Duration::from_micros(rng.below(2_000)),
            when,
        },
        2 => Fault::BlackHole { when },
        _ => Fault::Crash {
            mean_uptime: Duration::from_millis(50 + rng.below(2_000)),
            downtime: Duration::from_millis(rng.below(500)),
        },
    }
}

fn tasks(rng: &mut Rng, task_type: TaskType) -> TaskModel {
    let services = [
        Service::Deterministic,
        Service::Exponential,
        Service::Bimodal { long_ratio: 0.1, factor: 10.0 },
        Service::LogNormal { sigma: 1.0 },
        Service::BoundedPareto { alpha: 1.5, span: 100.0 },
    ];
    let mean = Duration::from_micros(500 + rng.below(20_000));
    TaskModel {
        weight: 0.2 + rng.unit_f64(),
        task_type,
        required: Capabilities::from_bits(if rng.chance(0.3) { rng.below(4) } else { 0 }),
        priority: [Priority::LOWEST, Priority::NORMAL, Priority::HIGHEST][rng.index(3)],
        region: rng.chance(0.3).then(|| RegionId::new(rng.next_u32() % 2)),
        keys: if rng.chance(0.5) { rng.below(30) } else { 0 },
        ..TaskModel::new(mean, services[rng.index(services.len())])
    }
}
