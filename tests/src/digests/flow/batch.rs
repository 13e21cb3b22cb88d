//! Batches: items with and without keys, results one by one and together, failures, retries, aborts, flushes.

use core::num::{NonZeroU32, NonZeroU64};

use quillwork_core::flow::batch::{BatchClose, BatchConfig, BatchOutput, Batcher, Cut, NewItem, RetryScope};
use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome, RetryPolicy};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    for scope in [RetryScope::FailedItems, RetryScope::WholeBatch] {
        live(scope, &mut rng, &mut decisions);
    }
    decisions.digest()
}

fn live(retry_scope: RetryScope, rng: &mut Rng, decisions: &mut Decisions) {
    let config = BatchConfig {
        max_items: NonZeroU32::new(8).expect("not zero"),
        max_bytes: NonZeroU64::new(4_000),
        max_delay: Some(Duration::from_millis(30)),
        max_concurrent: NonZeroU32::new(3).expect("not zero"),
        max_pending: 60,
        retry: RetryPolicy::attempts(3).expect("at least one"),
        retry_scope,
    };
    let mut batcher = Batcher::new(config).expect("the settings make sense");
    let mut clock = Clock::new();
    let mut runs = Vec::new();
    let mut items = Vec::new();
    let mut draws = rng.fork();
    for step in 0..2_000 {
        let now = clock.tick(rng, Duration::from_millis(4));
        match rng.below(24) {
            0 => batcher.handle_flush(now),
            1 if !items.is_empty() => {
                decisions.record(&batcher.handle_abort(now, items[rng.index(items.len())]));
            }
            2..5 if !runs.is_empty() => {
                let (run, count) = runs.swap_remove(rng.index(runs.len()));
                let outcomes: Vec<_> = (0..count).map(|_| outcome(rng)).collect();
                decisions.record(&batcher.handle_results(now, run, &outcomes, &mut draws));
            }
            5..8 if !runs.is_empty() => {
                let (run, count) = runs[rng.index(runs.len())];
                let index = rng.next_u32() % (count + 1);
                let outcome = outcome(rng);
                decisions.record(&batcher.handle_item_result(now, run, index, outcome, &mut draws));
            }
            8 if !runs.is_empty() => {
                let (run, _) = runs.swap_remove(rng.index(runs.len()));
                decisions.record(&batcher.handle_failure(now, run, failure(rng), &mut draws));
            }
            9..13 => batcher.handle_deadline(now),
            _ => {
                let item = NewItem {
                    key: rng.chance(0.6).then(|| rng.below(12)),
                    bytes: rng.below(1_200),
                    cut: [Cut::No, Cut::No, Cut::No, Cut::No, Cut::Before, Cut::After][rng.index(6)],
                };
                let placed = batcher.handle_item(now, item);
                decisions.record(&placed);
                items.extend(placed.ok().map(|placed| placed.item));
            }
        }
        if step == 1_990 {
            batcher.handle_close(now, BatchClose::Now);
        }
        while let Some(output) = batcher.poll_output() {
            decisions.record(&output);
            if let BatchOutput::Process { run, items, .. } = output {
                batcher.run_items(run).for_each(|item| decisions.record(&item));
                runs.push((run, items));
            }
        }
        decisions.record(&batcher.next_deadline());
        if step % 100 == 0 {
            decisions.record(&batcher.metrics(now));
        }
    }
}

fn outcome(rng: &mut Rng) -> AttemptOutcome {
    if rng.chance(0.7) { AttemptOutcome::Succeeded } else { AttemptOutcome::Failed(failure(rng)) }
}

fn failure(rng: &mut Rng) -> AttemptFailure {
    match rng.below(5) {
        0 => AttemptFailure::Permanent,
        1 => AttemptFailure::RetryAfter(Duration::from_millis(rng.below(200))),
        _ => AttemptFailure::Transient,
    }
}
