//! Books of the pool's size and of what it gave up under pressure.

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{Action, PoolConfig, PoolStats, Priority, Resize};

use crate::Broken;
use crate::entries::{Place, PlaceState, Task, Up};
use crate::ledger::Ledger;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Places that are not retired.
    pub(crate) alive: u32,
    /// How many workers less urgent work may have.
    pub(crate) limit: Option<u32>,
    may_grow: bool,
    shed_below: Option<Priority>,
    /// What was announced and is not done yet.
    announced: Option<u32>,
}

impl Size {
    pub(crate) fn new(config: &PoolConfig) -> Self {
        let alive = config.elastic.least(config.workers);
        Self { alive, limit: None, may_grow: true, shed_below: None, announced: None }
    }
}

impl Ledger {
    pub(crate) fn on_resize(&mut self, resize: Resize) {
        let Resize { from, to, .. } = resize;
        let sound = from == self.size.alive
            && from != to
            && (1..=self.config.workers).contains(&to)
            && (to < from || self.size.may_grow);
        self.size.announced = Some(to);
        if !sound {
            self.broken(Broken::ResizedWrongly { from, to });
        }
    }

    pub(crate) fn on_action(&mut self, action: Action) {
        let urgent = self.config.budgets.urgent;
        let sound = match action {
            Action::Shed { below } => {
                let higher = self.size.shed_below.replace(below).is_none_or(|before| before < below);
                higher && below <= urgent
            }
            Action::StopShedding => self.size.shed_below.take().is_some(),
            Action::LimitWorkers { to, holds_below } => {
                let other = self.size.limit.replace(to) != Some(to);
                other && (1..self.config.workers.max(2)).contains(&to) && holds_below == urgent
            }
            Action::LiftLimit => self.size.limit.take().is_some(),
            Action::StopGrowth => core::mem::replace(&mut self.size.may_grow, false),
            Action::ResumeGrowth => !core::mem::replace(&mut self.size.may_grow, true),
            Action::Warn | Action::EndWarning | Action::ShrinkCaches | Action::RestoreCaches => true,
        };
        if !sound {
            self.broken(Broken::ActedWrongly(action));
        }
    }

    pub(crate) fn on_retired(&mut self, worker: WorkerId, before: &PlaceState) {
        self.size.alive -= 1;
        let idle = matches!(before, PlaceState::Up(up) if up.work.is_empty());
        if !idle || self.size.announced.is_none() {
            self.broken(Broken::RetiredWrongly(worker));
        }
    }

    pub(crate) fn on_filled(&mut self, worker: WorkerId) {
        self.size.alive += 1;
        if self.size.announced.is_none() {
            self.broken(Broken::SpawnedUnannounced(worker));
        }
    }

    pub(crate) fn on_shed(&mut self, id: TaskId, task: &Task, below: Priority) {
        let sound = self.size.shed_below == Some(below) && task.spec.priority < below;
        if !sound || self.is_urgent(task) {
            self.broken(Broken::ShedWrongly(id));
        }
    }

    /// Whether this worker may not start the task, for the sake of the CPU.
    pub(crate) fn is_held_back(&self, up: &Up, task: &Task) -> bool {
        let Some(limit) = self.size.limit else { return false };
        let busy = self.places.iter().filter_map(Place::up).filter(|up| up.is_busy()).count();
        !self.is_urgent(task) && !up.is_busy() && busy >= limit as usize
    }

    pub(crate) fn is_urgent(&self, task: &Task) -> bool {
        task.spec.priority >= self.config.budgets.urgent
    }

    /// To be called when all outputs of an input are drained.
    pub(crate) fn check_size(&mut self, stats: &PoolStats) {
        let Size { alive, limit, may_grow, announced, .. } = self.size;
        self.size.announced = None;
        let least = self.config.elastic.least(self.config.workers);
        let too_few = may_grow && limit.is_none() && alive < least;
        if announced.is_some_and(|announced| announced != alive) || stats.workers != alive || too_few {
            self.broken(Broken::SizeWrong { alive });
        }
    }
}
