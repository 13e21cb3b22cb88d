//! The page's own strategy: whom it may choose, and whom it chose.

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::Input;
use quillwork_core::time::Duration;

use super::state;
use crate::clock::instant;

/// Floats about one candidate.
const CANDIDATE_FLOATS: u32 = 9;

/// Writes 9 floats about each worker that a task may be given to about which the strategy was asked, and returns how many there are:
/// worker, generation, capabilities as a bit set, capacity, what runs there, the same with what stands in its line, share of success,
/// ms that such a task is expected to take there, ms of what it has.
///
/// # Panics
///
/// Where so many do not fit: a page has at most 64.
#[unsafe(no_mangle)]
pub extern "C" fn pool_candidates(pool: u32, now: f64, task: u32) -> u32 {
    state::with(|state| {
        let candidates = state.pools.get(pool).candidates(instant(now), TaskId::new(task.into()));
        let floats = candidates.flat_map(|candidate| {
            [
                f64::from(candidate.worker.get()),
                f64::from(candidate.generation.get()),
                candidate.offer.capabilities.bits() as f64,
                f64::from(candidate.offer.capacity.get()),
                f64::from(candidate.running.get()),
                f64::from(candidate.assigned.get()),
                candidate.success_ratio,
                Duration::as_millis_f64(candidate.expected_run),
                Duration::as_millis_f64(candidate.backlog),
            ]
        });
        state.slots.write_floats(floats) / CANDIDATE_FLOATS
    })
}

/// Input: the strategy that was asked chose this worker, or 2^32 - 1 for none.
#[unsafe(no_mangle)]
pub extern "C" fn pool_strategy_answer(pool: u32, now: f64, task: u32, worker: u32) -> u32 {
    let worker = if worker == u32::MAX { None } else { Some(WorkerId::new(worker)) };
    let answer = Input::StrategyAnswer { task: TaskId::new(task.into()), worker };
    state::with(|state| state.pools.get(pool).input(instant(now), answer, &mut state.slots))
}
