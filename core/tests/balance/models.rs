//! Strategies against models that are plain to the point of being slow.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quillwork_core::balance::{Load, LoadBalancer, Task};
use quillwork_core::ids::WorkerId;

use crate::rig::{at, balancer, spec, task, worker};

#[derive(Clone, Debug)]
enum Event {
    Join(u32, u32),
    Leave(u32),
    Assign { complexity: u32, banned: u32 },
    Finish(prop::sample::Index),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0_u32..6, 1_u32..7).prop_map(|(id, capacity)| Event::Join(id, capacity)),
        1 => (0_u32..6).prop_map(Event::Leave),
        12 => (1_u32..3, 0_u32..9).prop_map(|(complexity, banned)| Event::Assign { complexity, banned }),
        8 => any::<prop::sample::Index>().prop_map(Event::Finish),
    ];
    prop::collection::vec(event, 1..150)
}

/// A worker as a model sees it.
#[derive(Clone, Debug, Default)]
struct Known {
    capacity: u32,
    load: u32,
    picked: u64,
    credit: f64,
}

type Workers = BTreeMap<WorkerId, Known>;

/// Runs the events and compares each choice with `expected`, which gets the workers and who is eligible.
fn follows(
    strategy: &'static str,
    events: &[Event],
    mut expected: impl FnMut(&LoadBalancer, &mut Workers, &[WorkerId], &Task<'_>) -> Option<WorkerId>,
) -> Result<(), TestCaseError> {
    let mut balancer = balancer(strategy, &[]);
    let mut workers = Workers::new();
    let mut tasks: Vec<(Task<'static>, WorkerId)> = Vec::new();
    for (number, event) in (1..).zip(events) {
        match *event {
            Event::Join(id, capacity) => {
                balancer.handle_joined(at(0), spec(id, capacity));
                let fresh = Known { picked: number, ..Known::default() };
                workers.entry(worker(id)).or_insert(fresh).capacity = capacity;
            }
            Event::Leave(id) => {
                balancer.handle_left(at(0), worker(id));
                workers.remove(&worker(id));
                tasks.retain(|(_, on)| *on != worker(id));
            }
            Event::Assign { complexity, banned } => {
                let banned = [worker(banned)];
                let task = Task { complexity: Load::new(complexity), key: number * 31, ..task(number) };
                let asked = Task { anti_affinity: &banned, ..task };
                let fits = |known: &Known| known.load + complexity <= known.capacity;
                let eligible: Vec<WorkerId> = workers
                    .iter()
                    .filter(|(id, known)| **id != banned[0] && fits(known))
                    .map(|(&id, _)| id)
                    .collect();
                let wanted = if eligible.is_empty() {
                    None
                } else {
                    expected(&balancer, &mut workers, &eligible, &asked)
                };
                let chosen = balancer.assign(at(0), &asked).ok();
                prop_assert_eq!(chosen, wanted, "of {:?}", workers);
                if let Some(known) = chosen.and_then(|id| workers.get_mut(&id)) {
                    known.load += complexity;
                    known.picked = number;
                }
                tasks.extend(chosen.map(|id| (task, id)));
            }
            Event::Finish(ref index) if !tasks.is_empty() => {
                let (task, id) = tasks.swap_remove(index.index(tasks.len()));
                balancer.handle_finished(at(0), task.id, true);
                workers.entry(id).and_modify(|known| known.load -= task.complexity.get());
            }
            Event::Finish(_) => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The least `(load + 1) / capacity`, compared as fractions; of equals the one picked longest ago.
    #[test]
    fn least_loaded_compares_fractions(events in events()) {
        follows("least-loaded", &events, |_, workers, eligible, _| {
            eligible.iter().copied().min_by(|a, b| {
                let (a, b) = (&workers[a], &workers[b]);
                let (left, right) = ((a.load + 1) * b.capacity, (b.load + 1) * a.capacity);
                left.cmp(&right).then(a.picked.cmp(&b.picked))
            })
        })?;
    }

    /// Every eligible worker gains its weight, the richest pays for all.
    #[test]
    fn round_robin_keeps_nginx_accounts(
        capacities in prop::collection::vec(1_u32..9, 2..7).prop_filter("weights differ", |all| all.windows(2).any(|pair| pair[0] != pair[1])),
        bans in prop::collection::vec(0_u32..12, 1..120),
    ) {
        let joins = (0..).zip(&capacities).map(|(id, &capacity)| Event::Join(id, capacity * 1_000));
        let assigns = bans.iter().map(|&banned| Event::Assign { complexity: 1, banned });
        let events: Vec<Event> = joins.chain(assigns).collect();
        follows("round-robin", &events, |_, workers, eligible, _| {
            let total: u32 = eligible.iter().map(|id| workers[id].capacity).sum();
            for id in eligible {
                let known = workers.get_mut(id)?;
                known.credit += f64::from(known.capacity);
            }
            let richest = eligible.iter().copied().max_by(|a, b| {
                let (a, b) = (&workers[a], &workers[b]);
                a.credit.total_cmp(&b.credit).then(b.picked.cmp(&a.picked))
            })?;
            workers.get_mut(&richest)?.credit -= f64::from(total);
            Some(richest)
        })?;
    }

    /// The bound keeps nobody else's key away: among those within it the choice is the one that has the key when all are
    /// idle, and so are the others in their order.
    #[test]
    fn consistent_hash_takes_the_first_within_the_bound(events in events()) {
        follows("consistent-hash", &events, |_, workers, eligible, task| {
            let load: u32 = workers.values().map(|known| known.load).sum();
            let capacity: u32 = workers.values().map(|known| known.capacity).sum();
            let complexity = task.complexity.get();
            let within = |id: &WorkerId| {
                let known = &workers[id];
                // ceil(1.25 * (load + complexity) / capacity * own capacity) in whole numbers.
                let bound = (5 * (load + complexity) * known.capacity).div_ceil(4 * capacity);
                known.load == 0 || known.load + complexity <= bound
            };
            let some_within = eligible.iter().any(within);
            // The order of the key, from a fleet of the same workers in which everybody else is banned one by one.
            let mut idle = balancer("consistent-hash", &[]);
            workers.iter().for_each(|(id, known)| idle.handle_joined(at(0), spec(id.get(), known.capacity)));
            let mut banned: Vec<WorkerId> = workers.keys().copied().filter(|id| !eligible.contains(id)).collect();
            loop {
                let probe = Task { complexity: Load::ZERO, anti_affinity: &banned, ..*task };
                let next = idle.select_worker(at(0), &probe).ok()?;
                if !some_within || within(&next) {
                    return Some(next);
                }
                banned.push(next);
            }
        })?;
    }
}
