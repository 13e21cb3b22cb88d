//! Shortest expected delay.

use alloc::vec::Vec;

use crate::balance::fleet::Service;
use crate::balance::{Eligible, Fleet, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

use super::relative_to_least;

/// The worker on which the task is expected to be done first:
///
/// `delay = wait + service`
///
/// * `service` is what a task of this type takes on this worker, measured, a failed run counted with its penalty: that is
///   the price of trying again;
/// * `wait` is what stands before it: nothing while a lane is free, else the worker's tasks in flight at what their types
///   typically take, times the worker's slowness, over its lanes; at least as long as it has been silent already;
/// * a worker that has been silent for longer than its work should take is expected to need as many times as long for this
///   task too, so one that doesn't answer any more looks worse with every moment.
///
/// With one type and one lane this is the `(q + 1) / mu` of the literature, join-the-shortest-queue for servers of
/// different speeds (Banawan and Zahorjan, *Load Sharing in Heterogeneous Queueing Systems*, 1989; IPVS calls it `sed`).
/// While nothing is measured all workers are alike, and it is least loaded by number of tasks. Delays within 5 % of the
/// shortest are equal, because measurements are no better than that; of those the one picked longest ago.
#[derive(Clone, Debug, Default)]
pub struct ShortestExpectedDelay {
    /// Room for the delays.
    delays: Vec<f64>,
}

impl Strategy for ShortestExpectedDelay {
    fn name(&self) -> &'static str {
        "shortest-expected-delay"
    }

    fn choose(&mut self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        let service = eligible.fleet().service(task.task_type);
        eligible.lowest_within(NOISE, &mut self.delays, |slot| delay(now, &service, (eligible.fleet(), slot)))
    }

    /// The shortest delay relative to the worker's.
    fn scores(&self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let service = eligible.fleet().service(task.task_type);
        relative_to_least(eligible, NOISE, |slot| delay(now, &service, (eligible.fleet(), slot)), out);
    }
}

fn delay(now: Instant, service: &Service<'_>, (fleet, slot): (&Fleet, Slot)) -> f64 {
    let slowness = fleet.slowness(slot, now);
    let lanes = fleet.spec(slot).concurrency.max(1);
    let before = fleet.in_flight(slot);
    let wait = if before < lanes {
        0.0
    } else {
        let backlog = fleet.backlog_nanos(slot) as f64 * slowness;
        let whole = backlog.max(fleet.silence(slot, now).as_nanos() as f64);
        // So many of its tasks must end before this one starts, in so many lanes.
        whole * f64::from(before + 1 - lanes) / f64::from(before) / f64::from(lanes)
    };
    wait + service.nanos(slot, now, slowness)
}

/// Delays that differ by less are equal.
const NOISE: f64 = 0.05;
