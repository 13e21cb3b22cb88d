//! Workers and tasks as floats.

use alloc::vec::Vec;

use quillwork_core::balance::{Load, Task, WorkerRecord, WorkerSpec, WorkerStatus};
use quillwork_core::ids::{RegionId, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{Capabilities, Priority};
use quillwork_core::time::Duration;

use super::reply::status_of;

/// Floats of a worker: its number; 1 where what it is has changed, plus 2 where its record has; status; capacity; load; latency
/// (ms); region, counted from 1, or 0; capabilities, the lower 32 bits and the upper; concurrency; of its record the
/// success ratio, the mean duration (ms) and the uptime, each or not a number.
pub(crate) const WORKER: usize = 13;

/// Floats of a task before its lists: type; capabilities, the lower 32 bits and the upper; complexity; priority; region, counted
/// from 1, or 0; key; bytes, or not a number; how many workers are on its affinity list, and how many on the other. The
/// numbers of those follow.
pub(crate) const TASK: usize = 10;

/// What is told of a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkerRow {
    pub(super) has_spec: bool,
    pub(super) has_record: bool,
    pub(super) spec: WorkerSpec,
    pub(super) record: WorkerRecord,
    pub(super) status: WorkerStatus,
    pub(super) load: Load,
}

impl WorkerRow {
    /// Reads one.
    #[must_use]
    pub(crate) fn read(row: &[f64; WORKER]) -> Self {
        let [number, flags, status, capacity, load, latency, region, low, high, lanes, success, mean, uptime] =
            *row;
        let told = |value: f64| (!value.is_nan()).then_some(value);
        Self {
            has_spec: small(flags) & 1 != 0,
            has_record: small(flags) & 2 != 0,
            spec: WorkerSpec {
                capabilities: capabilities(low, high),
                capacity: Load::new(small(capacity)),
                concurrency: small(lanes).max(1),
                region: region_of(region),
                latency: Duration::from_millis_f64(latency),
                ..WorkerSpec::new(WorkerId::new(small(number)))
            },
            record: WorkerRecord {
                success_ratio: told(success),
                mean_duration: told(mean).map(Duration::from_millis_f64),
                uptime_ratio: told(uptime),
            },
            status: status_of(small(status)),
            load: Load::new(small(load)),
        }
    }
}

/// The lists of a task, kept for their memory.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    workers: Vec<WorkerId>,
}

/// Reads the task at the start of the floats.
///
/// # Panics
///
/// Where its lists are longer than the floats: a fault of the caller.
pub(crate) fn read_task<'a>(floats: &[f64], id: TaskId, lists: &'a mut Lists) -> Task<'a> {
    let (head, rest) = floats.split_first_chunk::<TASK>().expect(WHOLE);
    let [task_type, low, high, complexity, priority, region, key, bytes, likes, bans] = *head;
    let (likes, bans) = (small(likes) as usize, small(bans) as usize);
    lists.workers.clear();
    lists.workers.extend(rest[..likes + bans].iter().map(|&number| WorkerId::new(small(number))));
    let (affinity, anti_affinity) = lists.workers.split_at(likes);
    Task {
        id,
        task_type: TaskType::new(small(task_type)),
        required: capabilities(low, high),
        complexity: Load::new(small(complexity)),
        priority: u8::try_from(small(priority)).ok().and_then(Priority::new).unwrap_or(Priority::HIGHEST),
        affinity,
        anti_affinity,
        region: region_of(region),
        size_hint_bytes: (!bytes.is_nan()).then(|| whole(bytes)),
        key: whole(key),
    }
}

/// Takes a worker's number and the task that it holds from the front.
pub(super) fn split_held<'a>(floats: &mut &'a [f64]) -> (WorkerId, &'a [f64]) {
    let (&worker, task) = floats.split_first().expect(WHOLE);
    let len = TASK + small(task[8]) as usize + small(task[9]) as usize;
    let (task, rest) = task.split_at(len);
    *floats = rest;
    (WorkerId::new(small(worker)), task)
}

fn region_of(float: f64) -> Option<RegionId> {
    small(float).checked_sub(1).map(RegionId::new)
}

fn capabilities(low: f64, high: f64) -> Capabilities {
    Capabilities::from_bits(u64::from(small(high)) << 32 | u64::from(small(low)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
const fn small(float: f64) -> u32 {
    float as u32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
const fn whole(float: f64) -> u64 {
    float as u64
}

const WHOLE: &str = "the caller writes whole tasks";
