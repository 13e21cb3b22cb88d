//! What a rule compares with its thresholds.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::labels::{Labels, Selector};
use super::rule::RuleProblem;
use super::slo::Slo;
use crate::time::Duration;

/// What a rule compares with its thresholds, and from which series it is made.
///
/// There is one instance for each label set of the selected series. Where a condition has `by`, all series that agree on
/// these labels make one instance together (`None`: on all labels).
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Each sample as it is.
    Value(Selector),
    /// The mean of the samples in a window, once there are samples over four fifths of it.
    Mean {
        /// The series.
        of: Selector,
        /// How long.
        window: Duration,
    },
    /// The sum of the samples in a window, for series of counts per sample: collections of garbage in a minute.
    Sum {
        /// The series.
        of: Selector,
        /// How long.
        window: Duration,
    },
    /// The change from the oldest sample of a window to the newest, a second. Known once there are samples over four
    /// fifths of the window.
    Change {
        /// The series.
        of: Selector,
        /// How long.
        window: Duration,
    },
    /// In how many milliseconds a series reaches a limit if it goes on as it did over a window (least squares), at most
    /// [`NEVER_REACHED_MILLIS`]. Known once there are samples over four fifths of the window.
    TimeToReach {
        /// The series.
        of: Selector,
        /// What it must not reach: 1 for a file system's used share.
        limit: f64,
        /// How long.
        window: Duration,
    },
    /// A quantile of the samples in a window, to one per cent; sketches are merged. Values below zero are no samples.
    Quantile {
        /// The series.
        of: Selector,
        /// Which, 0 to 1.
        q: f64,
        /// How long.
        window: Duration,
        /// Labels by which series are put together.
        by: Option<Vec<String>>,
    },
    /// The share of one sum in another over a window, where the other is at least `min_total`: one error of two tasks is
    /// not an outage.
    Ratio {
        /// Counts of a part, one per sample.
        part: Selector,
        /// Counts of the whole.
        total: Selector,
        /// How long.
        window: Duration,
        /// The least whole that says something.
        min_total: f64,
        /// Labels by which series are put together.
        by: Option<Vec<String>>,
    },
    /// For how many milliseconds a series that was there has had no sample. Data that is missing is what this one is
    /// about: it is never stale.
    Absent(Selector),
    /// All of these rules fire: as bad as the least bad of them. Warning counts 1, critical 2.
    All {
        /// Names of rules that stand before this one.
        of: Vec<String>,
        /// Labels by which their instances are put together.
        by: Vec<String>,
    },
    /// One of these rules fires: as bad as the worst of them. Warning counts 1, critical 2.
    Any {
        /// Names of rules that stand before this one.
        of: Vec<String>,
        /// Labels by which their instances are put together.
        by: Vec<String>,
    },
    /// An objective's budget burns too fast, in a long and a short window at once: how many times too fast, where 1 is what
    /// the level tolerates. See [`Slo`].
    BurnRate(Box<Slo>),
}

/// What a time to reach a limit is at most: ten years, or never.
pub const NEVER_REACHED_MILLIS: f64 = 315_360_000_000.0;

/// The longest window.
const MOST: Duration = Duration::from_secs(30 * 86_400);

/// What a series is to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// What is compared; of a ratio or an objective, the whole.
    Whole,
    /// The part of a ratio, or the bad events of an objective.
    Part,
}

impl Condition {
    /// How a series enters, if it does. One that is part and whole at once enters as both.
    pub(super) fn roles<'a>(&'a self, name: &'a str, labels: &'a Labels) -> impl Iterator<Item = Role> + 'a {
        let (whole, part) = self.selectors();
        let whole = whole.filter(|selector| selector.selects(name, labels)).map(|_| Role::Whole);
        let part = part.filter(|selector| selector.selects(name, labels)).map(|_| Role::Part);
        part.into_iter().chain(whole)
    }

    /// Names of the series that enter.
    pub(super) fn series_names(&self) -> impl Iterator<Item = &str> {
        let (whole, part) = self.selectors();
        whole.into_iter().chain(part).map(|selector| selector.name.as_str())
    }

    fn selectors(&self) -> (Option<&Selector>, Option<&Selector>) {
        match self {
            Self::Value(of) | Self::Absent(of) => (Some(of), None),
            Self::Mean { of, .. }
            | Self::Sum { of, .. }
            | Self::Change { of, .. }
            | Self::TimeToReach { of, .. }
            | Self::Quantile { of, .. } => (Some(of), None),
            Self::Ratio { part, total, .. } => (Some(total), Some(part)),
            Self::All { .. } | Self::Any { .. } => (None, None),
            Self::BurnRate(slo) => slo.indicator.selectors(),
        }
    }

    /// The labels of the instance that a series with these labels enters.
    pub(super) fn instance_labels(&self, labels: &Labels) -> Labels {
        let by = match self {
            Self::Quantile { by, .. } | Self::Ratio { by, .. } => by.as_deref(),
            Self::All { by, .. } | Self::Any { by, .. } => Some(by.as_slice()),
            Self::BurnRate(slo) => Some(slo.by.as_slice()),
            Self::Value(_)
            | Self::Mean { .. }
            | Self::Sum { .. }
            | Self::Change { .. }
            | Self::TimeToReach { .. }
            | Self::Absent(_) => None,
        };
        by.map_or_else(|| labels.clone(), |by| labels.restricted_to(by))
    }

    /// The rules that a composite one is made of; empty for all others.
    #[must_use]
    pub fn members(&self) -> &[String] {
        match self {
            Self::All { of, .. } | Self::Any { of, .. } => of,
            _ => &[],
        }
    }

    /// The labels by which instances of a composite rule's members are put together.
    pub(super) fn members_by(&self) -> &[String] {
        match self {
            Self::All { by, .. } | Self::Any { by, .. } => by,
            _ => &[],
        }
    }

    /// Whether all selected series make one instance together.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        match self {
            Self::Quantile { by, .. } | Self::Ratio { by, .. } => by.as_ref().is_some_and(Vec::is_empty),
            Self::All { by, .. } | Self::Any { by, .. } => by.is_empty(),
            Self::BurnRate(slo) => slo.by.is_empty(),
            _ => false,
        }
    }

    /// Whether warning and critical compare different values.
    pub(super) const fn splits(&self) -> bool {
        matches!(self, Self::BurnRate(_))
    }

    /// Whether it changes with time, samples or not.
    pub(super) const fn is_timed(&self) -> bool {
        matches!(self, Self::Absent(_) | Self::All { .. } | Self::Any { .. } | Self::BurnRate(_))
    }

    pub(super) fn check(&self) -> Result<(), RuleProblem> {
        if self.series_names().any(str::is_empty) {
            return Err(RuleProblem::Unnamed);
        }
        let in_range = |window: Duration| {
            if window.is_zero() || window > MOST { Err(RuleProblem::WindowOutOfRange) } else { Ok(()) }
        };
        match self {
            Self::Value(_) | Self::Absent(_) => Ok(()),
            Self::Mean { window, .. } | Self::Sum { window, .. } | Self::Change { window, .. } => {
                in_range(*window)
            }
            Self::TimeToReach { window, limit, .. } => {
                if limit.is_finite() {
                    in_range(*window)
                } else {
                    Err(RuleProblem::NotFinite)
                }
            }
            Self::Quantile { window, q, .. } => {
                if (0.0..=1.0).contains(q) {
                    in_range(*window)
                } else {
                    Err(RuleProblem::ShareOutOfRange)
                }
            }
            Self::Ratio { window, min_total, .. } => {
                if min_total.is_finite() {
                    in_range(*window)
                } else {
                    Err(RuleProblem::NotFinite)
                }
            }
            Self::All { of, .. } | Self::Any { of, .. } => {
                if of.is_empty() {
                    Err(RuleProblem::NoMembers)
                } else {
                    Ok(())
                }
            }
            Self::BurnRate(slo) => slo.check(),
        }
    }
}
