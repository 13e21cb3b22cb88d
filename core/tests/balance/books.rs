//! Load is given back exactly once, whatever happens.

use quillwork_core::balance::{Load, Task, WorkerReport};
use quillwork_core::ids::TaskId;

use crate::rig::{at, balancer, load, spec, task, worker};

#[test]
fn a_task_that_finishes_twice_gives_its_load_back_once() {
    let mut balancer = balancer("least-loaded", &[8]);
    balancer.assign(at(1), &task(1)).unwrap();
    balancer.assign(at(1), &Task { complexity: Load::new(3), ..task(2) }).unwrap();
    assert_eq!(load(&balancer, 0), 4);
    assert!(balancer.handle_finished(at(5), TaskId::new(2), true).is_some());
    assert!(balancer.handle_finished(at(6), TaskId::new(2), true).is_none());
    assert!(balancer.handle_cancelled(at(6), TaskId::new(2)).is_none());
    assert_eq!(load(&balancer, 0), 1);
    assert!(balancer.handle_finished(at(7), TaskId::new(99), false).is_none(), "nobody knows it");
    assert_eq!((load(&balancer, 0), balancer.in_flight()), (1, 1));
}

#[test]
fn a_worker_that_leaves_returns_its_tasks_and_late_results_change_nothing() {
    let mut balancer = balancer("least-loaded", &[8, 8]);
    assert!(balancer.handle_assigned(at(1), &task(1), worker(0)));
    assert!(balancer.handle_assigned(at(1), &task(2), worker(1)));
    assert!(balancer.handle_assigned(at(1), &task(3), worker(0)));
    assert_eq!(balancer.handle_left(at(2), worker(0)), [TaskId::new(1), TaskId::new(3)]);
    // Another worker of the same id has nothing to do with them.
    balancer.handle_joined(at(3), spec(0, 8));
    assert!(balancer.handle_assigned(at(4), &task(4), worker(0)));
    assert!(balancer.handle_finished(at(5), TaskId::new(1), true).is_none());
    assert_eq!((load(&balancer, 0), load(&balancer, 1)), (1, 1));
    assert_eq!(balancer.in_flight(), 2);
}

#[test]
fn a_task_assigned_again_has_moved() {
    let mut balancer = balancer("least-loaded", &[8, 8]);
    balancer.handle_assigned(at(1), &task(1), worker(0));
    balancer.handle_assigned(at(2), &task(1), worker(1));
    assert_eq!((load(&balancer, 0), load(&balancer, 1)), (0, 1));
    assert_eq!(balancer.tasks_on(worker(0)).count(), 0);
    balancer.handle_finished(at(3), TaskId::new(1), true);
    assert_eq!((load(&balancer, 0), load(&balancer, 1)), (0, 0));
}

#[test]
fn loads_past_what_a_number_holds_come_back_whole() {
    let mut balancer = balancer("least-loaded", &[8]);
    let huge = |id| Task { complexity: Load::new(u32::MAX), ..task(id) };
    balancer.handle_assigned(at(1), &huge(1), worker(0));
    balancer.handle_assigned(at(1), &huge(2), worker(0));
    balancer.handle_finished(at(2), TaskId::new(1), true);
    assert_eq!(load(&balancer, 0), u32::MAX);
    balancer.handle_finished(at(2), TaskId::new(2), true);
    assert_eq!(load(&balancer, 0), 0);
}

#[test]
fn an_assignment_to_an_unknown_worker_is_refused_and_books_nothing() {
    let mut balancer = balancer("least-loaded", &[8]);
    assert!(!balancer.handle_assigned(at(1), &task(1), worker(7)));
    assert_eq!(balancer.in_flight(), 0);
}

#[test]
fn load_from_elsewhere_takes_room_and_stays_when_tasks_end() {
    let mut balancer = balancer("least-loaded", &[4, 4]);
    let report = WorkerReport { foreign_load: Some(Load::new(3)), ..WorkerReport::default() };
    balancer.handle_report(at(1), worker(0), report);
    let two = |id| Task { complexity: Load::new(2), ..task(id) };
    assert_eq!(balancer.assign(at(2), &two(1)), Ok(worker(1)));
    assert_eq!(balancer.assign(at(2), &two(2)), Ok(worker(1)));
    assert_eq!(balancer.assign(at(2), &task(3)), Ok(worker(0)));
    assert!(balancer.assign(at(2), &task(4)).is_err());
    balancer.handle_finished(at(3), TaskId::new(3), true);
    assert_eq!(load(&balancer, 0), 3);
}
