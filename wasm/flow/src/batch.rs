//! Batches.
//!
//! Records: `[tag, batch, place or attempt, settlement or items, index, attempt, reason]`.
//!
//! | tag | means | then |
//! |---|---|---|
//! | 1 | process a batch | attempt, items; which items: [`batch_run_items`] |
//! | 2 | nobody waits for this processing any more | attempt |
//! | 3 | an item has ended | place, settlement, index of its result, in which attempt, reason |
//! | 4 | there is room again | |
//! | 5 | closed, and everything is settled | |
//!
//! Settlements: 1 succeeded, 2 failed, 3 aborted, 4 closed. An index of -1: the processing failed as a whole. Reasons: 1 to 6 as a stack's
//! "gave up", 7 the number of results was wrong.

use alloc::vec::Vec;
use core::num::{NonZeroU32, NonZeroU64};

use quillwork_core::flow::batch::{
    BatchClose, BatchConfig, BatchGiveUp, BatchId, BatchItem, BatchOutput, BatchRefusal, BatchRun, Batcher,
    Cut, NewItem, RetryScope, Settlement,
};
use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome};
use quillwork_core::rng::Rng;

use crate::quantiles::millis;
use crate::stack::outcome;
use crate::stack_records::gave_up;
use crate::stack_settings::retry;
use crate::state::{self, State};
use quillwork_abi::clock::{deadline_millis, instant};
use quillwork_abi::settings::Settings;
use quillwork_abi::slots::{BESIDE, RECORD, Slots};
use quillwork_abi::text::made;

/// A batcher, its random numbers, and the outcomes on their way in.
pub(crate) struct Batching {
    batcher: Batcher,
    rng: Rng,
    outcomes: Vec<AttemptOutcome>,
}

/// A new batcher of the floats, or 0 with a text: items, bytes (0: no matter), delay, at a time, unsettled, retry, whole batch?
#[unsafe(no_mangle)]
pub extern "C" fn batch_new(seed: f64) -> u32 {
    state::with(|State { slots, batchers, .. }| {
        let mut settings = Settings::new(slots.floats());
        let config = BatchConfig {
            max_items: at_least_one(settings.count()),
            max_bytes: NonZeroU64::new(whole(settings.number())),
            max_delay: settings.limit(),
            max_concurrent: at_least_one(settings.count()),
            max_pending: settings.count(),
            retry: retry(&mut settings),
            retry_scope: if settings.flag() { RetryScope::WholeBatch } else { RetryScope::FailedItems },
        };
        made(Batcher::new(config), |batcher| {
            batchers.insert(Batching { batcher, rng: Rng::from_seed(seed.to_bits()), outcomes: Vec::new() })
        })
    })
}

/// Frees it.
#[unsafe(no_mangle)]
pub extern "C" fn batch_free(batcher: u32) {
    state::with(|state| state.batchers.remove(batcher));
}

/// Input: an item came, with a number for its key below 2^53 or -1 for none, and a place to cut (0 no, 1 before it, 2 after it). Beside the
/// records: 0 taken, 1 full, 2 closed; its batch and its place.
#[unsafe(no_mangle)]
pub extern "C" fn batch_item(batcher: u32, now: f64, key: f64, bytes: f64, cut: u32) -> u32 {
    state::with(|State { slots, batchers, .. }| {
        let batching = batchers.get(batcher);
        let item = NewItem {
            key: (key >= 0.0).then(|| whole(key)),
            bytes: whole(bytes),
            cut: match cut {
                0 => Cut::No,
                1 => Cut::Before,
                _ => Cut::After,
            },
        };
        let answer = match batching.batcher.handle_item(instant(now), item) {
            Ok(placed) => [0.0, placed.item.batch.get() as f64, f64::from(placed.item.place)],
            Err(BatchRefusal::Full { .. }) => [1.0, 0.0, 0.0],
            Err(_) => [2.0, 0.0, 0.0],
        };
        slots.write(BESIDE, answer);
        drain(batching, slots)
    })
}

/// Input: the batch that is being gathered is to be processed.
#[unsafe(no_mangle)]
pub extern "C" fn batch_flush(batcher: u32, now: f64) -> u32 {
    input(batcher, |batching| batching.batcher.handle_flush(instant(now)))
}

/// Input: it takes no more items, and processes (1) or gives up (0) those that there are.
#[unsafe(no_mangle)]
pub extern "C" fn batch_close(batcher: u32, now: f64, drain: u32) -> u32 {
    let mode = if drain == 0 { BatchClose::Now } else { BatchClose::Drain };
    input(batcher, |batching| batching.batcher.handle_close(instant(now), mode))
}

/// Input: nobody waits for an item any more.
#[unsafe(no_mangle)]
pub extern "C" fn batch_abort(batcher: u32, now: f64, batch: f64, place: u32) -> u32 {
    let item = BatchItem { batch: batch_id(batch), place };
    input(batcher, |batching| {
        // Late: it has settled, and the abort changes nothing.
        let _late = batching.batcher.handle_abort(instant(now), item);
    })
}

/// Writes into the floats the places of the items to process, in order, and returns how many. To be called before the next input.
#[unsafe(no_mangle)]
pub extern "C" fn batch_run_items(batcher: u32, batch: f64, attempt: u32) -> u32 {
    state::with(|State { slots, batchers, .. }| {
        let batcher = &batchers.get(batcher).batcher;
        let run = run(batch, attempt);
        slots.reserve(batcher.run_items(run).count());
        slots.write(0, batcher.run_items(run).map(|item| f64::from(item.place)))
    })
}

/// Input: a processing ended with so many results, which are in the floats: how each item ended as in a stack's results, and after how
/// many milliseconds to retry it.
#[unsafe(no_mangle)]
pub extern "C" fn batch_results(batcher: u32, now: f64, batch: f64, attempt: u32, results: u32) -> u32 {
    state::with(|State { slots, batchers, .. }| {
        let batching = batchers.get(batcher);
        let mut settings = Settings::new(slots.floats());
        batching.outcomes.clear();
        batching.outcomes.extend((0..results).map(|_| outcome(settings.count(), settings.number())));
        let Batching { batcher, rng, outcomes } = batching;
        // Late: nobody waits for them any more.
        let _late = batcher.handle_results(instant(now), run(batch, attempt), outcomes, rng);
        drain(batching, slots)
    })
}

/// Input: a processing failed as a whole, as in a stack's results.
#[unsafe(no_mangle)]
pub extern "C" fn batch_failure(
    batcher: u32,
    now: f64,
    batch: f64,
    attempt: u32,
    end: u32,
    retry_after: f64,
) -> u32 {
    let failure = match outcome(end, retry_after) {
        AttemptOutcome::Failed(failure) => failure,
        AttemptOutcome::Succeeded => AttemptFailure::Transient,
    };
    input(batcher, |Batching { batcher, rng, .. }| {
        // Late: nobody waits for it any more.
        let _late = batcher.handle_failure(instant(now), run(batch, attempt), failure, rng);
    })
}

/// Input: time has passed.
#[unsafe(no_mangle)]
pub extern "C" fn batch_deadline(batcher: u32, now: f64) -> u32 {
    input(batcher, |batching| batching.batcher.handle_deadline(instant(now)))
}

/// Records that did not fit before.
#[unsafe(no_mangle)]
pub extern "C" fn batch_drain(batcher: u32) -> u32 {
    input(batcher, |_| {})
}

/// Writes floats: gathered, their bytes, batches queued, processing, backing off, items unsettled; in all accepted, refused, deduplicated,
/// succeeded, failed, aborted, closed, runs, retries; of the last minute's items p50, p95, p99 and longest, and of its runs, in
/// milliseconds.
#[unsafe(no_mangle)]
pub extern "C" fn batch_metrics(batcher: u32, now: f64) {
    state::with(|State { slots, batchers, .. }| {
        let metrics = batchers.get(batcher).batcher.metrics(instant(now));
        let totals = metrics.totals;
        let counts = [
            u64::from(metrics.gathered),
            metrics.gathered_bytes,
            u64::from(metrics.queued),
            u64::from(metrics.processing),
            u64::from(metrics.backing_off),
            u64::from(metrics.pending),
            totals.accepted,
            totals.refused,
            totals.deduplicated,
            totals.succeeded,
            totals.failed,
            totals.aborted,
            totals.closed,
            totals.runs,
            totals.retries,
        ];
        let latencies = millis(metrics.item_latency).into_iter().chain(millis(metrics.run_latency));
        slots.write(0, counts.map(|count| count as f64).into_iter().chain(latencies));
    });
}

fn input(batcher: u32, act: impl FnOnce(&mut Batching)) -> u32 {
    state::with(|State { slots, batchers, .. }| {
        let batching = batchers.get(batcher);
        act(batching);
        drain(batching, slots)
    })
}

fn drain(batching: &mut Batching, slots: &mut Slots) -> u32 {
    let batcher = &mut batching.batcher;
    let deadline = deadline_millis(batcher.next_deadline());
    slots.write_records(deadline, || batcher.poll_output().map(record))
}

fn record(output: BatchOutput) -> [f64; RECORD] {
    match output {
        BatchOutput::Process { run, items, .. } => about_run(1, run, items),
        BatchOutput::Cancel { run } => about_run(2, run, 0),
        BatchOutput::Settle { item, settlement } => {
            let (code, index, attempt, reason) = match settlement {
                Settlement::Succeeded { run, index } => (1, f64::from(index), run.attempt.get(), 0),
                Settlement::Failed { run, index, reason } => {
                    (2, index.map_or(-1.0, f64::from), run.attempt.get(), reason_code(reason))
                }
                Settlement::Aborted => (3, 0.0, 0, 0),
                Settlement::Closed => (4, 0.0, 0, 0),
            };
            let (batch, place) = (item.batch.get() as f64, f64::from(item.place));
            [3.0, batch, place, f64::from(code), index, f64::from(attempt), f64::from(reason), 0.0]
        }
        BatchOutput::Drained => [4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        BatchOutput::Closed => [5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    }
}

fn about_run(tag: u32, run: BatchRun, items: u32) -> [f64; RECORD] {
    let (batch, attempt) = (run.batch.get() as f64, f64::from(run.attempt.get()));
    [f64::from(tag), batch, attempt, f64::from(items), 0.0, 0.0, 0.0, 0.0]
}

fn reason_code(reason: BatchGiveUp) -> u32 {
    match reason {
        BatchGiveUp::Retry(reason) => gave_up(reason),
        BatchGiveUp::WrongResultCount { .. } => 7,
        _ => unreachable!("core and this module are built together, and every reason has its number"),
    }
}

fn run(batch: f64, attempt: u32) -> BatchRun {
    BatchRun { batch: batch_id(batch), attempt: at_least_one(attempt) }
}

fn batch_id(batch: f64) -> BatchId {
    BatchId::new(whole(batch))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of batches, keys and bytes are whole and below 2^53"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the caller refuses zero with an error of its own")
}
