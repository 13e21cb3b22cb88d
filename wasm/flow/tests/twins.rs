//! What exists in JavaScript too decides the same there: `wasm/npm/tests/twins.mjs` makes the same calls, and both sides are held to
//! the answers in `fixtures/`, one digest for each seed.

use quillwork_core::flow::rate_limit::{Gcra, Quota, RateLimiter, Reservation, SlidingLog};
use quillwork_core::flow::{DebounceConfig, Debouncer, Throttle, ThrottleConfig};
use quillwork_core::time::{Duration, Instant};

/// As in `wasm/npm/tests/cases/random.mjs`.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % bound
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }
}

/// FNV-1a over the numbers' four bytes.
struct Digest(u32);

impl Digest {
    fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn add(&mut self, number: u32) {
        for byte in number.to_le_bytes() {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "each half is taken by itself")]
    fn add_nanos(&mut self, nanos: u64) {
        self.add(nanos as u32);
        self.add((nanos >> 32) as u32);
    }
}

/// A debouncer or a throttle.
trait Limited {
    fn call(&mut self, now: Instant) -> bool;
    fn deadline(&mut self, now: Instant) -> bool;
    fn flush(&mut self, now: Instant) -> bool;
    fn cancel(&mut self);
    fn pending(&self) -> bool;
    fn next(&self) -> Option<Instant>;
}

macro_rules! limited {
    ($kind:ty) => {
        impl Limited for $kind {
            fn call(&mut self, now: Instant) -> bool {
                self.handle_call(now).is_some()
            }
            fn deadline(&mut self, now: Instant) -> bool {
                self.handle_deadline(now).is_some()
            }
            fn flush(&mut self, now: Instant) -> bool {
                self.handle_flush(now).is_some()
            }
            fn cancel(&mut self) {
                self.handle_cancel();
            }
            fn pending(&self) -> bool {
                self.is_pending()
            }
            fn next(&self) -> Option<Instant> {
                self.next_deadline()
            }
        }
    };
}

limited!(Debouncer);
limited!(Throttle);

fn calls(seed: u32, make: impl Fn(DebounceConfig) -> Box<dyn Limited>) -> u32 {
    let mut random = Random(seed);
    let mut digest = Digest::new();
    let wait = [0, 1, 10, 50, 100][random.below(5) as usize];
    let (leading, trailing) = (random.flag(), random.flag());
    let max_wait = [None, Some(0), Some(20), Some(100), Some(250)][random.below(5) as usize];
    let mut limited = make(DebounceConfig {
        wait: Duration::from_millis(wait),
        leading,
        trailing,
        max_wait: max_wait.map(Duration::from_millis),
    });
    let mut elapsed: u32 = 0;
    let at = |elapsed: u32| Instant::from_millis(STARTED_AT + u64::from(elapsed));
    for _ in 0..60 {
        let invoked = match random.below(10) {
            0 => {
                limited.cancel();
                false
            }
            1 => limited.flush(at(elapsed)),
            dice if dice < 8 => limited.call(at(elapsed)),
            _ => false,
        };
        if invoked {
            digest.add(elapsed);
        }
        digest.add(u32::from(limited.pending()));
        let steps = [0, 1, random.below(20), random.below(250)];
        let until = elapsed + steps[random.below(4) as usize];
        while let Some(due) = limited.next().filter(|&due| due <= at(until)) {
            elapsed = elapsed.max(u32::try_from(due.as_millis() - STARTED_AT).expect("a short run"));
            if limited.deadline(at(elapsed)) {
                digest.add(elapsed);
            }
        }
        elapsed = until;
    }
    digest.0
}

fn turns<L: RateLimiter>(seed: u32, make: impl Fn(Quota) -> L) -> u32 {
    let mut random = Random(seed);
    let mut digest = Digest::new();
    let limit = 1 + random.below(12);
    let period = (1 + random.below(1_000)) * 1_000;
    let burst = 1 + random.below(12);
    let quota = Quota::new(limit, Duration::from_nanos(u64::from(period)))
        .and_then(|quota| quota.with_burst(burst))
        .expect("small numbers");
    let mut limiter = make(quota);
    let mut reserved: Vec<Reservation<L::Mark>> = Vec::new();
    let mut nanos = 0;
    for _ in 0..100 {
        let steps = [0, 1, random.below(period), random.below(period * 3)];
        nanos += u64::from(steps[random.below(4) as usize]);
        let now = Instant::from_nanos(nanos);
        let weight = random.below(6);
        let earliest = limiter.earliest(now, weight).ok();
        digest.add_nanos(earliest.map_or(1 << 40, Instant::as_nanos));
        let dice = random.below(4);
        if dice == 0 && !reserved.is_empty() {
            let at = random.below(u32::try_from(reserved.len()).expect("a hundred at most"));
            limiter.cancel(now, reserved.remove(at as usize));
        } else if let (1, Some(_)) = (dice, earliest) {
            reserved.push(limiter.reserve(now, weight, Duration::MAX).expect("it can be admitted"));
        } else if earliest.is_some_and(|earliest| earliest <= now) {
            limiter.check(now, weight).expect("it can be admitted now");
        }
        digest.add_nanos(limiter.idle_from().as_nanos());
    }
    digest.0
}

fn assert_same(answers: &str, digest: impl Fn(u32) -> u32) {
    let mut seeds = 0;
    for (seed, answer) in (0..).zip(answers.lines()) {
        assert_eq!(format!("{:08x}", digest(seed)), answer, "seed {seed}");
        seeds += 1;
    }
    assert!(seeds >= 1_000, "only {seeds} seeds in the file");
}

#[test]
fn debounce_in_javascript_decides_as_core() {
    assert_same(include_str!("../fixtures/debounce.txt"), |seed| {
        calls(seed, |config| Box::new(Debouncer::new(config)))
    });
}

#[test]
fn throttle_in_javascript_decides_as_core() {
    assert_same(include_str!("../fixtures/throttle.txt"), |seed| {
        calls(seed, |DebounceConfig { wait, leading, trailing, .. }| {
            Box::new(Throttle::new(ThrottleConfig { wait, leading, trailing }))
        })
    });
}

#[test]
fn steady_rate_limits_in_javascript_decide_as_core() {
    assert_same(include_str!("../fixtures/gcra.txt"), |seed| turns(seed, Gcra::new));
}

#[test]
fn strict_rate_limits_in_javascript_decide_as_core() {
    assert_same(include_str!("../fixtures/sliding-log.txt"), |seed| turns(seed, SlidingLog::new));
}

/// The clock of the fake time in `wasm/npm/tests/cases/fake-time.mjs`.
const STARTED_AT: u64 = 1_000_000;
