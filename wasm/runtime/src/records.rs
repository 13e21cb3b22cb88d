//! Outputs of the scheduler as the page reads them. The tables are in the crate's documentation.

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{Action, Output, Reason, Refusal, ResizeReason, Settlement, TerminateReason};

/// Words of one record.
pub const RECORD_WORDS: usize = 5;

/// `[tag, task, worker, generation, detail]`.
pub type Record = [u32; RECORD_WORDS];

/// One output as a record.
#[must_use]
pub fn record(output: Output) -> Record {
    match output {
        Output::Spawn { worker, generation } => about_worker(1, worker, generation, 0),
        Output::Terminate { worker, generation, reason } => {
            about_worker(2, worker, generation, reason_code(reason))
        }
        Output::Dispatch { task, worker, generation, attempt } => {
            [3, task_word(task), worker.get(), generation.get(), attempt]
        }
        Output::AbortRunning { task, worker, generation } => {
            [4, task_word(task), worker.get(), generation.get(), 0]
        }
        Output::Probe { worker, generation } => about_worker(5, worker, generation, 0),
        Output::Settle { task, settlement } => {
            let (code, detail) = settlement_words(settlement);
            [6, task_word(task), code, 0, detail]
        }
        Output::Closed => [7, 0, 0, 0, 0],
        Output::TakeBack { task, worker, generation } => {
            [8, task_word(task), worker.get(), generation.get(), 0]
        }
        Output::Resize { from, to, reason } => [9, 0, from, to, resize_code(reason)],
        Output::Retry { task, after } => {
            let millis = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
            [11, task_word(task), 0, 0, millis]
        }
        Output::Parked { task } => [12, task_word(task), 0, 0, 0],
        Output::Admitted { task } => [13, task_word(task), 0, 0, 0],
        Output::Saturated { queued } => [14, 0, 0, 0, queued],
        Output::Drained { queued } => [15, 0, 0, 0, queued],
        Output::AskStrategy { task } => [16, task_word(task), 0, 0, 0],
        Output::Pressure { action, reason } => {
            let (code, detail) = action_words(action);
            [10, code, detail, 0, pressure_code(reason)]
        }
    }
}

fn about_worker(tag: u32, worker: WorkerId, generation: Generation, detail: u32) -> Record {
    [tag, 0, worker.get(), generation.get(), detail]
}

fn task_word(task: TaskId) -> u32 {
    u32::try_from(task.get()).expect("task ids come from the page, as 32 bits")
}

fn reason_code(reason: TerminateReason) -> u32 {
    match reason {
        TerminateReason::Lost => 1,
        TerminateReason::BootTimeout => 2,
        TerminateReason::Silent => 3,
        TerminateReason::IgnoredAbort => 4,
        TerminateReason::Closing => 5,
        TerminateReason::Retired => 6,
        TerminateReason::Recycled => 7,
    }
}

fn resize_code(reason: ResizeReason) -> u32 {
    match reason {
        ResizeReason::Queue { .. } => 1,
        ResizeReason::Stranded { .. } => 2,
        ResizeReason::Saturated { .. } => 3,
        ResizeReason::Minimum => 4,
        ResizeReason::Idle { .. } => 5,
        ResizeReason::Cpu { .. } => 6,
    }
}

fn action_words(action: Action) -> (u32, u32) {
    match action {
        Action::Warn => (1, 0),
        Action::EndWarning => (2, 0),
        Action::ShrinkCaches => (3, 0),
        Action::RestoreCaches => (4, 0),
        Action::StopGrowth => (5, 0),
        Action::ResumeGrowth => (6, 0),
        Action::Shed { below } => (7, below.level().into()),
        Action::StopShedding => (8, 0),
        Action::LimitWorkers { to, .. } => (9, to),
        Action::LiftLimit => (10, 0),
    }
}

fn pressure_code(reason: Reason) -> u32 {
    match reason {
        Reason::Memory { .. } => 1,
        Reason::Cpu { .. } => 2,
        Reason::MemoryUnknown => 3,
        Reason::CpuUnknown => 4,
    }
}

fn settlement_words(settlement: Settlement) -> (u32, u32) {
    match settlement {
        Settlement::Completed => (1, 0),
        Settlement::Failed { attempts } => (2, attempts),
        Settlement::Aborted => (3, 0),
        Settlement::TimedOut => (4, 0),
        Settlement::Expired => (5, 0),
        Settlement::WorkerLost { attempts } => (6, attempts),
        Settlement::Refused(Refusal::QueueFull { limit }) => (7, limit),
        Settlement::Refused(Refusal::NoCapableWorker { missing }) => {
            (8, u32::try_from(missing.bits()).expect("capabilities come from the page, as 32 bits"))
        }
        Settlement::Refused(Refusal::WorkersUnavailable { failing }) => (9, failing),
        Settlement::Refused(Refusal::Closing) => (10, 0),
        Settlement::Closed => (11, 0),
        Settlement::Refused(Refusal::TooLarge { largest }) => (12, largest.get()),
        Settlement::Refused(Refusal::Shed { below }) => (13, below.level().into()),
        Settlement::Dropped => (14, 0),
        Settlement::Refused(Refusal::TooManyWaiting { limit }) => (15, limit),
        Settlement::Refused(Refusal::OnlyBannedWorkers { able }) => (16, able),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quillwork_core::pool::{Load, Priority};

    use super::*;

    #[test]
    fn every_settlement_has_a_code_of_its_own() {
        let all = [
            Settlement::Completed,
            Settlement::Failed { attempts: 1 },
            Settlement::Aborted,
            Settlement::TimedOut,
            Settlement::Expired,
            Settlement::WorkerLost { attempts: 3 },
            Settlement::Refused(Refusal::QueueFull { limit: 3 }),
            Settlement::Refused(Refusal::NoCapableWorker { missing: Default::default() }),
            Settlement::Refused(Refusal::WorkersUnavailable { failing: 3 }),
            Settlement::Refused(Refusal::Closing),
            Settlement::Closed,
            Settlement::Refused(Refusal::TooLarge { largest: Load::new(3) }),
            Settlement::Refused(Refusal::Shed { below: Priority::NORMAL }),
            Settlement::Dropped,
            Settlement::Refused(Refusal::TooManyWaiting { limit: 3 }),
            Settlement::Refused(Refusal::OnlyBannedWorkers { able: 3 }),
        ];
        let codes: Vec<u32> = all.map(settlement_words).iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, (1..=16).collect::<Vec<u32>>());
    }

    #[test]
    fn a_dispatch_says_what_goes_where() {
        let output = Output::Dispatch {
            task: TaskId::new(0x0100_0007),
            worker: WorkerId::new(2),
            generation: Generation::new(5),
            attempt: 3,
        };
        assert_eq!(record(output), [3, 0x0100_0007, 2, 5, 3]);
    }
}
