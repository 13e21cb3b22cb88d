//! Performance based.

use alloc::vec::Vec;

use crate::balance::{Eligible, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

/// The worker that has done best of late:
///
/// `0.35 * success ratio + 0.25 * speed + 0.25 * uptime + 0.15 * (1 - load / capacity)`
///
/// The terms are those of [`Fleet`](crate::balance::Fleet): recent successes; `1 / (1 + slowness)`, where failures count
/// with their penalty and silence with its length; the share of the recent past in which the worker could be reached; what
/// is free. Scores within 1 % of the highest are equal; of those the one picked longest ago. Load counts little on purpose:
/// this strategy prefers a good worker with a queue to a bad one without, and suits few long tasks on workers of very
/// different quality. For many short ones take shortest expected delay.
#[derive(Clone, Debug, Default)]
pub struct PerformanceBased {
    /// Room for the scores.
    scores: Vec<f64>,
}

impl Strategy for PerformanceBased {
    fn name(&self) -> &'static str {
        "performance-based"
    }

    fn choose(&mut self, now: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        eligible.lowest_within(NOISE, &mut self.scores, |slot| -score(now, eligible, slot))
    }

    /// The formula above.
    fn scores(&self, now: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        out.extend(eligible.iter().map(|slot| score(now, eligible, slot)));
    }
}

fn score(now: Instant, eligible: &Eligible<'_>, slot: Slot) -> f64 {
    let fleet = eligible.fleet();
    let free = (1.0 - fleet.load_share(slot)).max(0.0);
    let score = SUCCESS * fleet.success_ratio(slot, now)
        + SPEED * fleet.speed(slot, now)
        + UPTIME * fleet.uptime(slot, now)
        + FREE * free;
    score.clamp(0.0, 1.0)
}

/// Scores that differ by less are equal.
const NOISE: f64 = 0.01;
const SUCCESS: f64 = 0.35;
const SPEED: f64 = 0.25;
const UPTIME: f64 = 0.25;
const FREE: f64 = 0.15;
