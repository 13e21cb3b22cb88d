//! From the arguments to what is simulated.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use quillwork_core::pool::PoolConfig;
use quillwork_sim::fleet::{
    Binding, Candidate, ClientModel, FleetScenario, Goal, Job, RecordedTraffic, TaskModel, WorkerModel,
    recorded_traffic, strategy_names,
};

use super::args::SimulateArgs;
use super::words::workers;

/// Everything that is to be simulated.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) title: String,
    pub(super) goal: Goal,
    pub(super) seeds: Vec<u64>,
    /// Tasks of each run that count.
    pub(super) tasks: u32,
    pub(super) candidates: Vec<Candidate>,
    /// Numbers of workers that can't keep up, whatever the strategy.
    pub(super) overloaded: Vec<(usize, f64)>,
}

impl Plan {
    /// # Errors
    ///
    /// Where the arguments contradict each other.
    pub(super) fn new(args: &SimulateArgs) -> Result<Self, String> {
        let counts = args.workers.0.clone();
        let recorded = args.recording.as_deref().map(recorded).transpose()?;
        if args.rate.is_none() && recorded.is_none() && counts.start() != counts.end() {
            return Err(
                "how many workers are needed depends on the traffic: say how many tasks come with --rate, \
                        or give a single number of --workers"
                    .to_owned(),
            );
        }
        let policies = policies(&args.strategies)?;
        let jobs = recorded.as_ref().map(|traffic| Arc::from(traffic.jobs.as_slice()));
        let (mut candidates, mut overloaded) = (Vec::new(), Vec::new());
        for count in counts {
            let mut scenario = scenario(args, count)?;
            if let Some(traffic) = &recorded {
                fit(&mut scenario, &traffic.jobs);
            }
            if scenario.load >= 1.0 {
                overloaded.push((scenario.workers.len(), scenario.load));
                continue;
            }
            for (policy, binding, is_bound) in &policies {
                candidates.push(Candidate {
                    scenario: scenario.clone(),
                    jobs: jobs.clone(),
                    policy: policy.clone(),
                    binding: binding.clone(),
                    is_bound: *is_bound,
                });
            }
        }
        if candidates.is_empty() {
            let (workers, load) = overloaded.last().copied().unwrap_or_default();
            return Err(format!(
                "{workers} workers get {load:.2} times the work that they can do, and no strategy helps: \
                 give more --workers, a lower --rate or a --load below 1"
            ));
        }
        Ok(Self {
            title: recorded.as_ref().map_or_else(|| title(args), |traffic| title_of_recorded(args, traffic)),
            tasks: recorded.map_or(args.tasks, |traffic| measured(&traffic.jobs)),
            goal: Goal { p99: args.target_p99.0, error_ratio: args.target_errors.0 },
            seeds: (0..u64::from(args.seeds)).map(|offset| args.seed.wrapping_add(offset)).collect(),
            candidates,
            overloaded,
        })
    }
}

fn scenario(args: &SimulateArgs, count: u32) -> Result<FleetScenario, String> {
    let mut workers: Vec<WorkerModel> =
        args.speeds.iter().cycle().take(count as usize).map(|speed| WorkerModel::healthy(speed.0)).collect();
    let faulty = args.fault.iter().flat_map(|spec| (0..spec.workers).map(|_| spec.fault));
    let wanted: u32 = args.fault.iter().map(|spec| spec.workers).sum();
    if wanted > count {
        return Err(format!(
            "{wanted} workers are to have faults, but there are only {count}: give more --workers"
        ));
    }
    // From the last: with several speeds the first are the ones that are named first.
    workers.iter_mut().rev().zip(faulty).for_each(|(worker, fault)| worker.fault = fault);
    let warm_up = args.tasks / 10;
    let mut scenario = FleetScenario {
        name: String::new(),
        workers,
        arrivals: args.workload.arrivals(),
        tasks: vec![TaskModel::new(args.mean.0, args.workload.service())],
        load: args.load.map_or(0.7, |load| load.0),
        count: args.tasks + warm_up,
        warm_up,
        client: ClientModel {
            timeout: args.timeout.map_or_else(|| args.mean.0 * 50, |timeout| timeout.0),
            attempts: args.attempts,
        },
    };
    if scenario.effective_capacity() <= 0.0 {
        return Err(
            "no worker is left that ever gives a good answer: leave one without a fault, or with another"
                .to_owned(),
        );
    }
    if let Some(rate) = args.rate {
        scenario.load = rate.0 * args.mean.0.as_secs_f64() / scenario.effective_capacity();
    }
    Ok(scenario)
}

fn recorded(path: &Path) -> Result<RecordedTraffic, String> {
    let log =
        fs::read(path).map_err(|error| format!("the recording {} can't be read: {error}", path.display()))?;
    let traffic =
        recorded_traffic(&log).map_err(|error| format!("{} can't be used: {error}", path.display()))?;
    if traffic.jobs.len() < FEWEST_TASKS || traffic.estimated == traffic.jobs.len() {
        return Err(format!(
            "{} holds {} tasks, {} of them completed: record at least {FEWEST_TASKS}, for a longer time",
            path.display(),
            traffic.jobs.len(),
            traffic.jobs.len() - traffic.estimated
        ));
    }
    Ok(traffic)
}

/// Sets what follows from the tasks instead of the arguments.
fn fit(scenario: &mut FleetScenario, jobs: &[Job]) {
    let work: f64 = jobs.iter().map(|job| job.work.as_secs_f64()).sum();
    let span = match jobs {
        [first, .., last] => (last.at - first.at).as_secs_f64(),
        _ => 0.0,
    };
    let count = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
    scenario.load = work / span.max(1e-9) / scenario.effective_capacity();
    scenario.count = count;
    scenario.warm_up = count - measured(jobs);
}

fn measured(jobs: &[Job]) -> u32 {
    let count = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
    count - count / 11
}

fn title_of_recorded(args: &SimulateArgs, traffic: &RecordedTraffic) -> String {
    let cut = if traffic.truncated { ", cut off" } else { "" };
    let counts = &args.workers.0;
    format!(
        "Recorded traffic{cut}: {} tasks, {} of them of estimated length, of {}; on {}",
        traffic.jobs.len(),
        traffic.estimated,
        workers(traffic.workers),
        words_for(counts)
    )
}

/// Names, bindings, and whether they are bounds, in the order of the table.
fn policies(asked: &[String]) -> Result<Vec<(String, Binding, bool)>, String> {
    let known: Vec<(String, Binding, bool)> = [(LATE.to_owned(), Binding::Late(pool()), false)]
        .into_iter()
        .chain(strategy_names().into_iter().map(|name| (name.to_owned(), Binding::Early(name), false)))
        .collect();
    let names = || known.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(unknown) =
        asked.iter().find(|name| *name != "all" && known.iter().all(|(known, ..)| known != *name))
    {
        return Err(format!("there is no strategy `{unknown}`: use all, or some of {}", names()));
    }
    let everything = asked.iter().any(|name| name == "all");
    let mut chosen: Vec<_> =
        known.into_iter().filter(|(name, ..)| everything || asked.contains(name)).collect();
    chosen.push((BOUND.to_owned(), Binding::Clairvoyant, true));
    Ok(chosen)
}

fn words_for(counts: &RangeInclusive<u32>) -> String {
    if counts.start() == counts.end() {
        workers(*counts.start() as usize)
    } else {
        format!("{} to {} workers", counts.start(), counts.end())
    }
}

fn title(args: &SimulateArgs) -> String {
    let traffic = match args.rate {
        Some(rate) => format!("{} tasks a second", rate.0),
        None => format!("load {}", args.load.map_or(0.7, |load| load.0)),
    };
    let counts = &args.workers.0;
    let workers = words_for(counts);
    format!("{}; mean {} ms, {traffic}, {workers}", args.workload.about(), args.mean.0.as_millis_f64())
}

/// The pool's defaults with a queue that takes everything, and no probes: simulated workers have nothing to say.
pub(super) fn pool() -> PoolConfig {
    PoolConfig { max_queued: PoolConfig::MAX_QUEUED, lease: None, ..PoolConfig::default() }
}

/// Fewer tasks have no 99th percentile to speak of.
const FEWEST_TASKS: usize = 100;
/// The pool's own binding.
pub(super) const LATE: &str = "late";
/// What nobody can beat by much.
pub(super) const BOUND: &str = "bound";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SimulateArgs,
    }

    fn plan(line: &str) -> Result<Plan, String> {
        let words = ["simulate"].into_iter().chain(line.split_whitespace());
        Plan::new(&Line::try_parse_from(words).map_err(|error| error.to_string())?.args)
    }

    #[test]
    fn a_rate_decides_how_many_workers_can_keep_up() {
        let plan = plan("--rate 500 --mean 10ms --workers 4..7 --strategies late").unwrap();
        let overloaded: Vec<usize> = plan.overloaded.iter().map(|(workers, _)| *workers).collect();
        assert_eq!(overloaded, [4, 5]);
        let simulated: Vec<usize> =
            plan.candidates.iter().map(|candidate| candidate.scenario.workers.len()).collect();
        assert_eq!(simulated, [6, 6, 7, 7], "each beside the bound");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_to_do() {
        for (line, advice) in [
            ("--workers 2..4", "--rate"),
            ("--load 1.5", "more --workers"),
            ("--strategies fastest", "round-robin"),
            ("--workers 2 --fault slow:3", "more --workers"),
            ("--workers 1 --fault black-hole", "leave one without a fault"),
            ("--workers 2 --fault failing:2", "leave one without a fault"),
            ("--recording /nowhere", "can't be read"),
            ("--rate 5 --load 0.5", "cannot be used with"),
        ] {
            let error = plan(line).expect_err(line);
            assert!(error.contains(advice), "{line}: {error}");
        }
    }
}
