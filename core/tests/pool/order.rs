//! The order of the queue, beside the definition of ageing: effective priority is the given one plus the time waited
//! divided by the ageing interval; the highest goes first, the first come among equals.

use proptest::prelude::*;
use quillwork_core::pool::{Capabilities, Output, PoolConfig, Settlement, TaskSpec};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NET, NONE, Rig, dispatch, quiet, settle, urgent};

const AGEING_MILLIS: u64 = 100;

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit { level: u8, required: Capabilities },
    Pass { millis: u64 },
    Done,
    Abort { pick: usize },
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    task: u64,
    level: u8,
    required: Capabilities,
    since_millis: u64,
}

impl Waiting {
    /// In hundredths of a level, exact because times are whole milliseconds.
    fn effective_priority(&self, now_millis: u64) -> u64 {
        u64::from(self.level) * AGEING_MILLIS + (now_millis - self.since_millis)
    }
}

/// Everything in one list that is searched whole.
struct Model {
    waiting: Vec<Waiting>,
    now_millis: u64,
}

impl Model {
    fn take_next(&mut self, capabilities: Capabilities) -> Option<u64> {
        let best = self
            .waiting
            .iter()
            .filter(|task| capabilities.contains(task.required))
            .max_by_key(|task| (task.effective_priority(self.now_millis), std::cmp::Reverse(task.task)))?
            .task;
        self.waiting.retain(|task| task.task != best);
        Some(best)
    }
}

fn step() -> impl Strategy<Value = Step> {
    let required = prop_oneof![3 => Just(NONE), 1 => Just(GPU), 1 => Just(NET)];
    prop_oneof![
        5 => (0_u8..=10, required).prop_map(|(level, required)| Step::Submit { level, required }),
        3 => (0_u64..400).prop_map(|millis| Step::Pass { millis }),
        3 => Just(Step::Done),
        1 => any::<usize>().prop_map(|pick| Step::Abort { pick }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 2) })]

    #[test]
    fn two_specialists_take_tasks_in_the_order_of_effective_priority(steps in prop::collection::vec(step(), 1..150)) {
        let ageing = Duration::from_millis(AGEING_MILLIS);
        let mut rig = Rig::ready_with(&[GPU, NET], PoolConfig { ageing, ..quiet() });
        let mut model = Model { waiting: Vec::new(), now_millis: 0 };
        // Both are kept busy, so that the order of the queue is all there is to see.
        let mut running = [1_000_001, 1_000_002];
        rig.submit(running[0], TaskSpec { required: GPU, ..urgent(5) });
        rig.submit(running[1], TaskSpec { required: NET, ..urgent(5) });
        for (number, step) in (0_usize..).zip(steps) {
            match step {
                Step::Pass { millis } => {
                    rig.pass_millis(millis);
                    model.now_millis += millis;
                }
                Step::Submit { level, required } => {
                    let task = number as u64;
                    prop_assert_eq!(rig.submit(task, TaskSpec { required, ..urgent(level) }), []);
                    model.waiting.push(Waiting { task, level, required, since_millis: model.now_millis });
                }
                Step::Abort { pick } if !model.waiting.is_empty() => {
                    let index = pick % model.waiting.len();
                    let gone = model.waiting.remove(index).task;
                    prop_assert_eq!(rig.abort(gone), [settle(gone, Settlement::Aborted)]);
                }
                Step::Abort { .. } => {}
                Step::Done => {
                    let worker = number % 2;
                    let Some(next) = model.take_next([GPU, NET][worker]) else { continue };
                    let place = u32::try_from(worker).expect("0 or 1");
                    let ended = std::mem::replace(&mut running[worker], next);
                    let expected: [Output; 2] = [settle(ended, Settlement::Completed), dispatch(next, place, 1, 1)];
                    prop_assert_eq!(rig.done(place, 1, ended), expected);
                }
            }
        }
    }
}

#[test]
fn the_most_urgent_goes_first_and_equals_in_their_order() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, urgent(5));
    for (task, level) in [(2, 3), (3, 9), (4, 3), (5, 9)] {
        rig.submit(task, urgent(level));
    }
    let mut ended = 1;
    for next in [3, 5, 2, 4] {
        assert!(rig.done(0, 1, ended).contains(&dispatch(next, 0, 1, 1)));
        ended = next;
    }
}

#[test]
fn a_stream_of_urgent_tasks_cannot_starve_an_idle_one() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { ageing: Duration::from_secs(1), ..quiet() });
    rig.submit(1, urgent(10));
    rig.submit(2, urgent(0));
    let mut ended = 1;
    for task in 3..200 {
        rig.submit(task, urgent(10));
        rig.pass_millis(100);
        let outputs = rig.done(0, 1, ended);
        let Some(&Output::Dispatch { task: next, .. }) = outputs.last() else { panic!("{outputs:?}") };
        ended = next.get();
        if ended == 2 {
            // Ten levels of a second each are ten seconds, a hundred tasks.
            assert!((100..=103).contains(&task), "at task {task}");
            return;
        }
    }
    panic!("the idle task starved");
}
