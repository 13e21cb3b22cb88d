//! The weights of the experts for one kind of task.

use alloc::vec::Vec;

use super::AdaptiveConfig;

/// Hedge (Freund and Schapire, 1997) with forgetting: the weight of an expert is its prior times `exp(-rate * loss)`,
/// where its loss is the sum of what its advice has cost, old costs fading. Without evidence it is the prior.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mixture {
    /// By expert, faded. The least is 0: only differences count.
    losses: Vec<f64>,
    /// By expert; their sum is 1.
    weights: Vec<f64>,
}

impl Mixture {
    /// Nothing learned yet.
    pub(super) fn new(prior: &[f64]) -> Self {
        Self { losses: alloc::vec![0.0; prior.len()], weights: prior.to_vec() }
    }

    pub(super) fn with_losses(losses: Vec<f64>, prior: &[f64], config: &AdaptiveConfig) -> Self {
        let mut mixture = Self { losses, weights: prior.to_vec() };
        mixture.weigh(prior, config);
        mixture
    }

    /// What another one has learned.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.losses.copy_from_slice(&other.losses);
        self.weights.copy_from_slice(&other.weights);
    }

    pub(super) fn losses(&self) -> &[f64] {
        &self.losses
    }

    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Takes in what the advice of each expert cost in one decision, from 0 to 1.
    pub(super) fn learn(&mut self, costs: &[f64], prior: &[f64], config: &AdaptiveConfig) {
        let kept = 1.0 - 1.0 / config.memory;
        for (loss, cost) in self.losses.iter_mut().zip(costs) {
            *loss = *loss * kept + cost;
        }
        self.weigh(prior, config);
    }

    fn weigh(&mut self, prior: &[f64], config: &AdaptiveConfig) {
        let least = self.losses.iter().copied().fold(f64::INFINITY, f64::min);
        let mut sum = 0.0;
        for ((loss, weight), prior) in self.losses.iter_mut().zip(&mut self.weights).zip(prior) {
            *loss -= least;
            *weight = prior * libm::exp(-config.learning_rate * *loss);
            sum += *weight;
        }
        // The expert of the least loss has its whole prior, so the sum is above 0.
        self.weights.iter_mut().for_each(|weight| *weight /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: [f64; 3] = [0.5, 0.3, 0.2];

    fn config(learning_rate: f64, memory: f64) -> AdaptiveConfig {
        AdaptiveConfig { learning_rate, memory, ..AdaptiveConfig::default() }
    }

    #[test]
    fn without_differences_the_prior_stays() {
        let mut mixture = Mixture::new(&PRIOR);
        for _ in 0..1_000 {
            mixture.learn(&[0.7, 0.7, 0.7], &PRIOR, &config(0.5, 100.0));
        }
        assert!(mixture.weights().iter().zip(PRIOR).all(|(weight, prior)| (weight - prior).abs() < 1e-12));
    }

    #[test]
    fn the_best_expert_wins_whatever_its_prior() {
        let mut mixture = Mixture::new(&PRIOR);
        for _ in 0..200 {
            mixture.learn(&[0.2, 0.2, 0.0], &PRIOR, &config(0.5, 1_000.0));
        }
        assert!(mixture.weights()[2] > 0.99, "{:?}", mixture.weights());
    }

    #[test]
    fn old_evidence_fades_and_newer_one_overrules_it() {
        let config = config(0.5, 50.0);
        let mut mixture = Mixture::new(&PRIOR);
        for _ in 0..10_000 {
            mixture.learn(&[0.0, 0.5, 0.5], &PRIOR, &config);
        }
        assert!(mixture.weights()[0] > 0.99);
        // However long the first expert was right, two memories of being wrong cost it its lead.
        for _ in 0..100 {
            mixture.learn(&[0.5, 0.0, 0.5], &PRIOR, &config);
        }
        assert!(mixture.weights()[1] > 0.99, "{:?}", mixture.weights());
    }

    /// Against sums kept for each expert and weights computed from them at once.
    #[test]
    fn it_is_the_formula() {
        let config = config(0.3, 20.0);
        let mut mixture = Mixture::new(&PRIOR);
        let costs: Vec<[f64; 3]> = (0..60_u32)
            .map(|n| [f64::from(n % 7) / 7.0, f64::from(n % 3) / 3.0, f64::from(n % 5) / 5.0])
            .collect();
        for cost in &costs {
            mixture.learn(cost, &PRIOR, &config);
        }
        let loss = |expert: usize| -> f64 {
            costs
                .iter()
                .rev()
                .zip(0..)
                .map(|(cost, age)| cost[expert] * libm::pow(1.0 - 1.0 / 20.0, f64::from(age)))
                .sum()
        };
        let raw: Vec<f64> = (0..3).map(|expert| PRIOR[expert] * libm::exp(-0.3 * loss(expert))).collect();
        let sum: f64 = raw.iter().sum();
        for (weight, raw) in mixture.weights().iter().zip(raw) {
            assert!((weight - raw / sum).abs() < 1e-9);
        }
        let again = Mixture::with_losses(mixture.losses().to_vec(), &PRIOR, &config);
        assert_eq!(again, mixture);
    }
}
