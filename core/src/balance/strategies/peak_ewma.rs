//! Peak-EWMA.

use alloc::vec::Vec;

use crate::balance::{Eligible, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

use super::relative_to_least;

/// The worker with the least `latency * (tasks in flight + 1)`, where latency is a moving average that jumps up to each
/// peak at once and comes down slowly. Each unit of load from elsewhere counts as a task.
///
/// From Finagle (`PeakEwma`), by way of linkerd and tower, with what their users found missing:
///
/// * a failed run counts as at least [`failure_penalty`](crate::balance::BalanceConfig::failure_penalty) typical ones, so a
///   worker that fails at once doesn't attract all traffic;
/// * a worker that has work and has been silent for longer than its average counts with its silence: one that has stopped
///   answering gives no peak that could be observed;
/// * what failures made of it counts until the next success, and not while the worker is
///   [due for a trial](crate::balance::Fleet::is_due_for_trial): one that is whole again isn't shunned for minutes;
/// * reading changes nothing, so how often it is looked at changes no decision;
/// * an unknown worker without work costs nothing and is tried at once; while its first tasks run it costs as much as a
///   failure, so that it isn't flooded before it has shown anything.
///
/// Up to 64 eligible workers are looked at, of more eight drawn at random. Of equals the one picked longest ago.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeakEwma;

impl Strategy for PeakEwma {
    fn name(&self) -> &'static str {
        "peak-ewma"
    }

    fn choose(&mut self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, rng: &mut Rng) -> Slot {
        if eligible.len() <= SCAN_LIMIT {
            return eligible.lowest(|slot| cost(now, task, eligible, slot));
        }
        eligible.lowest_of_drawn(SAMPLE, rng, |slot| cost(now, task, eligible, slot))
    }

    /// The least cost relative to the worker's.
    fn scores(&self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        relative_to_least(eligible, 0.0, |slot| cost(now, task, eligible, slot), out);
    }
}

fn cost(now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, slot: Slot) -> f64 {
    let fleet = eligible.fleet();
    let in_flight = fleet.held(slot);
    if fleet.is_due_for_trial(slot, now) {
        return fleet.success_nanos(slot, task.task_type, now);
    }
    let latency = match fleet.peak_latency_nanos(slot, now) {
        Some(nanos) => nanos.max(fleet.silence(slot, now).as_nanos() as f64),
        None if in_flight == 0 => 0.0,
        None => fleet.typical_nanos(task.task_type) * fleet.failure_penalty(),
    };
    latency * (f64::from(in_flight) + 1.0)
}

/// More eligible workers than this are sampled.
const SCAN_LIMIT: usize = 64;
const SAMPLE: usize = 8;
