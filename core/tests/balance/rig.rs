//! Short ways to say what the tests say often.

use quillwork_core::balance::{BalanceConfig, Load, LoadBalancer, Task, WorkerSpec};
use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::time::Instant;

pub(crate) fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

pub(crate) fn worker(id: u32) -> WorkerId {
    WorkerId::new(id)
}

pub(crate) fn task(id: u64) -> Task<'static> {
    Task::new(TaskId::new(id))
}

/// Workers 0, 1, 2... of these capacities.
pub(crate) fn balancer(strategy: &'static str, capacities: &[u32]) -> LoadBalancer {
    let mut balancer = LoadBalancer::new(BalanceConfig { strategy, ..BalanceConfig::default() }, 1)
        .expect("the settings are sound");
    for (id, &capacity) in (0..).zip(capacities) {
        balancer.handle_joined(at(0), spec(id, capacity));
    }
    balancer
}

pub(crate) fn spec(id: u32, capacity: u32) -> WorkerSpec {
    WorkerSpec { capacity: Load::new(capacity), ..WorkerSpec::new(worker(id)) }
}

/// What a worker holds.
pub(crate) fn load(balancer: &LoadBalancer, id: u32) -> u32 {
    let fleet = balancer.fleet();
    fleet.load(fleet.slot_of(worker(id)).expect("it is in the fleet")).get()
}
