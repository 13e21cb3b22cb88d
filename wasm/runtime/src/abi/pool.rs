//! Pools of workers.

use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{Capabilities, CloseMode, Input, Load, Offer, PerMille, TaskSpec};

use quillwork_abi::text::made;

use super::state;
use crate::clock::{instant, limit};
use crate::driver::PoolDriver;
use crate::settings::{pool_config, priority, record_bytes, region, task_spec};

/// A new pool of the settings in the floats ([`pool_config`]), or 0 with a text where one can't be used. Its first outputs
/// are fetched with [`pool_drain`].
#[unsafe(no_mangle)]
pub extern "C" fn pool_new(now: f64) -> u32 {
    state::with(|state| {
        let config = pool_config(state.slots.floats());
        let pool = PoolDriver::new(instant(now), config, record_bytes(state.slots.floats()));
        made(pool, |pool| state.pools.insert(pool))
    })
}

/// Input: a task was submitted that is of complexity 1 and has one attempt. `priority` is 0 to 10; `required` is a bit set; the
/// limits are counted from dispatch and from now.
///
/// # Panics
///
/// Where the priority is above 10, or an unsettled task has this id.
#[unsafe(no_mangle)]
pub extern "C" fn pool_submit(
    pool: u32,
    now: f64,
    task: u32,
    task_type: u32,
    urgency: u32,
    required: u32,
    timeout_millis: f64,
    queue_ttl_millis: f64,
    redeliverable: u32,
) -> u32 {
    let spec = plain_spec(task_type, urgency, required, timeout_millis, queue_ttl_millis, redeliverable);
    input(pool, now, Input::Submit { task: task_id(task), spec })
}

/// Inputs: tasks were submitted of which all is said that [`pool_submit`] says of one, and the same. Their ids are where answers are put,
/// one in each word; those from `from` to before `to` are handed in as [`pool_answers`] does.
///
/// # Panics
///
/// As [`pool_submit`], and where there are no such places.
#[unsafe(no_mangle)]
pub extern "C" fn pool_submit_many(
    pool: u32,
    now: f64,
    from: u32,
    to: u32,
    task_type: u32,
    urgency: u32,
    required: u32,
    timeout_millis: f64,
    queue_ttl_millis: f64,
    redeliverable: u32,
) -> u32 {
    let spec = plain_spec(task_type, urgency, required, timeout_millis, queue_ttl_millis, redeliverable);
    state::with(|state| {
        let tasks = from as usize..to as usize;
        state.pools.get(pool).submissions(instant(now), spec, tasks, &mut state.slots)
    })
}

/// Input: a task was submitted about which more is to be said, in the floats: see [`task_spec`].
///
/// # Panics
///
/// As [`pool_submit`].
#[unsafe(no_mangle)]
pub extern "C" fn pool_submit_spec(pool: u32, now: f64, task: u32) -> u32 {
    state::with(|state| {
        let spec = task_spec(state.slots.floats());
        let submit = Input::Submit { task: task_id(task), spec };
        state.pools.get(pool).input(instant(now), submit, &mut state.slots)
    })
}

/// Input: the submitter gave a task up.
#[unsafe(no_mangle)]
pub extern "C" fn pool_abort(pool: u32, now: f64, task: u32) -> u32 {
    input(pool, now, Input::Abort { task: task_id(task) })
}

/// Input: a worker's module has loaded, or it says anew what it offers. `capabilities` is a bit set, `capacity` how much it
/// runs at a time, `place` its region, counted from 1, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn pool_worker_ready(
    pool: u32,
    now: f64,
    worker: u32,
    generation: u32,
    capabilities: u32,
    capacity: u32,
    place: u32,
) -> u32 {
    let capabilities = Capabilities::from_bits(u64::from(capabilities));
    let offer = Offer { capabilities, capacity: Load::new(capacity), region: region(place) };
    let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
    input(pool, now, Input::WorkerReady { worker, generation, offer })
}

/// Input: a message came from a worker that is no other input.
#[unsafe(no_mangle)]
pub extern "C" fn pool_worker_alive(pool: u32, now: f64, worker: u32, generation: u32) -> u32 {
    let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
    input(pool, now, Input::WorkerAlive { worker, generation })
}

/// Input: a worker failed.
#[unsafe(no_mangle)]
pub extern "C" fn pool_worker_lost(pool: u32, now: f64, worker: u32, generation: u32) -> u32 {
    let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
    input(pool, now, Input::WorkerLost { worker, generation })
}

/// Inputs: what one message of a worker says about its tasks, from the slots' answers. Those from `from` to before `to` are
/// handed in one after the other, until the records are full; float 1 is the place of the first that was not. Who gets
/// [`MAX_RECORDS`](crate::slots::MAX_RECORDS) records fetches the rest with [`pool_drain`] before handing in the other answers.
///
/// # Panics
///
/// Where there are no such places.
#[unsafe(no_mangle)]
pub extern "C" fn pool_answers(pool: u32, now: f64, worker: u32, generation: u32, from: u32, to: u32) -> u32 {
    let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
    state::with(|state| {
        let answers = from as usize..to as usize;
        state.pools.get(pool).answers(instant(now), worker, generation, answers, &mut state.slots)
    })
}

/// Input: a worker is to be replaced once it has done what it has.
#[unsafe(no_mangle)]
pub extern "C" fn pool_recycle(pool: u32, now: f64, worker: u32, generation: u32) -> u32 {
    let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
    input(pool, now, Input::Recycle { worker, generation })
}

/// Input: the task goes on; a sign of life of its worker, too.
#[unsafe(no_mangle)]
pub extern "C" fn pool_progress(pool: u32, now: f64, worker: u32, generation: u32, task: u32) -> u32 {
    let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
    input(pool, now, Input::Progress { worker, generation, task: task_id(task) })
}

/// Input: a reading of the machine, each as a share of its budget; not a number where it is not known.
#[unsafe(no_mangle)]
pub extern "C" fn pool_resources(pool: u32, now: f64, memory_ratio: f64, cpu_ratio: f64) -> u32 {
    let (memory, cpu) = (PerMille::from_ratio(memory_ratio), PerMille::from_ratio(cpu_ratio));
    input(pool, now, Input::Resources { memory, cpu })
}

/// Input: the pool shall start nothing that waits (`paused` not 0), or do so again.
#[unsafe(no_mangle)]
pub extern "C" fn pool_pause(pool: u32, now: f64, paused: u32) -> u32 {
    input(pool, now, if paused == 0 { Input::Resume } else { Input::Pause })
}

/// Input: the pool shall end, at once or (`drain` not 0) after its tasks.
#[unsafe(no_mangle)]
pub extern "C" fn pool_close(pool: u32, now: f64, drain: u32) -> u32 {
    input(pool, now, Input::Close { mode: if drain == 0 { CloseMode::Now } else { CloseMode::Drain } })
}

/// Input: the deadline has come.
#[unsafe(no_mangle)]
pub extern "C" fn pool_deadline(pool: u32, now: f64) -> u32 {
    input(pool, now, Input::Deadline)
}

/// Outputs that did not fit, and those of a new pool.
#[unsafe(no_mangle)]
pub extern "C" fn pool_drain(pool: u32) -> u32 {
    state::with(|state| state.pools.get(pool).drain(&mut state.slots))
}

fn plain_spec(
    task_type: u32,
    urgency: u32,
    required: u32,
    timeout_millis: f64,
    queue_ttl_millis: f64,
    redeliverable: u32,
) -> TaskSpec {
    TaskSpec {
        task_type: TaskType::new(task_type),
        priority: priority(urgency),
        required: Capabilities::from_bits(u64::from(required)),
        timeout: limit(timeout_millis),
        queue_ttl: limit(queue_ttl_millis),
        redeliverable: redeliverable != 0,
        ..TaskSpec::default()
    }
}

fn input(pool: u32, now: f64, input: Input) -> u32 {
    state::with(|state| state.pools.get(pool).input(instant(now), input, &mut state.slots))
}

fn task_id(task: u32) -> TaskId {
    TaskId::new(u64::from(task))
}
