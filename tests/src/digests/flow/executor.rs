//! Throttled execution: tasks that come, are aborted, expire and end, under every overflow policy.

use core::num::NonZeroU32;

use quillwork_core::flow::executor::{
    CoolDown, Executor, ExecutorConfig, ExecutorOutput, Overflow, Submission,
};
use quillwork_core::flow::rate_limit::{Quota, Rate};
use quillwork_core::ids::TaskId;
use quillwork_core::pool::{Priority, TaskOutcome};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let policies = [
        Overflow::Reject,
        Overflow::DropOldest,
        Overflow::DropLowestPriority,
        Overflow::Wait { max_waiting: 5 },
    ];
    for overflow in policies {
        live(overflow, &mut rng, &mut decisions);
    }
    decisions.digest()
}

fn live(overflow: Overflow, rng: &mut Rng, decisions: &mut Decisions) {
    let mut clock = Clock::new();
    let quota = Quota::per_second(40).expect("a quota");
    let config = ExecutorConfig {
        max_concurrent: NonZeroU32::new(3).expect("not zero"),
        rate: Some(if rng.chance(0.5) { Rate::Steady(quota) } else { Rate::Strict(quota) }),
        cool_down: Some(CoolDown { burst: 8, pause: Duration::from_millis(120) }),
        max_queued: 12,
        overflow,
        fair_spacing: Duration::from_millis(15),
        ..ExecutorConfig::default()
    };
    let mut executor =
        Executor::new(config, clock.tick(rng, Duration::ZERO)).expect("the settings make sense");
    let mut running = Vec::new();
    for number in 0..1_200 {
        let now = clock.tick(rng, Duration::from_millis(12));
        match rng.below(20) {
            0 => executor.handle_abort(now, TaskId::new(rng.below(number + 1))),
            1 => executor.set_max_concurrent(now, NonZeroU32::MIN.saturating_add(rng.next_u32() % 5)),
            2 => executor.handle_pause(now),
            3..5 => executor.handle_resume(now),
            5..11 => executor.handle_deadline(now),
            11..14 if !running.is_empty() => {
                let outcome = if rng.chance(0.2) { TaskOutcome::Failed } else { TaskOutcome::Completed };
                executor.handle_done(now, running.swap_remove(rng.index(running.len())), outcome);
            }
            _ => {
                let submission = Submission {
                    priority: PRIORITIES[rng.index(PRIORITIES.len())],
                    weight: 1 + rng.next_u32() % 3,
                    queue_ttl: rng.chance(0.3).then(|| Duration::from_millis(rng.below(400))),
                    submitter: rng.below(3),
                };
                decisions.record(&executor.handle_submit(now, TaskId::new(number), submission));
            }
        }
        while let Some(output) = executor.poll_output() {
            decisions.record(&output);
            if let ExecutorOutput::Start { task } = output {
                running.push(task);
            }
        }
        decisions.record(&executor.next_deadline());
        if number % 50 == 0 {
            decisions.record(&executor.metrics(now));
        }
    }
}

const PRIORITIES: [Priority; 4] = [Priority::LOWEST, Priority::NORMAL, Priority::NORMAL, Priority::HIGHEST];
