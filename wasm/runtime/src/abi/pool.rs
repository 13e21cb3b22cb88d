//! Pools of workers.

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{
    Capabilities, CloseMode, Input, Offer, PoolConfig, Priority, TaskOutcome, TaskSpec, WorkerState,
};
use quillwork_core::time::Duration;

use super::{set_text, state};
use crate::clock::{instant, limit};
use crate::driver::PoolDriver;

/// A new pool, or 0 with a text where a setting can't be used. Its first outputs are fetched with [`pool_drain`].
#[unsafe(no_mangle)]
pub extern "C" fn pool_new(
    now: f64,
    workers: u32,
    max_queued: u32,
    max_redeliveries: u32,
    lease_millis: f64,
    boot_timeout_millis: f64,
    abort_grace_millis: f64,
) -> u32 {
    let config = PoolConfig {
        workers,
        max_queued,
        max_redeliveries,
        lease: limit(lease_millis),
        boot_timeout: Duration::from_millis_f64(boot_timeout_millis),
        abort_grace: Duration::from_millis_f64(abort_grace_millis),
        ..PoolConfig::default()
    };
    match PoolDriver::new(instant(now), config) {
        Ok(pool) => state::with(|state| state.pools.insert(pool)),
        Err(refusal) => {
            set_text(refusal.to_string());
            0
        }
    }
}

/// Input: a task was submitted. `priority` is 0 to 10; `required` is a bit set; the limits are counted from dispatch and
/// from now.
///
/// # Panics
///
/// Where the priority is above 10, or an unsettled task has this id.
#[unsafe(no_mangle)]
pub extern "C" fn pool_submit(
    pool: u32,
    now: f64,
    task: u32,
    priority: u32,
    required: u32,
    timeout_millis: f64,
    queue_ttl_millis: f64,
    redeliverable: u32,
) -> u32 {
    let spec = TaskSpec {
        priority: u8::try_from(priority).ok().and_then(Priority::new).expect("the page checks priorities"),
        required: Capabilities::from_bits(u64::from(required)),
        timeout: limit(timeout_millis),
        queue_ttl: limit(queue_ttl_millis),
        redeliverable: redeliverable != 0,
        ..TaskSpec::default()
    };
    input(pool, now, Input::Submit { task: task_id(task), spec })
}

/// Input: the submitter gave a task up.
#[unsafe(no_mangle)]
pub extern "C" fn pool_abort(pool: u32, now: f64, task: u32) -> u32 {
    input(pool, now, Input::Abort { task: task_id(task) })
}

/// Input: a worker's module has loaded. `capabilities` is a bit set.
#[unsafe(no_mangle)]
pub extern "C" fn pool_worker_ready(
    pool: u32,
    now: f64,
    worker: u32,
    generation: u32,
    capabilities: u32,
) -> u32 {
    let offer = Offer::from(Capabilities::from_bits(u64::from(capabilities)));
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

/// Input: a worker is done with a task; `failed` is 0 for a result.
#[unsafe(no_mangle)]
pub extern "C" fn pool_task_done(
    pool: u32,
    now: f64,
    worker: u32,
    generation: u32,
    task: u32,
    failed: u32,
) -> u32 {
    let outcome = if failed == 0 { TaskOutcome::Completed } else { TaskOutcome::Failed };
    let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
    input(pool, now, Input::TaskDone { worker, generation, task: task_id(task), outcome })
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

/// Writes floats: submitted, completed, failed, aborted, timed out, expired, worker lost, refused, closed, redelivered,
/// workers lost, workers overdue, queued, running, workers up, workers busy, busy ms, available ms; then p50, p95, p99 in
/// milliseconds of waiting, running and response over the last minute (NaN for none).
#[unsafe(no_mangle)]
pub extern "C" fn pool_stats(pool: u32, now: f64) {
    let now = instant(now);
    state::with(|state| {
        let pool = state.pools.get(pool);
        let stats = pool.stats(now);
        let count = stats.counters;
        let counts = [
            count.submitted,
            count.completed,
            count.failed,
            count.aborted,
            count.timed_out,
            count.expired,
            count.worker_lost,
            count.refused,
            count.closed,
            count.redelivered,
            count.workers_lost,
            count.workers_overdue,
            u64::from(stats.queued),
            u64::from(stats.running),
            u64::from(stats.workers_up),
            u64::from(stats.workers_busy),
        ];
        let times = [stats.busy_time, stats.available_time].map(Duration::as_millis_f64);
        state
            .slots
            .write_floats(counts.map(|n| n as f64).into_iter().chain(times).chain(pool.quantiles(now)));
    });
}

/// Writes floats about a worker's place: generation, state (0 booting, 1 ready, 2 busy, 3 draining, 4 dead,
/// 5 retired), task that it
/// runs or -1, tasks completed or failed, failed boots in a row, busy ms.
///
/// # Panics
///
/// Where the pool has no such place.
#[unsafe(no_mangle)]
pub extern "C" fn pool_worker_stats(pool: u32, now: f64, worker: u32) {
    state::with(|state| {
        let stats = state.pools.get(pool).worker_stats(instant(now), WorkerId::new(worker));
        let stats = stats.expect("the page asks for workers of the pool");
        let worker_state = match stats.state {
            WorkerState::Booting => 0.0,
            WorkerState::Ready => 1.0,
            WorkerState::Busy => 2.0,
            WorkerState::Draining => 3.0,
            WorkerState::Dead => 4.0,
            WorkerState::Retired => 5.0,
        };
        state.slots.write_floats([
            f64::from(stats.generation.get()),
            worker_state,
            stats.running.map_or(-1.0, |task| task.get() as f64),
            stats.completed as f64,
            f64::from(stats.boot_failures),
            stats.busy_time.as_millis_f64(),
        ]);
    });
}

/// Writes the response times since the last call, of tasks of normal priority and above, as floats: count, sum, min, max (ms), relative accuracy, zeros, then
/// pairs of bucket index and count. Returns the number of pairs.
#[unsafe(no_mangle)]
pub extern "C" fn pool_take_responses(pool: u32) -> u32 {
    state::with(|state| {
        let parts = state.pools.get(pool).take_responses().to_parts();
        let header = [
            parts.count as f64,
            parts.sum,
            parts.min,
            parts.max,
            parts.relative_accuracy,
            parts.zeros as f64,
        ];
        let pairs = parts.buckets.iter().flat_map(|&(index, count)| [f64::from(index), count as f64]);
        let written = state.slots.write_floats(header.into_iter().chain(pairs));
        (written - 6) / 2
    })
}

fn input(pool: u32, now: f64, input: Input) -> u32 {
    state::with(|state| state.pools.get(pool).input(instant(now), input, &mut state.slots))
}

fn task_id(task: u32) -> TaskId {
    TaskId::new(u64::from(task))
}
