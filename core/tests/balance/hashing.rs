//! Consistent hashing with bounded loads.

use std::collections::BTreeMap;

use quillwork_core::balance::strategies::ConsistentHash;
use quillwork_core::balance::{LoadBalancer, Task};
use quillwork_core::ids::WorkerId;

use crate::rig::{at, balancer, spec, task, worker};

fn owners(balancer: &mut LoadBalancer) -> BTreeMap<u64, WorkerId> {
    let mut owner = |key| balancer.select_worker(at(0), &Task { key, ..task(key) }).expect("all have room");
    (0..2_000).map(|key| (key, owner(key))).collect()
}

#[test]
fn removing_a_worker_moves_its_keys_only_and_adding_it_again_brings_them_back() {
    for capacities in [[8; 10], [8, 8, 8, 4, 4, 4, 4, 16, 16, 2]] {
        let mut balancer = balancer("consistent-hash", &capacities);
        let before = owners(&mut balancer);
        balancer.handle_left(at(0), worker(3));
        let without = owners(&mut balancer);
        for (key, owner) in &before {
            assert_eq!(without[key] == *owner, *owner != worker(3), "key {key} of {owner}");
        }
        balancer.handle_joined(at(0), spec(3, capacities[3]));
        assert_eq!(owners(&mut balancer), before);
    }
}

#[test]
fn keys_are_spread_by_capacity() {
    let mut balancer = balancer("consistent-hash", &[6, 3, 3, 8]);
    let owners = owners(&mut balancer);
    for (id, expected) in [(0, 600_usize), (1, 300), (2, 300), (3, 800)] {
        let count = owners.values().filter(|&&owner| owner == worker(id)).count();
        // Six standard deviations of a binomial count are at most 132.
        assert!(count.abs_diff(expected) < 132, "{id}: {count}");
    }
}

#[test]
fn one_popular_key_overflows_in_its_own_order_and_is_bounded() {
    let mut balancer = balancer("consistent-hash", &[100; 10]);
    for number in 0..400 {
        let task = Task { key: 1, ..task(number) };
        balancer.assign(at(0), &task).unwrap();
        let fleet = balancer.fleet();
        let most = fleet.slots().map(|slot| u64::from(fleet.load(slot).get())).max().unwrap();
        // ceil(1.25 * mean), the prospective task counted.
        assert!(most <= (125 * (number + 1)).div_ceil(1_000), "{most} of {}", number + 1);
    }
}

#[test]
fn a_key_comes_home_when_its_worker_has_room_again() {
    let mut balancer = balancer("consistent-hash", &[1, 1, 1]);
    let keyed = |id| Task { key: 42, ..task(id) };
    let home = balancer.assign(at(0), &keyed(1)).unwrap();
    let away = balancer.assign(at(0), &keyed(2)).unwrap();
    assert_ne!(home, away);
    balancer.handle_finished(at(1), keyed(1).id, true);
    assert_eq!(balancer.assign(at(1), &keyed(3)), Ok(home));
}

#[test]
fn slack_must_make_sense() {
    for wrong in [0.0, -1.0, 11.0, f64::NAN] {
        assert!(ConsistentHash::new(wrong).is_err(), "{wrong}");
    }
    assert!(ConsistentHash::new(0.1).is_ok());
}
