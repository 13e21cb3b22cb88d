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
///   typically take, and its load from elsewhere as a task of this type for each unit, times the worker's slowness, over
///   its lanes; at least as long as it has been silent already;
/// * a worker with a free lane that has been silent for longer than all its work should take is expected to stay so for as
///   long again: one that doesn't answer any more looks worse with every moment;
/// * a worker that failed and has rested is [tried again](Fleet::is_due_for_trial) with one task, as if it held nothing.
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
    let before = fleet.held(slot);
    let foreign = f64::from(fleet.foreign_load(slot)) * service.typical;
    let backlog = (fleet.backlog_nanos(slot) as f64 + foreign) * slowness;
    let silence = fleet.silence(slot, now).as_nanos() as f64;
    let wait = if fleet.is_due_for_trial(slot, now) {
        0.0
    } else if before < lanes {
        (silence - backlog).max(0.0)
    } else {
        let whole = backlog.max(silence);
        // So many of its tasks must end before this one starts, in so many lanes.
        whole * f64::from(before + 1 - lanes) / f64::from(before) / f64::from(lanes)
    };
    wait + service.nanos(slot, now, slowness)
}

/// Delays that differ by less are equal.
const NOISE: f64 = 0.05;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::balance::{BalanceConfig, LoadBalancer, Task, WorkerSpec};
    use crate::ids::{TaskId, WorkerId};
    use crate::time::{Duration, Instant};

    const SICK: WorkerId = WorkerId::new(0);
    const SOUND: WorkerId = WorkerId::new(1);

    /// A balancer of two workers with the strategy, after each has done 50 tasks of 10 ms, and when that is.
    fn balancer(strategy: &'static str) -> (LoadBalancer, Instant) {
        let config = BalanceConfig { strategy, ..BalanceConfig::default() };
        let mut balancer = LoadBalancer::new(config, 1).unwrap();
        let mut now = Instant::from_secs(1);
        [SICK, SOUND].into_iter().for_each(|id| balancer.handle_joined(now, WorkerSpec::new(id)));
        for round in 0..50 {
            for (worker, id) in [(SICK, 2 * round), (SOUND, 2 * round + 1)] {
                balancer.handle_assigned(now, &Task::new(TaskId::new(id)), worker);
            }
            now += Duration::from_millis(10);
            for id in [2 * round, 2 * round + 1] {
                balancer.handle_finished(now, TaskId::new(id), true);
            }
        }
        (balancer, now)
    }

    #[test]
    fn a_worker_that_answers_again_is_found_out_with_one_task_and_used_again() {
        for strategy in ["shortest-expected-delay", "peak-ewma", "adaptive"] {
            let (mut balancer, mut now) = balancer(strategy);
            // Swallowed, and given up after 2 s.
            let swallowed: Vec<TaskId> = (1_000..1_008).map(TaskId::new).collect();
            for &id in &swallowed {
                balancer.handle_assigned(now, &Task::new(id), SICK);
            }
            now += Duration::from_secs(2);
            for &id in &swallowed {
                balancer.handle_finished(now, id, false);
            }

            // It rests, whoever else is busy.
            let [first, second] = [2_000, 2_001].map(TaskId::new);
            assert_eq!(balancer.assign(now, &Task::new(first)), Ok(SOUND), "{strategy}");
            now += Duration::from_millis(60);
            assert_eq!(balancer.assign(now, &Task::new(second)), Ok(SICK), "{strategy}");
            for id in 2_002..2_006 {
                assert_eq!(balancer.assign(now, &Task::new(TaskId::new(id))), Ok(SOUND), "{strategy}");
            }
            // It answers, and is the least busy by far.
            now += Duration::from_millis(10);
            balancer.handle_finished(now, second, true);
            for id in 2_006..2_009 {
                assert_eq!(balancer.assign(now, &Task::new(TaskId::new(id))), Ok(SICK), "{strategy}");
            }
        }
    }

    #[test]
    fn a_worker_that_swallows_its_trial_is_tried_again_before_that_times_out() {
        for strategy in ["shortest-expected-delay", "peak-ewma", "adaptive"] {
            let (mut balancer, mut now) = balancer(strategy);
            let [lost, first, second, third] = [1_000, 2_001, 2_002, 2_003].map(TaskId::new);
            balancer.handle_assigned(now, &Task::new(lost), SICK);
            now += Duration::from_secs(2);
            balancer.handle_finished(now, lost, false);
            now += Duration::from_millis(60);
            balancer.handle_assigned(now, &Task::new(TaskId::new(2_000)), SOUND);
            assert_eq!(balancer.assign(now, &Task::new(first)), Ok(SICK), "{strategy}");
            // An eighth of the 2,060 ms for which it has failed.
            now += Duration::from_millis(250);
            assert_eq!(balancer.assign(now, &Task::new(second)), Ok(SOUND), "{strategy}");
            now += Duration::from_millis(10);
            assert_eq!(balancer.assign(now, &Task::new(third)), Ok(SICK), "{strategy}");
        }
    }

    #[test]
    fn a_worker_with_a_free_lane_that_has_fallen_silent_is_left_alone() {
        let (mut balancer, mut now) = balancer("shortest-expected-delay");
        for id in [SICK, SOUND] {
            balancer.handle_joined(now, WorkerSpec { concurrency: 4, ..WorkerSpec::new(id) });
        }
        balancer.handle_assigned(now, &Task::new(TaskId::new(1_000)), SICK);
        now += Duration::from_millis(500);
        for id in 1_001..1_005 {
            assert_eq!(balancer.assign(now, &Task::new(TaskId::new(id))), Ok(SOUND));
        }
    }
}
