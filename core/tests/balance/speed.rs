//! Who is fast, who only looks fast, and who has stopped answering.

use std::collections::VecDeque;

use quillwork_core::balance::{Load, LoadBalancer, WorkerSpec};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::rig::{at, balancer, task, worker};

/// How a worker behaves.
#[derive(Clone, Copy)]
enum Kind {
    /// Succeeds after so many milliseconds.
    Takes(u64),
    /// Fails after so many milliseconds.
    FailsAfter(u64),
    /// Takes tasks and never answers.
    Silent,
}

/// Tasks arrive at random, every 10 ms in the mean, for so many seconds. How many each worker got.
fn shares(strategy: &'static str, kinds: &[Kind], secs: u64) -> Vec<usize> {
    let mut balancer = balancer(strategy, &[]);
    for (id, _) in (0..).zip(kinds) {
        let spec = WorkerSpec { capacity: Load::new(64), ..WorkerSpec::new(worker(id)) };
        balancer.handle_joined(at(0), spec);
    }
    let mut rng = Rng::from_seed(17);
    let mut world = World { lanes: vec![VecDeque::new(); kinds.len()], counts: vec![0; kinds.len()] };
    let (mut now, mut number) = (at(0), 0);
    while now < Instant::from_secs(secs) {
        now += Duration::from_millis_f64(rng.exponential(10.0));
        world.end_until(now, &mut balancer, kinds);
        let task = task(number);
        if let Ok(chosen) = balancer.assign(now, &task) {
            world.counts[chosen.index()] += 1;
            world.give(now, chosen.index(), number, kinds[chosen.index()]);
        }
        number += 1;
    }
    world.counts
}

/// What each worker has: when each of its tasks ends.
struct World {
    lanes: Vec<VecDeque<(Instant, u64)>>,
    counts: Vec<usize>,
}

impl World {
    fn give(&mut self, now: Instant, index: usize, number: u64, kind: Kind) {
        let begins = self.lanes[index].back().map_or(now, |&(end, _)| end.max(now));
        let end = match kind {
            Kind::Takes(millis) | Kind::FailsAfter(millis) => begins + Duration::from_millis(millis),
            Kind::Silent => Instant::NEVER,
        };
        self.lanes[index].push_back((end, number));
    }

    fn end_until(&mut self, now: Instant, balancer: &mut LoadBalancer, kinds: &[Kind]) {
        loop {
            let ends = self.lanes.iter().enumerate();
            let next = ends.filter_map(|(index, lane)| lane.front().map(|&(end, _)| (end, index))).min();
            let Some((end, index)) = next.filter(|&(end, _)| end <= now) else { return };
            let (_, number) = self.lanes[index].pop_front().expect("it was just seen");
            balancer.handle_finished(end, task(number).id, matches!(kinds[index], Kind::Takes(_)));
        }
    }
}

/// All strategies that look at how workers do.
const SPEED_AWARE: [&str; 4] = ["performance-based", "best-score", "peak-ewma", "shortest-expected-delay"];

#[test]
fn a_worker_that_fails_at_once_attracts_nothing() {
    let kinds = [Kind::FailsAfter(1), Kind::Takes(30), Kind::Takes(30), Kind::Takes(30), Kind::Takes(30)];
    for strategy in SPEED_AWARE {
        let shares = shares(strategy, &kinds, 60);
        let all: usize = shares.iter().sum();
        assert!(shares[0] * 20 < all, "{strategy}: {shares:?}, and a fair share is a fifth");
    }
    // What looks at load alone runs to it, which is why the pages on strategies warn of it.
    let shares = shares("least-loaded", &kinds, 60);
    assert!(shares[0] * 5 > shares.iter().sum(), "{shares:?}");
}

#[test]
fn a_worker_that_stopped_answering_is_left_alone() {
    let kinds = [Kind::Silent, Kind::Takes(20), Kind::Takes(20), Kind::Takes(20)];
    for strategy in
        ["performance-based", "best-score", "peak-ewma", "shortest-expected-delay", "least-loaded"]
    {
        let shares = shares(strategy, &kinds, 60);
        assert!(shares[0] <= 64 && shares.iter().sum::<usize>() > 5_000, "{strategy}: {shares:?}");
    }
    for strategy in ["peak-ewma", "shortest-expected-delay"] {
        let shares = shares(strategy, &kinds, 60);
        assert!(shares[0] <= 3, "{strategy} sees the silence itself: {shares:?}");
    }
}

#[test]
fn expected_delay_shares_work_by_speed() {
    let kinds = [Kind::Takes(10), Kind::Takes(40)];
    let shares = shares("shortest-expected-delay", &kinds, 120);
    let ratio = shares[0] as f64 / shares[1] as f64;
    assert!((2.5..8.0).contains(&ratio), "four times as fast: {shares:?}");
}

#[test]
fn a_slow_worker_is_tried_again_when_its_record_has_faded() {
    for strategy in SPEED_AWARE {
        let mut balancer = balancer(strategy, &[64, 64]);
        for number in 0..6 {
            balancer.handle_assigned(at(number), &task(number), worker(0));
            balancer.handle_finished(at(number), task(number).id, false);
            balancer.handle_assigned(at(number), &task(number), worker(1));
            balancer.handle_finished(at(number + 20), task(number).id, true);
        }
        assert_eq!(balancer.select_worker(at(200), &task(99)), Ok(worker(1)), "{strategy}");
        let later = Instant::from_secs(3_600);
        balancer.handle_assigned(later, &task(50), worker(1));
        let later = later + Duration::from_millis(20);
        balancer.handle_finished(later, task(50).id, true);
        let picks: Vec<_> = (0..2).map(|_| balancer.select_worker(later, &task(99)).unwrap()).collect();
        assert!(picks.contains(&worker(0)), "{strategy}: {picks:?}");
    }
}

#[test]
fn peak_ewma_follows_its_rules_for_the_unknown() {
    let mut balancer = balancer("peak-ewma", &[64, 64, 64]);
    // Worker 0 and 1 are known, at 30 ms.
    for (number, id) in [(0, 0), (1, 1)] {
        balancer.handle_assigned(at(0), &task(number), worker(id));
        balancer.handle_finished(at(30), task(number).id, true);
    }
    // The unknown one is tried at once, and not again before it has shown something.
    assert_eq!(balancer.assign(at(40), &task(10)), Ok(worker(2)));
    let next: Vec<_> = (11..15).map(|number| balancer.assign(at(40), &task(number)).unwrap()).collect();
    assert!(!next.contains(&worker(2)), "{next:?}");
    balancer.handle_finished(at(45), task(10).id, true);
    assert_eq!(balancer.assign(at(45), &task(20)), Ok(worker(2)), "5 ms beat 30 ms");
}

#[test]
fn run_times_are_measured_without_the_wait_on_the_worker() {
    let mut balancer = balancer("shortest-expected-delay", &[64]);
    for number in 0..5 {
        balancer.handle_assigned(at(0), &task(number), worker(0));
    }
    // One after the other, 10 ms each; nobody tells when they start.
    for number in 0..5 {
        balancer.handle_finished(at(10 * (number + 1)), task(number).id, true);
    }
    let fleet = balancer.fleet();
    let slot = fleet.slot_of(worker(0)).unwrap();
    let millis = fleet.service_nanos(slot, task(0).task_type, at(50)) / 1e6;
    assert!((millis - 10.0).abs() < 0.01, "{millis}");
    // Its latency is what submitters saw of it: up to 50 ms.
    assert!(fleet.peak_latency_nanos(slot, at(50)).unwrap() > 40e6);
}

#[test]
fn a_start_that_is_told_counts() {
    let mut balancer = balancer("shortest-expected-delay", &[64]);
    balancer.handle_assigned(at(0), &task(1), worker(0));
    balancer.handle_started(at(70), task(1).id);
    balancer.handle_started(at(90), task(1).id);
    balancer.handle_finished(at(100), task(1).id, true);
    let fleet = balancer.fleet();
    let millis = fleet.typical_nanos(task(1).task_type) / 1e6;
    assert!((millis - 30.0).abs() < 1e-6, "{millis}: from the first start that was told");
}

#[test]
fn types_of_task_don_t_disturb_each_other() {
    use quillwork_core::balance::Task;
    use quillwork_core::ids::TaskType;

    let mut balancer = balancer("shortest-expected-delay", &[64, 64]);
    let (short, long) = (TaskType::new(1), TaskType::new(2));
    let update = |balancer: &mut LoadBalancer, id, task_type, millis| {
        balancer.update_context(at(0), worker(id), task_type, true, Duration::from_millis(millis));
    };
    for _ in 0..20 {
        // Worker 0 is good at the long ones and bad at the short ones.
        update(&mut balancer, 0, short, 20);
        update(&mut balancer, 1, short, 2);
        update(&mut balancer, 0, long, 300);
        update(&mut balancer, 1, long, 3_000);
    }
    let mut pick = |task_type| balancer.select_worker(at(1), &Task { task_type, ..task(1) }).unwrap();
    assert_eq!((pick(short), pick(long)), (worker(1), worker(0)));
}
