//! Rate limits: checks, reservations and cancellations of both kinds, of two at once, and of more keys than are kept.

use core::fmt::Debug;
use core::num::NonZeroU32;

use quillwork_core::flow::rate_limit::{Gcra, Keyed, Quota, RateLimiter, SlidingLog};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let tens = Quota::new(10, Duration::from_secs(1)).and_then(|quota| quota.with_burst(4)).expect("a quota");
    let sevens = Quota::new(7, Duration::from_nanos(333_333_333)).expect("a quota");
    ask(Gcra::new(tens), &mut rng, &mut decisions);
    ask(SlidingLog::new(sevens), &mut rng, &mut decisions);
    ask((Gcra::new(sevens), SlidingLog::new(tens)), &mut rng, &mut decisions);
    ask_by_key(Gcra::new(tens), &mut rng, &mut decisions);
    ask_by_key(SlidingLog::new(sevens), &mut rng, &mut decisions);
    decisions.digest()
}

fn ask(mut limit: impl RateLimiter<Mark: Debug>, rng: &mut Rng, decisions: &mut Decisions) {
    let mut clock = Clock::new();
    let mut reserved = Vec::new();
    for _ in 0..1_500 {
        let now = clock.tick(rng, Duration::from_millis(60));
        let weight = rng.next_u32() % 6;
        match rng.below(8) {
            0 if !reserved.is_empty() => limit.cancel(now, reserved.swap_remove(rng.index(reserved.len()))),
            1..3 => match limit.reserve(now, weight, Duration::from_millis(rng.below(1_000))) {
                Ok(reservation) => {
                    decisions.record(&reservation);
                    reserved.push(reservation);
                }
                Err(refusal) => decisions.record(&refusal),
            },
            _ => decisions.record(&limit.check(now, weight)),
        }
        decisions.record(&limit.idle_from());
    }
}

fn ask_by_key<L: RateLimiter<Mark: Debug> + Clone>(fresh: L, rng: &mut Rng, decisions: &mut Decisions) {
    let mut limits = Keyed::new(fresh, NonZeroU32::new(20).expect("not zero"));
    let mut clock = Clock::new();
    let mut reserved = Vec::new();
    for _ in 0..1_500 {
        let now = clock.tick(rng, Duration::from_millis(20));
        let key = rng.below(30);
        match rng.below(10) {
            0 if !reserved.is_empty() => limits.cancel(now, reserved.swap_remove(rng.index(reserved.len()))),
            1..3 => match limits.reserve(now, key, 2, Duration::from_millis(500)) {
                Ok(reservation) => {
                    decisions.record(&reservation);
                    reserved.push(reservation);
                }
                Err(refusal) => decisions.record(&refusal),
            },
            3 => limits.handle_deadline(now),
            _ => decisions.record(&limits.check(now, key, 1)),
        }
        decisions.record(&(limits.next_deadline(), limits.metrics()));
    }
}
