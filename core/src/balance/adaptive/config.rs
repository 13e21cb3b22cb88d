//! How fast the mix is learned, and how fast it is forgotten.

use core::fmt;

/// How [`Adaptive`](super::Adaptive) learns. The defaults are those of the study in the guide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveConfig {
    /// How strongly an expert's losses lower its weight: an expert that has lost one unit more than another has `e` to
    /// the power of minus this of the weight that it would have had. Above 0.
    pub learning_rate: f64,
    /// How many decisions of a task type are remembered: a decision counts for `e` times less after so many more. At
    /// least 1. Long suits steady traffic, short suits workers that change.
    pub memory: f64,
    /// A whole unit is lost by advice that would have cost so many typical response times more than the best advice
    /// given. Above 0.
    pub unit_of_loss: f64,
    /// Workers whose weighted scores are within this share of the highest are equal, and the one picked longest ago gets the
    /// task. 0 to 1. It keeps the noise in what was measured from deciding.
    pub tie_ratio: f64,
    /// How many task types have a mix of their own. A further one takes the place of the one not seen for longest. At
    /// least 1.
    pub max_task_types: u32,
    /// How many decisions may wait for their outcome. A further one takes the place of the oldest, whose outcome is then
    /// not learned from. At least 1.
    pub max_pending: u32,
}

impl Default for AdaptiveConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1.0,
            memory: 2_000.0,
            unit_of_loss: 4.0,
            tie_ratio: 0.1,
            max_task_types: 64,
            max_pending: 1_024,
        }
    }
}

impl AdaptiveConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    ///
    /// Where a setting is out of its range; the error says which range that is.
    pub fn check(&self) -> Result<(), AdaptiveConfigError> {
        let above_zero = |value: f64| value.is_finite() && value > 0.0;
        if !above_zero(self.learning_rate) {
            return Err(AdaptiveConfigError::LearningRate(self.learning_rate));
        }
        if !(self.memory.is_finite() && self.memory >= 1.0) {
            return Err(AdaptiveConfigError::Memory(self.memory));
        }
        if !above_zero(self.unit_of_loss) {
            return Err(AdaptiveConfigError::UnitOfLoss(self.unit_of_loss));
        }
        if !(0.0..=1.0).contains(&self.tie_ratio) {
            return Err(AdaptiveConfigError::TieRatio(self.tie_ratio));
        }
        if self.max_task_types == 0 {
            return Err(AdaptiveConfigError::NoTaskTypes);
        }
        if self.max_pending == 0 {
            return Err(AdaptiveConfigError::NoPending);
        }
        Ok(())
    }
}

/// Settings and experts that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AdaptiveConfigError {
    /// The learning rate isn't a finite number above 0.
    LearningRate(f64),
    /// Less than one decision would be remembered.
    Memory(f64),
    /// The unit of loss isn't a finite number above 0.
    UnitOfLoss(f64),
    /// The tie ratio isn't in 0..=1.
    TieRatio(f64),
    /// No task type could have a mix.
    NoTaskTypes,
    /// No decision could wait for its outcome.
    NoPending,
    /// There is nothing to mix.
    NoExperts,
    /// An expert's prior weight isn't a finite number above 0.
    Prior {
        /// The expert.
        name: &'static str,
        /// What it was given.
        weight: f64,
    },
    /// Two experts have one name: their weights could not be told apart.
    DuplicateName(&'static str),
}

impl fmt::Display for AdaptiveConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LearningRate(rate) => {
                write!(f, "the learning rate is {rate}; give a finite number above 0, such as 1")
            }
            Self::Memory(memory) => {
                write!(
                    f,
                    "the memory is {memory} decisions; give a finite number of at least 1, such as 2000"
                )
            }
            Self::UnitOfLoss(unit) => {
                write!(f, "the unit of loss is {unit}; give a finite number above 0, such as 4")
            }
            Self::TieRatio(ratio) => write!(f, "the tie ratio is {ratio}; give 0 to 1, such as 0.1"),
            Self::NoTaskTypes => f.write_str("no task type may have a mix; allow at least 1"),
            Self::NoPending => f.write_str("no decision may wait for its outcome; allow at least 1"),
            Self::NoExperts => f.write_str("there is no strategy to mix; give at least 1"),
            Self::Prior { name, weight } => {
                write!(
                    f,
                    "the prior weight of {name} is {weight}; give a finite number above 0, or leave it out"
                )
            }
            Self::DuplicateName(name) => {
                write!(f, "two strategies are named {name}; give each a name of its own")
            }
        }
    }
}

impl core::error::Error for AdaptiveConfigError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn each_setting_out_of_range_is_refused_with_what_to_give_instead() {
        let sound = AdaptiveConfig::default();
        assert_eq!(sound.check(), Ok(()));
        let wrong = [
            AdaptiveConfig { learning_rate: 0.0, ..sound },
            AdaptiveConfig { learning_rate: f64::NAN, ..sound },
            AdaptiveConfig { memory: 0.5, ..sound },
            AdaptiveConfig { unit_of_loss: f64::INFINITY, ..sound },
            AdaptiveConfig { tie_ratio: -0.1, ..sound },
            AdaptiveConfig { max_task_types: 0, ..sound },
            AdaptiveConfig { max_pending: 0, ..sound },
        ];
        for config in wrong {
            let error = config.check().expect_err("a setting is out of range").to_string();
            assert!(error.contains("give ") || error.contains("allow "), "{error}");
        }
    }
}
