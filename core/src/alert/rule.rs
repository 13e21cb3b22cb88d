//! Rules as they are written, and what makes them sound.

use alloc::string::String;
use core::fmt;

use super::instance::Severity;
use crate::time::Duration;

/// What is watched, and when it is too much.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Stable name, for instance `host-cpu`. Unique within an engine.
    pub name: String,
    /// The metric whose samples are compared.
    pub metric: String,
    /// Unit of the samples and thresholds.
    pub unit: Unit,
    /// Which side is bad.
    pub direction: Direction,
    /// When it is a warning.
    pub warning: Level,
    /// When it is critical: beyond warning.
    pub critical: Level,
    /// How long all samples must be back before a level stops firing.
    pub keep_firing: Duration,
    /// Without a sample for longer than this there is no data. Several sampling intervals, or a late sample is a gap.
    pub stale_after: Duration,
    /// A sample made from fewer events than this says nothing: one error of two tasks is not an outage. 0 where samples
    /// aren't made from events.
    pub min_count: u64,
}

/// One level of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Beyond this it is crossed.
    pub threshold: f64,
    /// While it is firing, it is crossed until the value is back here: at the threshold, or on its good side.
    pub clear: f64,
    /// How long all samples must have crossed it before it fires. With zero the first does.
    pub for_duration: Duration,
}

/// Which side of a threshold is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More than the threshold.
    Above,
    /// Less than the threshold.
    Below,
}

/// Unit of a rule's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, 0 to 1.
    Ratio,
    /// Milliseconds.
    Millis,
    /// Events a second.
    PerSecond,
}

impl Unit {
    /// As messages name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Millis => "millis",
            Self::PerSecond => "perSecond",
        }
    }
}

impl Direction {
    /// Whether `value` is on the bad side of `bound`. Exactly at it is not.
    #[must_use]
    pub fn is_beyond(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Above => value > bound,
            Self::Below => value < bound,
        }
    }
}

impl Rule {
    /// A level of the rule.
    #[must_use]
    pub const fn level(&self, severity: Severity) -> &Level {
        match severity {
            Severity::Warning => &self.warning,
            Severity::Critical => &self.critical,
        }
    }

    /// Says what is wrong with the rule by itself.
    pub(super) fn check(&self) -> Result<(), RuleProblem> {
        if self.name.is_empty() || self.metric.is_empty() {
            return Err(RuleProblem::Unnamed);
        }
        let levels = [self.warning, self.critical];
        if !levels.iter().all(|level| level.threshold.is_finite() && level.clear.is_finite()) {
            return Err(RuleProblem::NotFinite);
        }
        if !self.direction.is_beyond(self.critical.threshold, self.warning.threshold) {
            return Err(RuleProblem::CriticalNotBeyondWarning);
        }
        for severity in [Severity::Warning, Severity::Critical] {
            let level = self.level(severity);
            if self.direction.is_beyond(level.clear, level.threshold) {
                return Err(RuleProblem::ClearBeyondThreshold { severity });
            }
        }
        if self.direction.is_beyond(self.warning.clear, self.critical.clear) {
            return Err(RuleProblem::WarningClearsFirst);
        }
        if self.stale_after.is_zero() {
            return Err(RuleProblem::AlwaysStale);
        }
        Ok(())
    }
}

/// A rule that an engine doesn't take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Its name.
    pub rule: String,
    /// What is wrong with it.
    pub problem: RuleProblem,
}

/// What can be wrong with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleProblem {
    /// Its name or its metric's is empty.
    Unnamed,
    /// Another rule has the same name.
    DuplicateName,
    /// A threshold or clear level is infinite or not a number.
    NotFinite,
    /// The critical threshold is not on the bad side of the warning threshold.
    CriticalNotBeyondWarning,
    /// A clear level is on the bad side of its threshold: the level would fire and clear at once.
    ClearBeyondThreshold {
        /// Which level's.
        severity: Severity,
    },
    /// The warning would be cleared while critical is still firing.
    WarningClearsFirst,
    /// With no time before data is stale there would never be data.
    AlwaysStale,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule \"{}\": {}", self.rule, self.problem)
    }
}

impl core::error::Error for RuleError {}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed => f.write_str("give it a name and a metric"),
            Self::DuplicateName => f.write_str("another rule has this name"),
            Self::NotFinite => f.write_str("thresholds and clear levels must be finite numbers"),
            Self::CriticalNotBeyondWarning => {
                f.write_str("the critical threshold must lie beyond the warning threshold")
            }
            Self::ClearBeyondThreshold { severity } => {
                write!(f, "the clear level of {severity} must lie at its threshold or on its good side")
            }
            Self::WarningClearsFirst => {
                f.write_str("warning must not clear before critical: move its clear level to the good side")
            }
            Self::AlwaysStale => f.write_str("stale_after must be longer than zero"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget_rules;
    use super::super::engine::Engine;
    use super::*;
    use alloc::vec;

    fn problem(change: impl FnOnce(&mut Rule)) -> RuleProblem {
        let mut rule = budget_rules().swap_remove(0);
        change(&mut rule);
        Engine::new(vec![rule], 1).expect_err("the change made the rule unsound").problem
    }

    #[test]
    fn each_kind_of_unsound_rule_is_named() {
        assert_eq!(problem(|rule| rule.name.clear()), RuleProblem::Unnamed);
        assert_eq!(problem(|rule| rule.metric.clear()), RuleProblem::Unnamed);
        assert_eq!(problem(|rule| rule.critical.clear = f64::NAN), RuleProblem::NotFinite);
        assert_eq!(problem(|rule| rule.warning.threshold = f64::INFINITY), RuleProblem::NotFinite);
        assert_eq!(
            problem(|rule| rule.critical.threshold = rule.warning.threshold),
            RuleProblem::CriticalNotBeyondWarning
        );
        assert_eq!(problem(|rule| rule.direction = Direction::Below), RuleProblem::CriticalNotBeyondWarning);
        assert_eq!(
            problem(|rule| rule.warning.clear = rule.warning.threshold + 0.01),
            RuleProblem::ClearBeyondThreshold { severity: Severity::Warning }
        );
        assert_eq!(
            problem(|rule| rule.critical.clear = rule.warning.clear - 0.1),
            RuleProblem::WarningClearsFirst
        );
        assert_eq!(problem(|rule| rule.stale_after = Duration::ZERO), RuleProblem::AlwaysStale);
    }

    #[test]
    fn two_rules_of_one_name_are_refused() {
        let rule = budget_rules().swap_remove(0);
        let error = Engine::new(vec![rule.clone(), rule], 1).unwrap_err();
        assert_eq!((error.rule.as_str(), error.problem), ("host-cpu", RuleProblem::DuplicateName));
    }

    #[test]
    fn no_hysteresis_is_allowed() {
        let mut rule = budget_rules().swap_remove(0);
        rule.warning.clear = rule.warning.threshold;
        rule.critical.clear = rule.critical.threshold;
        assert_eq!(rule.check(), Ok(()));
    }
}
