//! Debouncers and throttles, flushes included.

use quillwork_core::flow::{DebounceConfig, Debouncer, Throttle, ThrottleConfig};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

struct Bursts {
    save: Debouncer,
    follow: Throttle,
    now: Instant,
    rng: Rng,
    invoked: u32,
}

impl Bursts {
    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += Duration::from_millis(self.rng.below(40));
            while self.save.next_deadline().is_some_and(|deadline| deadline <= self.now) {
                self.invoked += u32::from(self.save.handle_deadline(self.now).is_some());
            }
            while self.follow.next_deadline().is_some_and(|deadline| deadline <= self.now) {
                self.invoked += u32::from(self.follow.handle_deadline(self.now).is_some());
            }
            self.invoked += u32::from(self.save.handle_call(self.now).is_some());
            self.invoked += u32::from(self.follow.handle_call(self.now).is_some());
            if self.rng.chance(0.2) {
                self.invoked += u32::from(self.save.handle_flush(self.now).is_some());
            }
        }
    }
}

#[test]
fn bursts_of_calls_in_steady_state() {
    let wait = Duration::from_millis(100);
    let max_wait = Some(Duration::from_millis(300));
    let mut bursts = Bursts {
        save: Debouncer::new(DebounceConfig { wait, max_wait, ..DebounceConfig::default() }),
        follow: Throttle::new(ThrottleConfig { wait, ..ThrottleConfig::default() }),
        now: Instant::ZERO,
        rng: Rng::from_seed(5),
        invoked: 0,
    };
    bursts.rounds(50_000);
    bursts.invoked = 0;
    assert_eq!(allocations_of(|| bursts.rounds(20_000)), 0);
    assert!(bursts.invoked > 5_000, "{}", bursts.invoked);
}
