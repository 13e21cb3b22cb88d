//! A fleet of workers in virtual time: which strategy, how many workers, and what faults cost.
//!
//! [`simulate`] plays open-loop traffic against workers that are slow, fail fast, swallow tasks, crash or flap, under one
//! of three bindings: early (a task is given to a worker's queue when it comes, by a strategy of
//! [`quillwork_core::balance`]), late (through [`quillwork_core::pool`]'s central queue) and a bound that knows what no
//! dispatcher can. Tasks and their service times follow from the seed alone, so bindings and strategies are compared
//! on the same traffic.

mod arrivals;
mod central;
mod job;
mod late;
mod report;
mod scenario;
mod server;
mod service;
mod world;

pub use arrivals::Arrivals;
pub use job::Job;
pub use report::{Distribution, FleetReport};
pub use scenario::{ClientModel, Fault, FleetScenario, TaskModel, When, WorkerModel};
pub use service::Service;

use quillwork_core::pool::PoolConfig;
use quillwork_core::rng::Rng;

use central::CentralQueue;
use late::LateBinding;
use world::World;

/// Who decides where a task runs, and when.
#[derive(Clone, Debug)]
pub enum Binding {
    /// Core's pool with these settings, but for the number of workers, which is the scenario's.
    Late(PoolConfig),
    /// One queue and no need to guess: faulty workers are known at once and given nothing, the fastest free one is taken.
    CentralQueue,
}

/// Plays a scenario to its end.
///
/// # Panics
///
/// Where the pool's settings can't be used or the scenario has no workers or kinds of tasks.
#[must_use]
pub fn simulate(seed: u64, scenario: &FleetScenario, binding: Binding) -> FleetReport {
    let mut rng = Rng::from_seed(seed);
    let jobs = scenario.draw_jobs(&mut rng);
    let world = World::new(scenario, &jobs, rng.fork());
    match binding {
        Binding::Late(config) => world.run(&mut LateBinding::new(config, scenario.workers.len())),
        Binding::CentralQueue => world.run(&mut CentralQueue::default()),
    }
}

#[cfg(test)]
mod tests;
