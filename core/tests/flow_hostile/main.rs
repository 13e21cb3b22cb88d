//! Every part of flow control under hostile time: clocks that jump to the end of time and back, settings at the ends of
//! their types, weights and sizes that overflow.
//!
//! What must hold of all: nothing panics (this is a debug build, so nothing overflows either), and nothing spins: a
//! shell that calls `handle_deadline` as often as `next_deadline` asks for it is done after few calls.

mod calls;
mod limits;
mod queues;

use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

/// A part with the shell around it.
trait Machine {
    /// Hands in something.
    fn step(&mut self, now: Instant, rng: &mut Rng);
    /// When it wants to be woken.
    fn next_deadline(&self) -> Option<Instant>;
    /// Wakes it, and takes its outputs.
    fn handle_deadline(&mut self, now: Instant);
}

/// `make` gives `None` where the settings that it drew are refused.
fn torment<M: Machine>(mut make: impl FnMut(&mut Rng) -> Option<M>) {
    let mut tormented = 0;
    for seed in 0..1_000 {
        let mut rng = Rng::from_seed(seed);
        let Some(mut machine) = make(&mut rng) else { continue };
        tormented += 1;
        let mut now = Instant::from_secs(rng.below(3));
        for _ in 0..200 {
            now = hostile_time(now, machine.next_deadline(), &mut rng);
            machine.step(now, &mut rng);
            let mut calls = 0;
            while machine.next_deadline().is_some_and(|deadline| deadline <= now) && rng.chance(0.95) {
                machine.handle_deadline(now);
                calls += 1;
                assert!(calls < 1_000, "seed {seed}: it asks again and again for {now:?}");
            }
            assert_ne!(
                machine.next_deadline(),
                Some(Instant::NEVER),
                "seed {seed}: no timer can wait for ever"
            );
        }
    }
    assert!(tormented > 250, "most settings must be sound for this to mean something: {tormented}");
}

fn hostile_time(now: Instant, deadline: Option<Instant>, rng: &mut Rng) -> Instant {
    let deadline = deadline.unwrap_or(now);
    match rng.below(40) {
        0..10 => now,
        10..25 => now + Duration::from_nanos(rng.below(20_000_000)),
        25..30 => deadline,
        30 => deadline + Duration::from_nanos(1),
        31 => deadline - Duration::from_nanos(1),
        32..35 => now - Duration::from_nanos(rng.below(2_000_000_000)),
        35 => Instant::ZERO,
        36 => now + hostile_duration(rng),
        37 => now - hostile_duration(rng),
        // Rarely: most parts hold on to the latest time, and little happens at the end of it.
        _ if rng.chance(0.9) => now,
        38 => Instant::NEVER - Duration::from_nanos(rng.below(1_000_000)),
        _ => Instant::NEVER,
    }
}

fn hostile_duration(rng: &mut Rng) -> Duration {
    match rng.below(9) {
        0 => Duration::ZERO,
        1 => Duration::from_nanos(1),
        2..6 => Duration::from_nanos(rng.below(200_000_000)),
        6 => Duration::from_secs(rng.below(100_000)),
        7 => Duration::from_nanos(u64::MAX / 2 + rng.below(3)),
        _ => Duration::MAX,
    }
}

fn hostile_option(rng: &mut Rng) -> Option<Duration> {
    rng.chance(0.6).then(|| hostile_duration(rng))
}

fn hostile_u32(rng: &mut Rng) -> u32 {
    match rng.below(6) {
        0 => 0,
        1..4 => rng.next_u32() % 9,
        4 => u32::MAX - rng.next_u32() % 2,
        _ => rng.next_u32(),
    }
}

fn hostile_f64(rng: &mut Rng) -> f64 {
    match rng.below(12) {
        0 => 0.0,
        1 => 1.0,
        2 => f64::MIN_POSITIVE,
        3 => f64::MAX,
        4 => f64::NAN,
        5 => f64::INFINITY,
        6 => -1.0,
        _ => rng.below(1_000) as f64 / 1_000.0,
    }
}
