//! [`Batcher`] on generated sequences: what is promised of every batch, whatever the order of events.

use std::num::{NonZeroU32, NonZeroU64};

use proptest::prelude::*;
use quillwork_core::flow::{BatchConfig, Batcher, BatcherClosed, Cause, Placed, ReadyBatch};
use quillwork_core::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
enum Step {
    Item { bytes: u64 },
    Pass { millis: u64 },
    Flush,
}

struct Run {
    batcher: Batcher,
    now: Instant,
    /// Of each item: where it went, its size, when it came.
    items: Vec<(Placed, u64, Instant)>,
    ready: Vec<(ReadyBatch, Instant)>,
}

impl Run {
    fn new(config: BatchConfig) -> Self {
        Self { batcher: Batcher::new(config), now: Instant::ZERO, items: Vec::new(), ready: Vec::new() }
    }

    fn drain(&mut self) {
        while let Some(ready) = self.batcher.poll_output() {
            self.ready.push((ready, self.now));
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Item { bytes } => {
                let placed = self.batcher.handle_item(self.now, bytes).expect("it is open");
                self.items.push((placed, bytes, self.now));
            }
            Step::Flush => self.batcher.handle_flush(),
            Step::Pass { millis } => {
                let until = self.now + Duration::from_millis(millis);
                while let Some(due) = self.batcher.next_deadline().filter(|&due| due <= until) {
                    self.now = due;
                    self.batcher.handle_deadline(due);
                    self.drain();
                }
                self.now = until;
            }
        }
        self.drain();
    }
}

fn config() -> impl Strategy<Value = BatchConfig> {
    (1_u32..6, proptest::option::of(1_u64..40), proptest::option::of(0_u64..30)).prop_map(
        |(items, bytes, delay)| BatchConfig {
            max_items: NonZeroU32::new(items).expect("1 and more"),
            max_bytes: bytes.and_then(NonZeroU64::new),
            max_delay: delay.map(Duration::from_millis),
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u64..30).prop_map(|bytes| Step::Item { bytes }),
        3 => (0_u64..20).prop_map(|millis| Step::Pass { millis }),
        1 => Just(Step::Flush),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn every_item_is_in_one_batch_within_all_limits(config in config(), steps in prop::collection::vec(step(), 1..80)) {
        let mut run = Run::new(config);
        steps.into_iter().for_each(|step| run.step(step));
        run.batcher.handle_close();
        run.drain();

        // Batches are counted up and hold the items in the order in which those came, without gaps.
        let mut items = run.items.iter();
        for (expected, (ready, at)) in (0..).zip(&run.ready) {
            prop_assert_eq!(ready.batch.get(), expected);
            let of_batch: Vec<_> = items.by_ref().take(ready.items as usize).collect();
            for (index, (placed, _, _)) in (0..).zip(&of_batch) {
                prop_assert_eq!(*placed, Placed { batch: ready.batch, index });
            }
            let bytes: u64 = of_batch.iter().map(|(_, bytes, _)| bytes).sum();
            let first_came = of_batch.first().expect("no batch is empty").2;
            prop_assert_eq!(ready.bytes, bytes);
            prop_assert!(ready.items <= config.max_items.get());
            prop_assert!(ready.items == 1 || config.max_bytes.is_none_or(|most| bytes <= most.get()));
            prop_assert!(config.max_delay.is_none_or(|delay| *at - first_came <= delay));
            match ready.cause {
                Cause::Count => prop_assert_eq!(ready.items, config.max_items.get()),
                Cause::Delay => prop_assert_eq!(Some(*at - first_came), config.max_delay),
                Cause::Bytes => prop_assert!(config.max_bytes.is_some()),
                Cause::Flush | Cause::Close => {}
            }
        }
        prop_assert!(items.next().is_none(), "nothing is left behind by a close");
    }
}

#[test]
fn an_item_that_does_not_fit_sends_the_batch_before_it_off() {
    let config =
        BatchConfig { max_bytes: NonZeroU64::new(10), ..BatchConfig::new(9, Duration::MAX).unwrap() };
    let mut run = Run::new(config);
    for bytes in [4, 4, 4, 25] {
        run.step(Step::Item { bytes });
    }
    let batches: Vec<_> =
        run.ready.iter().map(|(ready, _)| (ready.items, ready.bytes, ready.cause)).collect();
    assert_eq!(batches, [(2, 8, Cause::Bytes), (1, 4, Cause::Bytes), (1, 25, Cause::Bytes)]);
}

#[test]
fn a_closed_batcher_takes_nothing_more() {
    let mut batcher = Batcher::new(BatchConfig::new(9, Duration::from_millis(1)).unwrap());
    batcher.handle_close();
    assert_eq!(batcher.handle_item(Instant::ZERO, 1), Err(BatcherClosed));
    assert_eq!((batcher.poll_output(), batcher.next_deadline()), (None, None));
}
