//! Performance based.

use alloc::vec::Vec;

use crate::balance::{Eligible, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

/// The worker that has done best of late:
///
/// `0.35 * success ratio + 0.25 * speed + 0.25 * uptime + 0.15 * (1 - load / capacity)`
///
/// The terms are those of [`Fleet`](crate::balance::Fleet): recent successes; `1 / (1 + slowness)`, where failures count
/// with their penalty and silence with its length; the share of the recent past in which the worker could be reached; what
/// is free. Scores within 1 % of the highest are equal; of those the one picked longest ago. Load counts little on purpose:
/// this strategy prefers a good worker with a queue to a bad one without, and suits few long tasks on workers of very
/// different quality. For many short ones take shortest expected delay.
#[derive(Clone, Debug, Default)]
pub struct PerformanceBased {
    /// Room for the scores.
    scores: Vec<f64>,
}

impl Strategy for PerformanceBased {
    fn name(&self) -> &'static str {
        "performance-based"
    }

    fn choose(&mut self, now: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        eligible.lowest_within(NOISE, &mut self.scores, |slot| -score(now, eligible, slot))
    }

    /// The formula above.
    fn scores(&self, now: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        out.extend(eligible.iter().map(|slot| score(now, eligible, slot)));
    }
}

fn score(now: Instant, eligible: &Eligible<'_>, slot: Slot) -> f64 {
    let fleet = eligible.fleet();
    let free = (1.0 - fleet.load_share(slot)).max(0.0);
    let score = SUCCESS * fleet.success_ratio(slot, now)
        + SPEED * fleet.speed(slot, now)
        + UPTIME * fleet.uptime(slot, now)
        + FREE * free;
    score.clamp(0.0, 1.0)
}

/// Scores that differ by less are equal.
const NOISE: f64 = 0.01;
const SUCCESS: f64 = 0.35;
const SPEED: f64 = 0.25;
const UPTIME: f64 = 0.25;
const FREE: f64 = 0.15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::{BalanceConfig, Load, LoadBalancer, WorkerSpec, WorkerStatus};
    use crate::ids::{TaskId, TaskType, WorkerId};
    use crate::time::Duration;

    #[test]
    fn it_is_thirty_five_twenty_five_twenty_five_fifteen() {
        let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1).unwrap();
        let [odd, usual] = [0, 1].map(WorkerId::new);
        let (mut now, task) = (Instant::ZERO, Task::new(TaskId::new(1)));
        for worker in [odd, usual] {
            balancer.handle_joined(now, WorkerSpec { capacity: Load::new(4), ..WorkerSpec::new(worker) });
        }
        balancer.handle_status(now, odd, WorkerStatus::Offline);
        now += Duration::from_secs(300);
        balancer.handle_status(now, odd, WorkerStatus::Ready);
        for success in [true, false, false] {
            balancer.update_context(now, odd, TaskType::new(0), success, Duration::from_millis(40));
            balancer.update_context(now, usual, TaskType::new(0), true, Duration::from_millis(10));
        }
        balancer.handle_assigned(now, &task, odd);

        let fleet = balancer.fleet();
        let slot = fleet.slot_of(odd).unwrap();
        let (mut scratch, mut scores) = (Vec::new(), Vec::new());
        let eligible = Eligible::filter(fleet, &task, &mut scratch);
        PerformanceBased::default().scores(now, &task, &eligible, &mut scores);
        let terms = [
            fleet.success_ratio(slot, now),
            fleet.speed(slot, now),
            fleet.uptime(slot, now),
            1.0 - 1.0 / 4.0,
        ];
        for (place, term) in terms.iter().enumerate() {
            assert!((0.01..0.99).contains(term), "{terms:?}");
            assert!(terms[..place].iter().all(|other| (other - term).abs() > 0.01), "each shows: {terms:?}");
        }
        let expected = 0.35 * terms[0] + 0.25 * terms[1] + 0.25 * terms[2] + 0.15 * terms[3];
        assert!((scores[slot.index()] - expected).abs() < 1e-12);
    }
}
