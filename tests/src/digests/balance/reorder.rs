//! Reordered queues: what starts in which order, as the measured durations of the types of tasks change.

use quillwork_core::balance::{BalanceConfig, LoadBalancer, Queued, take_next};
use quillwork_core::ids::{TaskId, TaskType};
use quillwork_core::pool::Priority;
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use super::life::Life;
use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut decisions = Decisions::new();
    let mut balancer = LoadBalancer::new(BalanceConfig::default(), seed).expect("the settings make sense");
    let mut life = Life::new(Rng::from_seed(seed));
    let mut queue = Vec::new();
    for number in 0..400 {
        let now = life.tick();
        if number % 40 == 0 {
            life.join(now, &mut balancer);
        }
        life.work(now, &mut balancer, &mut decisions);
        let rng = &mut life.rng;
        let priority = [Priority::LOWEST, Priority::NORMAL, Priority::HIGHEST][rng.index(3)];
        let task_type = TaskType::new(rng.next_u32() % 4);
        let submitted_at = now + Duration::from_millis(rng.below(100));
        queue.push(Queued::new(TaskId::new(number), task_type, priority, submitted_at, number));
        if rng.chance(0.6) {
            balancer.reorder_queue(&mut queue);
            decisions.record(&queue);
            decisions.record(&take_next(&mut queue));
        }
    }
    decisions.digest()
}
