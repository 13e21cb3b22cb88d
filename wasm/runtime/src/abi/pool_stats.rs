//! What pools tell of themselves, as floats. Quantiles are four of them: p50, p95, p99 and the longest, in milliseconds, of the
//! last minute; not a number where there was nothing.

use quillwork_core::pool::{Health, PerMille, WorkerState};
use quillwork_core::telemetry::{Quantiles, Sketch};
use quillwork_core::time::Duration;

use super::state;
use crate::clock::{deadline_millis, instant};
use crate::slots::Slots;

/// Floats about one worker.
const WORKER_FLOATS: u32 = 18;
/// Floats about one task type.
const TYPE_FLOATS: u32 = 11;

/// Writes floats: submitted, completed, failed, aborted, timed out, expired, worker lost, dropped, refused, closed, redelivered,
/// retried, progress, taken back, workers lost, workers overdue; queued, parked, delayed, running, prefetched, workers, workers
/// up, workers busy; busy ms, available ms; quantiles of waiting, running and response; executions a second, use of the
/// workers as a ratio, and the most that waited at a time, of the last minute; answers of the
/// page's strategy that were missing, made no sense, came too late; workers recycled; tasks held back, and 1 where the pool is
/// paused.
#[unsafe(no_mangle)]
pub extern "C" fn pool_stats(pool: u32, now: f64) {
    let now = instant(now);
    state::with(|state| {
        let pool = state.pools.get(pool);
        let stats = pool.stats(now);
        let load = pool.load(now);
        let count = stats.counters;
        let counts = [
            count.submitted,
            count.completed,
            count.failed,
            count.aborted,
            count.timed_out,
            count.expired,
            count.worker_lost,
            count.dropped,
            count.refused,
            count.closed,
            count.redelivered,
            count.retried,
            count.progress,
            count.taken_back,
            count.workers_lost,
            count.workers_overdue,
        ];
        let depths = [
            stats.queued,
            stats.parked,
            stats.delayed,
            stats.running,
            stats.prefetched,
            stats.workers,
            stats.workers_up,
            stats.workers_busy,
        ];
        let times = [stats.busy_time, stats.available_time].map(Duration::as_millis_f64);
        let quantiles = [load.wait, load.run, load.response].into_iter().flat_map(quantiles);
        let rest = [load.throughput_per_sec, ratio(load.utilization), f64::from(load.max_queued)];
        let last =
            [count.answers_missing, count.answers_invalid, count.answers_stale, count.workers_recycled];
        let all = counts.map(|n| n as f64).into_iter().chain(depths.map(f64::from)).chain(times);
        let gates = [f64::from(stats.held_back), f64::from(u8::from(pool.is_paused()))];
        let last = last.map(|n| n as f64).into_iter().chain(gates);
        state.slots.write_floats(all.chain(quantiles).chain(rest).chain(last));
    });
}

/// Writes 18 floats about each worker's place and returns how many there are: generation, state (0 booting, 1 ready, 2 busy,
/// 3 draining, 4 dead, 5 retired), tasks that it has, their load, its capacity, tasks that ended here with a result or an error,
/// health (0 healthy, 1 degraded, 2 suspect, 3 lost), until when it rests or infinity, failed boots in a row, busy ms; run times as
/// quantiles, executions, failures, use in the last minute, and whether it runs a task that is not settled.
///
/// # Panics
///
/// Where so many do not fit: a page has at most 64.
#[unsafe(no_mangle)]
pub extern "C" fn pool_worker_stats(pool: u32, now: f64) -> u32 {
    let now = instant(now);
    state::with(|state| {
        let floats = state.pools.get(pool).workers(now).flat_map(|(stats, recent)| {
            let worker_state = match stats.state {
                WorkerState::Booting => 0.0,
                WorkerState::Ready => 1.0,
                WorkerState::Busy => 2.0,
                WorkerState::Draining => 3.0,
                WorkerState::Dead => 4.0,
                WorkerState::Retired => 5.0,
            };
            let health = match stats.health {
                Health::Healthy => 0.0,
                Health::Degraded => 1.0,
                Health::Suspect => 2.0,
                Health::Lost => 3.0,
            };
            let place = [
                f64::from(stats.generation.get()),
                worker_state,
                f64::from(stats.held),
                f64::from(stats.load.get()),
                stats.offer.map_or(f64::NAN, |offer| f64::from(offer.capacity.get())),
                stats.completed as f64,
                health,
                deadline_millis(stats.rests_until),
                f64::from(stats.boot_failures),
                stats.busy_time.as_millis_f64(),
            ];
            let recent_floats = [
                recent.executions as f64,
                recent.failures as f64,
                ratio(recent.utilization),
                f64::from(u8::from(stats.running.is_some())),
            ];
            place.into_iter().chain(quantiles(recent.run)).chain(recent_floats)
        });
        state.slots.write_floats(floats) / WORKER_FLOATS
    })
}

/// Writes 11 floats about each task type and returns how many there are: the type, or -1 for all together that came after so
/// many that are told apart; quantiles of waiting and of running; executions and failures since the pool was made.
#[unsafe(no_mangle)]
pub extern "C" fn pool_type_stats(pool: u32, now: f64) -> u32 {
    let now = instant(now);
    state::with(|state| {
        let floats = state.pools.get(pool).task_types(now).flat_map(|of_type| {
            let task_type = of_type.task_type.map_or(-1.0, |task_type| f64::from(task_type.get()));
            let totals = [of_type.executions as f64, of_type.failures as f64];
            [task_type].into_iter().chain(quantiles(of_type.wait)).chain(quantiles(of_type.run)).chain(totals)
        });
        state.slots.write_floats(floats) / TYPE_FLOATS
    })
}

/// Writes the run times since the last call of the task type at a place in the order of [`pool_type_stats`], as [`pool_take_responses`] does,
/// but for the type at the front, or -1 for all together beyond those that are told apart. Returns the number of pairs, or -1 past the last place. They
/// are gathered from the first call on.
#[unsafe(no_mangle)]
pub extern "C" fn pool_take_runs(pool: u32, place: u32) -> i32 {
    state::with(|state| {
        let Some((task_type, runs)) = state.pools.get(pool).take_runs(place as usize) else { return -1 };
        let task_type = task_type.map_or(-1.0, |task_type| f64::from(task_type.get()));
        write_sketch(&mut state.slots, Some(task_type), &runs.unwrap_or_default()).cast_signed()
    })
}

/// Writes the response times since the last call, of tasks of normal priority and above, as floats: count, sum, min, max (ms), relative accuracy, zeros, then
/// pairs of bucket index and count. Returns the number of pairs.
#[unsafe(no_mangle)]
pub extern "C" fn pool_take_responses(pool: u32) -> u32 {
    state::with(|state| {
        let responses = state.pools.get(pool).take_responses();
        write_sketch(&mut state.slots, None, &responses)
    })
}

/// Returns the number of pairs.
fn write_sketch(slots: &mut Slots, front: Option<f64>, sketch: &Sketch) -> u32 {
    let parts = sketch.to_parts();
    let header =
        [parts.count as f64, parts.sum, parts.min, parts.max, parts.relative_accuracy, parts.zeros as f64];
    let pairs = parts.buckets.iter().flat_map(|&(index, count)| [f64::from(index), count as f64]);
    slots.write_floats(front.into_iter().chain(header).chain(pairs));
    u32::try_from(parts.buckets.len()).expect("a page has room for fewer")
}

fn quantiles(of: Option<Quantiles>) -> [f64; 4] {
    of.map_or([f64::NAN; 4], |of| [of.p50, of.p95, of.p99, of.max].map(Duration::as_millis_f64))
}

fn ratio(of: Option<PerMille>) -> f64 {
    of.map_or(f64::NAN, |of| f64::from(of.get()) / 1_000.0)
}
