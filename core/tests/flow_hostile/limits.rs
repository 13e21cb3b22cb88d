//! Debouncers, rate limits, adaptive limits.

use std::num::NonZeroU32;

use quillwork_core::flow::adaptive_limit::{
    AdaptiveLimit, AdaptiveLimitConfig, CallEnd, GradientConfig, LimitAlgorithm, LimitSlot,
};
use quillwork_core::flow::rate_limit::{
    Gcra, Keyed, KeyedReservation, Quota, RateLimiter, Refusal, SlidingLog,
};
use quillwork_core::flow::{DebounceConfig, Debouncer};
use quillwork_core::rng::Rng;
use quillwork_core::time::Instant;

use crate::{Machine, hostile_duration, hostile_f64, hostile_option, hostile_u32, torment};

impl Machine for Debouncer {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        let _edge = match rng.below(10) {
            0 => self.handle_flush(now),
            1 => {
                self.handle_cancel();
                None
            }
            _ => self.handle_call(now),
        };
    }

    fn next_deadline(&self) -> Option<Instant> {
        Debouncer::next_deadline(self)
    }

    fn handle_deadline(&mut self, now: Instant) {
        let _edge = Debouncer::handle_deadline(self, now);
    }
}

#[test]
fn debouncers() {
    torment(|rng| {
        Some(Debouncer::new(DebounceConfig {
            wait: hostile_duration(rng),
            leading: rng.chance(0.5),
            trailing: rng.chance(0.7),
            max_wait: hostile_option(rng),
        }))
    });
}

struct Requests<L: RateLimiter> {
    keyed: Keyed<u64, L>,
    turns: Vec<KeyedReservation<u64, L::Mark>>,
}

impl<L: RateLimiter + Clone> Machine for Requests<L> {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        let (key, weight) = (rng.below(6), hostile_u32(rng));
        match rng.below(4) {
            0 => match self.keyed.check(now, key, weight) {
                Err(Refusal::NotUntil { earliest }) => {
                    assert!(earliest > now || earliest == Instant::NEVER, "or why was it refused?");
                }
                Err(Refusal::WeightExceedsCapacity(_)) => assert_ne!(weight, 0),
                Ok(()) => {}
            },
            1 | 2 => {
                if let Ok(turn) = self.keyed.reserve(now, key, weight, hostile_duration(rng)) {
                    assert!(turn.starts_at() >= now);
                    self.turns.push(turn);
                }
            }
            _ => {
                if !self.turns.is_empty() {
                    let turn = self.turns.swap_remove(rng.index(self.turns.len()));
                    self.keyed.cancel(now, turn);
                }
            }
        }
        assert!(self.keyed.len() <= 4);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.keyed.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.keyed.handle_deadline(now);
    }
}

fn quota(rng: &mut Rng) -> Option<Quota> {
    let quota = Quota::new(hostile_u32(rng), hostile_duration(rng)).ok()?;
    if rng.chance(0.5) { quota.with_burst(hostile_u32(rng)).ok() } else { Some(quota) }
}

/// Few settings drawn like this are sound.
fn sound_quota(rng: &mut Rng) -> Quota {
    std::iter::repeat_with(|| quota(rng)).flatten().next().expect("it draws until one is")
}

const FOUR: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

#[test]
fn rates() {
    torment(|rng| Some(Requests { keyed: Keyed::new(Gcra::new(sound_quota(rng)), FOUR), turns: Vec::new() }));
}

#[test]
fn strict_rates() {
    torment(|rng| {
        Some(Requests { keyed: Keyed::new(SlidingLog::new(sound_quota(rng)), FOUR), turns: Vec::new() })
    });
}

#[test]
fn pairs_of_rates() {
    torment(|rng| {
        let pair = (Gcra::new(sound_quota(rng)), SlidingLog::new(sound_quota(rng)));
        Some(Requests { keyed: Keyed::new(pair, FOUR), turns: Vec::new() })
    });
}

struct Limited {
    limit: AdaptiveLimit,
    config: AdaptiveLimitConfig,
    slots: Vec<LimitSlot>,
}

impl Machine for Limited {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        for _ in 0..rng.below(20) {
            self.slots.extend(self.limit.try_acquire());
        }
        for _ in 0..rng.below(20) {
            let Some(slot) = self.slots.pop() else { break };
            let end = [CallEnd::Success, CallEnd::Success, CallEnd::Dropped, CallEnd::Ignored][rng.index(4)];
            self.limit.record(now, slot, end, hostile_duration(rng));
        }
        assert!((self.config.floor..=self.config.ceiling).contains(&self.limit.limit()));
        assert_eq!(self.limit.in_flight() as usize, self.slots.len());
    }

    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    fn handle_deadline(&mut self, _: Instant) {}
}

#[test]
fn adaptive_limits() {
    torment(|rng| {
        let algorithm = if rng.chance(0.3) {
            LimitAlgorithm::Aimd { too_slow: hostile_option(rng) }
        } else {
            LimitAlgorithm::Gradient(GradientConfig {
                tolerance: if rng.chance(0.5) { 1.5 } else { 1.0 + hostile_f64(rng) },
                smoothing: if rng.chance(0.5) { 1.0 } else { hostile_f64(rng) },
                window: hostile_duration(rng),
                min_samples: 1 + rng.next_u32() % 4,
                baseline_half_life: hostile_duration(rng),
                probe_every: hostile_option(rng),
            })
        };
        let config = AdaptiveLimitConfig {
            floor: 1 + rng.next_u32() % 3,
            ceiling: if rng.chance(0.5) { u32::MAX } else { 50 },
            initial: 3 + rng.next_u32() % 40,
            drop_factor: if rng.chance(0.7) { 0.9 } else { hostile_f64(rng) },
            algorithm,
        };
        Some(Limited { limit: AdaptiveLimit::new(config).ok()?, config, slots: Vec::new() })
    });
}
