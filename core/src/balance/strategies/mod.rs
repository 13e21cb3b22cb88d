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

/// A strategy that comes with the balancer, for settings that are copied, compared and recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BuiltIn {
    /// [`RoundRobin`].
    RoundRobin,
    /// [`LeastLoaded`], the default.
    #[default]
    LeastLoaded,
    /// [`CapabilityBased`].
    CapabilityBased,
    /// [`PerformanceBased`].
    PerformanceBased,
    /// [`BestScore`].
    BestScore,
    /// [`Random`].
    Random,
    /// [`PowerOfTwo`].
    PowerOfTwo,
    /// [`PeakEwma`].
    PeakEwma,
    /// [`ShortestExpectedDelay`].
    ShortestExpectedDelay,
    /// [`ConsistentHash`].
    ConsistentHash,
    /// [`Adaptive`].
    Adaptive,
}

impl BuiltIn {
    /// All of them, in the order in which a balancer registers them.
    pub const ALL: [Self; 11] = [
        Self::RoundRobin,
        Self::LeastLoaded,
        Self::CapabilityBased,
        Self::PerformanceBased,
        Self::BestScore,
        Self::Random,
        Self::PowerOfTwo,
        Self::PeakEwma,
        Self::ShortestExpectedDelay,
        Self::ConsistentHash,
        Self::Adaptive,
    ];

    /// Its name: [`Strategy::name`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::LeastLoaded => "least-loaded",
            Self::CapabilityBased => "capability-based",
            Self::PerformanceBased => "performance-based",
            Self::BestScore => "best-score",
            Self::Random => "random",
            Self::PowerOfTwo => "power-of-two",
            Self::PeakEwma => "peak-ewma",
            Self::ShortestExpectedDelay => "shortest-expected-delay",
            Self::ConsistentHash => "consistent-hash",
            Self::Adaptive => "adaptive",
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_strategies_go_by_their_own_names() {
        let named: Vec<&str> = BuiltIn::ALL.iter().map(|strategy| strategy.name()).collect();
        let registered: Vec<&str> =
            built_in(ScoreWeights::DEFAULT).iter().map(|strategy| strategy.name()).collect();
        assert_eq!(named, registered);
    }
}
