use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use quillwork_core::time::Duration;

use super::*;

fn scenario(workers: Vec<WorkerModel>, load: f64) -> FleetScenario {
    FleetScenario {
        name: String::from("test"),
        workers,
        arrivals: Arrivals::Poisson,
        tasks: vec![TaskModel::new(Duration::from_millis(10), Service::Exponential)],
        load,
        count: 11_000,
        warm_up: 1_000,
        client: ClientModel { timeout: Duration::from_secs(5), attempts: 5 },
    }
}

fn pool() -> PoolConfig {
    PoolConfig { max_queued: 1_000_000, lease: None, ..PoolConfig::default() }
}

/// Mean response of the queue M/M/k (Erlang C), in units of the mean service time.
fn erlang_c(servers: u32, load: f64) -> f64 {
    let offered = f64::from(servers) * load;
    let mut term = 1.0;
    let mut sum = 1.0;
    for number in 1..servers {
        term *= offered / f64::from(number);
        sum += term;
    }
    let last = term * offered / f64::from(servers) / (1.0 - load);
    1.0 + last / (sum + last) / (f64::from(servers) * (1.0 - load))
}

#[test]
fn the_central_queue_and_the_pool_are_what_queueing_theory_says() {
    for (workers, load) in [(1, 0.5), (4, 0.7), (8, 0.9)] {
        let scenario = scenario(vec![WorkerModel::healthy(1.0); workers], load);
        let expected = 10.0 * erlang_c(u32::try_from(workers).unwrap(), load);
        for binding in [Binding::CentralQueue, Binding::Late(pool())] {
            let means: Vec<f64> =
                (0..20).map(|seed| simulate(seed, &scenario, &binding).response.mean()).collect();
            let mean = means.iter().sum::<f64>() / means.len() as f64;
            assert!(
                (mean / expected - 1.0).abs() < 0.08,
                "{workers} at {load}, {binding:?}: {mean} for {expected}"
            );
        }
    }
}

#[test]
fn every_fault_costs_something_and_every_task_ends() {
    let always = When::Always;
    let flapping = When::Periodic { period: Duration::from_secs(4), ratio: 0.5 };
    let faults = [
        Fault::Slow { factor: 8.0, when: always },
        Fault::Slow { factor: 8.0, when: flapping },
        Fault::FailFast { ratio: 1.0, after: Duration::from_millis(1), when: always },
        Fault::BlackHole { when: always },
        Fault::BlackHole { when: flapping },
        Fault::Crash { mean_uptime: Duration::from_secs(2), downtime: Duration::from_secs(1) },
    ];
    for fault in faults {
        let mut workers = vec![WorkerModel::healthy(1.0); 7];
        workers.push(WorkerModel::healthy(1.0).with(fault));
        let scenario = scenario(workers, 0.5);
        let early = strategy_names().into_iter().map(Binding::Early);
        for binding in [Binding::CentralQueue, Binding::Late(pool())].into_iter().chain(early) {
            let report = simulate(1, &scenario, &binding);
            assert_eq!(report.response.values().len(), 10_000, "{fault:?} {binding:?}");
            // A strategy that doesn't look at outcomes keeps giving tasks to a worker that is of no use.
            let tolerated = if matches!(binding, Binding::CentralQueue) { 10 } else { 1_000 };
            assert!(report.errors < tolerated, "{fault:?} {binding:?}: {} errors", report.errors);
            assert_eq!(report, simulate(1, &scenario, &binding), "the same seed, the same run");
        }
    }
}
