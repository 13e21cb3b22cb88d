//! Context rules: which workers a type of task prefers, requires or must not have, and what history says.

use alloc::vec::Vec;
use core::fmt;

use crate::ids::{RegionId, TaskType, WorkerId};
use crate::pool::Capabilities;
use crate::say::{Say, displayed, say};
use crate::time::Instant;

use super::{Eligible, Fleet, LoadBalancer, Slot, Task};

#[cfg(test)]
mod tests;

/// A rule of the operator's about a type of task, where the tasks themselves say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// For which type; `None` for all.
    pub task_type: Option<TaskType>,
    /// Which workers.
    pub workers: RuleWorkers,
    /// What about them.
    pub effect: RuleEffect,
}

/// The workers that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleWorkers {
    /// This one.
    Worker(WorkerId),
    /// Those that have all of these capabilities.
    Capable(Capabilities),
    /// Those in this region.
    InRegion(RegionId),
}

/// What a rule wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleEffect {
    /// They are chosen while one of them is eligible. A task's own affinity list goes before it.
    Prefer,
    /// Only they may have the task. Of several rules for a type one must hold.
    Require,
    /// They must not have the task, whatever else holds.
    Forbid,
}

/// Workers that did badly with a type of task are avoided for it while another is eligible.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryRule {
    /// With a success ratio for the type below this, 0 to 1. Default 0.5.
    pub min_success_ratio: f64,
    /// And so many remembered runs of it at least: one failure is no history. Default 5.
    pub min_runs: f64,
}

impl HistoryRule {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), InvalidHistoryRule> {
        let is_sound = (0.0..=1.0).contains(&self.min_success_ratio) && self.min_runs > 0.0;
        if is_sound { Ok(()) } else { Err(InvalidHistoryRule(*self)) }
    }

    fn avoids(&self, now: Instant, fleet: &Fleet, slot: Slot, task_type: TaskType) -> bool {
        fleet.type_evidence(slot, task_type, now) >= self.min_runs
            && fleet.history(slot, task_type, now) < self.min_success_ratio
    }
}

impl Default for HistoryRule {
    fn default() -> Self {
        Self { min_success_ratio: 0.5, min_runs: 5.0 }
    }
}

/// A history rule that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidHistoryRule(pub HistoryRule);

impl Say for InvalidHistoryRule {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        let HistoryRule { min_success_ratio, min_runs } = self.0;
        say!(
            to,
            "history is a success ratio of 0 to 1 over more than 0 runs, not ",
            min_success_ratio,
            " over ",
            min_runs
        )
    }
}

displayed!(InvalidHistoryRule);

impl core::error::Error for InvalidHistoryRule {}

/// Context rules.
impl LoadBalancer {
    /// Adds a rule. It holds from the next choice on; what is assigned stays.
    ///
    /// ```
    /// use quillwork_core::balance::{BalanceConfig, LoadBalancer, Rule, RuleEffect, RuleWorkers, Task, WorkerSpec};
    /// use quillwork_core::ids::{TaskId, TaskType, WorkerId};
    /// use quillwork_core::time::Instant;
    ///
    /// let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1)?;
    /// (0..3).for_each(|id| balancer.handle_joined(Instant::ZERO, WorkerSpec::new(WorkerId::new(id))));
    /// // Worker 2 is kept for searches.
    /// let search = TaskType::new(9);
    /// let two = RuleWorkers::Worker(WorkerId::new(2));
    /// balancer.add_rule(Rule { task_type: Some(search), workers: two, effect: RuleEffect::Prefer });
    /// let task = Task { task_type: search, ..Task::new(TaskId::new(1)) };
    /// assert_eq!(balancer.select_worker(Instant::ZERO, &task)?, WorkerId::new(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_rule(&mut self, rule: Rule) {
        self.rules.rules.push(rule);
    }

    /// Removes all rules for which this holds.
    pub fn remove_rules(&mut self, mut is_over: impl FnMut(&Rule) -> bool) {
        self.rules.rules.retain(|rule| !is_over(rule));
    }

    /// The rules, the first added first.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules.rules
    }
}

/// The rules of a balancer.
#[derive(Clone, Debug)]
pub(in crate::balance) struct Rules {
    rules: Vec<Rule>,
    history: Option<HistoryRule>,
}

/// Room for the sets that rules leave.
pub(in crate::balance) type RuleScratch = (Vec<u64>, Vec<u64>, Vec<u64>);

impl Rules {
    pub(in crate::balance) const fn new(history: Option<HistoryRule>) -> Self {
        Self { rules: Vec::new(), history }
    }

    /// Whether the rules let the worker have tasks of this type at all.
    pub(in crate::balance) fn allow(&self, fleet: &Fleet, task_type: TaskType, slot: Slot) -> bool {
        let (mut is_required, mut has_required) = (false, false);
        for rule in self.of(task_type) {
            match rule.effect {
                RuleEffect::Prefer => {}
                RuleEffect::Require => {
                    is_required = true;
                    has_required |= rule.workers.include(fleet, slot);
                }
                RuleEffect::Forbid if rule.workers.include(fleet, slot) => return false,
                RuleEffect::Forbid => {}
            }
        }
        has_required || !is_required
    }

    /// Those of the eligible workers that the rules let have the task; `None` where they let none.
    pub(in crate::balance) fn narrow<'a>(
        &self,
        now: Instant,
        task: &Task<'_>,
        eligible: Eligible<'a>,
        (allowed, proven, preferred): &'a mut RuleScratch,
    ) -> Option<Eligible<'a>> {
        let fleet = eligible.fleet();
        let mut left = eligible;
        if self.of(task.task_type).any(|rule| rule.effect != RuleEffect::Prefer) {
            left = left.narrowed(allowed, |slot| self.allow(fleet, task.task_type, slot))?;
        }
        if let Some(history) = &self.history {
            let is_proven = |slot| !history.avoids(now, fleet, slot, task.task_type);
            left = left.narrowed(proven, is_proven).unwrap_or(left);
        }
        let mut likes = self.of(task.task_type).filter(|rule| rule.effect == RuleEffect::Prefer).peekable();
        if task.affinity.is_empty() && likes.peek().is_some() {
            let is_liked = |slot| {
                let mut of_type = self.of(task.task_type);
                of_type.any(|rule| rule.effect == RuleEffect::Prefer && rule.workers.include(fleet, slot))
            };
            left = left.narrowed(preferred, is_liked).unwrap_or(left);
        }
        Some(left)
    }

    /// Whether there is nothing to look at.
    pub(in crate::balance) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.history.is_none()
    }

    fn of(&self, task_type: TaskType) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.task_type.is_none_or(|only| only == task_type))
    }
}

impl RuleWorkers {
    fn include(self, fleet: &Fleet, slot: Slot) -> bool {
        match self {
            Self::Worker(worker) => fleet.worker(slot) == worker,
            Self::Capable(capabilities) => capabilities.minus(fleet.spec(slot).capabilities).is_empty(),
            Self::InRegion(region) => fleet.spec(slot).region == Some(region),
        }
    }
}
