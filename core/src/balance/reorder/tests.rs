//! Who goes first, and that nobody waits for ever.

use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::balance::BalanceConfig;
use crate::ids::WorkerId;

fn balancer(reorder: ReorderConfig) -> LoadBalancer {
    LoadBalancer::new(BalanceConfig { reorder, ..BalanceConfig::default() }, 1).unwrap()
}

fn queued(number: u64, millis: u64, priority: u8, task_type: u32) -> Queued {
    let priority = Priority::new(priority).expect("0 to 10");
    Queued::new(TaskId::new(number), TaskType::new(task_type), priority, Instant::from_millis(millis), number)
}

fn numbers(queue: &[Queued]) -> Vec<u64> {
    queue.iter().map(|queued| queued.task.get()).collect()
}

#[test]
fn urgent_tasks_go_first_and_waiting_makes_up_for_priority() {
    let balancer = balancer(ReorderConfig::default());
    let mut queue =
        [queued(0, 0, 0, 0), queued(1, 1_000, 5, 0), queued(2, 9_000, 10, 0), queued(3, 11_000, 10, 0)];
    balancer.reorder_queue(&mut queue);
    assert_eq!(numbers(&queue), [1, 2, 0, 3]);
}

#[test]
fn of_equally_urgent_ones_the_short_go_first() {
    let mut balancer = balancer(ReorderConfig::default());
    let worker = WorkerId::new(0);
    balancer.handle_joined(Instant::ZERO, crate::balance::WorkerSpec::new(worker));
    for (task_type, millis) in [(1, 5_000), (2, 10)] {
        let took = Duration::from_millis(millis);
        balancer.update_context(Instant::ZERO, worker, TaskType::new(task_type), true, took);
    }
    let mut queue = [queued(0, 0, 5, 1), queued(1, 3_000, 5, 2), queued(2, 6_000, 5, 2)];
    balancer.reorder_queue(&mut queue);
    assert_eq!(numbers(&queue), [1, 0, 2]);
}

#[test]
fn with_no_overtaking_it_is_first_in_first_out() {
    let balancer = balancer(ReorderConfig { max_overtaken: 0, ..ReorderConfig::default() });
    let mut queue = [queued(2, 2, 10, 0), queued(0, 0, 0, 0), queued(1, 1, 5, 0)];
    balancer.reorder_queue(&mut queue);
    assert_eq!(numbers(&queue), [0, 1, 2]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |reorder| {
        LoadBalancer::new(BalanceConfig { reorder, ..BalanceConfig::default() }, 1).unwrap_err().to_string()
    };
    let base = ReorderConfig::default();
    assert!(refused(ReorderConfig { window: 0, ..base }).contains("1 to 4096"));
    assert!(refused(ReorderConfig { short_first: f64::NAN, ..base }).contains("0 to 100"));
}

fn tasks(most: usize) -> impl proptest::strategy::Strategy<Value = Vec<(u64, u8)>> {
    prop::collection::vec((0_u64..3_000, 0_u8..=10), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Without bounds in the way it is a stable sort by due time.
    #[test]
    fn without_bounds_it_is_a_sort(tasks in tasks(80)) {
        let config = ReorderConfig { max_overtaken: 1_000, window: 1_000, ..ReorderConfig::default() };
        let balancer = balancer(config);
        let mut queue: Vec<Queued> =
            (0..).zip(&tasks).map(|(number, &(millis, priority))| queued(number, millis, priority, 0)).collect();
        let mut sorted = queue.clone();
        sorted.sort_by_key(|queued| {
            queued.submitted_at.as_millis().cast_signed() - 1_000 * i64::from(queued.priority.level())
        });
        balancer.reorder_queue(&mut queue);
        prop_assert_eq!(numbers(&queue), numbers(&sorted));
    }

    /// One order: everyone is in it, goes forward by the window at most, and is put back by the bound at most.
    #[test]
    fn places_change_within_the_bounds(tasks in tasks(120), max_overtaken in 0_u32..10, window in 1_u32..20) {
        let balancer = balancer(ReorderConfig { max_overtaken, window, ..ReorderConfig::default() });
        let mut queue: Vec<Queued> =
            (0..).zip(&tasks).map(|(number, &(millis, priority))| queued(number, millis, priority, 0)).collect();
        balancer.reorder_queue(&mut queue);
        let mut seen = numbers(&queue);
        for (place, &number) in (0_u64..).zip(&seen) {
            prop_assert!(place <= number + u64::from(max_overtaken), "{number} is put back to {place}");
            let overtakes = seen[usize::try_from(place).unwrap()..].iter().filter(|&&later| later < number).count();
            prop_assert!(overtakes <= window as usize);
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..tasks.len() as u64).collect::<Vec<_>>());
    }

    /// The life of a queue under load, with the most urgent tasks always coming last: nobody is ever overtaken more than
    /// the bound, so everybody leaves.
    #[test]
    fn nobody_is_overtaken_more_than_the_bound_in_a_life(
        arrivals in prop::collection::vec((0_usize..4, 0_u8..=10, 0_usize..4), 1..80),
        max_overtaken in 0_u32..8,
        window in 1_u32..30,
    ) {
        let balancer = balancer(ReorderConfig { max_overtaken, window, ..ReorderConfig::default() });
        let mut queue = Vec::new();
        let mut left: Vec<u64> = Vec::new();
        let mut next = 0;
        for (comes, priority, goes) in arrivals {
            for _ in 0..comes {
                queue.push(queued(next, next, priority, 0));
                next += 1;
            }
            balancer.reorder_queue(&mut queue);
            for _ in 0..goes {
                left.extend(take_next(&mut queue).map(|taken| taken.sequence));
            }
        }
        balancer.reorder_queue(&mut queue);
        while let Some(taken) = take_next(&mut queue) {
            left.push(taken.sequence);
        }
        prop_assert_eq!(left.len() as u64, next);
        for (place, &sequence) in left.iter().enumerate() {
            let overtaken = left[..place].iter().filter(|&&other| other > sequence).count();
            prop_assert!(overtaken <= max_overtaken as usize, "{sequence} was overtaken {overtaken} times");
        }
    }
}
