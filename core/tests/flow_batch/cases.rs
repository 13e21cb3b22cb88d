//! Case by case: what a user reads in the documentation.

use std::num::{NonZeroU32, NonZeroU64};

use quillwork_core::flow::batch::{
    BatchCause, BatchClose, BatchConfig, BatchConfigError, BatchGiveUp, BatchItem, BatchOutput, BatchRefusal,
    BatchRun, Batcher, Cut, NewItem, RetryScope, Settlement,
};
use quillwork_core::flow::retry::{
    AttemptFailure, AttemptOutcome, Backoff, GiveUp, RetryPolicy, RetryPolicyError,
};
use quillwork_core::flow::timeout::Late;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

const OK: AttemptOutcome = AttemptOutcome::Succeeded;
const AGAIN: AttemptOutcome = AttemptOutcome::Failed(AttemptFailure::Transient);
const NEVER: AttemptOutcome = AttemptOutcome::Failed(AttemptFailure::Permanent);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn plain(bytes: u64) -> NewItem {
    NewItem { bytes, ..NewItem::default() }
}

fn keyed(key: u64) -> NewItem {
    NewItem { key: Some(key), ..NewItem::default() }
}

fn batches_of(max_items: u32) -> BatchConfig {
    BatchConfig { max_delay: None, ..BatchConfig::new(max_items, Duration::ZERO).expect("it is above 0") }
}

fn retried(attempts: u32, retry_scope: RetryScope) -> BatchConfig {
    let backoff = Backoff::constant(Duration::from_millis(10));
    let retry = RetryPolicy { backoff, ..RetryPolicy::attempts(attempts).expect("it is above 0") };
    BatchConfig { retry, retry_scope, ..batches_of(3) }
}

fn drain(batcher: &mut Batcher) -> Vec<BatchOutput> {
    std::iter::from_fn(|| batcher.poll_output()).collect()
}

/// The runs among what came out, with their number of items and cause.
fn runs(batcher: &mut Batcher) -> Vec<(BatchRun, u32, BatchCause)> {
    let run = |output| match output {
        BatchOutput::Process { run, items, cause, .. } => Some((run, items, cause)),
        _ => None,
    };
    drain(batcher).into_iter().filter_map(run).collect()
}

fn settled(outputs: &[BatchOutput]) -> Vec<(BatchItem, Settlement)> {
    let settle = |output: &BatchOutput| match *output {
        BatchOutput::Settle { item, settlement } => Some((item, settlement)),
        _ => None,
    };
    outputs.iter().filter_map(settle).collect()
}

fn three(batcher: &mut Batcher) -> (BatchRun, Vec<BatchItem>) {
    let items = (0..3).map(|_| batcher.handle_item(at(0), plain(0)).expect("it is open").item).collect();
    (runs(batcher)[0].0, items)
}

#[test]
fn an_item_that_does_not_fit_sends_the_batch_before_it_off() {
    let config =
        BatchConfig { max_bytes: NonZeroU64::new(10), max_concurrent: NonZeroU32::MAX, ..batches_of(9) };
    let mut batcher = Batcher::new(config).unwrap();
    for bytes in [4, 4, 4, 25] {
        batcher.handle_item(at(0), plain(bytes)).unwrap();
    }
    let cut: Vec<_> = runs(&mut batcher).into_iter().map(|(_, items, cause)| (items, cause)).collect();
    assert_eq!(cut, [(2, BatchCause::Bytes), (1, BatchCause::Bytes), (1, BatchCause::Bytes)]);
}

#[test]
fn the_delay_counts_from_the_first_item_and_anew_for_each_batch() {
    let mut batcher = Batcher::new(BatchConfig::new(9, Duration::from_millis(5)).unwrap()).unwrap();
    assert_eq!(batcher.next_deadline(), None);
    batcher.handle_item(at(10), plain(0)).unwrap();
    batcher.handle_item(at(14), plain(0)).unwrap();
    assert_eq!(batcher.next_deadline(), Some(at(15)));
    batcher.handle_deadline(at(14));
    assert_eq!(batcher.poll_output(), None);
    batcher.handle_deadline(at(15));
    assert_eq!(runs(&mut batcher)[0].1, 2);
    batcher.handle_item(at(90), plain(0)).unwrap();
    assert_eq!(batcher.next_deadline(), Some(at(95)));
}

#[test]
fn the_callers_predicate_cuts_before_or_after() {
    let config = BatchConfig { max_concurrent: NonZeroU32::MAX, ..batches_of(9) };
    let mut batcher = Batcher::new(config).unwrap();
    for cut in [Cut::No, Cut::Before, Cut::No, Cut::After, Cut::No] {
        batcher.handle_item(at(0), NewItem { cut, ..plain(0) }).unwrap();
    }
    batcher.handle_flush(at(0));
    batcher.handle_flush(at(0));
    let cut: Vec<_> = runs(&mut batcher).into_iter().map(|(_, items, cause)| (items, cause)).collect();
    assert_eq!(cut, [(1, BatchCause::Predicate), (3, BatchCause::Predicate), (1, BatchCause::Flush)]);
}

/// DataLoader's rule: duplicates share the result, and are not counted.
#[test]
fn duplicates_share_the_result_and_do_not_count() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(BatchConfig { max_bytes: NonZeroU64::new(100), ..batches_of(2) }).unwrap();
    let mut add = |key| batcher.handle_item(at(0), NewItem { bytes: 40, ..keyed(key) }).unwrap().item;
    let ada = [add(7), add(7), add(7)];
    let bob = add(8);
    let outputs = drain(&mut batcher);
    let [BatchOutput::Process { run, items: 2, bytes: 80, cause: BatchCause::Count }] = outputs[..] else {
        panic!("{outputs:?}")
    };
    assert!(batcher.run_items(run).eq([ada[0], bob]));
    // A key that is being processed is read anew: what it gives may have been overtaken by then.
    assert!(!batcher.handle_item(at(0), keyed(7)).unwrap().duplicate);

    batcher.handle_results(at(1), run, &[OK, NEVER], &mut rng).unwrap();
    let succeeded = |item| (item, Settlement::Succeeded { run, index: 0 });
    let reason = BatchGiveUp::Retry(GiveUp::Permanent);
    let failed = (bob, Settlement::Failed { run, index: Some(1), reason });
    let [first, second, third] = ada.map(succeeded);
    assert_eq!(settled(&drain(&mut batcher)), [first, second, third, failed]);
    assert_eq!(batcher.metrics(at(1)).totals.deduplicated, 2);
}

#[test]
fn a_duplicate_outlives_the_item_that_it_joined() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(batches_of(2)).unwrap();
    let first = batcher.handle_item(at(0), keyed(7)).unwrap().item;
    let twin = batcher.handle_item(at(0), keyed(7)).unwrap().item;
    batcher.handle_abort(at(0), first).unwrap();
    batcher.handle_item(at(0), keyed(8)).unwrap();
    let outputs = drain(&mut batcher);
    let run = outputs.iter().find_map(|output| match output {
        BatchOutput::Process { run, .. } => Some(*run),
        _ => None,
    });
    let run = run.unwrap();
    assert_eq!(batcher.run_items(run).next(), Some(twin));
    batcher.handle_results(at(1), run, &[OK, OK], &mut rng).unwrap();
    assert_eq!(settled(&drain(&mut batcher))[0], (twin, Settlement::Succeeded { run, index: 0 }));
    assert_eq!(batcher.handle_abort(at(2), first), Err(Late));
}

/// The key of an item that nobody waits for any more is free: who comes next is an item of its own.
#[test]
fn an_aborted_item_is_not_joined() {
    let mut batcher = Batcher::new(batches_of(3)).unwrap();
    batcher.handle_item(at(0), plain(0)).unwrap();
    let aborted = batcher.handle_item(at(0), keyed(7)).unwrap().item;
    batcher.handle_abort(at(0), aborted).unwrap();
    let next = batcher.handle_item(at(0), keyed(7)).unwrap();
    assert!(!next.duplicate);
    batcher.handle_flush(at(0));
    assert_eq!(runs(&mut batcher)[0].1, 2);
}

#[test]
fn a_result_that_nobody_waits_for_does_not_cancel_again() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(batches_of(3)).unwrap();
    let (run, items) = three(&mut batcher);
    for item in items {
        batcher.handle_abort(at(1), item).unwrap();
    }
    assert!(drain(&mut batcher).contains(&BatchOutput::Cancel { run }));
    batcher.handle_item_result(at(2), run, 0, OK, &mut rng).unwrap();
    assert_eq!(drain(&mut batcher), []);
}

#[test]
fn only_what_failed_is_processed_again() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(retried(2, RetryScope::FailedItems)).unwrap();
    let (run, items) = three(&mut batcher);
    batcher.handle_results(at(5), run, &[AGAIN, OK, NEVER], &mut rng).unwrap();
    let first = settled(&drain(&mut batcher));
    assert_eq!(first.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [items[1], items[2]]);
    assert_eq!(batcher.next_deadline(), Some(at(15)));

    batcher.handle_deadline(at(15));
    let (again, count, cause) = runs(&mut batcher)[0];
    assert_eq!((again.batch, again.attempt.get(), count, cause), (run.batch, 2, 1, BatchCause::Count));
    assert!(batcher.run_items(again).eq([items[0]]));
    // What the first processing still says is not heard.
    assert_eq!(batcher.handle_results(at(16), run, &[OK, OK, OK], &mut rng), Err(Late));
    batcher.handle_results(at(16), again, &[AGAIN], &mut rng).unwrap();
    let attempts = NonZeroU32::new(2).unwrap();
    let reason = BatchGiveUp::Retry(GiveUp::AttemptsExhausted { attempts });
    let failed = Settlement::Failed { run: again, index: Some(0), reason };
    assert_eq!(settled(&drain(&mut batcher)), [(items[0], failed)]);
}

#[test]
fn a_whole_batch_settles_when_all_of_it_has_succeeded() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(retried(2, RetryScope::WholeBatch)).unwrap();
    let (run, items) = three(&mut batcher);
    batcher.handle_item_result(at(4), run, 1, OK, &mut rng).unwrap();
    batcher.handle_results(at(5), run, &[OK, NEVER, AGAIN], &mut rng).unwrap();
    assert_eq!(drain(&mut batcher), [], "an item's first report counts, and one failed");
    batcher.handle_deadline(at(15));
    let (again, count, _) = runs(&mut batcher)[0];
    assert_eq!(count, 3);
    batcher.handle_results(at(16), again, &[OK, OK, OK], &mut rng).unwrap();
    let succeeded =
        (0..).zip(&items).map(|(index, &item)| (item, Settlement::Succeeded { run: again, index }));
    assert_eq!(settled(&drain(&mut batcher)), succeeded.collect::<Vec<_>>());
}

#[test]
fn a_whole_batch_fails_with_any_of_it() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(retried(9, RetryScope::WholeBatch)).unwrap();
    let (run, items) = three(&mut batcher);
    batcher.handle_results(at(5), run, &[OK, NEVER, AGAIN], &mut rng).unwrap();
    let reason = BatchGiveUp::Retry(GiveUp::Permanent);
    let failed = |item: usize, index| (items[item], Settlement::Failed { run, index, reason });
    assert_eq!(settled(&drain(&mut batcher)), [failed(0, None), failed(1, Some(1)), failed(2, Some(2))]);
}

#[test]
fn a_wish_to_be_left_alone_is_followed_for_the_whole_batch() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(retried(2, RetryScope::FailedItems)).unwrap();
    let (run, _) = three(&mut batcher);
    let after = |secs| AttemptOutcome::Failed(AttemptFailure::RetryAfter(Duration::from_secs(secs)));
    batcher.handle_results(at(0), run, &[after(2), AGAIN, after(7)], &mut rng).unwrap();
    assert_eq!(batcher.next_deadline(), Some(Instant::from_secs(7)));
}

#[test]
fn another_number_of_results_fails_every_item_and_is_not_retried() {
    let mut rng = Rng::from_seed(1);
    for outcomes in [&[OK, OK][..], &[], &[OK; 4]] {
        let mut batcher = Batcher::new(retried(9, RetryScope::FailedItems)).unwrap();
        let (run, items) = three(&mut batcher);
        batcher.handle_results(at(1), run, outcomes, &mut rng).unwrap();
        let got = u32::try_from(outcomes.len()).unwrap();
        let reason = BatchGiveUp::WrongResultCount { expected: 3, got };
        let failed = |&item: &BatchItem| (item, Settlement::Failed { run, index: None, reason });
        assert_eq!(settled(&drain(&mut batcher)), items.iter().map(failed).collect::<Vec<_>>());
        assert_eq!(batcher.next_deadline(), None);
    }
}

#[test]
fn a_retry_goes_before_what_came_later_and_holds_no_place_while_it_waits() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(retried(2, RetryScope::FailedItems)).unwrap();
    let (first, _) = three(&mut batcher);
    for _ in 0..6 {
        batcher.handle_item(at(0), plain(0)).unwrap();
    }
    assert_eq!(runs(&mut batcher), [], "one at a time");
    batcher.handle_failure(at(1), first, AttemptFailure::Transient, &mut rng).unwrap();
    let second = runs(&mut batcher)[0].0;
    assert_eq!(second.batch.get(), 1);
    batcher.handle_deadline(at(11));
    batcher.handle_results(at(12), second, &[OK; 3], &mut rng).unwrap();
    let order: Vec<_> =
        runs(&mut batcher).into_iter().map(|(run, ..)| (run.batch.get(), run.attempt.get())).collect();
    assert_eq!(order, [(0, 2)]);
}

#[test]
fn refusals_name_the_limit_and_end_with_one_signal() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(BatchConfig { max_pending: 4, ..batches_of(2) }).unwrap();
    for _ in 0..4 {
        batcher.handle_item(at(0), plain(0)).unwrap();
    }
    assert_eq!(batcher.handle_item(at(0), plain(0)), Err(BatchRefusal::Full { limit: 4 }));
    assert_eq!(batcher.handle_item(at(0), plain(0)), Err(BatchRefusal::Full { limit: 4 }));
    let first = runs(&mut batcher)[0].0;
    batcher.handle_item_result(at(1), first, 0, OK, &mut rng).unwrap();
    assert!(!drain(&mut batcher).contains(&BatchOutput::Drained), "only a quarter is free");
    batcher.handle_item_result(at(1), first, 1, OK, &mut rng).unwrap();
    let outputs = drain(&mut batcher);
    assert_eq!(outputs.iter().filter(|&&output| output == BatchOutput::Drained).count(), 1);
    let second = outputs.iter().find_map(|output| match output {
        BatchOutput::Process { run, .. } => Some(*run),
        _ => None,
    });
    batcher.handle_results(at(2), second.unwrap(), &[OK, OK], &mut rng).unwrap();
    assert!(!drain(&mut batcher).contains(&BatchOutput::Drained), "nothing was refused since");
}

/// Without a delay nothing else would ever cut a batch that duplicates alone have filled.
#[test]
fn a_batch_that_holds_all_that_may_be_pending_is_cut() {
    let mut batcher = Batcher::new(BatchConfig { max_pending: 3, ..batches_of(9) }).unwrap();
    for _ in 0..3 {
        batcher.handle_item(at(0), keyed(1)).unwrap();
    }
    assert_eq!(runs(&mut batcher)[0].2, BatchCause::Pressure);
}

#[test]
fn aborts_do_not_pile_up_in_a_batch_that_waits() {
    let mut batcher = Batcher::new(BatchConfig { max_pending: 10, ..batches_of(9) }).unwrap();
    batcher.handle_item(at(0), plain(0)).unwrap();
    for _ in 0..9 {
        let item = batcher.handle_item(at(0), plain(0)).unwrap().item;
        let _ = batcher.handle_abort(at(0), item);
    }
    assert!(runs(&mut batcher).iter().any(|&(.., cause)| cause == BatchCause::Pressure));
}

#[test]
fn a_processing_that_nobody_waits_for_is_cancelled_once_and_keeps_its_place() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(batches_of(1)).unwrap();
    let first = batcher.handle_item(at(0), plain(0)).unwrap().item;
    let run = runs(&mut batcher)[0].0;
    batcher.handle_item(at(0), plain(0)).unwrap();
    batcher.handle_abort(at(1), first).unwrap();
    let aborted = BatchOutput::Settle { item: first, settlement: Settlement::Aborted };
    assert_eq!(drain(&mut batcher), [aborted, BatchOutput::Cancel { run }]);
    batcher.handle_failure(at(2), run, AttemptFailure::Transient, &mut rng).unwrap();
    assert_eq!(runs(&mut batcher).len(), 1);
}

#[test]
fn closing_drains_or_settles_at_once() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(batches_of(9)).unwrap();
    let item = batcher.handle_item(at(0), plain(0)).unwrap().item;
    batcher.handle_close(at(0), BatchClose::Drain);
    assert_eq!(batcher.handle_item(at(0), plain(0)), Err(BatchRefusal::Closed));
    let (run, _, cause) = runs(&mut batcher)[0];
    assert_eq!(cause, BatchCause::Close);
    batcher.handle_results(at(1), run, &[OK], &mut rng).unwrap();
    let succeeded = Settlement::Succeeded { run, index: 0 };
    assert_eq!(
        drain(&mut batcher),
        [BatchOutput::Settle { item, settlement: succeeded }, BatchOutput::Closed]
    );
    batcher.handle_close(at(2), BatchClose::Now);
    assert_eq!(drain(&mut batcher), []);

    let mut batcher = Batcher::new(batches_of(1)).unwrap();
    let item = batcher.handle_item(at(0), plain(0)).unwrap().item;
    let run = runs(&mut batcher)[0].0;
    batcher.handle_close(at(1), BatchClose::Now);
    let closed = BatchOutput::Settle { item, settlement: Settlement::Closed };
    assert_eq!(drain(&mut batcher), [BatchOutput::Cancel { run }, closed, BatchOutput::Closed]);
    assert_eq!(batcher.handle_results(at(2), run, &[OK], &mut rng), Err(Late));
}

#[test]
fn progress_and_latencies_are_told() {
    let mut rng = Rng::from_seed(1);
    let mut batcher = Batcher::new(BatchConfig::new(9, Duration::from_millis(100)).unwrap()).unwrap();
    for _ in 0..4 {
        batcher.handle_item(at(0), plain(0)).unwrap();
    }
    batcher.handle_deadline(at(100));
    let run = runs(&mut batcher)[0].0;
    batcher.handle_item_result(at(150), run, 2, OK, &mut rng).unwrap();
    let progress = batcher.progress(run.batch).unwrap();
    assert_eq!((progress.settled, progress.items, progress.attempts), (1, 4, 1));
    batcher.handle_results(at(300), run, &[OK; 4], &mut rng).unwrap();
    assert_eq!(batcher.progress(run.batch), None);

    let metrics = batcher.metrics(at(300));
    let (item, run) = (metrics.item_latency.unwrap(), metrics.run_latency.unwrap());
    assert_eq!((item.count, run.count), (4, 1));
    assert!((297..=303).contains(&item.p50.as_millis()) && (198..=202).contains(&run.p99.as_millis()));
    assert_eq!(batcher.metrics(at(100_000)).item_latency, None);
}

#[test]
fn settings_without_sense_are_refused() {
    assert_eq!(BatchConfig::new(0, Duration::ZERO), Err(BatchConfigError::NoItems));
    for asked in [0, BatchConfig::MAX_PENDING + 1] {
        let config = BatchConfig { max_pending: asked, ..BatchConfig::default() };
        assert_eq!(Batcher::new(config).err(), Some(BatchConfigError::MaxPending { asked }));
    }
    let retry = RetryPolicy { deadline: Some(Duration::ZERO), ..RetryPolicy::default() };
    let config = BatchConfig { retry, ..BatchConfig::default() };
    assert_eq!(Batcher::new(config).err(), Some(BatchConfigError::Retry(RetryPolicyError::ZeroDeadline)));
}
