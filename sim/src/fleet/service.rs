//! How long tasks take.

use quillwork_core::rng::Rng;

/// The shape of service times, with mean 1. A [`TaskModel`](super::TaskModel) gives it a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Service {
    /// All alike.
    Deterministic,
    /// Memoryless.
    Exponential,
    /// Most are short, some long: an interactive app with a few heavy requests.
    Bimodal {
        /// Share of the long ones, 0 to 1.
        long_ratio: f64,
        /// How many times longer they take.
        factor: f64,
    },
    /// The exponential of a normal distribution: what response times of real services look like.
    LogNormal {
        /// Standard deviation of the logarithm; the squared coefficient of variation is e^(sigma²) - 1.
        sigma: f64,
    },
    /// Heavy tail, cut off: file sizes, jobs of batch systems (Harchol-Balter and Downey, 1997).
    BoundedPareto {
        /// Exponent of the tail, above 0 and not 1; 1.1 to 1.5 is usual.
        alpha: f64,
        /// The longest over the shortest.
        span: f64,
    },
}

impl Service {
    /// One service time, in units of the mean.
    pub fn draw(&self, rng: &mut Rng) -> f64 {
        match *self {
            Self::Deterministic => 1.0,
            Self::Exponential => rng.exponential(1.0),
            Self::Bimodal { long_ratio, factor } => {
                let short = 1.0 / (1.0 - long_ratio + long_ratio * factor);
                if rng.chance(long_ratio) { short * factor } else { short }
            }
            Self::LogNormal { sigma } => libm::exp(sigma * standard_normal(rng) - sigma * sigma / 2.0),
            Self::BoundedPareto { alpha, span } => {
                let cut = 1.0 - libm::pow(span, -alpha);
                let in_shortest = libm::pow(1.0 - rng.unit_f64() * cut, -1.0 / alpha);
                in_shortest / bounded_pareto_mean(alpha, span)
            }
        }
    }
}

/// In units of the shortest.
fn bounded_pareto_mean(alpha: f64, span: f64) -> f64 {
    alpha / (alpha - 1.0) * (1.0 - libm::pow(span, 1.0 - alpha)) / (1.0 - libm::pow(span, -alpha))
}

/// Box and Muller's transform, one of its two numbers.
fn standard_normal(rng: &mut Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - rng.unit_f64()));
    radius * libm::cos(core::f64::consts::TAU * rng.unit_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_mean_one_and_its_own_spread() {
        // Squared coefficients of variation, from the formulas of each distribution.
        let shapes = [
            (Service::Deterministic, 0.0),
            (Service::Exponential, 1.0),
            (Service::Bimodal { long_ratio: 0.1, factor: 10.0 }, 2.019),
            (Service::LogNormal { sigma: 1.0 }, 1.718),
            (Service::BoundedPareto { alpha: 1.5, span: 1_000.0 }, 9.885),
        ];
        for (shape, squared_variation) in shapes {
            let mut rng = Rng::from_seed(7);
            let count = 400_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..count {
                let drawn = shape.draw(&mut rng);
                assert!(drawn > 0.0 && drawn.is_finite());
                sum += drawn;
                squares += drawn * drawn;
            }
            let mean = sum / f64::from(count);
            let seen = squares / f64::from(count) / (mean * mean) - 1.0;
            assert!((mean - 1.0).abs() < 0.03, "{shape:?} has mean {mean}");
            assert!(
                (seen - squared_variation).abs() <= 0.1 * squared_variation + 1e-9,
                "{shape:?} varies by {seen}"
            );
        }
    }
}
