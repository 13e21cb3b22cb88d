//! What a pool gives up when memory or CPU run short.

use alloc::collections::VecDeque;

use crate::time::Instant;

use super::super::hysteresis::Graded;
use super::super::{PerMille, Priority};
use super::ResourceBudgets;
use super::hold_off::HoldOff;

/// A reading of the machine: see [`ResourceBudgets`] for what it is a share of. `None` is unknown, which takes no action
/// and lifts what was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    /// Memory in use.
    pub memory: Option<PerMille>,
    /// CPU in use.
    pub cpu: Option<PerMille>,
}

/// A measure that is taken or lifted. The scheduler does its own part; what caches have to do the shell tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Memory runs short. Nothing is given up yet.
    Warn,
    /// The warning is over.
    EndWarning,
    /// Tasks are no longer prefetched. Caches should give back half of their budget.
    ShrinkCaches,
    /// Tasks are prefetched again. Caches may have their whole budget.
    RestoreCaches,
    /// No more workers are spawned, but those that replace lost ones.
    StopGrowth,
    /// The pool may grow again.
    ResumeGrowth,
    /// Waiting tasks of lower priority than this are refused, and so are those that come.
    Shed {
        /// The lowest priority that is spared.
        below: Priority,
    },
    /// Nothing is shed any more.
    StopShedding,
    /// So many workers at most for the work below this priority, which waits beyond that. It is never less than one.
    LimitWorkers {
        /// So many workers.
        to: u32,
        /// The lowest priority that is not held back.
        holds_below: Priority,
    },
    /// All workers for all work again.
    LiftLimit,
}

/// Why a measure is taken or lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// By a reading of memory.
    Memory {
        /// In use.
        used: PerMille,
        /// The threshold that it has reached, or fallen below by the margin.
        threshold: PerMille,
    },
    /// By a reading of the CPU.
    Cpu {
        /// In use.
        used: PerMille,
        /// The threshold that it has reached, or fallen below by the margin.
        threshold: PerMille,
    },
    /// Memory is no longer known.
    MemoryUnknown,
    /// The CPU's use is no longer known.
    CpuUnknown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum MemoryLevel {
    #[default]
    Fine,
    Warned,
    Shrinking,
    Shedding,
}

/// Turns readings into measures, with hysteresis.
///
/// Memory: a threshold that is reached takes effect at once; it is left when readings have been below it by the margin
/// for [`ResourceBudgets::settle`]. Above the last threshold one level of priority is shed at first and a further one with
/// each [`ResourceBudgets::shed_step`], never those from [`ResourceBudgets::urgent`].
///
/// CPU: above its threshold for `settle` the pool shrinks by a quarter, at least by one worker, and goes on until one is
/// left; that much the pool may always use. Below it by the margin for a while it grows by one worker at a time; where that
/// brought the CPU back above the threshold, the while doubles (up to 16 times `settle`).
///
/// Measures change only with readings, and with their end: readings that cease to come are unknown after
/// [`ResourceBudgets::stale_after`].
///
/// ```
/// use quillwork_core::pool::{Action, PerMille, Pressure, Reason, ResourceBudgets, Resources};
/// use quillwork_core::time::Instant;
///
/// let mut pressure = Pressure::new(ResourceBudgets::default(), 4);
/// let used = PerMille::per_cent(72);
/// pressure.handle_resources(Instant::ZERO, Resources { memory: Some(used), cpu: None }, 4);
/// let because = |threshold| Reason::Memory { used, threshold: PerMille::per_cent(threshold) };
/// assert_eq!(pressure.poll_output(), Some((Action::Warn, because(60))));
/// assert_eq!(pressure.poll_output(), Some((Action::ShrinkCaches, because(70))));
/// assert_eq!(pressure.poll_output(), None);
/// assert!(!pressure.may_prefetch());
/// ```
#[derive(Clone, Debug)]
pub struct Pressure {
    budgets: ResourceBudgets,
    /// The most workers that the pool may have.
    most: u32,
    memory: Graded<MemoryLevel>,
    memory_level: MemoryLevel,
    memory_known_until: Option<Instant>,
    shed_below: Option<Priority>,
    shed_at: Instant,
    limit: Option<u32>,
    cpu_known_until: Option<Instant>,
    /// Since when the CPU has been above its threshold, or the last step because of it.
    above_since: Option<Instant>,
    /// Since when it has been below by the margin, or the last step because of it.
    below_since: Option<Instant>,
    hold_off: HoldOff,
    outputs: VecDeque<(Action, Reason)>,
}

impl Pressure {
    /// Nothing is known and nothing is given up, for a pool of at most so many workers.
    #[must_use]
    pub fn new(budgets: ResourceBudgets, most: u32) -> Self {
        Self {
            budgets,
            most,
            memory: Graded::default(),
            memory_level: MemoryLevel::Fine,
            memory_known_until: None,
            shed_below: None,
            shed_at: Instant::ZERO,
            limit: None,
            cpu_known_until: None,
            above_since: None,
            below_since: None,
            hold_off: HoldOff::new(budgets.settle, budgets.settle * 16),
            outputs: VecDeque::with_capacity(8),
        }
    }

    /// A reading came, while the pool has so many workers.
    pub fn handle_resources(&mut self, now: Instant, resources: Resources, workers: u32) {
        match resources.memory {
            Some(used) => self.take_memory(now, used),
            None => self.forget_memory(),
        }
        match resources.cpu {
            Some(used) => self.take_cpu(now, used, workers),
            None => self.forget_cpu(),
        }
    }

    /// Time has passed: readings that are too old are unknown from now on.
    pub fn handle_deadline(&mut self, now: Instant) {
        if self.memory_known_until.is_some_and(|until| until <= now) {
            self.forget_memory();
        }
        if self.cpu_known_until.is_some_and(|until| until <= now) {
            self.forget_cpu();
        }
    }

    /// When the oldest reading becomes unknown.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        [self.memory_known_until, self.cpu_known_until].into_iter().flatten().min()
    }

    /// What was taken or lifted. To be called until `None` after each input.
    pub fn poll_output(&mut self) -> Option<(Action, Reason)> {
        self.outputs.pop_front()
    }

    /// Whether workers may hold tasks that they have not started.
    #[must_use]
    pub fn may_prefetch(&self) -> bool {
        self.memory_level < MemoryLevel::Shrinking
    }

    /// Whether the pool may have more workers than it has.
    #[must_use]
    pub fn may_grow(&self) -> bool {
        self.memory_level < MemoryLevel::Shedding
    }

    /// The lowest priority that is not shed; `None` where nothing is.
    #[must_use]
    pub const fn shed_below(&self) -> Option<Priority> {
        self.shed_below
    }

    /// How many workers the work below [`ResourceBudgets::urgent`] may have; `None` for all.
    #[must_use]
    pub const fn worker_limit(&self) -> Option<u32> {
        self.limit
    }

    /// Whether work of this priority is never shed nor held back.
    #[must_use]
    pub fn is_urgent(&self, priority: Priority) -> bool {
        priority >= self.budgets.urgent
    }

    fn take_memory(&mut self, now: Instant, used: PerMille) {
        let ResourceBudgets { warn_memory, shrink_memory, shed_memory, memory_margin, settle, .. } =
            self.budgets;
        let level = |used: PerMille, margin: PerMille| match used {
            used if used >= shed_memory.minus(margin) => MemoryLevel::Shedding,
            used if used >= shrink_memory.minus(margin) => MemoryLevel::Shrinking,
            used if used >= warn_memory.minus(margin) => MemoryLevel::Warned,
            _ => MemoryLevel::Fine,
        };
        self.memory.update(now, settle, level(used, PerMille::ZERO), level(used, memory_margin));
        self.memory_known_until = Some(now + self.budgets.stale_after);
        let to = self.memory.at(now, settle);
        self.move_memory(to, |threshold| Reason::Memory { used, threshold });
        if to == MemoryLevel::Shedding && used >= shed_memory {
            self.shed(now, Reason::Memory { used, threshold: shed_memory });
        }
    }

    fn forget_memory(&mut self) {
        self.memory = Graded::default();
        self.memory_known_until = None;
        self.move_memory(MemoryLevel::Fine, |_| Reason::MemoryUnknown);
    }

    /// Takes or lifts the measures between two levels, one after the other.
    fn move_memory(&mut self, to: MemoryLevel, reason: impl Fn(PerMille) -> Reason) {
        let ResourceBudgets { warn_memory, shrink_memory, shed_memory, .. } = self.budgets;
        let ladder = [
            (MemoryLevel::Warned, warn_memory, Action::Warn, Action::EndWarning),
            (MemoryLevel::Shrinking, shrink_memory, Action::ShrinkCaches, Action::RestoreCaches),
            (MemoryLevel::Shedding, shed_memory, Action::StopGrowth, Action::ResumeGrowth),
        ];
        let from = core::mem::replace(&mut self.memory_level, to);
        for (level, threshold, take, _) in ladder {
            if from < level && level <= to {
                self.outputs.push_back((take, reason(threshold)));
            }
        }
        if to < MemoryLevel::Shedding && self.shed_below.take().is_some() {
            self.outputs.push_back((Action::StopShedding, reason(shed_memory)));
        }
        for (level, threshold, _, lift) in ladder.into_iter().rev() {
            if to < level && level <= from {
                self.outputs.push_back((lift, reason(threshold)));
            }
        }
    }

    fn shed(&mut self, now: Instant, reason: Reason) {
        let next = match self.shed_below {
            None => Priority::LOWEST,
            Some(_) if now - self.shed_at < self.budgets.shed_step => return,
            Some(below) => below,
        };
        let below = Priority::new(next.level() + 1).unwrap_or(Priority::HIGHEST).min(self.budgets.urgent);
        self.shed_at = now;
        if below > Priority::LOWEST && self.shed_below != Some(below) {
            self.shed_below = Some(below);
            self.outputs.push_back((Action::Shed { below }, reason));
        }
    }

    fn take_cpu(&mut self, now: Instant, used: PerMille, workers: u32) {
        let ResourceBudgets { max_cpu, cpu_margin, settle, stale_after, .. } = self.budgets;
        self.cpu_known_until = Some(now + stale_after);
        let reason = Reason::Cpu { used, threshold: max_cpu };
        if used >= max_cpu {
            self.below_since = None;
            if now - *self.above_since.get_or_insert(now) >= settle {
                self.above_since = Some(now);
                self.lower_limit(now, workers, reason);
            }
        } else if used < max_cpu.minus(cpu_margin) {
            self.above_since = None;
            if now - *self.below_since.get_or_insert(now) >= self.hold_off.current() {
                self.below_since = Some(now);
                self.raise_limit(now, reason);
            }
        } else {
            self.above_since = None;
            self.below_since = None;
        }
    }

    fn forget_cpu(&mut self) {
        self.cpu_known_until = None;
        self.above_since = None;
        self.below_since = None;
        if self.limit.take().is_some() {
            self.outputs.push_back((Action::LiftLimit, Reason::CpuUnknown));
        }
    }

    fn lower_limit(&mut self, now: Instant, workers: u32, reason: Reason) {
        let from = self.limit.unwrap_or(workers).min(workers.max(1));
        let to = from.saturating_sub((from / 4).max(1)).max(1);
        if self.limit != Some(to) {
            self.hold_off.on_needed(now);
            self.limit = Some(to);
            self.outputs.push_back((Action::LimitWorkers { to, holds_below: self.budgets.urgent }, reason));
        }
    }

    fn raise_limit(&mut self, now: Instant, reason: Reason) {
        let Some(limit) = self.limit else { return };
        self.hold_off.on_given_back(now);
        let to = limit + 1;
        if to >= self.most {
            self.limit = None;
            self.outputs.push_back((Action::LiftLimit, reason));
        } else {
            self.limit = Some(to);
            self.outputs.push_back((Action::LimitWorkers { to, holds_below: self.budgets.urgent }, reason));
        }
    }
}

#[cfg(test)]
mod tests;
