//! Books of who may run a task and who must: bans, workers that it failed on, and workers that it waits for.
//!
//! Where the scheduler has settled for less, because the last worker of the better ones went, it needn't become choosy again
//! when another comes. So there are two questions with a margin between them: whether a worker *must not* be given a task,
//! and whether it *must* take it.

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{Input, Offer, WorkerList};

use crate::Broken;
use crate::ledger::{Ledger, Place, PlaceState, Task, Up};

impl Task {
    /// A worker failed it.
    pub(crate) fn note_failure(&mut self, worker: WorkerId) {
        self.failures += 1;
        self.failed_on.retain(|&failed_on| failed_on != worker);
        self.failed_on.push(worker);
        if self.failed_on.len() > WorkerList::MOST {
            self.failed_on.remove(0);
        }
    }

    fn prefers(&self, worker: WorkerId, offer: &Offer) -> bool {
        self.spec.affinity.contains(worker) || self.spec.region.is_some() && offer.region == self.spec.region
    }

    fn has_preference(&self) -> bool {
        !self.spec.affinity.is_empty() || self.spec.region.is_some()
    }

    /// Whether it has failed on this worker and another of these is a better one.
    fn avoids(&self, worker: WorkerId, mut others: impl Iterator<Item = WorkerId> + Clone) -> bool {
        let others_than_last = || Some(worker) == self.failed_on.last().copied();
        self.failed_on.contains(&worker)
            && (others.clone().any(|other| !self.failed_on.contains(&other))
                || others_than_last() && others.any(|other| other != worker))
    }
}

impl Place {
    /// Whether its first worker boots, of which nobody knows what it will offer.
    fn is_unknown(&self) -> bool {
        !self.was_ready && matches!(self.state, PlaceState::Booting { .. })
    }
}

impl Ledger {
    /// A task goes to a worker: not to one that it bans, nor away from better ones that have been there all the time.
    pub(crate) fn check_choice(&mut self, id: TaskId, task: &Task, on: &Up) {
        if task.spec.anti_affinity.contains(on.worker) {
            self.broken(Broken::BanIgnored(id));
        }
        let steady = |up: &&Up| up.offered_in_step < task.queued_in_step && up.could_run(task);
        let others = self.places.iter().filter_map(Place::up).filter(steady);
        let avoids = task.avoids(on.worker, others.clone().map(|up| up.worker));
        let fresh = |up: &&Up| !task.failed_on.contains(&up.worker);
        let waits = self.now < task.submitted_at + task.spec.patience
            && task.has_preference()
            && !task.prefers(on.worker, &on.offer)
            && others.filter(fresh).any(|up| task.prefers(up.worker, &up.offer));
        if avoids {
            self.broken(Broken::WentWhereItFailed(id));
        }
        if waits {
            self.broken(Broken::PatienceIgnored(id));
        }
    }

    /// Whether nothing about the task speaks against this worker, if it has the room.
    pub(crate) fn must_take(&self, up: &Up, task: &Task) -> bool {
        if !up.could_run(task) {
            return false;
        }
        let might = |(place, worker): &(&Place, WorkerId)| {
            place.up().map_or(place.is_unknown() && !task.spec.anti_affinity.contains(*worker), |up| {
                up.could_run(task)
            })
        };
        let others = self.places.iter().zip((0..).map(WorkerId::new)).filter(might);
        if task.avoids(up.worker, others.clone().map(|(_, worker)| worker)) {
            return false;
        }
        let is_preferred = |(place, worker): (&Place, WorkerId)| match place.up() {
            Some(up) => task.prefers(worker, &up.offer),
            None => task.spec.region.is_some() || task.spec.affinity.contains(worker),
        };
        task.patience_over
            || task.spec.patience.is_zero()
            || !task.has_preference()
            || task.prefers(up.worker, &up.offer)
            || !others.into_iter().any(is_preferred)
    }

    /// Once the timers have fired, nobody's patience lasts longer than it may.
    pub(crate) fn end_patience(&mut self) {
        if self.last_input != Some(Input::Deadline) {
            return;
        }
        let now = self.now;
        for task in self.tasks.values_mut() {
            task.patience_over |= task.submitted_at + task.spec.patience <= now;
        }
    }
}
