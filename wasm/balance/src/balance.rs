//! Load balancers: who gets a task, of workers that are handed over with each question.
//!
//! What has changed of the workers is told first ([`balance_sync`]), then the question is asked. Workers, regions and capabilities are
//! numbers that the caller gave them; a task type is a hash of its name. Tasks and workers are written as
//! `balancing/rows.rs` says. A question that is answered with a list needs room for it in the floats
//! beforehand.

use alloc::vec::Vec;

use quillwork_core::balance::{Load, RuleEffect};
use quillwork_core::ids::{TaskType, WorkerId};
use quillwork_core::time::Duration;

use crate::balancing::{
    Balancing, IneligibleCode, QUEUED, RefusalCode, SETTINGS, WORKER, WorkerRow, overload_row,
};
use crate::state;
use quillwork_abi::clock::instant;
use quillwork_abi::slots::Slots;
use quillwork_abi::text::{self, made};

/// A new balancer of the settings in the floats, see `balancing/config.rs`; those that are not numbers have their defaults.
///
/// # Panics
///
/// Never: there are always so many floats.
#[unsafe(no_mangle)]
pub extern "C" fn balance_new() -> u32 {
    state::with(|state| {
        let settings = state.slots.floats().first_chunk::<SETTINGS>().expect(ROOM);
        made(Balancing::new(settings), |balancer| state.balancers.insert(balancer))
    })
}

/// Frees a balancer.
#[unsafe(no_mangle)]
pub extern "C" fn balance_free(balancer: u32) {
    state::with(|state| state.balancers.remove(balancer));
}

/// Lets the strategy of this number choose. Returns whether there is one.
#[unsafe(no_mangle)]
pub extern "C" fn balance_strategy(balancer: u32, strategy: u32) -> u32 {
    state::with(|state| u32::from(state.balancers.get(balancer).set_strategy(strategy)))
}

/// So many workers have changed: thirteen floats each.
#[unsafe(no_mangle)]
pub extern "C" fn balance_sync(balancer: u32, now: f64, rows: u32) {
    state::with(|state| {
        let balancer = state.balancers.get(balancer);
        let (all, _) = state.slots.floats().as_chunks::<WORKER>();
        for row in &all[..rows as usize] {
            balancer.sync(instant(now), &WorkerRow::read(row));
        }
    });
}

/// A worker won't come back: all about it is forgotten.
#[unsafe(no_mangle)]
pub extern "C" fn balance_forget(balancer: u32, now: f64, worker: u32) {
    state::with(|state| state.balancers.get(balancer).forget(instant(now), WorkerId::new(worker)));
}

/// Chooses a worker for the task in the floats and returns its number. Where nobody can have it, minus the code of the
/// refusal (`balancing/reply.rs`), and in the floats what belongs to it. `book` not 0 adds the task to the worker's load until the next
/// word on that.
#[unsafe(no_mangle)]
pub extern "C" fn balance_select(balancer: u32, now: f64, book: u32) -> i32 {
    state::with(|state| {
        let balancer = state.balancers.get(balancer);
        match balancer.select(instant(now), state.slots.floats(), book != 0) {
            Ok(worker) => number(worker),
            Err(refusal) => refuse(&mut state.slots, refusal.into()),
        }
    })
}

/// Adds to a worker's load until the next word on that.
#[unsafe(no_mangle)]
pub extern "C" fn balance_book(balancer: u32, now: f64, worker: u32, complexity: u32) {
    state::with(|state| {
        let balancer = state.balancers.get(balancer);
        balancer.book(instant(now), WorkerId::new(worker), Load::new(complexity));
    });
}

/// How many workers may have the task in the floats, and their numbers there; or as [`balance_select`].
///
/// # Panics
///
/// Where there is no room for them.
#[unsafe(no_mangle)]
pub extern "C" fn balance_candidates(balancer: u32, now: f64) -> i32 {
    state::with(|state| {
        let balancer = state.balancers.get(balancer);
        match balancer.candidates(instant(now), state.slots.floats()) {
            Ok(workers) => {
                let written = state.slots.write(0, workers.iter().map(|worker| f64::from(worker.get())));
                i32::try_from(written).expect(ROOM)
            }
            Err(refusal) => refuse(&mut state.slots, refusal.into()),
        }
    })
}

/// For each worker that is there, four floats: its number, and why it can't have the task (`balancing/reply.rs`). Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn balance_explain(balancer: u32, now: f64) -> u32 {
    state::with(|state| {
        let explained = state.balancers.get(balancer).explain(instant(now), state.slots.floats());
        let rows = explained.into_iter().flat_map(|(worker, why)| {
            let IneligibleCode(code, [one, two]) = why.into();
            [f64::from(worker.get()), f64::from(code), one, two]
        });
        state.slots.write(0, rows) / 4
    })
}

/// For each worker that is there, seven floats: its number, whether it may have the task (1), its score, and of that capacity,
/// performance, affinity and reliability. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn balance_scores(balancer: u32, now: f64) -> u32 {
    state::with(|state| {
        let scores = state.balancers.get(balancer).scores(instant(now), state.slots.floats());
        let rows = scores.iter().flat_map(|score| {
            [
                f64::from(score.worker.get()),
                f64::from(u8::from(score.eligible)),
                score.total,
                score.capacity,
                score.performance,
                score.affinity,
                score.reliability,
            ]
        });
        state.slots.write(0, rows) / 7
    })
}

/// A task of this type ended on this worker, with success where that is not 0.
#[unsafe(no_mangle)]
pub extern "C" fn balance_outcome(
    balancer: u32,
    now: f64,
    worker: u32,
    task_type: u32,
    success: u32,
    duration_millis: f64,
) {
    state::with(|state| {
        let ended = (WorkerId::new(worker), TaskType::new(task_type));
        let duration = Duration::from_millis_f64(duration_millis);
        state.balancers.get(balancer).outcome(instant(now), ended, success != 0, duration);
    });
}

/// A rule for tasks of a type: this worker is preferred (0), one of those required (1), or forbidden (2).
#[unsafe(no_mangle)]
pub extern "C" fn balance_rule(balancer: u32, task_type: u32, worker: u32, effect: u32) {
    let effect = match effect {
        0 => RuleEffect::Prefer,
        1 => RuleEffect::Require,
        _ => RuleEffect::Forbid,
    };
    state::with(|state| {
        let balancer = state.balancers.get(balancer);
        balancer.add_rule(TaskType::new(task_type), WorkerId::new(worker), effect);
    });
}

/// The weights of adaptive's strategies for tasks of this type. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn balance_weights(balancer: u32, task_type: u32) -> u32 {
    state::with(|state| {
        let weights = state.balancers.get(balancer).weights(TaskType::new(task_type));
        state.slots.write(0, weights)
    })
}

/// What adaptive has learned, a byte in each float. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn balance_save(balancer: u32) -> u32 {
    state::with(|state| {
        let bytes = state.balancers.get(balancer).save();
        state.slots.reserve(bytes.len());
        state.slots.write(0, bytes.into_iter().map(f64::from))
    })
}

/// Goes on from so many such bytes. Returns 1, or 0 with a text where they are none.
#[unsafe(no_mangle)]
pub extern "C" fn balance_restore(balancer: u32, bytes: u32) -> u32 {
    state::with(|state| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes; `as` saturates")]
        let bytes: Vec<u8> = state.slots.floats()[..bytes as usize].iter().map(|&byte| byte as u8).collect();
        match state.balancers.get(balancer).restore(&bytes) {
            Ok(()) => 1,
            Err(refusal) => {
                text::set(&refusal);
                0
            }
        }
    })
}

/// Writes the fleet's pressure, whether that is an overload (1) and how many workers are in trouble; then recommendations of
/// eight floats (`balancing/reply.rs`), one more than workers at most. Returns how many those are.
#[unsafe(no_mangle)]
pub extern "C" fn balance_overload(balancer: u32, now: f64) -> u32 {
    state::with(|state| {
        let (overload, recommendations) = state.balancers.get(balancer).overload(instant(now));
        let head = [
            overload.fleet_pressure,
            f64::from(u8::from(overload.is_fleet_overloaded)),
            f64::from(overload.workers),
        ];
        let rows = recommendations.iter().flat_map(overload_row);
        (state.slots.write(0, head.into_iter().chain(rows)) - 3) / 8
    })
}

/// Of so many tasks in the floats, each behind the number of the worker that holds it, those that should wait elsewhere, as six
/// floats: the task's number among them, from, to, gain and cost (ms), urgency. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn balance_migrations(balancer: u32, now: f64, tasks: u32) -> u32 {
    state::with(|state| {
        let migrations = state.balancers.get(balancer).migrations(instant(now), state.slots.floats(), tasks);
        let rows = migrations.iter().flat_map(|migration| {
            [
                migration.task.get() as f64,
                f64::from(migration.from.get()),
                f64::from(migration.to.get()),
                migration.gain.as_millis_f64(),
                migration.cost.as_millis_f64(),
                f64::from(migration.urgency.get()),
            ]
        });
        state.slots.reserve(migrations.len() * 6);
        state.slots.write(0, rows) / 6
    })
}

/// Of so many waiting tasks in the floats, four floats each (`balancing/queue.rs`), the numbers in the order in which they should go. Returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn balance_reorder(balancer: u32, tasks: u32) -> u32 {
    state::with(|state| {
        let (rows, _) = state.slots.floats().as_chunks::<QUEUED>();
        let order = state.balancers.get(balancer).reorder(&rows[..tasks as usize]);
        state.slots.write(0, order.iter().map(|&number| number as f64))
    })
}

fn refuse(slots: &mut Slots, RefusalCode(code, details): RefusalCode) -> i32 {
    slots.write(0, details);
    -i32::try_from(code).expect("codes are small")
}

fn number(worker: WorkerId) -> i32 {
    i32::try_from(worker.get()).expect("the caller numbers workers densely")
}

const ROOM: &str = "the caller makes room";
