//! Checks a rate limit, beside crate `governor`: the same algorithm (GCRA) over atomics, to be shared between threads.
//!
//! Neither reads a clock: both are given the time, which moves on by a microsecond every 16 checks, so that one check in
//! four or so is admitted. By key: 1,000 keys in a pseudo-random order, the peer over its hash map store.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Duration as StdDuration;

use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota as PeerQuota, RateLimiter};
use quillwork_core::flow::rate_limit::{Gcra, Keyed, Quota};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::rounds::compare;

const PEER: &str = "governor 0.10.4";
const PER_SECOND: u32 = 4_000_000;
const BURST: u32 = 32;
const KEYS: u32 = 1_000;

pub(crate) fn run() {
    one();
    by_key();
}

fn one() {
    let mut ours = Gcra::new(quota(PER_SECOND));
    let clock = FakeRelativeClock::default();
    let theirs = RateLimiter::direct_with_clock(peer_quota(PER_SECOND), clock.clone());
    let (mut now, mut checks, mut peer_checks) = (Instant::ZERO, 0_u32, 0_u32);
    compare(
        "check a rate limit",
        PEER,
        500_000,
        || {
            checks += 1;
            if checks.is_multiple_of(16) {
                now += Duration::from_micros(1);
            }
            ours.check(black_box(now), 1).is_ok()
        },
        || {
            peer_checks += 1;
            if peer_checks.is_multiple_of(16) {
                clock.advance(StdDuration::from_micros(1));
            }
            theirs.check().is_ok()
        },
    );
}

fn by_key() {
    let mut rng = Rng::from_seed(5);
    let keys: Vec<u32> = (0..8_192).map(|_| (rng.next_u32()) % KEYS).collect();
    let mut ours = Keyed::new(Gcra::new(quota(4_000)), NonZeroU32::new(2 * KEYS).expect("not zero"));
    let clock = FakeRelativeClock::default();
    let store = HashMapStateStore::<u32>::default();
    let theirs: RateLimiter<_, _, _, NoOpMiddleware<_>> =
        RateLimiter::new(peer_quota(4_000), store, clock.clone());
    let (mut now, mut checks, mut peer_checks) = (Instant::ZERO, 0_usize, 0_usize);
    compare(
        "check a rate limit of one key of 1,000",
        PEER,
        200_000,
        || {
            checks += 1;
            now += Duration::from_nanos(62);
            ours.check(now, u64::from(black_box(keys[checks % keys.len()])), 1).is_ok()
        },
        || {
            peer_checks += 1;
            clock.advance(StdDuration::from_nanos(62));
            theirs.check_key(black_box(&keys[peer_checks % keys.len()])).is_ok()
        },
    );
}

fn quota(per_second: u32) -> Quota {
    Quota::per_second(per_second).and_then(|quota| quota.with_burst(BURST)).expect("a sound quota")
}

fn peer_quota(per_second: u32) -> PeerQuota {
    PeerQuota::per_second(NonZeroU32::new(per_second).expect("not zero"))
        .allow_burst(NonZeroU32::new(BURST).expect("not zero"))
}
