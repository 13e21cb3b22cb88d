//! Lives of workers, and a model of the books.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::super::{HealthReason, Load};
use super::*;
use crate::ids::RegionId;

const LEASE: Duration = Duration::from_secs(10);
const WORKER: WorkerId = WorkerId::new(3);

fn at(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

fn registry() -> Registry {
    Registry::new(RegistryConfig { lease: LEASE, max_workers: 4, ..RegistryConfig::default() }).unwrap()
}

fn drain(registry: &mut Registry) -> Vec<RegistryOutput> {
    core::iter::from_fn(|| registry.poll_output()).collect()
}

fn of_capacity(units: u32) -> Registration {
    Registration { capacity: Load::new(units), ..Registration::default() }
}

#[test]
fn heartbeats_keep_a_worker_and_silence_loses_it_with_its_tasks() {
    let mut registry = registry();
    let generation = registry.handle_register(at(0), WORKER, of_capacity(2)).unwrap();
    registry.handle_assign(at(0), WORKER, Assignment::of(TaskId::new(1))).unwrap();
    for second in (3..60).step_by(3) {
        registry.handle_deadline(at(second));
        assert_eq!(registry.handle_heartbeat(at(second), WORKER, generation), Ok(at(second) + LEASE));
    }
    assert_eq!(drain(&mut registry), []);

    // The last word was at 57 s.
    let (from, to) = (Health::Healthy, Health::Suspect);
    registry.handle_deadline(at(62));
    let reason = HealthReason::Silent;
    assert_eq!(
        drain(&mut registry),
        [
            RegistryOutput::Probe { worker: WORKER, generation },
            RegistryOutput::HealthChanged { worker: WORKER, from, to, reason },
        ]
    );
    assert_eq!(registry.query(at(62), Query::usable()).count(), 0);
    assert_eq!(registry.next_deadline(), Some(at(67)));
    registry.handle_deadline(at(67));
    assert_eq!(
        drain(&mut registry),
        [
            RegistryOutput::HealthChanged { worker: WORKER, from: to, to: Health::Lost, reason },
            RegistryOutput::Orphaned { task: TaskId::new(1), worker: WORKER, generation },
            RegistryOutput::Left { worker: WORKER, generation, reason: LeaveReason::Lost },
        ]
    );

    let stale = Stale { current: None };
    assert_eq!(registry.handle_heartbeat(at(68), WORKER, generation), Err(stale));
    let late = registry.handle_complete(at(68), WORKER, generation, TaskId::new(1), true, None);
    assert_eq!(late, Err(NotAssigned::Stale(stale)));
    assert_eq!(
        registry.handle_assign(at(68), WORKER, Assignment::of(TaskId::new(2))),
        Err(AssignRefusal::Lost)
    );

    let anew = registry.handle_register(at(69), WORKER, of_capacity(2)).unwrap();
    assert_eq!(anew, generation.next());
    assert_eq!(registry.handle_heartbeat(at(69), WORKER, generation), Err(Stale { current: Some(anew) }));
    let view = registry.worker(at(69), WORKER).unwrap();
    assert_eq!((view.health, view.membership, view.load), (Health::Healthy, Membership::Active, Load::ZERO));
    assert_eq!((view.totals.assigned, view.totals.orphaned, view.totals.lost), (1, 1, 1));
}

#[test]
fn an_answer_to_the_question_makes_a_worker_healthy_at_once() {
    let mut registry = registry();
    let generation = registry.handle_register(at(0), WORKER, of_capacity(1)).unwrap();
    registry.handle_deadline(at(5));
    drain(&mut registry);
    registry.handle_heartbeat(at(6), WORKER, generation).unwrap();
    let (from, to) = (Health::Suspect, Health::Healthy);
    let changed = RegistryOutput::HealthChanged { worker: WORKER, from, to, reason: HealthReason::Fine };
    assert_eq!(drain(&mut registry), [changed]);
    registry.handle_deadline(at(10));
    assert_eq!(drain(&mut registry), [], "it counts from the answer");
}

#[test]
fn a_machine_that_slept_after_the_question_asks_again() {
    let mut registry = registry();
    let generation = registry.handle_register(at(0), WORKER, of_capacity(1)).unwrap();
    registry.handle_deadline(at(5));
    drain(&mut registry);
    registry.handle_deadline(at(3_600));
    assert_eq!(drain(&mut registry), [RegistryOutput::Probe { worker: WORKER, generation }]);
    assert_eq!(registry.next_deadline(), Some(at(3_605)));
    registry.handle_deadline(at(3_605));
    assert_eq!(registry.worker(at(3_605), WORKER).unwrap().membership, Membership::Lost);
}

#[test]
fn a_worker_that_recovers_by_time_alone_is_told_at_that_time() {
    let mut registry = registry();
    let generation = registry.handle_register(at(0), WORKER, of_capacity(1)).unwrap();
    for task in 0..10 {
        registry.handle_assign(at(1), WORKER, Assignment::of(TaskId::new(task))).unwrap();
        registry.handle_complete(at(1), WORKER, generation, TaskId::new(task), false, None).unwrap();
    }
    assert!(matches!(drain(&mut registry)[..], [RegistryOutput::HealthChanged { to: Health::Suspect, .. }]));
    let mut recovered = None;
    for second in 2..100 {
        registry.handle_heartbeat(at(second), WORKER, generation).unwrap();
        registry.handle_deadline(at(second));
        for output in drain(&mut registry) {
            assert!(
                recovered.is_none()
                    && matches!(output, RegistryOutput::HealthChanged { to: Health::Healthy, .. })
            );
            recovered = Some(second);
        }
    }
    assert_eq!(recovered, Some(61), "the evidence is a minute old");
}

#[test]
fn a_draining_worker_finishes_and_leaves() {
    let mut registry = registry();
    let generation = registry.handle_register(at(0), WORKER, of_capacity(2)).unwrap();
    registry.handle_assign(at(0), WORKER, Assignment::of(TaskId::new(1))).unwrap();
    registry.handle_drain(at(1), WORKER).unwrap();
    let refused = registry.handle_assign(at(1), WORKER, Assignment::of(TaskId::new(2)));
    assert_eq!(refused, Err(AssignRefusal::Draining));
    assert_eq!(drain(&mut registry), []);
    let took = registry.handle_complete(at(4), WORKER, generation, TaskId::new(1), true, None);
    assert_eq!(took, Ok(Duration::from_secs(4)));
    let left = RegistryOutput::Left { worker: WORKER, generation, reason: LeaveReason::Drained };
    assert_eq!((drain(&mut registry), registry.len()), (alloc::vec![left], 0));
    assert_eq!(registry.next_deadline(), None);
}

#[test]
fn the_lost_make_room_and_are_forgotten() {
    let mut registry = registry();
    for number in 0..4 {
        registry.handle_register(at(number.into()), WorkerId::new(number), of_capacity(1)).unwrap();
    }
    let full = registry.handle_register(at(4), WORKER.max(WorkerId::new(9)), of_capacity(1));
    assert_eq!(full, Err(RegistryFull { limit: 4 }));
    registry.handle_deadline(at(9));
    registry.handle_deadline(at(14));
    assert!(registry.query(at(20), Query::default()).all(|view| view.membership == Membership::Lost));
    registry.handle_register(at(21), WorkerId::new(9), of_capacity(1)).unwrap();
    let known: Vec<u32> = registry.query(at(21), Query::default()).map(|view| view.worker.get()).collect();
    assert_eq!(known, [1, 2, 3, 9], "the one that was lost first is forgotten");
    let generation = Generation::FIRST;
    for second in 22..700 {
        registry.handle_heartbeat(at(second), WorkerId::new(9), generation).unwrap();
        registry.handle_deadline(at(second));
    }
    assert_eq!(registry.len(), 1);
}

#[test]
fn queries_filter_by_everything_and_answer_in_order() {
    let mut registry = registry();
    let gpu = Capabilities::from_bits(1);
    let north = Some(RegionId::new(1));
    for (number, capabilities, region) in
        [(9, gpu, north), (2, Capabilities::NONE, north), (5, gpu, None), (7, gpu, north)]
    {
        let registration = Registration { capabilities, region, ..Registration::default() };
        registry.handle_register(at(0), WorkerId::new(number), registration).unwrap();
    }
    let found = |registry: &Registry, query: Query| -> Vec<u32> {
        registry.query(at(0), query).map(|view| view.worker.get()).collect()
    };
    assert_eq!(found(&registry, Query::default()), [2, 5, 7, 9]);
    assert_eq!(found(&registry, Query { required: gpu, ..Query::usable() }), [5, 7, 9]);
    assert_eq!(found(&registry, Query { required: gpu, region: north, ..Query::usable() }), [7, 9]);
    registry.handle_assign(at(0), WorkerId::new(7), Assignment::of(TaskId::new(1))).unwrap();
    assert_eq!(found(&registry, Query { required: gpu, ..Query::usable() }), [5, 9]);
    registry.handle_drain(at(0), WorkerId::new(7)).unwrap();
    assert_eq!(found(&registry, Query { membership: Some(Membership::Draining), ..Query::default() }), [7]);
}

#[derive(Clone, Debug)]
enum Step {
    Register { worker: u32, capacity: u32, bits: u64 },
    Heartbeat { worker: u32, old: bool },
    Assign { worker: u32, task: u64, load: u32, bits: u64 },
    Complete { worker: u32, task: u64, success: bool },
    Drain { worker: u32 },
    Remove { worker: u32 },
    Wait { millis: u64 },
    GoBack,
}

fn steps() -> impl Strategy<Value = Step> {
    let worker = 0_u32..6;
    prop_oneof![
        2 => (worker.clone(), 0_u32..5, 0_u64..4)
            .prop_map(|(worker, capacity, bits)| Step::Register { worker, capacity, bits }),
        4 => (worker.clone(), any::<bool>()).prop_map(|(worker, old)| Step::Heartbeat { worker, old }),
        6 => (worker.clone(), 0_u64..30, 0_u32..3, 0_u64..4)
            .prop_map(|(worker, task, load, bits)| Step::Assign { worker, task, load, bits }),
        6 => (worker.clone(), 0_u64..30, any::<bool>())
            .prop_map(|(worker, task, success)| Step::Complete { worker, task, success }),
        1 => worker.clone().prop_map(|worker| Step::Drain { worker }),
        1 => worker.prop_map(|worker| Step::Remove { worker }),
        4 => (0_u64..6_000).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::GoBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 2) })]

    /// Whatever happens: a task that was assigned is completed or orphaned exactly once, no worker holds more than its
    /// capacity or what it can't do, the counts add up, and nothing is left when all have gone.
    #[test]
    fn the_books_balance(steps in prop::collection::vec(steps(), 1..300)) {
        let mut registry = registry();
        let mut held: BTreeMap<u64, (u32, u32, u64)> = BTreeMap::new();
        let mut offers: BTreeMap<u32, (u32, u64)> = BTreeMap::new();
        let mut generations: BTreeMap<u32, Generation> = BTreeMap::new();
        let mut now = at(1_000);
        for step in steps {
            let mut given = now;
            match step {
                Step::Register { worker, capacity, bits } => {
                    let registration = Registration {
                        capabilities: Capabilities::from_bits(bits),
                        ..of_capacity(capacity)
                    };
                    if let Ok(generation) = registry.handle_register(now, WorkerId::new(worker), registration) {
                        if let Some(before) = generations.insert(worker, generation) {
                            // A worker that was forgotten begins again.
                            prop_assert!(generation > before || generation == Generation::FIRST);
                        }
                        offers.insert(worker, (capacity.max(1), bits));
                    }
                }
                Step::Heartbeat { worker, old } => {
                    let generation = generations.get(&worker).copied().unwrap_or(Generation::FIRST);
                    let generation = if old { Generation::new(generation.get() - 1) } else { generation };
                    let answer = registry.handle_heartbeat(now, WorkerId::new(worker), generation);
                    prop_assert!(!old || answer.is_err());
                }
                Step::Assign { worker, task, load, bits } => {
                    let assignment = Assignment {
                        task: TaskId::new(task),
                        required: Capabilities::from_bits(bits),
                        load: Load::new(load),
                    };
                    if registry.handle_assign(now, WorkerId::new(worker), assignment).is_ok() {
                        prop_assert!(held.insert(task, (worker, load.max(1), bits)).is_none());
                    }
                }
                Step::Complete { worker, task, success } => {
                    let generation = generations.get(&worker).copied().unwrap_or(Generation::FIRST);
                    let had = held.get(&task).is_some_and(|held| held.0 == worker);
                    let answer = registry
                        .handle_complete(now, WorkerId::new(worker), generation, TaskId::new(task), success, None);
                    prop_assert_eq!(answer.is_ok(), had);
                    if had {
                        held.remove(&task);
                    }
                }
                Step::Drain { worker } => {
                    let _unknown = registry.handle_drain(now, WorkerId::new(worker));
                }
                Step::Remove { worker } => {
                    let _unknown = registry.handle_remove(now, WorkerId::new(worker));
                }
                Step::Wait { millis } => {
                    now += Duration::from_millis(millis);
                    given = now;
                    registry.handle_deadline(now);
                    prop_assert!(registry.next_deadline().is_none_or(|deadline| deadline > now));
                }
                Step::GoBack => {
                    given = now - Duration::from_secs(500);
                    registry.handle_deadline(given);
                }
            }
            while let Some(output) = registry.poll_output() {
                if let RegistryOutput::Orphaned { task, worker, .. } = output {
                    let (holder, ..) = held.remove(&task.get()).expect("it was held");
                    prop_assert_eq!(holder, worker.get());
                }
            }
            for view in registry.query(given, Query::default()) {
                let of_worker = held.values().filter(|held| held.0 == view.worker.get());
                let (capacity, bits) = offers[&view.worker.get()];
                prop_assert!(of_worker.clone().all(|held| held.2 & !bits == 0));
                prop_assert_eq!(of_worker.clone().count(), view.assigned as usize);
                let load: u32 = of_worker.map(|held| held.1).sum();
                prop_assert_eq!(load, view.load.get());
                prop_assert!(load <= capacity);
                let totals = view.totals;
                let ended = totals.completed + totals.failed + totals.orphaned;
                prop_assert_eq!(totals.assigned, ended + u64::from(view.assigned));
                prop_assert!(view.membership != Membership::Lost || view.assigned == 0);
            }
            prop_assert!(held.keys().all(|&task| registry.holder(TaskId::new(task)).is_some()));
        }
        // Silence ends it all.
        for hour in 1..5 {
            registry.handle_deadline(now + Duration::from_secs(3_600 * hour));
        }
        let orphaned = drain(&mut registry)
            .into_iter()
            .filter(|output| matches!(output, RegistryOutput::Orphaned { .. }))
            .count();
        prop_assert_eq!(orphaned, held.len());
        prop_assert!(registry.is_empty() && registry.next_deadline().is_none());
    }
}
