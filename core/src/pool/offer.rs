//! What a worker offers, and whether that is what a task needs.

use crate::ids::{RegionId, TaskType, WorkerId};

use super::affinity::Preference;
use super::binding::Line;
use super::gate::Gate;
use super::{Capabilities, Load, PoolConfig, TaskSpec, WorkerList};

/// What a worker says about itself when it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Offer {
    /// What it can do.
    pub capabilities: Capabilities,
    /// How much it carries at a time: the complexities of the tasks that it runs never add up to more. 1 to
    /// [`PoolConfig::MAX_CAPACITY`], what lies outside counts as the nearest of them. Default 1: one task at a time.
    pub capacity: Load,
    /// Where it is: tasks may prefer a region ([`TaskSpec::region`]). Default `None`: nowhere in particular.
    pub region: Option<RegionId>,
}

impl Offer {
    /// A plain worker: no special capability, one task at a time.
    pub const PLAIN: Self = Self { capabilities: Capabilities::NONE, capacity: Load::ONE, region: None };

    pub(super) fn within_bounds(self) -> Self {
        Self { capacity: self.capacity.clamp(Load::ONE, PoolConfig::MAX_CAPACITY), ..self }
    }
}

impl Default for Offer {
    fn default() -> Self {
        Self::PLAIN
    }
}

impl From<Capabilities> for Offer {
    /// A worker of one task at a time.
    fn from(capabilities: Capabilities) -> Self {
        Self { capabilities, ..Self::PLAIN }
    }
}

/// Everything that decides which workers may run a task. Tasks with equal needs stand in one lane of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) required: Capabilities,
    /// At least 1: a task without weight could be given to a worker without end.
    pub(super) complexity: Load,
    /// Whether it is held back by no limit of workers.
    pub(super) urgent: bool,
    /// None of these, ever.
    pub(super) banned: WorkerList,
    /// None of these, while another worker could run it: see [`super::affinity`].
    pub(super) avoided: WorkerList,
    /// Only these, while its patience lasts.
    pub(super) waits_for: Option<Preference>,
    /// The line that it stands in, where it was bound early: see [`super::binding`].
    pub(super) line: Option<Line>,
    /// Whether it waits for a strategy outside to choose, and nobody may take it: see [`super::asked`].
    pub(super) asked: bool,
    /// Its type, where workers may leave tasks of one type to others and not those of another: see [`super::threshold`].
    pub(super) paced_as: Option<TaskType>,
    /// How many of its type may be at workers, where that is limited.
    pub(super) gate: Option<Gate>,
}

impl Needs {
    pub(super) fn of(spec: &TaskSpec, config: &PoolConfig) -> Self {
        Self {
            required: spec.required,
            complexity: spec.complexity.max(Load::ONE),
            urgent: spec.priority >= config.budgets.urgent,
            banned: spec.anti_affinity,
            avoided: WorkerList::NONE,
            waits_for: None,
            line: None,
            asked: false,
            paced_as: config.threshold.then_some(spec.task_type),
            gate: Gate::of(spec.task_type, spec.type_limit),
        }
    }

    /// Whether this worker may run the task now, as far as the task is concerned, once it has nothing else to do.
    #[inline]
    pub(super) fn met_by(&self, worker: WorkerId, offer: &Offer) -> bool {
        !self.asked
            && self.could_be_met_by(worker, offer)
            && !self.avoided.contains(worker)
            && self.waits_for.is_none_or(|preference| preference.includes(worker, offer))
            && self.line.is_none_or(|line| line.is_open || line.of == worker)
    }

    /// Whether this worker could run the task if there was no better one.
    #[inline]
    pub(super) fn could_be_met_by(&self, worker: WorkerId, offer: &Offer) -> bool {
        self.fits(offer) && !self.banned.contains(worker)
    }

    /// Whether it could be run by a worker that offers this.
    pub(super) fn fits(&self, offer: &Offer) -> bool {
        offer.capabilities.contains(self.required) && self.complexity <= offer.capacity
    }

    /// Whether the task may have to wait for more room than the least that a worker has.
    pub(super) fn is_large(&self) -> bool {
        self.complexity > Load::ONE
    }
}
