//! Affinity and regions are preferences, anti-affinity is a ban; specialists are kept for what only they can do.

use quillwork_core::balance::{Load, Task, WorkerReport, WorkerSpec};
use quillwork_core::ids::RegionId;
use quillwork_core::pool::Capabilities;
use quillwork_core::time::Duration;

use crate::rig::{at, balancer, spec, task, worker};

#[test]
fn an_affine_worker_wins_until_it_is_overloaded() {
    for strategy in ["least-loaded", "round-robin", "random", "shortest-expected-delay", "consistent-hash"] {
        let mut balancer = balancer(strategy, &[8, 8, 8, 8]);
        let warm = [worker(2)];
        let sticky = |id| Task { affinity: &warm, ..task(id) };
        // Half its capacity above the fleet's mean is the limit: with 4 of 32 in use that is (0.125 + 0.5) * 8 = 5.
        let chosen: Vec<_> = (0..5).map(|id| balancer.assign(at(0), &sticky(id)).unwrap()).collect();
        assert_eq!(chosen, [worker(2); 5], "{strategy}");
        let spilled =
            (5..50).map(|id| balancer.assign(at(0), &sticky(id))).find(|chosen| *chosen != Ok(worker(2)));
        assert!(spilled.is_some_and(|chosen| chosen.is_ok()), "{strategy}: with no room it goes elsewhere");
    }
}

#[test]
fn an_idle_affine_worker_wins_whatever_its_size() {
    let mut balancer = balancer("least-loaded", &[1, 64]);
    let warm = [worker(0)];
    assert_eq!(balancer.assign(at(0), &Task { affinity: &warm, ..task(1) }), Ok(worker(0)));
    assert_eq!(balancer.assign(at(0), &Task { affinity: &warm, ..task(2) }), Ok(worker(1)), "it is full now");
}

#[test]
fn a_ban_is_stronger_than_a_preference() {
    let mut balancer = balancer("least-loaded", &[8, 8]);
    let both = [worker(0)];
    let task = Task { affinity: &both, anti_affinity: &both, ..task(1) };
    assert_eq!(balancer.select_worker(at(0), &task), Ok(worker(1)));
}

#[test]
fn the_own_region_comes_first_and_then_the_nearest() {
    let mut balancer = balancer("least-loaded", &[]);
    let workers = [(0, 1, 1), (1, 1, 1), (2, 2, 80), (3, 3, 20), (4, 3, 21), (5, 3, 60)];
    for (id, region, millis) in workers {
        let latency = Duration::from_millis(millis);
        balancer
            .handle_joined(at(0), WorkerSpec { region: Some(RegionId::new(region)), latency, ..spec(id, 1) });
    }
    let from = |region, id| Task { region: Some(RegionId::new(region)), ..task(id) };
    assert_eq!(balancer.assign(at(0), &from(2, 1)), Ok(worker(2)), "far away, but in the region");
    // Region 2 is full. The nearest are 0 and 1, which share the rest.
    let mut next: Vec<_> = (2..4).map(|id| balancer.assign(at(0), &from(2, id)).unwrap().get()).collect();
    next.sort_unstable();
    assert_eq!(next, [0, 1]);
    let mut next: Vec<_> = (4..6).map(|id| balancer.assign(at(0), &from(2, id)).unwrap().get()).collect();
    next.sort_unstable();
    assert_eq!(next, [3, 4], "20 and 21 ms are the same distance");
    // Measured anew, another one is the nearest.
    let report = WorkerReport { latency: Some(Duration::from_micros(10)), ..WorkerReport::default() };
    balancer.handle_joined(at(0), spec(6, 1));
    balancer.handle_report(at(0), worker(5), report);
    let far = WorkerReport { latency: Some(Duration::from_millis(90)), ..WorkerReport::default() };
    balancer.handle_report(at(0), worker(6), far);
    assert_eq!(balancer.assign(at(0), &from(9, 7)), Ok(worker(5)), "a region that nobody is in");
}

#[test]
fn a_specialist_is_spared_while_plain_workers_have_room() {
    let gpu = Capabilities::from_bits(1);
    let mut balancer = balancer("capability-based", &[9, 9]);
    balancer.handle_joined(at(0), WorkerSpec { capabilities: gpu, ..spec(2, 9) });
    let common: Vec<_> = (0..10).map(|id| balancer.assign(at(0), &task(id)).unwrap()).collect();
    assert!(!common.contains(&worker(2)), "{common:?}");
    assert_eq!(balancer.assign(at(0), &Task { required: gpu, ..task(100) }), Ok(worker(2)));
    // It does not idle while the others drown.
    let more: Vec<_> = (10..20).map(|id| balancer.assign(at(0), &task(id)).unwrap()).collect();
    assert!(more.contains(&worker(2)), "{more:?}");
}

#[test]
fn the_rarer_specialist_is_spared_first() {
    let (gpu, net) = (Capabilities::from_bits(1), Capabilities::from_bits(2));
    let mut balancer = balancer("capability-based", &[]);
    for (id, capabilities) in [(0, gpu), (1, net), (2, net), (3, net)] {
        balancer.handle_joined(at(0), WorkerSpec { capabilities, ..spec(id, 8) });
    }
    let mut chosen: Vec<_> = (0..3).map(|id| balancer.assign(at(0), &task(id)).unwrap().get()).collect();
    chosen.sort_unstable();
    assert_eq!(chosen, [1, 2, 3]);
}

#[test]
fn capacities_weigh_in_every_load_aware_choice() {
    for strategy in ["least-loaded", "round-robin"] {
        let mut balancer = balancer(strategy, &[30, 10]);
        let big = (0..20).filter(|&id| balancer.assign(at(0), &task(id)) == Ok(worker(0))).count();
        assert_eq!(big, 15, "{strategy}");
    }
    let mut balancer = balancer("random", &[30_000, 10_000]);
    let big = (0..4_000).filter(|&id| balancer.assign(at(0), &task(id)) == Ok(worker(0))).count();
    // Six standard deviations of a binomial count.
    assert!(big.abs_diff(3_000) < 170, "{big}");
}

#[test]
fn a_worker_that_warms_up_gets_its_reduced_share() {
    for strategy in ["least-loaded", "round-robin"] {
        let mut balancer = balancer(strategy, &[100, 100]);
        balancer.set_weight_factor(worker(1), 0.25);
        let warm = (0..50).filter(|&id| balancer.assign(at(0), &task(id)) == Ok(worker(0))).count();
        assert_eq!(warm, 40, "{strategy}");
    }
}

#[test]
fn tasks_of_any_size_are_placed_by_what_is_left() {
    let mut balancer = balancer("least-loaded", &[10, 4]);
    let sized = |id, units| Task { complexity: Load::new(units), ..task(id) };
    assert_eq!(balancer.assign(at(0), &sized(1, 7)), Ok(worker(0)));
    assert_eq!(balancer.assign(at(0), &sized(2, 4)), Ok(worker(1)), "it fits exactly");
    assert_eq!(balancer.assign(at(0), &sized(3, 3)), Ok(worker(0)), "and so does this");
    assert!(balancer.assign(at(0), &task(4)).is_err());
}
