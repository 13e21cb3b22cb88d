//! The batcher beside its model, and what every user counts on, whatever comes in whatever order.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};

use proptest::prelude::*;
use quillwork_core::flow::batch::{
    BatchClose, BatchConfig, BatchItem, BatchOutput, BatchRun, Batcher, Cut, NewItem, RetryScope, Settlement,
};
use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome, Backoff, RetryPolicy};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::model::Model;

#[derive(Clone, Debug)]
enum Step {
    Item(NewItem),
    Pass { millis: u64 },
    Back { millis: u64 },
    Flush,
    Abort { which: usize },
    Results { which: usize, outcomes: Vec<AttemptOutcome> },
    WrongResults { which: usize, outcomes: Vec<AttemptOutcome> },
    ItemResult { which: usize, index: u32, outcome: AttemptOutcome },
    Failure { which: usize, failure: AttemptFailure },
    Close(BatchClose),
}

fn failure() -> impl Strategy<Value = AttemptFailure> {
    prop_oneof![
        4 => Just(AttemptFailure::Transient),
        2 => (0_u64..90).prop_map(|millis| AttemptFailure::RetryAfter(Duration::from_millis(millis))),
        1 => Just(AttemptFailure::Permanent),
    ]
}

fn outcome() -> impl Strategy<Value = AttemptOutcome> {
    prop_oneof![3 => Just(AttemptOutcome::Succeeded), 1 => failure().prop_map(AttemptOutcome::Failed)]
}

fn step() -> impl Strategy<Value = Step> {
    let cut = prop_oneof![18 => Just(Cut::No), 1 => Just(Cut::Before), 1 => Just(Cut::After)];
    let item = (proptest::option::of(0_u64..2), 0_u64..12, cut)
        .prop_map(|(key, bytes, cut)| Step::Item(NewItem { key, bytes, cut }));
    let outcomes = || prop::collection::vec(outcome(), 8);
    prop_oneof![
        24 => item,
        12 => (0_u64..20).prop_map(|millis| Step::Pass { millis }),
        2 => (0_u64..20).prop_map(|millis| Step::Back { millis }),
        2 => Just(Step::Flush),
        9 => any::<usize>().prop_map(|which| Step::Abort { which }),
        8 => (any::<usize>(), outcomes()).prop_map(|(which, outcomes)| Step::Results { which, outcomes }),
        1 => (any::<usize>(), prop::collection::vec(outcome(), 0..8))
            .prop_map(|(which, outcomes)| Step::WrongResults { which, outcomes }),
        6 => (any::<usize>(), 0_u32..5, outcome())
            .prop_map(|(which, index, outcome)| Step::ItemResult { which, index, outcome }),
        4 => (any::<usize>(), failure()).prop_map(|(which, failure)| Step::Failure { which, failure }),
        1 => prop_oneof![Just(BatchClose::Drain), Just(BatchClose::Now)].prop_map(Step::Close),
    ]
}

fn config() -> impl Strategy<Value = BatchConfig> {
    let sizes =
        (1_u32..5, proptest::option::of(1_u64..30), proptest::option::of(0_u64..15), 1_u32..4, 1_u32..14);
    let retry = (1_u32..4, proptest::option::of(1_u64..120), prop::bool::ANY);
    (sizes, retry).prop_map(
        |((items, bytes, delay, concurrent, max_pending), (attempts, deadline, whole))| BatchConfig {
            max_items: NonZeroU32::new(items).expect("1 and more"),
            max_bytes: bytes.and_then(NonZeroU64::new),
            max_delay: delay.map(Duration::from_millis),
            max_concurrent: NonZeroU32::new(concurrent).expect("1 and more"),
            max_pending,
            retry: RetryPolicy {
                max_attempts: NonZeroU32::new(attempts).expect("1 and more"),
                backoff: Backoff::constant(Duration::from_millis(10)),
                deadline: deadline.map(Duration::from_millis),
                max_retry_after: Duration::from_millis(50),
            },
            retry_scope: if whole { RetryScope::WholeBatch } else { RetryScope::FailedItems },
        },
    )
}

/// Both, what was taken, how it ended, and what is being processed as a shell would know it.
struct Pair {
    batcher: Batcher,
    model: Model,
    rng: Rng,
    now: Instant,
    items: Vec<BatchItem>,
    settled: BTreeMap<BatchItem, Settlement>,
    runs: Vec<(BatchRun, Vec<BatchItem>)>,
    refusals: u64,
    closed: bool,
}

impl Pair {
    fn new(config: BatchConfig) -> Self {
        Self {
            batcher: Batcher::new(config).expect("it is sound"),
            model: Model::new(config),
            rng: Rng::from_seed(1),
            now: Instant::from_millis(1_000),
            items: Vec::new(),
            settled: BTreeMap::new(),
            runs: Vec::new(),
            refusals: 0,
            closed: false,
        }
    }

    fn run(&self, which: usize) -> Option<(BatchRun, usize)> {
        let (run, items) = self.runs.get(which.checked_rem(self.runs.len())?)?;
        Some((*run, items.len()))
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = self.now;
        match step {
            Step::Item(item) => {
                let placed = self.batcher.handle_item(now, item);
                let expected = self.model.item(now, item);
                prop_assert_eq!(placed.map(|placed| (placed.item, placed.duplicate)), expected);
                match expected {
                    Ok((item, _)) => self.items.push(item),
                    Err(_) => self.refusals += 1,
                }
            }
            Step::Pass { millis } => {
                let until = now + Duration::from_millis(millis);
                while let Some(due) = self.batcher.next_deadline().filter(|&due| due <= until) {
                    self.now = due.max(self.now);
                    self.batcher.handle_deadline(self.now);
                    self.model.deadline(self.now);
                    self.compare()?;
                }
                self.now = until;
            }
            Step::Back { millis } => self.now = now - Duration::from_millis(millis),
            Step::Flush => {
                self.batcher.handle_flush(now);
                self.model.flush(now);
            }
            Step::Abort { which } => {
                // One of the last, which are likely to be gathered still, or any.
                let among = if which % 2 == 0 { self.items.len() } else { self.items.len().min(4) };
                if let Some(&item) = which.checked_rem(among).and_then(|ago| self.items.iter().rev().nth(ago))
                {
                    prop_assert_eq!(self.batcher.handle_abort(now, item), self.model.abort(item));
                }
            }
            Step::Results { which, outcomes } => {
                if let Some((run, len)) = self.run(which) {
                    let outcomes = &outcomes[..len.min(8)];
                    let answer = self.batcher.handle_results(now, run, outcomes, &mut self.rng);
                    prop_assert_eq!(answer, self.model.results(now, run, outcomes));
                }
            }
            Step::WrongResults { which, outcomes } => {
                if let Some((run, _)) = self.run(which) {
                    let answer = self.batcher.handle_results(now, run, &outcomes, &mut self.rng);
                    prop_assert_eq!(answer, self.model.results(now, run, &outcomes));
                }
            }
            Step::ItemResult { which, index, outcome } => {
                if let Some((run, _)) = self.run(which) {
                    let answer = self.batcher.handle_item_result(now, run, index, outcome, &mut self.rng);
                    prop_assert_eq!(answer, self.model.item_result(now, run, index, outcome));
                }
            }
            Step::Failure { which, failure } => {
                if let Some((run, _)) = self.run(which) {
                    let answer = self.batcher.handle_failure(now, run, failure, &mut self.rng);
                    prop_assert_eq!(answer, self.model.failure(now, run, failure));
                }
            }
            Step::Close(mode) => {
                self.batcher.handle_close(now, mode);
                self.model.close(now, mode);
            }
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<(), TestCaseError> {
        let outputs: Vec<_> = std::iter::from_fn(|| self.batcher.poll_output()).collect();
        prop_assert_eq!(&outputs, &self.model.outputs);
        self.model.outputs.clear();
        for output in outputs {
            prop_assert!(!self.closed, "closed is the last output");
            match output {
                BatchOutput::Process { run, items, .. } => {
                    let list: Vec<_> = self.batcher.run_items(run).collect();
                    prop_assert_eq!(&list, &self.model.run_items(run));
                    prop_assert!(list.len() == items as usize && items > 0);
                    self.runs.push((run, list));
                }
                BatchOutput::Settle { item, settlement } => {
                    prop_assert!(self.items.contains(&item));
                    prop_assert!(self.settled.insert(item, settlement).is_none(), "{:?} settled twice", item);
                }
                BatchOutput::Cancel { run } => prop_assert!(self.runs.iter().any(|&(other, _)| other == run)),
                BatchOutput::Drained => {}
                BatchOutput::Closed => self.closed = true,
            }
        }
        prop_assert_eq!(self.batcher.next_deadline(), self.model.next_deadline());

        let metrics = self.batcher.metrics(self.now);
        prop_assert_eq!(metrics.pending as usize, self.items.len() - self.settled.len());
        prop_assert_eq!(metrics.pending as usize, self.model.pending());
        prop_assert_eq!((metrics.gathered as usize, metrics.gathered_bytes), self.model.gathered());
        let stages = [metrics.queued, metrics.processing, metrics.backing_off].map(|count| count as usize);
        prop_assert_eq!(stages, self.model.stages());
        let counters = metrics.totals;
        prop_assert_eq!((counters.accepted, counters.refused), (self.items.len() as u64, self.refusals));
        let ended = counters.succeeded + counters.failed + counters.aborted + counters.closed;
        prop_assert_eq!(ended, self.settled.len() as u64);
        prop_assert_eq!(counters.runs, self.runs.len() as u64);
        Ok(())
    }

    /// What is being processed now ends well, again and again, until all is quiet.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        self.step(Step::Close(BatchClose::Drain))?;
        for _ in 0..1_000 {
            if self.closed {
                break;
            }
            for which in 0..self.runs.len() {
                self.step(Step::Results { which, outcomes: vec![AttemptOutcome::Succeeded; 8] })?;
            }
            self.step(Step::Pass { millis: 60 })?;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 2) })]

    #[test]
    fn it_does_as_its_model_and_settles_every_item_once(
        config in config(), steps in prop::collection::vec(step(), 1..90),
    ) {
        let mut pair = Pair::new(config);
        for step in steps {
            pair.step(step)?;
        }
        pair.finish()?;
        prop_assert!(pair.closed);
        prop_assert_eq!(pair.settled.len(), pair.items.len());
        let metrics = pair.batcher.metrics(pair.now);
        prop_assert_eq!((metrics.pending, metrics.processing, metrics.queued, metrics.backing_off), (0, 0, 0, 0));
    }
}
