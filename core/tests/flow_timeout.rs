//! [`Timeout`]: two limits, and results that come too late.

use proptest::prelude::*;
use quillwork_core::flow::timeout::{
    Execution, Late, TimeLimit, TimedOut, Timeout, TimeoutConfig, TimeoutConfigError,
};
use quillwork_core::time::{Duration, Instant};

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_queue_uses_up_the_total_only() {
    let limits = TimeoutConfig { execution: Some(millis(100)), total: Some(millis(1_000)) };
    let mut call = Timeout::new(limits, at(0)).unwrap();
    assert_eq!(call.next_deadline(), Some(at(1_000)));
    assert_eq!(call.handle_deadline(at(900)), None);
    let execution = call.handle_start(at(950)).unwrap();
    assert_eq!(call.next_deadline(), Some(at(1_000)));
    let timed_out = TimedOut { limit: TimeLimit::Total, after: millis(1_000), cancel: Some(execution) };
    assert_eq!(call.handle_deadline(at(1_000)), Some(timed_out));
    assert_eq!((call.handle_start(at(1_001)), call.next_deadline()), (Err(Late), None));
    assert_eq!(call.handle_result(at(1_001), execution), Err(Late));
}

#[test]
fn a_very_late_timer_reports_the_total() {
    let limits = TimeoutConfig { execution: Some(millis(10)), total: Some(millis(20)) };
    let mut call = Timeout::new(limits, at(0)).unwrap();
    call.handle_start(at(0)).unwrap();
    assert_eq!(call.handle_deadline(at(500)).map(|timed_out| timed_out.limit), Some(TimeLimit::Total));
}

#[test]
fn no_limits_never_fire() {
    let mut call = Timeout::new(TimeoutConfig::default(), at(0)).unwrap();
    let execution = call.handle_start(at(0)).unwrap();
    assert_eq!((call.next_deadline(), call.handle_deadline(Instant::NEVER)), (None, None));
    assert_eq!(call.handle_result(at(7), execution), Ok(millis(7)));
}

#[test]
fn limits_of_no_time_are_refused() {
    let limits = TimeoutConfig { execution: Some(Duration::ZERO), total: None };
    let refused = TimeoutConfigError::Zero { limit: TimeLimit::Execution };
    assert_eq!(Timeout::new(limits, at(0)).err(), Some(refused));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    Result { of: u32 },
    Pass { millis: u64 },
    Back { millis: u64 },
    Deadline,
    End,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Start),
        4 => any::<u32>().prop_map(|of| Step::Result { of }),
        4 => (0_u64..40).prop_map(|millis| Step::Pass { millis }),
        1 => (0_u64..40).prop_map(|millis| Step::Back { millis }),
        4 => Just(Step::Deadline),
        1 => Just(Step::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 4) })]

    /// Each execution ends at most once, in a result or cancelled; the total is reported at most once and ends all.
    #[test]
    fn every_execution_ends_once(
        execution in proptest::option::of(1_u64..60), total in proptest::option::of(1_u64..200),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let limits = TimeoutConfig { execution: execution.map(millis), total: total.map(millis) };
        let mut call = Timeout::new(limits, at(100)).unwrap();
        let mut now = at(100);
        // The executions that were started, and which of them is under way since when.
        let mut started = Vec::<Execution>::new();
        let mut running: Option<(Execution, Instant)> = None;
        let mut over = false;
        for step in steps {
            match step {
                Step::Start => match call.handle_start(now) {
                    Ok(execution) => {
                        prop_assert!(!over && !started.contains(&execution));
                        started.push(execution);
                        running = Some((execution, now));
                    }
                    Err(Late) => prop_assert!(over),
                },
                Step::Result { of } => if !started.is_empty() {
                    let execution = started[of as usize % started.len()];
                    let answer = call.handle_result(now, execution);
                    match running {
                        Some((current, since)) if current == execution => {
                            prop_assert_eq!(answer, Ok(now - since));
                            running = None;
                        }
                        _ => prop_assert_eq!(answer, Err(Late)),
                    }
                },
                Step::Pass { millis } => now += Duration::from_millis(millis),
                Step::Back { millis } => now = now - Duration::from_millis(millis),
                Step::Deadline => {
                    let total_due = total.map(|total| at(100 + total));
                    let expected = if over {
                        None
                    } else if let Some(after) = limits.total.filter(|_| total_due.is_some_and(|due| due <= now)) {
                        over = true;
                        Some(TimedOut { limit: TimeLimit::Total, after, cancel: running.take().map(|it| it.0) })
                    } else {
                        match (running, limits.execution) {
                            (Some((execution, since)), Some(after)) if since + after <= now => {
                                running = None;
                                Some(TimedOut { limit: TimeLimit::Execution, after, cancel: Some(execution) })
                            }
                            _ => None,
                        }
                    };
                    prop_assert_eq!(call.handle_deadline(now), expected);
                }
                Step::End => {
                    let cancelled = call.handle_end();
                    prop_assert_eq!(cancelled, running.take().map(|it| it.0));
                    over = true;
                }
            }
            prop_assert_eq!(call.is_over(), over);
            let execution_due = running.and_then(|(_, since)| Some(since + limits.execution?));
            let due = execution_due.into_iter().chain(total.map(|total| at(100 + total))).min();
            prop_assert_eq!(call.next_deadline(), due.filter(|_| !over));
        }
    }
}
