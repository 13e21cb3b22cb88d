//! Throttled execution. Tasks are named by the caller: whole numbers below 2^53, each used by one task at a time.
//!
//! Records: `[tag, task, settlement]`.
//!
//! | tag | means |
//! |---|---|
//! | 1 | start it |
//! | 2 | it got a place in the queue that it waited for |
//! | 3 | stop it: nobody waits for it any more |
//! | 4 | it has ended: 1 completed, 2 failed, 3 aborted, 4 expired, 5 dropped, 6 closed |

use core::num::NonZeroU32;

use quillwork_core::flow::executor::{
    CoolDown, Executor, ExecutorConfig, ExecutorOutput, ExecutorRefusal, ExecutorSettlement, Overflow,
    Submission,
};
use quillwork_core::ids::TaskId;
use quillwork_core::pool::{Priority, TaskOutcome};

use crate::quantiles::millis;
use crate::stack_settings::rate;
use crate::state::{self, State};
use quillwork_abi::clock::{deadline_millis, instant, limit};
use quillwork_abi::settings::Settings;
use quillwork_abi::slots::{BESIDE, RECORD, Slots};
use quillwork_abi::text::{self, made};

/// A new executor of the floats, or 0 with a text: at a time, rate?, its settings, cool-down?, its starts, its pause, places in the queue,
/// overflow (0 reject, 1 drop the oldest, 2 drop the lowest priority, 3 wait), how many may wait outside, ageing.
#[unsafe(no_mangle)]
pub extern "C" fn executor_new(now: f64) -> u32 {
    state::with(|State { slots, executors, .. }| {
        let mut settings = Settings::new(slots.floats());
        let max_concurrent = at_least_one(settings.count());
        let rate = if settings.flag() {
            match rate(&mut settings) {
                Ok(rate) => Some(rate),
                Err(refusal) => {
                    text::set(&refusal);
                    return 0;
                }
            }
        } else {
            None
        };
        let cools = settings.flag();
        let cool_down = CoolDown { burst: settings.count(), pause: settings.duration() };
        let max_queued = settings.count();
        let (overflow, max_waiting) = (settings.count(), settings.count());
        let config = ExecutorConfig {
            max_concurrent,
            rate,
            cool_down: cools.then_some(cool_down),
            max_queued,
            overflow: match overflow {
                0 => Overflow::Reject,
                1 => Overflow::DropOldest,
                2 => Overflow::DropLowestPriority,
                _ => Overflow::Wait { max_waiting },
            },
            ageing: settings.duration(),
            ..ExecutorConfig::default()
        };
        made(Executor::new(config, instant(now)), |executor| executors.insert(executor))
    })
}

/// Frees it.
#[unsafe(no_mangle)]
pub extern "C" fn executor_free(executor: u32) {
    state::with(|state| state.executors.remove(executor));
}

/// Input: a task is to be run. `priority` is 0 to 10. Beside the records: 0 accepted, 1 the queue is full, 2 and as many wait outside, 3
/// heavier than the rate ever admits, 4 closed. Of what is not accepted nothing else is heard.
///
/// # Panics
///
/// Where the priority is above 10, or an unsettled task has this number.
#[unsafe(no_mangle)]
pub extern "C" fn executor_submit(
    executor: u32,
    now: f64,
    task: f64,
    priority: u32,
    weight: u32,
    queue_ttl_millis: f64,
) -> u32 {
    state::with(|State { slots, executors, .. }| {
        let executor = executors.get(executor);
        let submission = Submission {
            priority: u8::try_from(priority)
                .ok()
                .and_then(Priority::new)
                .expect("the caller checks priorities"),
            weight,
            queue_ttl: limit(queue_ttl_millis),
            ..Submission::default()
        };
        let answer = match executor.handle_submit(instant(now), task_id(task), submission) {
            Ok(_) => 0.0,
            Err(ExecutorRefusal::QueueFull { .. }) => 1.0,
            Err(ExecutorRefusal::TooManyWaiting { .. }) => 2.0,
            Err(ExecutorRefusal::WeightExceedsCapacity(_)) => 3.0,
            Err(ExecutorRefusal::Closed) => 4.0,
            Err(refusal) => unreachable!("the caller uses each number for one task at a time: {refusal:?}"),
        };
        slots.write(BESIDE, [answer]);
        drain(executor, slots)
    })
}

/// Input: a started task has ended.
#[unsafe(no_mangle)]
pub extern "C" fn executor_done(executor: u32, now: f64, task: f64, failed: u32) -> u32 {
    let outcome = if failed == 0 { TaskOutcome::Completed } else { TaskOutcome::Failed };
    input(executor, |executor| executor.handle_done(instant(now), task_id(task), outcome))
}

/// Input: nobody waits for it any more.
#[unsafe(no_mangle)]
pub extern "C" fn executor_abort(executor: u32, now: f64, task: f64) -> u32 {
    input(executor, |executor| executor.handle_abort(instant(now), task_id(task)))
}

/// Input: time has passed.
#[unsafe(no_mangle)]
pub extern "C" fn executor_deadline(executor: u32, now: f64) -> u32 {
    input(executor, |executor| executor.handle_deadline(instant(now)))
}

/// Input: nothing is to start (1), or may again (0).
#[unsafe(no_mangle)]
pub extern "C" fn executor_pause(executor: u32, now: f64, paused: u32) -> u32 {
    input(executor, |executor| {
        if paused == 0 {
            executor.handle_resume(instant(now));
        } else {
            executor.handle_pause(instant(now));
        }
    })
}

/// Input: so many may run at once from now on.
#[unsafe(no_mangle)]
pub extern "C" fn executor_set_max_concurrent(executor: u32, now: f64, max_concurrent: u32) -> u32 {
    input(executor, |executor| executor.set_max_concurrent(instant(now), at_least_one(max_concurrent)))
}

/// Input: it accepts nothing more, and what waits ends.
#[unsafe(no_mangle)]
pub extern "C" fn executor_close(executor: u32, now: f64) -> u32 {
    input(executor, |executor| executor.handle_close(instant(now)))
}

/// Records that did not fit before.
#[unsafe(no_mangle)]
pub extern "C" fn executor_drain(executor: u32) -> u32 {
    input(executor, |_| {})
}

/// Writes floats: active, queued, waiting outside, operations a second, until when it cools (infinity: it doesn't); in all accepted,
/// refused, started, completed, failed, aborted, expired, dropped, closed; of the last minute's waits p50, p95, p99 and longest, and of
/// its runs, in milliseconds.
#[unsafe(no_mangle)]
pub extern "C" fn executor_metrics(executor: u32, now: f64) {
    state::with(|State { slots, executors, .. }| {
        let metrics = executors.get(executor).metrics(instant(now));
        let totals = metrics.totals;
        slots.write(0, [metrics.active, metrics.queued, metrics.waiting].map(f64::from));
        slots.write(3, [metrics.operations_per_second, deadline_millis(metrics.cooling_until)]);
        let counts = [
            totals.accepted,
            totals.refused,
            totals.started,
            totals.completed,
            totals.failed,
            totals.aborted,
            totals.expired,
            totals.dropped,
            totals.closed,
        ];
        slots.write(5, counts.map(|count| count as f64));
        slots.write(14, millis(metrics.wait).into_iter().chain(millis(metrics.run)));
    });
}

fn input(executor: u32, act: impl FnOnce(&mut Executor)) -> u32 {
    state::with(|State { slots, executors, .. }| {
        let executor = executors.get(executor);
        act(executor);
        drain(executor, slots)
    })
}

fn drain(executor: &mut Executor, slots: &mut Slots) -> u32 {
    let deadline = deadline_millis(executor.next_deadline());
    slots.write_records(deadline, || executor.poll_output().map(record))
}

fn record(output: ExecutorOutput) -> [f64; RECORD] {
    let (tag, task, settlement) = match output {
        ExecutorOutput::Start { task } => (1, task, 0),
        ExecutorOutput::Admitted { task } => (2, task, 0),
        ExecutorOutput::Cancel { task } => (3, task, 0),
        ExecutorOutput::Settle { task, settlement } => {
            let code = match settlement {
                ExecutorSettlement::Completed => 1,
                ExecutorSettlement::Failed => 2,
                ExecutorSettlement::Aborted => 3,
                ExecutorSettlement::Expired => 4,
                ExecutorSettlement::Dropped => 5,
                ExecutorSettlement::Closed => 6,
            };
            (4, task, code)
        }
    };
    [f64::from(tag), task.get() as f64, f64::from(settlement), 0.0, 0.0, 0.0, 0.0, 0.0]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tasks are whole numbers below 2^53"
)]
fn task_id(task: f64) -> TaskId {
    TaskId::new(task as u64)
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the caller refuses zero with an error of its own")
}
