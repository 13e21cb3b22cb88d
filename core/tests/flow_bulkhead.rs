//! [`Bulkhead`] against a queue and a list, on generated sequences.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use proptest::prelude::*;
use quillwork_core::flow::bulkhead::{
    Admission, Bulkhead, BulkheadAbort, BulkheadConfig, BulkheadConfigError, BulkheadOutput, BulkheadTicket,
};
use quillwork_core::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter,
    Leave { which: usize },
    Abort { which: usize },
    Limit { to: u32 },
    Pass { millis: u64 },
    Back { millis: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Enter),
        4 => any::<usize>().prop_map(|which| Step::Leave { which }),
        3 => any::<usize>().prop_map(|which| Step::Abort { which }),
        1 => (1_u32..5).prop_map(|to| Step::Limit { to }),
        3 => (0_u64..20).prop_map(|millis| Step::Pass { millis }),
        1 => (0_u64..20).prop_map(|millis| Step::Back { millis }),
    ]
}

/// What a bulkhead is: those who run, and those who wait in the order in which they came.
struct Model {
    limit: usize,
    max_queued: usize,
    max_wait: Option<u64>,
    latest: u64,
    running: Vec<BulkheadTicket>,
    queue: VecDeque<(BulkheadTicket, u64)>,
    expected: Vec<BulkheadOutput>,
}

impl Model {
    fn advance(&mut self, now: u64) {
        self.latest = self.latest.max(now);
        while let Some(&(ticket, since)) = self.queue.front()
            && self.max_wait.is_some_and(|wait| since + wait <= self.latest)
        {
            self.queue.pop_front();
            self.expected.push(BulkheadOutput::WaitedTooLong { ticket });
        }
    }

    fn fill(&mut self) {
        while self.running.len() < self.limit
            && let Some((ticket, _)) = self.queue.pop_front()
        {
            self.running.push(ticket);
            self.expected.push(BulkheadOutput::Start { ticket });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 4) })]

    #[test]
    fn it_is_a_list_and_a_queue(
        limit in 1_u32..4, max_queued in 0_u32..5, max_wait in proptest::option::of(1_u64..30),
        steps in prop::collection::vec(step(), 1..100),
    ) {
        let config = BulkheadConfig {
            max_concurrent: NonZeroU32::new(limit).expect("1 and more"),
            max_queued,
            max_wait: max_wait.map(Duration::from_millis),
        };
        let mut bulkhead = Bulkhead::new(config).unwrap();
        let mut model = Model {
            limit: limit as usize, max_queued: max_queued as usize, max_wait, latest: 0,
            running: Vec::new(), queue: VecDeque::new(), expected: Vec::new(),
        };
        // All that ever entered: what has ended is told about again and again.
        let mut tickets = Vec::<BulkheadTicket>::new();
        let (mut now, mut refused) = (0_u64, 0);
        for step in steps {
            let at = Instant::from_millis(now);
            let chosen = |which: usize| (!tickets.is_empty()).then(|| tickets[which % tickets.len()]);
            match step {
                Step::Enter => {
                    model.advance(now);
                    let answer = bulkhead.handle_enter(at);
                    prop_assert!(answer.is_err() || answer.is_ok_and(|admission| !tickets.contains(&admission.ticket())));
                    match answer {
                        Ok(Admission::Started(ticket)) => {
                            prop_assert!(model.running.len() < model.limit && model.queue.is_empty());
                            model.running.push(ticket);
                            tickets.push(ticket);
                        }
                        Ok(Admission::Queued(ticket)) => {
                            prop_assert!(model.running.len() >= model.limit && model.queue.len() < model.max_queued);
                            model.queue.push_back((ticket, model.latest));
                            tickets.push(ticket);
                        }
                        Err(full) => {
                            prop_assert!(model.running.len() >= model.limit && model.queue.len() >= model.max_queued);
                            prop_assert_eq!(full.max_queued, max_queued);
                            refused += 1;
                        }
                    }
                }
                Step::Leave { which } => if let Some(ticket) = chosen(which) {
                    bulkhead.handle_leave(at, ticket);
                    model.advance(now);
                    if let Some(place) = model.running.iter().position(|&other| other == ticket) {
                        model.running.remove(place);
                        model.fill();
                    }
                },
                Step::Abort { which } => if let Some(ticket) = chosen(which) {
                    let answer = bulkhead.handle_abort(at, ticket);
                    model.advance(now);
                    let expected = if model.running.contains(&ticket) {
                        BulkheadAbort::Running
                    } else if model.queue.iter().any(|&(other, _)| other == ticket) {
                        model.queue.retain(|&(other, _)| other != ticket);
                        BulkheadAbort::Dequeued
                    } else {
                        BulkheadAbort::Unknown
                    };
                    prop_assert_eq!(answer, expected);
                },
                Step::Limit { to } => {
                    bulkhead.set_max_concurrent(at, NonZeroU32::new(to).expect("1 and more"));
                    model.advance(now);
                    model.limit = to as usize;
                    model.fill();
                }
                Step::Pass { millis } => {
                    now += millis;
                    bulkhead.handle_deadline(Instant::from_millis(now));
                    model.advance(now);
                }
                Step::Back { millis } => now = now.saturating_sub(millis),
            }
            let outputs: Vec<_> = std::iter::from_fn(|| bulkhead.poll_output()).collect();
            prop_assert_eq!(&outputs, &model.expected);
            model.expected.clear();

            let due = model.queue.front().and_then(|&(_, since)| Some(Instant::from_millis(since + max_wait?)));
            prop_assert_eq!(bulkhead.next_deadline(), due);
            let metrics = bulkhead.metrics();
            prop_assert_eq!(metrics.running as usize, model.running.len());
            prop_assert_eq!(metrics.queued as usize, model.queue.len());
            prop_assert_eq!(metrics.refused, refused);
            let ended_waiting = metrics.aborted + metrics.waited_too_long;
            prop_assert_eq!(metrics.started + ended_waiting + u64::from(metrics.queued), tickets.len() as u64);
        }
    }

    #[test]
    fn tickets_survive_being_numbers(bits: u64) {
        prop_assert_eq!(BulkheadTicket::from_bits(bits).as_bits(), bits);
    }
}

/// The table of calls is used again: entering and aborting for ever needs no more room.
#[test]
fn aborted_calls_leave_nothing_behind() {
    let mut bulkhead =
        Bulkhead::new(BulkheadConfig { max_queued: 2, ..BulkheadConfig::concurrent(1).unwrap() }).unwrap();
    let now = Instant::ZERO;
    let Ok(Admission::Started(running)) = bulkhead.handle_enter(now) else { panic!("it is empty") };
    for _ in 0..1_000 {
        let waiting = bulkhead.handle_enter(now).unwrap().ticket();
        assert_eq!(bulkhead.handle_abort(now, waiting), BulkheadAbort::Dequeued);
        assert!(waiting.as_bits() & 0xffff_ffff <= 1, "its slot is used again: {waiting:?}");
    }
    bulkhead.handle_leave(now, running);
    assert_eq!((bulkhead.poll_output(), bulkhead.metrics().running), (None, 0));
}

/// A place that becomes free at the moment at which a wait ends is not given to who has just been told that it waited
/// in vain.
#[test]
fn a_late_timer_does_not_start_who_has_waited_too_long() {
    let config = BulkheadConfig {
        max_queued: 2,
        max_wait: Some(Duration::from_millis(10)),
        ..BulkheadConfig::concurrent(1).unwrap()
    };
    let mut bulkhead = Bulkhead::new(config).unwrap();
    let first = bulkhead.handle_enter(Instant::from_millis(0)).unwrap().ticket();
    let second = bulkhead.handle_enter(Instant::from_millis(0)).unwrap().ticket();
    let third = bulkhead.handle_enter(Instant::from_millis(5)).unwrap().ticket();
    bulkhead.handle_leave(Instant::from_millis(12), first);
    let outputs: Vec<_> = std::iter::from_fn(|| bulkhead.poll_output()).collect();
    let expected =
        [BulkheadOutput::WaitedTooLong { ticket: second }, BulkheadOutput::Start { ticket: third }];
    assert_eq!(outputs, expected);
}

#[test]
fn settings_without_sense_are_refused() {
    assert_eq!(BulkheadConfig::concurrent(0), Err(BulkheadConfigError::NoneConcurrent));
    let config = BulkheadConfig { max_wait: Some(Duration::ZERO), ..BulkheadConfig::default() };
    assert_eq!(Bulkhead::new(config).err(), Some(BulkheadConfigError::ZeroWait));
}
