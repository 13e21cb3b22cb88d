use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use quillwork_core::ids::TaskType;
use quillwork_core::time::Duration;

use super::*;
use crate::study::Estimate;

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
        for binding in [Binding::CentralQueue, Binding::Clairvoyant, Binding::Late(pool())] {
            let means: Vec<f64> =
                (0..12).map(|seed| simulate(seed, &scenario, &binding).response.mean()).collect();
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
        let scenario = FleetScenario { count: 4_000, ..scenario(workers, 0.5) };
        let early = strategy_names().into_iter().map(Binding::Early);
        let late = [Binding::CentralQueue, Binding::Clairvoyant, Binding::Late(pool())];
        for binding in late.into_iter().chain(early) {
            let report = simulate(1, &scenario, &binding);
            assert_eq!(report.response.values().len(), 3_000, "{fault:?} {binding:?}");
            // A strategy that doesn't look at outcomes keeps giving tasks to a worker that is of no use.
            let knows = matches!(binding, Binding::CentralQueue | Binding::Clairvoyant);
            let tolerated = if knows { 3 } else { 300 };
            assert!(report.errors < tolerated, "{fault:?} {binding:?}: {} errors", report.errors);
            assert_eq!(report, simulate(1, &scenario, &binding), "the same seed, the same run");
        }
    }
}

/// Two workers fail everything at once and are always free: a client that only kept away from the last one would go to and
/// fro between them until its attempts are gone.
#[test]
fn no_task_returns_to_a_worker_that_it_failed_on_while_another_is_left() {
    let fails = Fault::FailFast { ratio: 1.0, after: Duration::from_millis(1), when: When::Always };
    let mut workers = vec![WorkerModel::healthy(1.0); 4];
    workers.iter_mut().take(2).for_each(|worker| worker.fault = fails);
    let scenario = FleetScenario { count: 2_000, warm_up: 0, ..scenario(workers, 0.9) };
    for strategy in strategy_names() {
        let report = simulate(1, &scenario, &Binding::Early(strategy));
        assert_eq!(report.errors, 0, "{strategy}");
        assert!(report.attempts <= 3 * 2_000, "{strategy}: {} attempts", report.attempts);
    }
}

/// With nothing to know about the workers the pool does what the bound does, task by task.
#[test]
fn on_equal_workers_the_pool_is_the_central_queue() {
    let pareto = Service::BoundedPareto { alpha: 1.5, span: 100.0 };
    for service in [Service::Exponential, Service::Deterministic, pareto] {
        let mut scenario = scenario(vec![WorkerModel::healthy(1.0); 8], 0.9);
        scenario.tasks[0].service = service;
        let bound = simulate(1, &scenario, &Binding::CentralQueue).response;
        assert_eq!(simulate(1, &scenario, &Binding::Late(pool())).response, bound, "{service:?}");
        assert_eq!(simulate(1, &scenario, &Binding::Clairvoyant).response, bound, "{service:?}");
    }
}

#[test]
fn the_central_queue_uses_a_slow_worker_only_where_no_faster_one_is_free() {
    let workers = vec![WorkerModel::healthy(0.125), WorkerModel::healthy(1.0), WorkerModel::healthy(1.0)];
    let scenario = scenario(workers, 0.5);
    let [central, clairvoyant] =
        [Binding::CentralQueue, Binding::Clairvoyant].map(|binding| simulate(1, &scenario, &binding));
    assert!(central.given[0] > 2 * clairvoyant.given[0], "{:?} and {:?}", central.given, clairvoyant.given);
    assert!(central.given[0] * 5 < central.given[1].min(central.given[2]), "{:?}", central.given);
    let p99 = |report: &FleetReport| report.response.quantile(0.99).unwrap();
    assert!(p99(&clairvoyant) < p99(&central));
}

#[test]
fn the_clairvoyant_bound_leaves_a_slow_worker_idle_and_uses_one_that_fails_a_part() {
    let fails = Fault::FailFast { ratio: 0.3, after: Duration::from_millis(1), when: When::Always };
    let fleets = [
        vec![WorkerModel::healthy(1.0), WorkerModel::healthy(1.0), WorkerModel::healthy(0.125)],
        [vec![WorkerModel::healthy(1.0).with(fails); 2], vec![WorkerModel::healthy(1.0); 6]].concat(),
    ];
    for workers in fleets {
        let scenario = scenario(workers, 0.6);
        let p99 = |binding: &Binding| {
            let of = |seed| simulate(seed, &scenario, binding).response.quantile(0.99).unwrap();
            (1..=4).map(of).sum::<f64>()
        };
        let bound = p99(&Binding::Clairvoyant);
        for binding in ["least-loaded", "shortest-expected-delay"].map(Binding::Early) {
            assert!(bound < p99(&binding), "{binding:?} beats the bound of {bound}");
        }
        assert!(bound < 1.02 * p99(&Binding::Late(pool())), "{} beats {bound}", p99(&Binding::Late(pool())));
    }
}

#[test]
fn a_recorded_pool_gives_its_traffic_back() {
    let mut scenario = scenario(vec![WorkerModel::healthy(1.0); 4], 0.8);
    let short = TaskModel { task_type: TaskType::new(7), ..scenario.tasks[0].clone() };
    scenario.tasks.push(TaskModel { mean: Duration::from_millis(2), ..short });
    let (report, log) = record(3, &scenario, pool());
    assert_eq!(report, simulate(3, &scenario, &Binding::Late(pool())), "recording changes nothing");

    let traffic = recorded_traffic(&log).expect("it was just recorded");
    assert_eq!((traffic.jobs.len(), traffic.workers, traffic.truncated), (11_000, 4, false));
    let of_type = |number| traffic.jobs.iter().filter(|job| job.task_type == TaskType::new(number)).count();
    assert!(of_type(7) > 5_000 && of_type(0) + of_type(7) == 11_000);
    // All but those that still ran when the last one that counts ended.
    assert!(traffic.estimated < 10);
    let again = simulate_jobs(3, &scenario, &traffic.jobs, &Binding::Late(pool()));
    let (p99, p99_again) = (report.response.quantile(0.99).unwrap(), again.response.quantile(0.99).unwrap());
    assert!((p99 / p99_again - 1.0).abs() < 0.01, "{p99} and {p99_again}");

    let cut = recorded_traffic(&log[..log.len() / 2]).expect("what is there can be read");
    assert!(cut.truncated && cut.jobs.len() > 4_000 && cut.jobs[..4_000] == traffic.jobs[..4_000]);
    assert!(recorded_traffic(b"something else").is_err());
}

#[test]
fn the_recommendation_is_the_fewest_workers_that_meet_the_goal_and_the_best_among_those() {
    let candidates: Vec<Candidate> = [2, 3, 4]
        .into_iter()
        .flat_map(|workers| {
            let mut scenario = scenario(vec![WorkerModel::healthy(1.0); workers], 0.0);
            scenario.load = 1.6 / workers as f64;
            let candidate = move |policy: &str, binding: Binding, is_bound| Candidate {
                scenario: scenario.clone(),
                jobs: None,
                policy: String::from(policy),
                binding,
                is_bound,
            };
            [
                candidate("random", Binding::Early("random"), false),
                candidate("late", Binding::Late(pool()), false),
                candidate("bound", Binding::Clairvoyant, true),
            ]
        })
        .collect();
    let mut runs = 0;
    let rows: Vec<Measured> =
        candidates.iter().map(|candidate| Measured::of(candidate, &[1, 2, 3, 4], || runs += 1)).collect();
    assert_eq!(runs, 36);

    let goal = Goal { p99: Duration::from_millis(75), error_ratio: 0.001 };
    let found = Recommendation::among(&rows, &goal).expect("there is something to choose from");
    let best = &rows[found.best];
    assert!(found.meets_goal);
    assert_eq!((best.policy.as_str(), best.workers), ("late", 3), "{rows:#?}");
    let (runner_up, excess) = found.runner_up.expect("random is worse");
    assert!(rows[runner_up].policy == "random" && excess.mean > 0.2);
    assert_eq!(found.with_fewer.map(|place| rows[place].workers), Some(2));

    let impossible = Goal { p99: Duration::from_millis(20), ..goal };
    let found = Recommendation::among(&rows, &impossible).expect("there is something to choose from");
    assert!(!found.meets_goal);
    assert_eq!(rows[found.best].workers, 4, "what comes closest");
}

/// A candidate whose p99 and errors are these in every run.
fn measured(policy: &str, p99: f64, errors: f64) -> Measured {
    let exactly = |value: f64| Estimate { mean: value, half_width: 0.0 };
    Measured {
        policy: String::from(policy),
        is_bound: false,
        workers: 8,
        load: 0.7,
        mean: exactly(p99),
        p50: exactly(p99),
        p90: exactly(p99),
        p99: exactly(p99),
        p999: exactly(p99),
        slowdown_p99: exactly(1.0),
        goodput_per_sec: exactly(1.0),
        error_ratio: exactly(errors),
        attempts: exactly(1.0),
        shares: Vec::new(),
        p99_by_seed: vec![p99; 3],
        curve: Vec::new(),
    }
}

#[test]
fn what_fails_fast_is_not_recommended_for_being_fast() {
    let rows =
        [measured("fails", 1.0, 1.0), measured("loses some", 40.0, 0.02), measured("sound", 50.0, 0.0)];
    let goal = Goal { p99: Duration::from_millis(60), error_ratio: 0.001 };
    let found = Recommendation::among(&rows, &goal).expect("there is something to choose from");
    assert_eq!((found.best, found.meets_goal, found.faster_with_errors), (2, true, Some(0)));
    assert_eq!(found.as_good, [], "fewer errors are part of the goal");

    let stricter = Goal { p99: Duration::from_millis(10), ..goal };
    let found = Recommendation::among(&rows, &stricter).expect("there is something to choose from");
    assert_eq!((found.best, found.meets_goal), (2, false), "not the one that fails everything in 1 ms");
    let found = Recommendation::among(&rows[..2], &goal).expect("there is something to choose from");
    assert_eq!((found.best, found.meets_goal), (1, false));
}
