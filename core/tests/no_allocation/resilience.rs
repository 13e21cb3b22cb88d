//! Retrying, timing out, bulkheads, hedging and batching.

use quillwork_core::flow::batch::{BatchConfig, BatchItem, BatchOutput, BatchRun, Batcher, Cut, NewItem};
use quillwork_core::flow::bulkhead::{Admission, Bulkhead, BulkheadConfig, BulkheadOutput, BulkheadTicket};
use quillwork_core::flow::hedge::{Hedge, HedgeAttempt, HedgeConfig, Hedger};
use quillwork_core::flow::retry::{
    AttemptFailure, AttemptOutcome, Retry, RetryBudget, RetryBudgetConfig, RetryDecision, RetryPolicy,
};
use quillwork_core::flow::timeout::{Timeout, TimeoutConfig};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

#[test]
fn calls_with_time_outs_and_retries() {
    let mut rng = Rng::from_seed(1);
    let mut budget = RetryBudget::new(RetryBudgetConfig::default(), Instant::ZERO).expect("it is sound");
    let limits =
        TimeoutConfig { execution: Some(Duration::from_millis(5)), total: Some(Duration::from_secs(1)) };
    let mut retried = 0;
    let allocations = allocations_of(|| {
        for number in 0..10_000_u64 {
            let mut now = Instant::from_millis(number * 10);
            let mut timeout = Timeout::new(limits, now).expect("it is sound");
            let mut call = Retry::new(RetryPolicy::default(), now).expect("it is sound");
            while !call.is_over() {
                let execution = timeout.handle_start(now).expect("there is time");
                now += Duration::from_millis(rng.below(7));
                if timeout.handle_deadline(now).is_none() {
                    timeout.handle_result(now, execution).expect("it is in time");
                    call.handle_success(now, Some(&mut budget));
                } else if let RetryDecision::RetryAt(at) =
                    call.handle_failure(now, AttemptFailure::Transient, Some(&mut budget), &mut rng)
                {
                    now = at;
                    retried += u32::from(call.handle_deadline(now).is_some());
                }
            }
        }
    });
    assert_eq!(allocations, 0);
    assert!(retried > 1_000, "{retried}");
}

struct Calls {
    bulkhead: Bulkhead,
    rng: Rng,
    now: Instant,
    running: Vec<BulkheadTicket>,
}

impl Calls {
    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += Duration::from_micros(self.rng.below(2_000));
            if let Ok(Admission::Started(ticket)) = self.bulkhead.handle_enter(self.now) {
                self.running.push(ticket);
            }
            if let Ok(admission) = self.bulkhead.handle_enter(self.now) {
                match admission {
                    Admission::Started(ticket) => self.running.push(ticket),
                    Admission::Queued(ticket) if self.rng.chance(0.3) => {
                        self.bulkhead.handle_abort(self.now, ticket);
                    }
                    Admission::Queued(_) => {}
                }
            }
            if self.rng.chance(0.9) && !self.running.is_empty() {
                let ticket = self.running.swap_remove(self.rng.index(self.running.len()));
                self.bulkhead.handle_leave(self.now, ticket);
            }
            self.bulkhead.handle_deadline(self.now);
            while let Some(output) = self.bulkhead.poll_output() {
                if let BulkheadOutput::Start { ticket } = output {
                    self.running.push(ticket);
                }
            }
        }
    }
}

#[test]
fn a_bulkhead_in_steady_state() {
    let config = BulkheadConfig {
        max_queued: 20,
        max_wait: Some(Duration::from_millis(10)),
        ..BulkheadConfig::concurrent(8).expect("it is above 0")
    };
    let bulkhead = Bulkhead::new(config).expect("it is sound");
    let mut calls =
        Calls { bulkhead, rng: Rng::from_seed(1), now: Instant::ZERO, running: Vec::with_capacity(16) };
    calls.rounds(20_000);
    assert_eq!(allocations_of(|| calls.rounds(20_000)), 0);
    let metrics = calls.bulkhead.metrics();
    let seen = [metrics.started, metrics.refused, metrics.aborted, metrics.waited_too_long];
    assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
}

#[test]
fn hedged_calls_in_steady_state() {
    let mut rng = Rng::from_seed(1);
    let mut hedger = Hedger::new(HedgeConfig::default(), Instant::ZERO).expect("it is sound");
    let mut rounds = |from: u64, to: u64| {
        for number in from..to {
            let start = Instant::from_millis(number * 20);
            let mut call = Hedge::new(&mut hedger, start);
            let took = Duration::from_micros(1_000 + rng.below(9_000));
            let end = start + took;
            let hedge = call.next_deadline().filter(|&due| due < end);
            let winner =
                hedge.and_then(|due| call.handle_deadline(due, &mut hedger)).unwrap_or(HedgeAttempt::FIRST);
            let _ = call.handle_success(end, winner, &mut hedger);
        }
    };
    rounds(0, 10_000);
    assert_eq!(allocations_of(|| rounds(10_000, 20_000)), 0);
    assert!(hedger.metrics().hedges > 300, "{:?}", hedger.metrics());
}

struct Batches {
    batcher: Batcher,
    rng: Rng,
    now: Instant,
    runs: Vec<(BatchRun, usize)>,
    recent: Vec<BatchItem>,
    outcomes: Vec<AttemptOutcome>,
}

impl Batches {
    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += Duration::from_micros(self.rng.below(900));
            let cut = if self.rng.chance(0.02) { Cut::After } else { Cut::No };
            let key = self.rng.chance(0.7).then(|| self.rng.below(30));
            if let Ok(placed) =
                self.batcher.handle_item(self.now, NewItem { key, bytes: self.rng.below(50), cut })
            {
                let at = self.rng.index(self.recent.len());
                self.recent[at] = placed.item;
            }
            if self.rng.chance(0.05) {
                let _ = self.batcher.handle_abort(self.now, self.recent[self.rng.index(self.recent.len())]);
            }
            if self.rng.chance(0.15) && !self.runs.is_empty() {
                let (run, items) = self.runs.swap_remove(self.rng.index(self.runs.len()));
                self.outcomes.clear();
                for _ in 0..items {
                    let fails = self.rng.chance(0.1);
                    let failed = AttemptOutcome::Failed(AttemptFailure::Transient);
                    self.outcomes.push(if fails { failed } else { AttemptOutcome::Succeeded });
                }
                let heard = self.batcher.handle_results(self.now, run, &self.outcomes, &mut self.rng);
                heard.expect("a run ends once");
            }
            self.batcher.handle_deadline(self.now);
            while let Some(output) = self.batcher.poll_output() {
                if let BatchOutput::Process { run, .. } = output {
                    let items = self.batcher.run_items(run).count();
                    self.runs.push((run, items));
                }
            }
        }
    }
}

#[test]
fn a_batcher_in_steady_state() {
    let config = BatchConfig {
        max_pending: 200,
        max_concurrent: std::num::NonZeroU32::new(4).expect("4 is not 0"),
        retry: RetryPolicy::default(),
        ..BatchConfig::new(20, Duration::from_millis(6)).expect("it is above 0")
    };
    let mut batcher = Batcher::new(config).expect("it is sound");
    let first = batcher.handle_item(Instant::ZERO, NewItem::default()).expect("it is empty").item;
    let mut load = Batches {
        batcher,
        rng: Rng::from_seed(1),
        now: Instant::ZERO,
        runs: Vec::with_capacity(16),
        recent: vec![first; 32],
        outcomes: Vec::with_capacity(64),
    };
    load.rounds(200_000);
    assert_eq!(allocations_of(|| load.rounds(50_000)), 0);
    let counters = load.batcher.metrics(load.now).totals;
    let seen =
        [counters.succeeded, counters.failed, counters.aborted, counters.deduplicated, counters.retries];
    assert!(seen.iter().all(|&count| count > 10), "{counters:?}");
}
