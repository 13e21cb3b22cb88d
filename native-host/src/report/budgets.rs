//! The budgets beside what was measured.

use quillwork_protocol::report::{BudgetInfo, BudgetSide, BudgetState};

use super::build::Measured;
use super::spread::share_above;

/// What a budget came to.
struct Came {
    value: f64,
    outside_ratio: Option<f64>,
    worst: Option<f64>,
}

struct Budget {
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    bound: f64,
    side: BudgetSide,
    came: fn(&Measured, f64) -> Option<Came>,
}

const BUDGETS: [Budget; 6] = [
    Budget {
        name: "memory",
        what: "Memory in use, 95 % of the time",
        unit: "ratio",
        bound: 0.80,
        side: BudgetSide::Below,
        came: |measured, bound| of_machine(measured, "host.memory.used", bound),
    },
    Budget {
        name: "cpu",
        what: "Processor in use, 95 % of the time",
        unit: "ratio",
        bound: 0.70,
        side: BudgetSide::Below,
        came: |measured, bound| of_machine(measured, "host.cpu.total", bound),
    },
    Budget {
        name: "response",
        what: "Response time of 95 of 100 tasks",
        unit: "millis",
        bound: 100.0,
        side: BudgetSide::Below,
        came: |measured, bound| {
            let response = measured.pages.response()?;
            Some(Came {
                value: response.quantile(0.95)?,
                outside_ratio: Some(share_above(&response, bound)),
                worst: response.max(),
            })
        },
    },
    Budget {
        name: "frames",
        what: "Frames a second of visible pages, 95 % of the time",
        unit: "perSecond",
        bound: 55.0,
        side: BudgetSide::Above,
        came: |measured, bound| {
            let frames = measured.pages.frames()?;
            Some(Came {
                value: frames.quantile(0.05),
                outside_ratio: Some(frames.share(|rate| rate < bound)),
                worst: Some(frames.lowest()),
            })
        },
    },
    Budget {
        name: "up",
        what: "Time in which the machine was measured",
        unit: "ratio",
        bound: 0.999,
        side: BudgetSide::Above,
        came: |measured, _| {
            let share = measured.machine.measured_share()?;
            Some(Came { value: share, outside_ratio: Some(1.0 - share), worst: None })
        },
    },
    Budget {
        name: "errors",
        what: "Tasks that failed, ran out of time or crashed",
        unit: "ratio",
        bound: 0.001,
        side: BudgetSide::Below,
        came: |measured, _| {
            let value = measured.pages.error_ratio()?;
            Some(Came { value, outside_ratio: Some(value), worst: measured.pages.worst_error_ratio() })
        },
    },
];

fn of_machine(measured: &Measured, name: &str, bound: f64) -> Option<Came> {
    let (spread, highest) = measured.machine.spread(name)?;
    Some(Came {
        value: spread.quantile(0.95),
        outside_ratio: Some(spread.share(|value| value >= bound)),
        worst: Some(highest.max(spread.highest())),
    })
}

pub(super) fn budgets(now: &Measured, earlier: Option<&Measured>) -> Vec<BudgetInfo> {
    let info = |budget: &Budget| {
        let came = (budget.came)(now, budget.bound);
        let state = came.as_ref().map_or(BudgetState::NotObserved, |came| {
            let is_kept = match budget.side {
                BudgetSide::Below => came.value < budget.bound,
                // Of up-time the bound itself is enough: it is a promise, not a speed.
                BudgetSide::Above => came.value >= budget.bound,
            };
            if is_kept { BudgetState::Kept } else { BudgetState::Missed }
        });
        BudgetInfo {
            name: budget.name.to_owned(),
            what: budget.what.to_owned(),
            unit: budget.unit.to_owned(),
            bound: budget.bound,
            side: budget.side,
            value: came.as_ref().map(|came| came.value),
            state,
            outside_ratio: came.as_ref().and_then(|came| came.outside_ratio),
            worst: came.as_ref().and_then(|came| came.worst),
            earlier: earlier.and_then(|earlier| (budget.came)(earlier, budget.bound)).map(|came| came.value),
        }
    };
    BUDGETS.iter().map(info).collect()
}
