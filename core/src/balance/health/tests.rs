//! Health at work in a balancer.

use crate::balance::{
    BalanceConfig, EjectionChange, EjectionConfig, HealthConfig, LoadBalancer, PanicThreshold, Refusal,
    SlowStartConfig, Task, WorkerSpec, WorkerStatus,
};
use crate::ids::{TaskId, WorkerId};
use crate::time::{Duration, Instant};

fn secs(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

fn balancer(workers: u32, strategy: &'static str, health: HealthConfig) -> LoadBalancer {
    let config = BalanceConfig { strategy, health, ..BalanceConfig::default() };
    let mut balancer = LoadBalancer::new(config, 1).unwrap();
    for worker in 0..workers {
        balancer.handle_joined(secs(0), WorkerSpec::new(WorkerId::new(worker)));
    }
    balancer
}

/// Runs so many tasks one after the other, each for a millisecond; worker 0 fails all of its own. How many each worker had.
fn run(balancer: &mut LoadBalancer, from: Instant, tasks: u64) -> [u64; 8] {
    let mut counts = [0; 8];
    for number in 0..tasks {
        let now = from + Duration::from_millis(number);
        let task = Task::new(TaskId::new(number));
        let worker = balancer.assign(now, &task).expect("there is room");
        counts[worker.index()] += 1;
        balancer.handle_finished(now + Duration::from_micros(900), task.id, worker != WorkerId::new(0));
    }
    counts
}

fn ejecting() -> HealthConfig {
    HealthConfig { ejection: Some(EjectionConfig::default()), ..HealthConfig::default() }
}

#[test]
fn a_worker_that_fails_is_out_after_five_tasks_and_back_later() {
    let mut balancer = balancer(4, "round-robin", ejecting());
    assert_eq!(run(&mut balancer, secs(1), 1_000)[0], 5);
    let change = balancer.poll_health_change();
    assert!(matches!(change, Some(EjectionChange::Ejected { worker, .. }) if worker == WorkerId::new(0)));
    // After half a minute it gets its next chance, and is out for twice as long.
    assert_eq!(run(&mut balancer, secs(40), 1_000)[0], 5);
    assert_eq!(run(&mut balancer, secs(80), 1_000)[0], 0);
    assert_eq!(run(&mut balancer, secs(101), 1_000)[0], 5);
}

#[test]
fn a_probe_brings_it_back_before_its_time() {
    let mut balancer = balancer(4, "round-robin", ejecting());
    run(&mut balancer, secs(1), 100);
    balancer.handle_probe(secs(2), WorkerId::new(0), true);
    assert_eq!(run(&mut balancer, secs(2), 100)[0], 5);
}

#[test]
fn the_timer_alone_brings_it_back_too() {
    let mut balancer = balancer(4, "round-robin", ejecting());
    run(&mut balancer, secs(1), 100);
    while balancer.poll_health_change().is_some() {}
    let mut steps = 0;
    while let Some(deadline) = balancer.next_deadline() {
        balancer.handle_deadline(deadline);
        steps += 1;
        assert!(steps < 20, "an idle fleet comes to rest");
    }
    assert!(matches!(balancer.poll_health_change(), Some(EjectionChange::Returned { .. })));
}

#[test]
fn with_too_few_left_the_ejected_are_used_but_never_who_drains_or_is_offline() {
    let everyone = EjectionConfig { max_ejected_ratio: 1.0, ..EjectionConfig::default() };
    let panicking = HealthConfig { ejection: Some(everyone), ..HealthConfig::default() };
    let mut balancer = balancer(8, "round-robin", panicking);
    for (worker, status) in [(6, WorkerStatus::Draining), (7, WorkerStatus::Offline)] {
        balancer.handle_status(secs(0), WorkerId::new(worker), status);
    }
    // Everything fails everywhere.
    let mut number = 0;
    let mut fail = |balancer: &mut LoadBalancer, now| {
        let task = Task::new(TaskId::new(number));
        number += 1;
        let worker = balancer.assign(now, &task).expect("somebody takes it");
        balancer.handle_finished(now, task.id, false);
        worker.get()
    };
    for _ in 0..200 {
        fail(&mut balancer, secs(1));
    }
    assert!(balancer.fleet().ignores_ejections());
    let mut used = [false; 8];
    for _ in 0..50 {
        used[fail(&mut balancer, secs(2)) as usize] = true;
    }
    assert_eq!(used, [true, true, true, true, true, true, false, false]);
}

#[test]
fn without_a_panic_threshold_the_last_healthy_one_gets_everything() {
    let everyone = EjectionConfig { max_ejected_ratio: 1.0, ..EjectionConfig::default() };
    let panic = PanicThreshold::new(0.0).unwrap();
    let mut balancer =
        balancer(2, "round-robin", HealthConfig { ejection: Some(everyone), panic, slow_start: None });
    run(&mut balancer, secs(1), 100);
    assert_eq!(run(&mut balancer, secs(2), 100)[1], 100);
    balancer.handle_status(secs(3), WorkerId::new(1), WorkerStatus::Offline);
    // It is needed now.
    assert_eq!(balancer.select_worker(secs(3), &Task::new(TaskId::new(1))), Ok(WorkerId::new(0)));
    balancer.handle_status(secs(3), WorkerId::new(0), WorkerStatus::Draining);
    let refused = balancer.select_worker(secs(3), &Task::new(TaskId::new(1)));
    assert!(matches!(refused, Err(Refusal::AllOffline { draining: 1, offline: 1, .. })), "{refused:?}");
}

#[test]
fn a_new_worker_gets_a_small_share_first_and_a_full_one_later() {
    let slow = HealthConfig { slow_start: Some(SlowStartConfig::default()), ..HealthConfig::default() };
    let mut balancer = balancer(3, "round-robin", slow);
    // Those that begin together share evenly.
    let counts = run(&mut balancer, secs(0), 300);
    assert_eq!(counts[..3], [100, 100, 100]);
    balancer.handle_joined(secs(100), WorkerSpec::new(WorkerId::new(3)));
    let at_first = run(&mut balancer, secs(100), 310)[3];
    assert!((9..=12).contains(&at_first), "{at_first} of 310 at a tenth of the weight");
    let halfway = run(&mut balancer, secs(105), 350)[3];
    assert!((44..=56).contains(&halfway), "{halfway} of 350 at half of the weight");
    assert_eq!(run(&mut balancer, secs(111), 400)[3], 100);
    // Back from being offline it is cold again.
    balancer.handle_status(secs(200), WorkerId::new(3), WorkerStatus::Offline);
    balancer.handle_status(secs(300), WorkerId::new(3), WorkerStatus::Ready);
    assert!(run(&mut balancer, secs(300), 310)[3] <= 12);
}

#[test]
fn settings_are_checked_with_the_others() {
    let slow = SlowStartConfig { window: Duration::ZERO, ..SlowStartConfig::default() };
    let health = HealthConfig { slow_start: Some(slow), ..HealthConfig::default() };
    let refused = LoadBalancer::new(BalanceConfig { health, ..BalanceConfig::default() }, 1).unwrap_err();
    assert!(alloc::format!("{refused}").contains("slow start"));
}
