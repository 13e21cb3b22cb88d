//! What a task would like: its affinity list, then its region.

use alloc::vec::Vec;

use crate::time::Duration;

use super::{Eligible, Fleet, Slot, Task};

/// Narrows the eligible workers to those that the task prefers. Where it can't have what it likes, it gets any.
///
/// 1. Affinity is sticky: workers on the task's list win as long as they aren't overloaded. One is overloaded where it
///    holds something and the task would bring its load past the fleet's mean share plus `slack` of its capacity. An idle
///    one always wins.
/// 2. Else the task's region: workers in it. Where none there is eligible, the nearest others by measured latency: those
///    within a quarter, or a millisecond, of the shortest.
pub(super) fn preferred<'a>(
    task: &Task<'_>,
    eligible: Eligible<'a>,
    slack: f64,
    scratch: &'a mut (Vec<u64>, Vec<u64>),
) -> Eligible<'a> {
    let fleet = eligible.fleet();
    if !task.affinity.is_empty() {
        let limit = fleet.mean_load_share() + slack;
        let sticks = |slot: Slot| {
            task.affinity.contains(&fleet.worker(slot)) && !is_overloaded(fleet, slot, task, limit)
        };
        if let Some(narrowed) = eligible.narrowed(&mut scratch.0, sticks) {
            return narrowed;
        }
    }
    let Some(region) = task.region else { return eligible };
    let is_local = |slot: Slot| fleet.spec(slot).region == Some(region);
    let any_local = eligible.iter().any(is_local);
    let shortest = eligible.iter().map(|slot| fleet.spec(slot).latency).min().unwrap_or(Duration::ZERO);
    let quarter = Duration::from_nanos(shortest.as_nanos() / 4);
    let near = shortest + quarter.max(SAME_LATENCY);
    let passes = |slot: Slot| if any_local { is_local(slot) } else { fleet.spec(slot).latency <= near };
    eligible.narrowed(&mut scratch.1, passes).unwrap_or(eligible)
}

fn is_overloaded(fleet: &Fleet, slot: Slot, task: &Task<'_>, limit: f64) -> bool {
    let load = fleet.load(slot);
    let share = f64::from((load + task.complexity).get()) / f64::from(fleet.spec(slot).capacity.get().max(1));
    load.get() > 0 && share > limit
}

/// Latencies that differ by less are the same.
const SAME_LATENCY: Duration = Duration::from_millis(1);
