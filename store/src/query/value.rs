//! From what a step came to, to its value.

use super::{Function, QueryError};
use crate::history::{Aggregate, Steps, growth};
use crate::series::{SeriesKind, SeriesSpec};

/// Over a longer gap nobody knows how a counter grew.
pub(super) const LOOK_BACK_MILLIS: u64 = 300_000;

impl Function {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
            Self::Last => "last",
            Self::Increase => "increase",
            Self::Rate => "rate",
            Self::Quantile(_) => "quantile",
        }
    }

    pub(super) const fn looks_back(self) -> bool {
        matches!(self, Self::Increase | Self::Rate)
    }

    pub(super) fn check(self, kind: SeriesKind) -> Result<(), QueryError> {
        let instead = match (kind, self) {
            (SeriesKind::Counter, Self::Avg | Self::Sum | Self::Min | Self::Max | Self::Quantile(_)) => {
                "rate, increase, last or count"
            }
            (SeriesKind::Gauge, Self::Increase | Self::Rate) => {
                "avg, min, max, last, sum, count or a quantile"
            }
            (SeriesKind::Sketch, Self::Increase | Self::Rate | Self::Last) => {
                "a quantile, avg, min, max, sum or count"
            }
            _ => return Ok(()),
        };
        Err(QueryError::Kind { function: self.name(), kind, instead })
    }

    /// Unit of the result.
    pub(super) fn unit(self, unit: &str) -> String {
        match (self, unit) {
            (Self::Count, _) => "count".to_owned(),
            (Self::Rate, "bytes") => "bytesPerSecond".to_owned(),
            (Self::Rate, "count") => "perSecond".to_owned(),
            (Self::Rate, other) => format!("{other}PerSecond"),
            (_, other) => other.to_owned(),
        }
    }
}

/// The smallest and the largest value of each step, which are the same but where a step of a gauge hides more than its mean.
pub(super) fn values(
    spec: &SeriesSpec,
    steps: &Steps,
    function: Function,
    step_millis: u64,
) -> Vec<(u64, f64, f64)> {
    match steps {
        Steps::Numbers(steps) if function.looks_back() => grown(spec, steps, function, step_millis),
        Steps::Numbers(steps) => {
            let value = |all: &Aggregate| {
                let (value, spread) = number(spec, all, function);
                let (low, high) = spread.unwrap_or((value, value));
                (low, high)
            };
            steps.iter().map(|(step, all)| (*step, value(all).0, value(all).1)).collect()
        }
        Steps::Sketches(steps) => {
            let value = |sketch: &quillwork_core::telemetry::Sketch| match function {
                Function::Avg => sketch.mean(),
                Function::Sum => Some(sketch.sum()),
                Function::Min => sketch.min(),
                Function::Max => sketch.max(),
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "fewer than 2^53 values are counted in a step"
                )]
                Function::Count => Some(sketch.count() as f64),
                Function::Quantile(quantile) => sketch.quantile(quantile),
                Function::Last | Function::Increase | Function::Rate => None,
            };
            steps
                .iter()
                .filter_map(|(step, sketch)| value(sketch).map(|value| (*step, value, value)))
                .collect()
        }
    }
}

/// The value of a step, and its extremes where the value is their mean.
#[expect(clippy::cast_precision_loss, reason = "units are within 2^53")]
fn number(spec: &SeriesSpec, all: &Aggregate, function: Function) -> (f64, Option<(f64, f64)>) {
    let value = match function {
        Function::Avg => {
            return (mean(spec, all), Some((spec.value_of(all.min as f64), spec.value_of(all.max as f64))));
        }
        Function::Sum => all.sum as f64,
        Function::Min => all.min as f64,
        Function::Max => all.max as f64,
        Function::Count => return (all.count as f64, None),
        Function::Last | Function::Quantile(_) | Function::Increase | Function::Rate => all.last as f64,
    };
    (spec.value_of(value), None)
}

/// The mean of a step of a gauge.
#[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 53 bits")]
pub(super) fn mean(spec: &SeriesSpec, all: &Aggregate) -> f64 {
    spec.value_of(all.sum as f64 / all.count as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
fn grown(
    spec: &SeriesSpec,
    steps: &[(u64, Aggregate)],
    function: Function,
    step_millis: u64,
) -> Vec<(u64, f64, f64)> {
    let reach = (LOOK_BACK_MILLIS / step_millis).max(1);
    let mut before: Option<(u64, i64)> = None;
    let mut values = Vec::with_capacity(steps.len());
    for &(step, all) in steps {
        let since = before.filter(|(earlier, _)| step - earlier <= reach);
        before = Some((step, all.last));
        let increase = match since {
            Some((_, last)) => growth(last, all.first).saturating_add(all.increase),
            // One reading says nothing of growth.
            None if all.count < 2 => continue,
            None => all.increase,
        };
        let increase = spec.value_of(increase as f64);
        let value =
            if function == Function::Rate { increase * 1_000.0 / step_millis as f64 } else { increase };
        values.push((step, value, value));
    }
    values
}
