//! Bulkheads: calls that enter, leave, are aborted and wait too long, while the number of places changes.

use core::num::NonZeroU32;

use quillwork_core::flow::bulkhead::{Bulkhead, BulkheadConfig, BulkheadOutput};
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
    let mut tickets = Vec::new();
    for _ in 0..4_000 {
        let now = clock.tick(&mut rng, Duration::from_millis(12));
        match rng.below(16) {
            0 => bulkhead.set_max_concurrent(now, NonZeroU32::MIN.saturating_add(rng.next_u32() % 6)),
            1..4 => bulkhead.handle_deadline(now),
            4 if !tickets.is_empty() => {
                decisions.record(&bulkhead.handle_abort(now, tickets[rng.index(tickets.len())]));
            }
            5..11 if !tickets.is_empty() => {
                bulkhead.handle_leave(now, tickets.swap_remove(rng.index(tickets.len())));
            }
            _ => {
                let answer = bulkhead.handle_enter(now);
                decisions.record(&answer);
                tickets.extend(answer.ok().map(|admission| admission.ticket()));
            }
        }
        while let Some(output) = bulkhead.poll_output() {
            decisions.record(&output);
            if let BulkheadOutput::WaitedTooLong { ticket: late } = output
                && rng.chance(0.9)
            {
                tickets.retain(|&ticket| ticket != late);
            }
        }
        decisions.record(&(bulkhead.next_deadline(), bulkhead.metrics()));
    }
    decisions.digest()
}
