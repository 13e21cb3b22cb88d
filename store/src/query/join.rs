//! Several lines as one.

use std::collections::BTreeMap;

use quillwork_core::telemetry::Sketch;

use super::Join;

/// Values that are being joined, by step.
#[derive(Clone, Debug, Default)]
pub(super) struct Joined {
    steps: BTreeMap<u64, Sum>,
}

#[derive(Clone, Copy, Debug)]
struct Sum {
    sum: f64,
    min: f64,
    max: f64,
    count: u32,
}

impl Joined {
    pub(super) fn add(&mut self, step: u64, value: f64) {
        let sum = self.steps.entry(step).or_insert(Sum {
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            count: 0,
        });
        sum.sum += value;
        sum.min = sum.min.min(value);
        sum.max = sum.max.max(value);
        sum.count += 1;
    }

    pub(super) fn values(&self, join: Join) -> Vec<(u64, f64, f64)> {
        let value = |sum: &Sum| match join {
            Join::Sum => sum.sum,
            Join::Avg => sum.sum / f64::from(sum.count),
            Join::Min => sum.min,
            Join::Max => sum.max,
            Join::Count => f64::from(sum.count),
        };
        self.steps.iter().map(|(step, sum)| (*step, value(sum), value(sum))).collect()
    }
}

/// All values, or all sketches, of a step, of which a quantile is asked.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Values(Vec<f64>),
    Sketch(Sketch),
}

impl Pool {
    pub(super) fn add_value(&mut self, value: f64) {
        if let Self::Values(values) = self {
            values.push(value);
        }
    }

    /// Sketches of one accuracy are merged; another's can't be, and is left out.
    pub(super) fn add_sketch(&mut self, sketch: &Sketch) {
        if let Self::Sketch(all) = self {
            let _of_another_accuracy = all.merge(sketch);
        }
    }

    pub(super) fn quantile(&mut self, quantile: f64) -> Option<f64> {
        match self {
            Self::Sketch(sketch) => sketch.quantile(quantile),
            Self::Values(values) => {
                values.sort_by(f64::total_cmp);
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rank among values that are in memory"
                )]
                let rank = (quantile * values.len() as f64).ceil().max(1.0) as usize;
                values.get(rank - 1).copied()
            }
        }
    }
}
