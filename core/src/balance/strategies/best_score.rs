//! Best score.

use alloc::vec::Vec;

use crate::balance::{Eligible, ScoreWeights, Slot, Strategy, Task, WorkerScore};
use crate::rng::Rng;
use crate::time::Instant;

/// The worker of the highest [`WorkerScore`]: free capacity, success, history and affinity, speed and uptime in one sum.
///
/// It does what [`LoadBalancer::score_workers`](crate::balance::LoadBalancer::score_workers) shows, so each of its choices
/// can be explained by four numbers. Load counts most, which makes it a careful all-round strategy for mixed work; where
/// only waiting counts, shortest expected delay waits less. Scores within 1 % of the highest are equal; of those the one
/// picked longest ago.
#[derive(Clone, Debug, Default)]
pub struct BestScore {
    weights: ScoreWeights,
    /// Room for the scores.
    scores: Vec<f64>,
}

impl BestScore {
    /// With these weights.
    #[must_use]
    pub const fn new(weights: ScoreWeights) -> Self {
        Self { weights, scores: Vec::new() }
    }
}

impl Strategy for BestScore {
    fn name(&self) -> &'static str {
        "best-score"
    }

    fn choose(&mut self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        let weights = self.weights;
        eligible.lowest_within(NOISE, &mut self.scores, |slot| -total(now, task, eligible, (slot, &weights)))
    }

    /// The score itself.
    fn scores(&self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        out.extend(eligible.iter().map(|slot| total(now, task, eligible, (slot, &self.weights))));
    }
}

fn total(
    now: Instant,
    task: &Task<'_>,
    eligible: &Eligible<'_>,
    (slot, weights): (Slot, &ScoreWeights),
) -> f64 {
    WorkerScore::of(now, task, (eligible.fleet(), slot), true, weights).total
}

/// Scores that differ by less are equal.
const NOISE: f64 = 0.01;
