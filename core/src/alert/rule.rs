//! Rules as they are written.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use super::condition::Condition;
use super::instance::Severity;
use super::slo::Slo;
use crate::time::Duration;

/// What is watched, and when it is too much.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Stable name, for instance `host-cpu`. Unique within an engine.
    pub name: Arc<str>,
    /// What is compared, made from the samples of which series.
    pub condition: Condition,
    /// Unit of what is compared and of the thresholds.
    pub unit: Unit,
    /// Which side is bad.
    pub direction: Direction,
    /// When it is a warning; `None` where the rule knows only critical.
    pub warning: Option<Level>,
    /// When it is critical: beyond warning, or as far for longer; `None` where it never is.
    pub critical: Option<Level>,
    /// How long all samples must be back before a level stops firing.
    pub keep_firing: Duration,
    /// Without a sample for longer than this there is no data. Several sampling intervals, or a late sample is a gap.
    pub stale_after: Duration,
    /// A sample made from fewer events than this says nothing: one error of two tasks is not an outage. 0 where samples
    /// aren't made from events.
    pub min_count: u64,
    /// For so long after its first sample a series says nothing yet: a cache that has just been made misses everything.
    pub warm_up: Duration,
    /// Whether somebody is told. A rule that only serves a composite one is evaluated and shown, and tells nobody.
    pub notify: bool,
    /// What in the samples' surroundings names the culprit.
    pub culprit: Culprit,
    /// The first thing to look at, for whoever is told.
    pub look_first: String,
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

/// Who is to blame when a rule fires: the shell knows candidates and names the one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Culprit {
    /// The alert's own labels say it all.
    #[default]
    Labels,
    /// The process that uses most processor time.
    ProcessByCpu,
    /// The process that uses most memory.
    ProcessByMemory,
    /// The page, and in it the type of task that takes longest.
    TaskType,
    /// The page, and in it the busiest worker.
    Worker,
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
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Degrees Celsius.
    Celsius,
    /// Watts.
    Watts,
    /// Volts.
    Volts,
    /// Hertz.
    Hertz,
    /// Revolutions a minute.
    Rpm,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 11] = [
        Self::Ratio,
        Self::Millis,
        Self::PerSecond,
        Self::Count,
        Self::Bytes,
        Self::BytesPerSecond,
        Self::Celsius,
        Self::Watts,
        Self::Volts,
        Self::Hertz,
        Self::Rpm,
    ];

    /// As messages name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ratio => "ratio",
            Self::Millis => "millis",
            Self::PerSecond => "perSecond",
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytesPerSecond",
            Self::Celsius => "celsius",
            Self::Watts => "watts",
            Self::Volts => "volts",
            Self::Hertz => "hertz",
            Self::Rpm => "rpm",
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

impl Level {
    /// A level without hysteresis that fires at once.
    #[must_use]
    pub const fn at(threshold: f64) -> Self {
        Self { threshold, clear: threshold, for_duration: Duration::ZERO }
    }
}

impl Rule {
    /// A rule without levels, with the usual durations: data is stale after 10 s, an alert is kept for 10 s. Set the
    /// fields that differ.
    #[must_use]
    pub fn new(name: &str, condition: Condition, unit: Unit, direction: Direction) -> Self {
        Self {
            name: name.into(),
            condition,
            unit,
            direction,
            warning: None,
            critical: None,
            keep_firing: Duration::from_secs(10),
            stale_after: Duration::from_secs(10),
            min_count: 0,
            warm_up: Duration::ZERO,
            notify: true,
            culprit: Culprit::Labels,
            look_first: String::new(),
        }
    }

    /// A rule that fires where an objective's budget burns too fast: see [`Slo`].
    #[must_use]
    pub fn objective(name: &str, slo: Slo) -> Self {
        let burns = Some(Level::at(1.0));
        Self {
            warning: burns,
            critical: burns,
            keep_firing: Duration::from_secs(60),
            stale_after: Duration::from_secs(300),
            ..Self::new(name, Condition::BurnRate(Box::new(slo)), Unit::Count, Direction::Above)
        }
    }

    /// A level of the rule.
    #[must_use]
    pub const fn level(&self, severity: Severity) -> Option<&Level> {
        match severity {
            Severity::Warning => self.warning.as_ref(),
            Severity::Critical => self.critical.as_ref(),
        }
    }

    /// Says what is wrong with the rule by itself.
    pub(super) fn check(&self) -> Result<(), RuleProblem> {
        if self.name.is_empty() {
            return Err(RuleProblem::Unnamed);
        }
        self.condition.check()?;
        let levels = [self.warning, self.critical];
        if levels.iter().all(Option::is_none) {
            return Err(RuleProblem::NoLevel);
        }
        let is_finite = |level: &Level| level.threshold.is_finite() && level.clear.is_finite();
        if !levels.iter().flatten().all(is_finite) {
            return Err(RuleProblem::NotFinite);
        }
        // Where each level has a reading of its own their thresholds have nothing to do with each other.
        let both = self.warning.zip(self.critical).filter(|_| !self.condition.splits());
        if let Some((warning, critical)) = both {
            let is_beyond = self.direction.is_beyond(critical.threshold, warning.threshold);
            let is_before = self.direction.is_beyond(warning.threshold, critical.threshold);
            if is_before || (!is_beyond && critical.for_duration <= warning.for_duration) {
                return Err(RuleProblem::CriticalNotBeyondWarning);
            }
        }
        for severity in [Severity::Warning, Severity::Critical] {
            let Some(level) = self.level(severity) else { continue };
            if self.direction.is_beyond(level.clear, level.threshold) {
                return Err(RuleProblem::ClearBeyondThreshold { severity });
            }
        }
        if both.is_some_and(|(warning, critical)| self.direction.is_beyond(warning.clear, critical.clear)) {
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleProblem {
    /// It has no name, or selects series without one.
    Unnamed,
    /// Another rule has the same name.
    DuplicateName,
    /// It has neither a warning nor a critical level.
    NoLevel,
    /// A threshold, clear level or limit is infinite or not a number.
    NotFinite,
    /// The critical threshold is not on the bad side of the warning threshold, and doesn't take longer either.
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
    /// A window of no time, or of more than 30 days.
    WindowOutOfRange,
    /// A quantile or an objective that isn't between 0 and 1.
    ShareOutOfRange,
    /// A composite rule names no rules.
    NoMembers,
    /// A composite rule names a rule that doesn't stand before it.
    UnknownMember {
        /// The name.
        member: String,
    },
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
            Self::Unnamed => f.write_str("give it a name, and its series too"),
            Self::DuplicateName => f.write_str("another rule has this name"),
            Self::NoLevel => f.write_str("give it a warning or a critical level"),
            Self::NotFinite => f.write_str("thresholds, clear levels and limits must be finite numbers"),
            Self::CriticalNotBeyondWarning => f.write_str(
                "the critical threshold must lie beyond the warning threshold, or be crossed for longer",
            ),
            Self::ClearBeyondThreshold { severity } => {
                write!(f, "the clear level of {severity} must lie at its threshold or on its good side")
            }
            Self::WarningClearsFirst => {
                f.write_str("warning must not clear before critical: move its clear level to the good side")
            }
            Self::AlwaysStale => f.write_str("the time after which data is stale must be longer than zero"),
            Self::WindowOutOfRange => f.write_str("a window must be longer than zero and at most 30 days"),
            Self::ShareOutOfRange => f.write_str("a quantile or objective must lie between 0 and 1"),
            Self::NoMembers => f.write_str("name the rules that it is made of"),
            Self::UnknownMember { member } => {
                write!(f, "no rule \"{member}\" stands before it: correct the name, or move that rule up")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::default_rules;
    use super::super::engine::Engine;
    use super::*;
    use alloc::vec;

    fn cpu() -> Rule {
        default_rules().into_iter().find(|rule| *rule.name == *"host-cpu").unwrap()
    }

    fn warning(rule: &mut Rule) -> &mut Level {
        rule.warning.as_mut().unwrap()
    }

    fn critical(rule: &mut Rule) -> &mut Level {
        rule.critical.as_mut().unwrap()
    }

    fn problem(change: impl FnOnce(&mut Rule)) -> RuleProblem {
        let mut rule = cpu();
        change(&mut rule);
        Engine::new(vec![rule], 1).expect_err("the change made the rule unsound").problem
    }

    #[test]
    fn each_kind_of_unsound_rule_is_named() {
        use super::super::labels::Selector;
        let minute = Duration::from_secs(60);
        let of = || Selector::all("host.cpu.total");
        assert_eq!(problem(|rule| rule.name = "".into()), RuleProblem::Unnamed);
        assert_eq!(
            problem(|rule| rule.condition = Condition::Value(Selector::all(""))),
            RuleProblem::Unnamed
        );
        assert_eq!(problem(|rule| (rule.warning, rule.critical) = (None, None)), RuleProblem::NoLevel);
        assert_eq!(problem(|rule| critical(rule).clear = f64::NAN), RuleProblem::NotFinite);
        assert_eq!(problem(|rule| warning(rule).threshold = f64::INFINITY), RuleProblem::NotFinite);
        assert_eq!(
            problem(|rule| critical(rule).threshold = rule.warning.unwrap().threshold),
            RuleProblem::CriticalNotBeyondWarning
        );
        assert_eq!(
            problem(|rule| {
                let (warn, bad) = (warning(rule).threshold, critical(rule).threshold);
                (warning(rule).threshold, critical(rule).threshold) = (bad, warn);
            }),
            RuleProblem::CriticalNotBeyondWarning
        );
        assert_eq!(
            problem(|rule| warning(rule).clear = rule.warning.unwrap().threshold + 0.01),
            RuleProblem::ClearBeyondThreshold { severity: Severity::Warning }
        );
        assert_eq!(
            problem(|rule| critical(rule).clear = rule.warning.unwrap().clear - 0.1),
            RuleProblem::WarningClearsFirst
        );
        assert_eq!(problem(|rule| rule.stale_after = Duration::ZERO), RuleProblem::AlwaysStale);
        for window in [Duration::ZERO, Duration::from_secs(31 * 86_400)] {
            assert_eq!(
                problem(|rule| rule.condition = Condition::Mean { of: of(), window }),
                RuleProblem::WindowOutOfRange
            );
        }
        assert_eq!(
            problem(|rule| {
                rule.condition = Condition::Quantile { of: of(), q: 1.5, window: minute, by: None };
            }),
            RuleProblem::ShareOutOfRange
        );
        assert_eq!(
            problem(|rule| rule.condition = Condition::All { of: vec![], by: vec![] }),
            RuleProblem::NoMembers
        );
        assert_eq!(
            problem(|rule| rule.condition = Condition::Any { of: vec!["host-cpu".into()], by: vec![] }),
            RuleProblem::UnknownMember { member: "host-cpu".into() }
        );
    }

    #[test]
    fn two_rules_of_one_name_are_refused() {
        let error = Engine::new(vec![cpu(), cpu()], 1).unwrap_err();
        assert_eq!((error.rule.as_str(), error.problem), ("host-cpu", RuleProblem::DuplicateName));
    }

    #[test]
    fn no_hysteresis_is_allowed() {
        let mut rule = cpu();
        warning(&mut rule).clear = rule.warning.unwrap().threshold;
        critical(&mut rule).clear = rule.critical.unwrap().threshold;
        assert_eq!(rule.check(), Ok(()));
    }

    #[test]
    fn critical_may_be_the_same_for_longer() {
        let mut rule = cpu();
        rule.critical = rule.warning;
        assert_eq!(rule.check(), Err(RuleProblem::CriticalNotBeyondWarning));
        critical(&mut rule).for_duration = warning(&mut rule.clone()).for_duration + Duration::from_secs(1);
        assert_eq!(rule.check(), Ok(()));
    }
}
