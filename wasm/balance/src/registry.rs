//! Registries of workers that come and go by themselves.
//!
//! An input puts its records into the floats and returns how many; what it answers stands at [`BESIDE`]. Records are
//! `[tag, worker, generation, detail, detail, detail, 0, 0]`:
//!
//! | tag | means | details |
//! |---|---|---|
//! | 1 | ask it for a sign of life | |
//! | 2 | its health changed | from, to: 0 healthy, 1 degraded, 2 suspect, 3 lost |
//! | 3 | a task won't be reported on any more | the task |
//! | 4 | a life of it is over | 1 lost, 2 drained, 3 removed, 4 replaced, 5 forgotten |

use quillwork_core::ids::{Generation, RegionId, TaskId, WorkerId};
use quillwork_core::pool::registry::{
    AssignRefusal, Assignment, LeaveReason, Membership, NotAssigned, Registration, Registry, RegistryConfig,
    RegistryOutput,
};
use quillwork_core::pool::{Capabilities, Health, Load};
use quillwork_core::time::{Duration, Instant};

use crate::state;
use quillwork_abi::clock::{deadline_millis, instant};
use quillwork_abi::slots::{BESIDE, RECORD};
use quillwork_abi::text::made;

/// A new registry. An infinite lease never lapses.
#[unsafe(no_mangle)]
pub extern "C" fn registry_new(lease_millis: f64, max_workers: u32, forget_lost_after_millis: f64) -> u32 {
    let config = RegistryConfig {
        lease: Duration::from_millis_f64(lease_millis),
        max_workers,
        forget_lost_after: Duration::from_millis_f64(forget_lost_after_millis),
        ..RegistryConfig::default()
    };
    made(Registry::new(config), |registry| state::with(|state| state.registries.insert(registry)))
}

/// Frees a registry.
#[unsafe(no_mangle)]
pub extern "C" fn registry_free(registry: u32) {
    state::with(|state| state.registries.remove(registry));
}

/// A worker introduces itself; capabilities are the lower and the upper 32 bits, the region is counted from 1 or 0. Answers its
/// generation, or 0 where the registry is full.
#[unsafe(no_mangle)]
pub extern "C" fn registry_register(
    registry: u32,
    now: f64,
    worker: u32,
    low: u32,
    high: u32,
    capacity: u32,
    region: u32,
) -> u32 {
    input(registry, now, |registry, now| {
        let registration = Registration {
            capabilities: capabilities(low, high),
            capacity: Load::new(capacity),
            region: region.checked_sub(1).map(RegionId::new),
        };
        let generation = registry.handle_register(now, WorkerId::new(worker), registration);
        [generation.map_or(0.0, |generation| f64::from(generation.get())), 0.0]
    })
}

/// A sign of life. Answers 1, or 0 where that life of the worker is over.
#[unsafe(no_mangle)]
pub extern "C" fn registry_heartbeat(registry: u32, now: f64, worker: u32, generation: u32) -> u32 {
    input(registry, now, |registry, now| {
        let seen = registry.handle_heartbeat(now, WorkerId::new(worker), Generation::new(generation));
        [f64::from(u8::from(seen.is_ok())), 0.0]
    })
}

/// A worker is given a task. Answers 0, or why not: 1 not registered, 2 lost, 3 draining, 4 incapable, 5 no room: how much it has, 6
/// somebody has the task: who.
#[unsafe(no_mangle)]
pub extern "C" fn registry_assign(
    registry: u32,
    now: f64,
    worker: u32,
    task: f64,
    low: u32,
    high: u32,
    load: u32,
) -> u32 {
    input(registry, now, |registry, now| {
        let assignment =
            Assignment { task: task_id(task), required: capabilities(low, high), load: Load::new(load) };
        match registry.handle_assign(now, WorkerId::new(worker), assignment) {
            Ok(_) => [0.0, 0.0],
            Err(AssignRefusal::NotRegistered) => [1.0, 0.0],
            Err(AssignRefusal::Lost) => [2.0, 0.0],
            Err(AssignRefusal::Draining) => [3.0, 0.0],
            Err(AssignRefusal::Incapable { .. }) => [4.0, 0.0],
            Err(AssignRefusal::NoRoom { free }) => [5.0, free.get().into()],
            Err(AssignRefusal::AlreadyAssigned { worker }) => [6.0, worker.get().into()],
            Err(_) => unreachable!("core refuses for these reasons only"),
        }
    })
}

/// A worker is done with a task, with success where that is not 0. Answers 0 and how long it had it (ms); 1 where that life of the worker
/// is over; 2 where it doesn't have the task.
#[unsafe(no_mangle)]
pub extern "C" fn registry_complete(
    registry: u32,
    now: f64,
    worker: u32,
    generation: u32,
    task: f64,
    success: u32,
) -> u32 {
    input(registry, now, |registry, now| {
        let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
        match registry.handle_complete(now, worker, generation, task_id(task), success != 0, None) {
            Ok(took) => [0.0, took.as_millis_f64()],
            Err(NotAssigned::Stale(_)) => [1.0, 0.0],
            Err(NotAssigned::UnknownTask { .. }) => [2.0, 0.0],
        }
    })
}

/// The worker finishes what it has and leaves. Answers 1, or 0 where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn registry_drain(registry: u32, now: f64, worker: u32) -> u32 {
    input(registry, now, |registry, now| {
        [f64::from(u8::from(registry.handle_drain(now, WorkerId::new(worker)).is_ok())), 0.0]
    })
}

/// The worker leaves at once. Answers 1, or 0 where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn registry_remove(registry: u32, now: f64, worker: u32) -> u32 {
    input(registry, now, |registry, now| {
        [f64::from(u8::from(registry.handle_remove(now, WorkerId::new(worker)).is_ok())), 0.0]
    })
}

/// Time has passed.
#[unsafe(no_mangle)]
pub extern "C" fn registry_deadline(registry: u32, now: f64) -> u32 {
    input(registry, now, |registry, now| {
        registry.handle_deadline(now);
        [0.0; 2]
    })
}

/// Records that did not fit.
#[unsafe(no_mangle)]
pub extern "C" fn registry_drain_records(registry: u32) -> u32 {
    state::with(|state| {
        let registry = state.registries.get(registry);
        let deadline = deadline_millis(registry.next_deadline());
        state.slots.write_records(deadline, || registry.poll_output().map(record))
    })
}

/// Writes of a worker: membership (0 active, 1 draining, 2 lost), health, tasks, load, when it was last heard of (ms); over all its
/// lives how many tasks were assigned, completed, failed and orphaned, how often it was lost, and for how long it had tasks
/// (ms). Returns 1, or 0 where nobody is known by this number.
#[unsafe(no_mangle)]
pub extern "C" fn registry_view(registry: u32, now: f64, worker: u32) -> u32 {
    state::with(|state| {
        let Some(view) = state.registries.get(registry).worker(instant(now), WorkerId::new(worker)) else {
            return 0;
        };
        let membership = match view.membership {
            Membership::Active => 0.0,
            Membership::Draining => 1.0,
            Membership::Lost => 2.0,
        };
        let totals = view.totals;
        state.slots.write(
            0,
            [
                membership,
                health_code(view.health),
                f64::from(view.assigned),
                f64::from(view.load.get()),
                view.last_seen.as_millis_f64(),
                totals.assigned as f64,
                totals.completed as f64,
                totals.failed as f64,
                totals.orphaned as f64,
                totals.lost as f64,
                totals.held.as_millis_f64(),
            ],
        );
        1
    })
}

fn input(registry: u32, now: f64, hand_in: impl FnOnce(&mut Registry, Instant) -> [f64; 2]) -> u32 {
    state::with(|state| {
        let registry = state.registries.get(registry);
        let answer = hand_in(registry, instant(now));
        let deadline = deadline_millis(registry.next_deadline());
        let records = state.slots.write_records(deadline, || registry.poll_output().map(record));
        state.slots.write(BESIDE, answer);
        records
    })
}

fn record(output: RegistryOutput) -> [f64; RECORD] {
    let (tag, worker, generation, details) = match output {
        RegistryOutput::Probe { worker, generation } => (1.0, worker, generation.get(), [0.0; 2]),
        RegistryOutput::HealthChanged { worker, from, to, .. } => {
            (2.0, worker, 0, [health_code(from), health_code(to)])
        }
        RegistryOutput::Orphaned { task, worker, generation } => {
            (3.0, worker, generation.get(), [task.get() as f64, 0.0])
        }
        RegistryOutput::Left { worker, generation, reason } => {
            let reason = match reason {
                LeaveReason::Lost => 1.0,
                LeaveReason::Drained => 2.0,
                LeaveReason::Removed => 3.0,
                LeaveReason::Replaced => 4.0,
                LeaveReason::Forgotten => 5.0,
            };
            (4.0, worker, generation.get(), [reason, 0.0])
        }
    };
    let [one, two] = details;
    [tag, worker.get().into(), generation.into(), one, two, 0.0, 0.0, 0.0]
}

const fn health_code(health: Health) -> f64 {
    match health {
        Health::Healthy => 0.0,
        Health::Degraded => 1.0,
        Health::Suspect => 2.0,
        Health::Lost => 3.0,
    }
}

fn capabilities(low: u32, high: u32) -> Capabilities {
    Capabilities::from_bits(u64::from(high) << 32 | u64::from(low))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of the caller's")]
const fn task_id(task: f64) -> TaskId {
    TaskId::new(task as u64)
}
