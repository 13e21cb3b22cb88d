//! What is simulated, and what is held out from tuning.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use quillwork_core::ids::TaskType;
use quillwork_core::time::Duration;

use crate::fleet::{Arrivals, ClientModel, Fault, FleetScenario, Service, TaskModel, When, WorkerModel};

/// A scenario of the study, for any load.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyScenario {
    /// Its fleet and traffic; the load is set for each run.
    pub scenario: FleetScenario,
    /// In one sentence.
    pub about: &'static str,
    /// Never looked at while strategies were tuned: what a strategy does here it does by itself.
    pub held_out: bool,
}

/// All scenarios, the same for every strategy. A third of them is held out: one or two of each kind.
#[must_use]
pub fn scenarios() -> Vec<StudyScenario> {
    let mut all = equal_workers();
    all.extend(unequal_workers());
    all.extend(faulty_workers());
    all
}

fn equal_workers() -> Vec<StudyScenario> {
    let workers = || vec![WorkerModel::healthy(1.0); 8];
    let pareto = Service::BoundedPareto { alpha: 1.5, span: 100.0 };
    let bimodal = Service::Bimodal { long_ratio: 0.1, factor: 10.0 };
    vec![
        tuned("exponential", "8 equal workers, exponential service", fleet(workers(), Service::Exponential)),
        tuned(
            "deterministic",
            "8 equal workers, every task takes 10 ms",
            fleet(workers(), Service::Deterministic),
        ),
        tuned(
            "bimodal",
            "8 equal workers, one task in ten takes ten times as long",
            fleet(workers(), bimodal),
        ),
        held_out(
            "lognormal",
            "8 equal workers, lognormal service (sigma 1)",
            fleet(workers(), Service::LogNormal { sigma: 1.0 }),
        ),
        tuned(
            "pareto",
            "8 equal workers, bounded Pareto service (alpha 1.5, longest 100 times the shortest)",
            fleet(workers(), pareto),
        ),
        tuned(
            "bursts",
            "8 equal workers, exponential service, bursts of twice the rate for 100 ms in every 500 ms on average",
            FleetScenario { arrivals: BURSTS, ..fleet(workers(), Service::Exponential) },
        ),
    ]
}

fn unequal_workers() -> Vec<StudyScenario> {
    let speeds = |speeds: &[f64]| speeds.iter().copied().map(WorkerModel::healthy).collect::<Vec<_>>();
    let types = [TaskType::new(1), TaskType::new(2)];
    let talented = |talent| WorkerModel { talents: vec![(talent, 4.0)], ..WorkerModel::healthy(0.5) };
    let talents = (0..8).map(|number| talented(types[number % 2])).collect();
    let mut of_two_types = fleet(talents, Service::Exponential);
    of_two_types.tasks =
        types.map(|task_type| TaskModel { task_type, ..TaskModel::new(MEAN, Service::Exponential) }).to_vec();
    vec![
        tuned(
            "two speeds",
            "4 workers and 4 of half their speed, exponential service",
            fleet(speeds(&[1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5]), Service::Exponential),
        ),
        held_out(
            "many speeds",
            "12 workers with speeds from 4 to 0.25, bimodal service",
            fleet(
                speeds(&[4.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]),
                Service::Bimodal { long_ratio: 0.1, factor: 10.0 },
            ),
        ),
        tuned(
            "talents",
            "two types of tasks; 4 workers are four times faster with one, 4 with the other",
            of_two_types,
        ),
    ]
}

fn faulty_workers() -> Vec<StudyScenario> {
    let always = When::Always;
    let flapping = |secs, ratio| When::Periodic { period: Duration::from_secs(secs), ratio };
    let ms = Duration::from_millis;
    let fails = |ratio, when| Fault::FailFast { ratio, after: ms(1), when };
    let crashes = Fault::Crash { mean_uptime: Duration::from_secs(6), downtime: Duration::from_secs(1) };
    let mut mixed = with_faults(&[Fault::Slow { factor: 4.0, when: flapping(7, 0.4) }, fails(0.5, always)]);
    for (worker, speed) in mixed.workers.iter_mut().zip([1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 0.5, 0.5]) {
        worker.speed = speed;
    }
    mixed.tasks[0].service = Service::LogNormal { sigma: 1.0 };
    let fails_mostly = Fault::FailFast { ratio: 0.8, after: ms(2), when: flapping(10, 0.3) };
    let mut bursts_failing = FleetScenario { arrivals: BURSTS, ..with_faults(&[fails_mostly; 2]) };
    bursts_failing.tasks[0].service = Service::Bimodal { long_ratio: 0.1, factor: 10.0 };
    let mut holes_bimodal = with_faults(&[Fault::BlackHole { when: flapping(10, 0.22) }; 2]);
    holes_bimodal.workers.extend(vec![WorkerModel::healthy(1.0); 4]);
    holes_bimodal.tasks[0].service = Service::Bimodal { long_ratio: 0.1, factor: 10.0 };
    vec![
        tuned(
            "slow",
            "1 of 8 workers takes eight times as long",
            with_faults(&[Fault::Slow { factor: 8.0, when: always }]),
        ),
        held_out(
            "slow, flapping",
            "2 of 8 workers take five times as long for 2.4 s in every 8 s",
            with_faults(&[Fault::Slow { factor: 5.0, when: flapping(8, 0.3) }; 2]),
        ),
        tuned(
            "failing fast",
            "1 of 8 workers fails every task after 1 ms",
            with_faults(&[fails(1.0, always)]),
        ),
        held_out(
            "failing in part",
            "2 of 8 workers fail three tasks in ten after 1 ms",
            with_faults(&[fails(0.3, always); 2]),
        ),
        tuned(
            "failing, flapping",
            "2 of 8 workers fail every task after 1 ms for 2 s in every 8 s",
            with_faults(&[fails(1.0, flapping(8, 0.25)); 2]),
        ),
        tuned(
            "black hole",
            "1 of 8 workers never answers",
            with_faults(&[Fault::BlackHole { when: always }]),
        ),
        held_out(
            "black hole, flapping",
            "1 of 8 workers swallows what it is given and has for 3 s in every 12 s",
            with_faults(&[Fault::BlackHole { when: flapping(12, 0.25) }]),
        ),
        tuned(
            "black holes, short",
            "2 of 8 workers swallow what they are given and have for 1.5 s in every 6 s",
            with_faults(&[Fault::BlackHole { when: flapping(6, 0.25) }; 2]),
        ),
        tuned(
            "black hole, returning",
            "1 of 8 workers swallows what it is given and has for 2.5 s in every 8 s",
            with_faults(&[Fault::BlackHole { when: flapping(8, 0.3125) }]),
        ),
        tuned(
            "black holes, returning",
            "2 of 8 workers swallow what they are given and have for 4 s in every 14 s",
            with_faults(&[Fault::BlackHole { when: flapping(14, 2.0 / 7.0) }; 2]),
        ),
        held_out(
            "black holes, bimodal",
            "2 of 12 workers swallow what they are given and have for 2.2 s in every 10 s; bimodal service",
            holes_bimodal,
        ),
        tuned(
            "slow, short",
            "1 of 8 workers takes ten times as long for 1 s in every 5 s",
            with_faults(&[Fault::Slow { factor: 10.0, when: flapping(5, 0.2) }]),
        ),
        tuned(
            "crashing",
            "2 of 8 workers crash every 6 s on average and are back after 1 s",
            with_faults(&[crashes; 2]),
        ),
        held_out(
            "bursts, failing",
            "bursts as above, bimodal service; 2 of 8 workers fail four tasks in five after 2 ms for 3 s in every 10 s",
            bursts_failing,
        ),
        held_out(
            "mixed",
            "speeds of 2, 1 and 0.5, lognormal service; one worker slows fourfold at times, one fails half its tasks",
            mixed,
        ),
    ]
}

/// 8 workers of which the first have these faults; exponential service.
fn with_faults(faults: &[Fault]) -> FleetScenario {
    let mut workers = vec![WorkerModel::healthy(1.0); 8];
    for (worker, fault) in workers.iter_mut().zip(faults) {
        worker.fault = *fault;
    }
    fleet(workers, Service::Exponential)
}

fn fleet(workers: Vec<WorkerModel>, service: Service) -> FleetScenario {
    FleetScenario {
        name: String::new(),
        workers,
        arrivals: Arrivals::Poisson,
        tasks: vec![TaskModel::new(MEAN, service)],
        load: 0.7,
        count: WARM_UP + MEASURED,
        warm_up: WARM_UP,
        client: ClientModel { timeout: TIMEOUT, attempts: ATTEMPTS },
    }
}

fn tuned(name: &str, about: &'static str, scenario: FleetScenario) -> StudyScenario {
    StudyScenario { scenario: FleetScenario { name: name.into(), ..scenario }, about, held_out: false }
}

fn held_out(name: &str, about: &'static str, scenario: FleetScenario) -> StudyScenario {
    StudyScenario { held_out: true, ..tuned(name, about, scenario) }
}

/// Twice the rate for 100 ms in every 500 ms on average.
const BURSTS: Arrivals = Arrivals::Bursts { factor: 2.0, ratio: 0.2, period: Duration::from_millis(500) };
/// Loads at which everything is simulated: arriving work over what the fleet can do, its faults counted.
pub const LOADS: [f64; 2] = [0.7, 0.9];
/// Mean service time on a worker of speed 1.
pub const MEAN: Duration = Duration::from_millis(10);
/// Tasks that come first and are left out.
pub const WARM_UP: u32 = 4_000;
/// Tasks whose response time counts.
pub const MEASURED: u32 = 20_000;
/// When the submitter gives an attempt up.
pub const TIMEOUT: Duration = Duration::from_secs(2);
/// How often a task is tried.
pub const ATTEMPTS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_is_held_out_and_names_differ() {
        let all = scenarios();
        assert_eq!(all.iter().filter(|scenario| scenario.held_out).count() * 3, all.len());
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other.scenario.name != one.scenario.name));
        }
    }
}
