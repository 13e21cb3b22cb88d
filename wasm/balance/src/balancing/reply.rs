//! Core's answers as numbers.

use quillwork_core::balance::{
    Ineligible, OverloadAction, OverloadReason, Recommendation, Refusal, WorkerStatus,
};
use quillwork_core::pool::Capabilities;

/// A refusal: its code, from 1, and what belongs to it.
///
/// 1 no workers; 2 nobody capable: what is missing, lower and upper bits; 3 larger than any worker: the largest; 4 all excluded:
/// how many; 5 all forbidden: how many; 6 all offline: booting, draining, offline; 7 all ejected: until (ms); 8 no
/// room: needed, most free.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RefusalCode(pub(crate) u32, pub(crate) [f64; 3]);

impl From<Refusal> for RefusalCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoWorkers => Self(1, [0.0; 3]),
            Refusal::NoCapableWorker { missing } => {
                let [low, high] = halves(missing);
                Self(2, [low, high, 0.0])
            }
            Refusal::LargerThanAnyWorker { largest } => Self(3, [largest.get().into(), 0.0, 0.0]),
            Refusal::AllExcluded { excluded } => Self(4, [excluded as f64, 0.0, 0.0]),
            Refusal::AllForbidden { forbidden } => Self(5, [forbidden as f64, 0.0, 0.0]),
            Refusal::AllOffline { booting, draining, offline } => {
                Self(6, [booting, draining, offline].map(|count| count as f64))
            }
            Refusal::AllEjected { earliest } => Self(7, [earliest.as_millis_f64(), 0.0, 0.0]),
            Refusal::NoRoom { needed, most_free } => {
                Self(8, [needed.get().into(), most_free.get().into(), 0.0])
            }
            _ => unreachable!("core refuses for these reasons only"),
        }
    }
}

/// Why one worker can't have a task: 0 where it can.
///
/// 1 lacks: lower and upper bits; 2 excluded; 3 forbidden; 4 not up: its status; 5 ejected: until (ms); 6 no room: needed, free.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct IneligibleCode(pub(crate) u32, pub(crate) [f64; 2]);

impl From<Option<Ineligible>> for IneligibleCode {
    fn from(why: Option<Ineligible>) -> Self {
        match why {
            None => Self(0, [0.0; 2]),
            Some(Ineligible::Lacks { missing }) => Self(1, halves(missing)),
            Some(Ineligible::Excluded) => Self(2, [0.0; 2]),
            Some(Ineligible::Forbidden) => Self(3, [0.0; 2]),
            Some(Ineligible::NotUp { status }) => Self(4, [code_of(status).into(), 0.0]),
            Some(Ineligible::Ejected { until }) => Self(5, [until.as_millis_f64(), 0.0]),
            Some(Ineligible::NoRoom { needed, free }) => Self(6, [needed.get().into(), free.get().into()]),
            Some(_) => unreachable!("a worker that is there is ineligible for these reasons only"),
        }
    }
}

/// Floats of a recommendation: from, to (numbers, or -1); 1 move, 2 add workers, 3 hold back; how much or many; 1 overloaded, 2
/// stalled, 3 unreachable, 4 the fleet; pressure, silence (ms) or status; urgency; gain (ms).
pub(crate) type OverloadRow = [f64; 8];

/// A recommendation as floats.
pub(crate) fn overload_row(help: &Recommendation) -> OverloadRow {
    let worker = |id: Option<quillwork_core::ids::WorkerId>| id.map_or(-1.0, |id| f64::from(id.get()));
    let (action, amount) = match help.action {
        OverloadAction::Move { load } => (1.0, f64::from(load.get())),
        OverloadAction::AddWorkers { count } => (2.0, f64::from(count)),
        OverloadAction::HoldBack => (3.0, 0.0),
    };
    let (why, detail) = match help.why {
        OverloadReason::Overloaded { pressure } => (1.0, pressure),
        OverloadReason::Stalled { silent } => (2.0, silent.as_millis_f64()),
        OverloadReason::Unreachable { status } => (3.0, f64::from(code_of(status))),
        OverloadReason::FleetOverloaded { pressure } => (4.0, pressure),
    };
    let (urgency, gain) = (f64::from(help.urgency.get()), help.gain.as_millis_f64());
    [worker(help.from), worker(help.to), action, amount, why, detail, urgency, gain]
}

/// A status by its code; what there is no code for takes no tasks.
#[must_use]
pub(crate) const fn status_of(code: u32) -> WorkerStatus {
    match code {
        0 => WorkerStatus::Ready,
        1 => WorkerStatus::Busy,
        2 => WorkerStatus::Booting,
        3 => WorkerStatus::Draining,
        5 => WorkerStatus::Absent,
        _ => WorkerStatus::Offline,
    }
}

const fn code_of(status: WorkerStatus) -> u32 {
    match status {
        WorkerStatus::Ready => 0,
        WorkerStatus::Busy => 1,
        WorkerStatus::Booting => 2,
        WorkerStatus::Draining => 3,
        WorkerStatus::Offline => 4,
        WorkerStatus::Absent => 5,
    }
}

fn halves(missing: Capabilities) -> [f64; 2] {
    let bits = missing.bits();
    [bits & u64::from(u32::MAX), bits >> 32].map(|half| half as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_as_it_was() {
        for code in 0..6 {
            assert_eq!(code_of(status_of(code)), code);
        }
    }
}
