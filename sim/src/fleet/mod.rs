//! A fleet of workers in virtual time: which strategy, how many workers, and what faults cost.
//!
//! [`simulate`] plays open-loop traffic against workers that are slow, fail fast, swallow tasks, crash or flap, under one
//! of four bindings: early (a task is given to a worker's queue when it comes, by a strategy of
//! [`quillwork_core::balance`]), late (through [`quillwork_core::pool`]'s central queue) and two bounds that know what no
//! dispatcher can. Tasks and their service times follow from the seed alone, so bindings and strategies are compared
//! on the same traffic.

mod arrivals;
mod central;
mod comparison;
mod early;
mod job;
mod late;
mod recorded;
mod report;
mod scenario;
mod server;
mod service;
mod world;

pub use arrivals::Arrivals;
pub use comparison::{CURVE, Candidate, Goal, Measured, Recommendation};
pub use job::Job;
pub use recorded::{RecordedTraffic, recorded_traffic};
pub use report::{Distribution, FleetReport};
pub use scenario::{ClientModel, Fault, FleetScenario, TaskModel, When, WorkerModel};
pub use service::Service;

use alloc::vec::Vec;

use quillwork_core::balance::{BalanceConfig, LoadBalancer};
use quillwork_core::pool::PoolConfig;
use quillwork_core::rng::Rng;

use central::CentralQueue;
use early::EarlyBinding;
use late::LateBinding;
use world::{Binder, World};

/// Who decides where a task runs, and when.
#[expect(
    clippy::large_enum_variant,
    reason = "a handful of bindings exist, and settings are passed by value"
)]
#[derive(Clone, Debug)]
pub enum Binding {
    /// The strategy of this name, of [`strategy_names`], with the balancer's default settings; every worker has a queue.
    Early(&'static str),
    /// Core's pool with these settings, but for the number of workers, which is the scenario's.
    Late(PoolConfig),
    /// The central-queue bound: one queue, first come, first served, whose dispatcher knows at every moment which workers are
    /// faulty and how fast each is. No worker is idle while a task waits that it may run, and the fastest free one goes
    /// first. It is the ideal that the pool is judged by.
    CentralQueue,
    /// The same queue with more knowledge: when what runs will end. It leaves a slow worker idle where a task can be
    /// expected to end sooner on one that isn't free yet. In every scenario so far it is about as good as the central queue
    /// or better.
    Clairvoyant,
}

/// Plays a scenario to its end.
///
/// # Panics
///
/// Where there is no strategy of the name, the pool's settings can't be used, or the scenario has no workers or kinds of
/// tasks.
#[must_use]
pub fn simulate(seed: u64, scenario: &FleetScenario, binding: &Binding) -> FleetReport {
    simulate_jobs(seed, scenario, &drawn(seed, scenario), binding)
}

/// As [`simulate`] with tasks of one's own, by time, in place of what the scenario would draw: those of a recording, or
/// the same ones again on other workers.
///
/// # Panics
///
/// As [`simulate`].
#[must_use]
pub fn simulate_jobs(seed: u64, scenario: &FleetScenario, jobs: &[Job], binding: &Binding) -> FleetReport {
    match *binding {
        Binding::Early(strategy) => {
            let mut balancer = balancer(seed);
            balancer.set_strategy(strategy).expect("a strategy that the balancer has");
            play(seed, scenario, jobs, &mut EarlyBinding::new(&mut balancer))
        }
        Binding::Late(config) => {
            play(seed, scenario, jobs, &mut LateBinding::new(config, scenario.workers.len()))
        }
        Binding::CentralQueue => play(seed, scenario, jobs, &mut CentralQueue::work_conserving()),
        Binding::Clairvoyant => play(seed, scenario, jobs, &mut CentralQueue::clairvoyant()),
    }
}

/// As [`simulate`] under late binding, and the recording of what the pool was told.
///
/// # Panics
///
/// As [`simulate`].
#[must_use]
pub fn record(seed: u64, scenario: &FleetScenario, config: PoolConfig) -> (FleetReport, Vec<u8>) {
    let mut binding = LateBinding::new(config, scenario.workers.len());
    binding.record(seed);
    let report = play(seed, scenario, &drawn(seed, scenario), &mut binding);
    (report, binding.into_recording())
}

/// As [`simulate`] under early binding, with a balancer of one's own making: other settings, strategies of one's own. It
/// has no workers yet, and has learnt what it could afterwards.
#[must_use]
pub fn simulate_early(seed: u64, scenario: &FleetScenario, balancer: &mut LoadBalancer) -> FleetReport {
    play(seed, scenario, &drawn(seed, scenario), &mut EarlyBinding::new(balancer))
}

/// What [`Binding::Early`] can be.
#[must_use]
pub fn strategy_names() -> Vec<&'static str> {
    balancer(0).strategy_names().collect()
}

fn balancer(seed: u64) -> LoadBalancer {
    LoadBalancer::new(BalanceConfig::default(), seed).expect("the default settings are sound")
}

/// The tasks of a seed.
fn drawn(seed: u64, scenario: &FleetScenario) -> Vec<Job> {
    scenario.draw_jobs(&mut Rng::from_seed(seed).fork())
}

fn play(seed: u64, scenario: &FleetScenario, jobs: &[Job], binder: &mut impl Binder) -> FleetReport {
    let mut rng = Rng::from_seed(seed);
    let _of_the_tasks = rng.fork();
    World::new(scenario, jobs, rng.fork()).run(binder)
}

#[cfg(test)]
mod tests;
