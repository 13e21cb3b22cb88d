//! The registry: workers that register again, fall silent, grow slow, fail, drain and are forgotten.

use quillwork_core::ids::{Generation, RegionId, TaskId, WorkerId};
use quillwork_core::pool::registry::{Assignment, Query, Registration, Registry, RegistryConfig};
use quillwork_core::pool::{Capabilities, Load};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let config = RegistryConfig {
        lease: Duration::from_secs(2),
        max_workers: 12,
        forget_lost_after: Duration::from_secs(5),
        ..RegistryConfig::default()
    };
    let mut registry = Registry::new(config).expect("the settings make sense");
    let mut clock = Clock::new();
    let mut tasks = Vec::new();
    for number in 0..3_000 {
        let now = clock.tick(&mut rng, Duration::from_millis(12));
        if registry.next_deadline().is_some_and(|deadline| deadline <= now) {
            registry.handle_deadline(now);
        }
        let worker = WorkerId::new(rng.next_u32() % 14);
        let generation = registry.worker(now, worker).map_or(Generation::FIRST, |view| view.generation);
        match rng.below(40) {
            0..2 => decisions.record(&registry.handle_register(now, worker, registration(&mut rng))),
            4 if number % 4 == 0 => decisions.record(&registry.handle_drain(now, worker)),
            5 if number % 4 == 0 => decisions.record(&registry.handle_remove(now, worker)),
            6 => {
                let capabilities = Capabilities::from_bits(rng.below(4));
                decisions.record(&registry.handle_capabilities(now, worker, generation, capabilities));
            }
            2 | 7..18 => decisions.record(&registry.handle_heartbeat(now, worker, generation)),
            18..28 if !tasks.is_empty() => {
                let (task, worker, generation) = tasks.swap_remove(rng.index(tasks.len()));
                decisions.record(&complete(&mut registry, now, (task, worker, generation), &mut rng));
            }
            _ => {
                let task = TaskId::new(number);
                let assignment = Assignment {
                    required: Capabilities::from_bits(if rng.chance(0.2) { rng.below(4) } else { 0 }),
                    load: Load::new(1 + rng.next_u32() % 2),
                    ..Assignment::of(task)
                };
                let assigned = registry.handle_assign(now, worker, assignment);
                decisions.record(&assigned);
                tasks.extend(assigned.ok().map(|generation| (task, worker, generation)));
            }
        }
        while let Some(output) = registry.poll_output() {
            decisions.record(&output);
        }
        decisions.record(&(registry.next_deadline(), registry.len()));
        if number % 60 == 0 {
            for query in [Query::usable(), Query::default()] {
                registry.query(now, query).for_each(|view| decisions.record(&view));
            }
        }
    }
    decisions.digest()
}

/// Every third worker fails often, every fifth is slow.
fn complete(
    registry: &mut Registry,
    now: Instant,
    (task, worker, generation): (TaskId, WorkerId, Generation),
    rng: &mut Rng,
) -> impl core::fmt::Debug + use<> {
    let success = !rng.chance(if worker.get() % 3 == 0 { 0.5 } else { 0.03 });
    let expected = Duration::from_millis(if worker.get() % 5 == 0 { 30 } else { 600 });
    registry.handle_complete(now, worker, generation, task, success, rng.chance(0.8).then_some(expected))
}

fn registration(rng: &mut Rng) -> Registration {
    Registration {
        capabilities: Capabilities::from_bits(rng.below(4)),
        capacity: Load::new(rng.next_u32() % 6),
        region: rng.chance(0.5).then(|| RegionId::new(rng.next_u32() % 3)),
    }
}
