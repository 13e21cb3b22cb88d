//! A refusal says which it was.

use quillwork_core::balance::{Ineligible, Load, LoadBalancer, Refusal, Task, WorkerSpec, WorkerStatus};
use quillwork_core::pool::Capabilities;

use crate::rig::{at, balancer, spec, task, worker};

const GPU: Capabilities = Capabilities::from_bits(1);
const NET: Capabilities = Capabilities::from_bits(2);
const BIG: Capabilities = Capabilities::from_bits(4);

#[test]
fn an_empty_fleet_and_one_without_the_capabilities_are_different() {
    let mut balancer = balancer("least-loaded", &[]);
    assert_eq!(balancer.select_worker(at(0), &task(1)), Err(Refusal::NoWorkers));

    balancer.handle_joined(at(0), WorkerSpec { capabilities: GPU.union(NET), ..spec(0, 8) });
    balancer.handle_joined(at(0), WorkerSpec { capabilities: BIG, ..spec(1, 8) });
    let all_three = Task { required: GPU.union(NET).union(BIG), ..task(1) };
    // Each is somewhere, but nowhere are all together; worker 0 comes closest.
    assert_eq!(balancer.select_worker(at(0), &all_three), Err(Refusal::NoCapableWorker { missing: BIG }));
}

/// Every stage of the filter is reached with everything before it passed, and told by name.
#[test]
fn each_stage_is_told_apart() {
    let mut balancer = balancer("least-loaded", &[8]);
    balancer.handle_joined(at(0), WorkerSpec { capabilities: GPU, ..spec(1, 4) });
    balancer.handle_joined(at(0), WorkerSpec { capabilities: GPU, ..spec(2, 2) });
    let banned = [worker(1)];
    let gpu = Task { required: GPU, complexity: Load::new(3), ..task(1) };
    let refusal =
        |balancer: &mut LoadBalancer, task: &Task<'_>| balancer.select_worker(at(9), task).unwrap_err();

    let huge = Task { complexity: Load::new(5), ..gpu };
    assert_eq!(refusal(&mut balancer, &huge), Refusal::LargerThanAnyWorker { largest: Load::new(4) });
    let without_one = Task { anti_affinity: &banned, ..gpu };
    assert_eq!(refusal(&mut balancer, &without_one), Refusal::AllExcluded { excluded: 1 });

    balancer.handle_status(at(1), worker(1), WorkerStatus::Booting);
    assert_eq!(refusal(&mut balancer, &gpu), Refusal::AllOffline { booting: 1, draining: 0, offline: 0 });
    balancer.handle_status(at(1), worker(1), WorkerStatus::Busy);

    balancer.set_ejected_until(at(1), worker(1), Some(at(20)));
    assert_eq!(refusal(&mut balancer, &gpu), Refusal::AllEjected { earliest: at(20) });
    assert_eq!(balancer.check(at(19), &gpu, worker(1)), Err(Ineligible::Ejected { until: at(20) }));
    assert_eq!(balancer.select_worker(at(20), &gpu), Ok(worker(1)), "it is back on time, without being told");

    balancer.handle_assigned(at(20), &Task { complexity: Load::new(2), ..task(2) }, worker(1));
    assert_eq!(
        refusal(&mut balancer, &gpu),
        Refusal::NoRoom { needed: Load::new(3), most_free: Load::new(2) }
    );
}

#[test]
fn in_panic_the_ejected_are_chosen_and_the_draining_are_not() {
    let mut balancer = balancer("least-loaded", &[8, 8]);
    balancer.handle_status(at(0), worker(0), WorkerStatus::Draining);
    balancer.set_ejected_until(at(0), worker(1), Some(at(100)));
    assert!(balancer.select_worker(at(1), &task(1)).is_err());
    balancer.set_ignores_ejections(at(1), true);
    assert_eq!(balancer.select_worker(at(1), &task(1)), Ok(worker(1)));
    assert_eq!(
        balancer.check(at(1), &task(1), worker(0)),
        Err(Ineligible::NotUp { status: WorkerStatus::Draining })
    );
}

#[test]
fn a_task_of_no_load_fits_a_full_worker() {
    let mut balancer = balancer("least-loaded", &[1]);
    balancer.assign(at(0), &task(1)).unwrap();
    assert!(balancer.select_worker(at(0), &task(2)).is_err());
    assert_eq!(balancer.select_worker(at(0), &Task { complexity: Load::ZERO, ..task(3) }), Ok(worker(0)));
}
