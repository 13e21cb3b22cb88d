//! Debouncers and throttles: bursts of calls on a clock that now and then steps back, as a page's does.

use quillwork_core::flow::{DebounceConfig, Debouncer, Throttle, ThrottleConfig};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let wait = Duration::from_millis(80);
    for (leading, trailing, max_wait) in
        [(false, true, None), (true, true, Some(250)), (true, false, Some(90))]
    {
        let config =
            DebounceConfig { wait, leading, trailing, max_wait: max_wait.map(Duration::from_millis) };
        let mut debouncer = Debouncer::new(config);
        let mut throttle = Throttle::new(ThrottleConfig { wait, leading, trailing });
        let mut millis = 10_000;
        for _ in 0..2_000 {
            millis += if rng.chance(0.1) { rng.below(300) } else { rng.below(40) };
            millis -= if rng.chance(0.01) { rng.below(500) } else { 0 };
            let now = Instant::from_millis(millis);
            if debouncer.next_deadline().is_some_and(|deadline| deadline <= now) {
                decisions.record(&debouncer.handle_deadline(now));
            }
            if throttle.next_deadline().is_some_and(|deadline| deadline <= now) {
                decisions.record(&throttle.handle_deadline(now));
            }
            match rng.below(40) {
                0 => {
                    debouncer.handle_cancel();
                    throttle.handle_cancel();
                }
                1 => decisions.record(&(debouncer.handle_flush(now), throttle.handle_flush(now))),
                _ => decisions.record(&(debouncer.handle_call(now), throttle.handle_call(now))),
            }
            decisions.record(&(debouncer.next_deadline(), throttle.next_deadline()));
        }
    }
    decisions.digest()
}
