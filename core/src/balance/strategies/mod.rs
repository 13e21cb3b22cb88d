//! The strategies that come with the balancer, one in each file.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::adaptive::Adaptive;
use super::{Eligible, ScoreWeights, Slot, Strategy};

mod best_score;
mod capability_based;
mod consistent_hash;
mod least_loaded;
mod peak_ewma;
mod performance_based;
mod power_of_two;
mod random;
mod round_robin;
mod shortest_expected_delay;
mod turns;

pub use best_score::BestScore;
pub use capability_based::CapabilityBased;
pub use consistent_hash::ConsistentHash;
pub use least_loaded::LeastLoaded;
pub use peak_ewma::PeakEwma;
pub use performance_based::PerformanceBased;
pub use power_of_two::PowerOfTwo;
pub use random::Random;
pub use round_robin::RoundRobin;
pub use shortest_expected_delay::ShortestExpectedDelay;

/// One of each.
pub(super) fn built_in(score: ScoreWeights) -> Vec<Box<dyn Strategy>> {
    vec![
        Box::new(RoundRobin::new()),
        Box::new(LeastLoaded),
        Box::new(CapabilityBased),
        Box::new(PerformanceBased::default()),
        Box::new(BestScore::new(score)),
        Box::new(Random),
        Box::new(PowerOfTwo),
        Box::new(PeakEwma),
        Box::new(ShortestExpectedDelay::default()),
        Box::new(ConsistentHash::default()),
        Box::new(Adaptive::default()),
    ]
}

/// Scores from costs: 1 for the least cost and what is within `tolerance` of it (0.05 is 5 %), the others by how many times
/// as much as that they cost.
fn relative_to_least(
    eligible: &Eligible<'_>,
    tolerance: f64,
    cost: impl Fn(Slot) -> f64,
    out: &mut Vec<f64>,
) {
    let start = out.len();
    out.extend(eligible.iter().map(|slot| cost(slot) + 1.0));
    let least = out[start..].iter().copied().fold(f64::INFINITY, f64::min) * (1.0 + tolerance);
    out[start..].iter_mut().for_each(|score| *score = (least / *score).clamp(0.0, 1.0));
}
