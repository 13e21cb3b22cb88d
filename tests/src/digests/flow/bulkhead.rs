//! Bulkheads: calls that enter, leave, are aborted and wait too long, while the number of places changes.

use core::num::NonZeroU32;

use quillwork_core::flow::bulkhead::{Admission, Bulkhead, BulkheadConfig, BulkheadOutput};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let config = BulkheadConfig {
        max_queued: 6,
        max_wait: Some(Duration::from_millis(90)),
        ..BulkheadConfig::concurrent(4).expect("at least one")
    };
    let mut bulkhead = Bulkhead::new(config).expect("the settings make sense");
    let mut clock = Clock::new();
    let (mut running, mut queued) = (Vec::new(), Vec::new());
    for _ in 0..4_000 {
        let now = clock.tick(&mut rng, Duration::from_millis(12));
        match rng.below(16) {
            0 => bulkhead.set_max_concurrent(now, NonZeroU32::MIN.saturating_add(rng.next_u32() % 6)),
            1..4 => bulkhead.handle_deadline(now),
            4 if !queued.is_empty() => {
                // Many of them run by now, or have waited too long.
                decisions.record(&bulkhead.handle_abort(now, queued.swap_remove(rng.index(queued.len()))));
            }
            5..10 if !running.is_empty() => {
                bulkhead.handle_leave(now, running.swap_remove(rng.index(running.len())));
            }
            _ => {
                let answer = bulkhead.handle_enter(now);
                decisions.record(&answer);
                match answer {
                    Ok(Admission::Started(ticket)) => running.push(ticket),
                    Ok(Admission::Queued(ticket)) => queued.push(ticket),
                    Err(_) => {}
                }
            }
        }
        while let Some(output) = bulkhead.poll_output() {
            decisions.record(&output);
            if let BulkheadOutput::Start { ticket } = output {
                running.push(ticket);
            }
        }
        decisions.record(&(bulkhead.next_deadline(), bulkhead.metrics()));
    }
    decisions.digest()
}
