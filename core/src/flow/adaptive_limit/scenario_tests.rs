//! A server whose number of slots nobody told: does the limit find it, follow it, and keep latency near the floor?

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::rng::Rng;

/// Calls arrive half as often again as eight slots can serve.
const ARRIVALS_PER_SECOND: f64 = 1_200.0;
/// What a call takes without a queue: 5 to 15 ms, 10 on average.
const FLOOR_MILLIS: f64 = 10.0;

struct World {
    rng: Rng,
    now: Instant,
    /// When each of the server's slots is free.
    slots: Vec<Instant>,
    running: BTreeMap<(Instant, u64), (LimitSlot, Instant)>,
    next_arrival: Instant,
    calls: u64,
    /// How much slower than usual the server is.
    slowness: f64,
    /// This share of calls fails, whatever the load.
    failing: f64,
}

struct Phase {
    mean_limit: f64,
    mean_latency_millis: f64,
    served_per_second: f64,
}

impl World {
    fn new(seed: u64, slots: usize) -> Self {
        let now = Instant::from_secs(1);
        Self {
            rng: Rng::from_seed(seed),
            now,
            slots: vec![now; slots],
            running: BTreeMap::new(),
            next_arrival: now,
            calls: 0,
            slowness: 1.0,
            failing: 0.0,
        }
    }

    fn resize(&mut self, slots: usize) {
        self.slots.resize(slots, self.now);
    }

    /// Runs for `secs`; what is reported leaves the first `settling` seconds out.
    fn run(&mut self, limit: &mut AdaptiveLimit, secs: u64, settling: u64) -> Phase {
        let (end, measured_from) =
            (self.now + Duration::from_secs(secs), self.now + Duration::from_secs(settling));
        let (mut served, mut latency_millis, mut limits) = (0_u32, 0.0, 0.0);
        while self.now < end {
            let ends = self.running.first_key_value().map(|(&(at, _), _)| at);
            if let Some(at) = ends.filter(|&at| at <= self.next_arrival) {
                self.now = at;
                let (_, (slot, started)) = self.running.pop_first().expect("it was just seen");
                let fails = self.failing > 0.0 && self.rng.chance(self.failing);
                let end = if fails { CallEnd::Dropped } else { CallEnd::Success };
                limit.record(at, slot, end, at - started);
                if at >= measured_from {
                    served += 1;
                    latency_millis += (at - started).as_millis_f64();
                    limits += f64::from(limit.limit());
                }
            } else {
                self.now = self.next_arrival;
                self.next_arrival += Duration::from_secs_f64(self.rng.exponential(1.0 / ARRIVALS_PER_SECOND));
                if let Ok(slot) = limit.try_acquire() {
                    self.serve(slot);
                }
            }
        }
        let served = f64::from(served);
        Phase {
            mean_limit: limits / served,
            mean_latency_millis: latency_millis / served,
            served_per_second: served / (secs - settling) as f64,
        }
    }

    fn serve(&mut self, slot: LimitSlot) {
        let millis = (5.0 + 10.0 * self.rng.unit_f64()) * self.slowness;
        let server = self.slots.iter_mut().min().expect("the server has slots");
        *server = self.now.max(*server) + Duration::from_millis_f64(millis);
        self.calls += 1;
        self.running.insert((*server, self.calls), (slot, self.now));
    }
}

fn gradient(initial: u32) -> AdaptiveLimit {
    let probe_every = Some(Duration::from_secs(5));
    let algorithm = LimitAlgorithm::Gradient(GradientConfig { probe_every, ..GradientConfig::default() });
    AdaptiveLimit::new(AdaptiveLimitConfig { initial, algorithm, ..AdaptiveLimitConfig::default() })
        .expect("the settings are sound")
}

fn aimd(initial: u32) -> AdaptiveLimit {
    let algorithm = LimitAlgorithm::Aimd { too_slow: Some(Duration::from_millis(20)) };
    AdaptiveLimit::new(AdaptiveLimitConfig { initial, algorithm, ..AdaptiveLimitConfig::default() })
        .expect("the settings are sound")
}

fn fixed(limit: u32) -> AdaptiveLimit {
    let config = AdaptiveLimitConfig {
        floor: limit,
        ceiling: limit,
        initial: limit,
        ..AdaptiveLimitConfig::default()
    };
    AdaptiveLimit::new(config).expect("the settings are sound")
}

fn near_the_knee(phase: &Phase, slots: f64, what: &str) {
    let Phase { mean_limit, mean_latency_millis, served_per_second } = phase;
    let told = alloc::format!(
        "{what}: limit {mean_limit:.1}, {mean_latency_millis:.1} ms, {served_per_second:.0}/s"
    );
    assert!((slots * 0.9..slots * 2.2).contains(mean_limit), "{told}");
    assert!(*mean_latency_millis < FLOOR_MILLIS * 2.2, "{told}");
    assert!(*served_per_second > slots * 100.0 * 0.85, "{told}");
}

#[test]
fn it_finds_the_knee_from_above_and_below_and_follows_it() {
    for (name, limits) in
        [("gradient", [gradient(1), gradient(20), gradient(400)]), ("aimd", [aimd(1), aimd(20), aimd(400)])]
    {
        for (seed, mut limit) in (1..).zip(limits) {
            let start = limit.limit();
            let mut world = World::new(seed, 8);
            let told = |phase: &str| alloc::format!("{name} from {start}, {phase}");
            near_the_knee(&world.run(&mut limit, 40, 20), 8.0, &told("eight slots"));
            world.resize(4);
            near_the_knee(&world.run(&mut limit, 30, 10), 4.0, &told("four slots"));
            world.resize(8);
            near_the_knee(&world.run(&mut limit, 40, 20), 8.0, &told("eight again"));
        }
    }
}

/// Every service fails now and then. One call in fifty that fails for reasons of its own must not starve the others.
#[test]
fn rare_failures_leave_it_where_it_was_and_many_lower_it() {
    let mut limit = gradient(20);
    let mut world = World::new(4, 8);
    world.failing = 0.02;
    near_the_knee(&world.run(&mut limit, 40, 20), 8.0, "two in a hundred fail");
    world.failing = 0.8;
    world.run(&mut limit, 10, 5);
    assert!(limit.limit() <= 2, "{}", limit.limit());
    world.failing = 0.02;
    near_the_knee(&world.run(&mut limit, 40, 20), 8.0, "after an outage");
}

#[test]
fn a_fixed_limit_that_was_right_once_is_a_queue_when_capacity_halves() {
    let mut limit = fixed(40);
    let mut world = World::new(1, 32);
    let fine = world.run(&mut limit, 10, 5);
    assert!(fine.mean_latency_millis < FLOOR_MILLIS * 1.5);
    world.resize(4);
    let halved = world.run(&mut limit, 10, 5);
    assert!(halved.mean_latency_millis > FLOOR_MILLIS * 5.0, "{}", halved.mean_latency_millis);
}

#[test]
fn the_baseline_follows_a_service_that_has_become_slower() {
    let mut limit = gradient(20);
    let mut world = World::new(3, 8);
    world.run(&mut limit, 30, 10);
    // Three times as slow with as many slots: the right limit is what it was, the floor isn't.
    world.slowness = 3.0;
    let slower = world.run(&mut limit, 60, 30);
    assert!((7.0..18.0).contains(&slower.mean_limit), "{}", slower.mean_limit);
    assert!(slower.served_per_second > 8.0 * 33.0 * 0.9, "{}", slower.served_per_second);
    let baseline = limit.metrics().baseline.expect("it was measured");
    assert!((25.0..50.0).contains(&baseline.as_millis_f64()), "{baseline:?}");
}
