//! Which workers a task would rather have, waits for, keeps off, and never gets.
//!
//! * **Bans** ([`TaskSpec::anti_affinity`](super::TaskSpec::anti_affinity)) hold always.
//! * **Preferences** (affinity, then region) decide among the workers that are free. With
//!   [`TaskSpec::patience`](super::TaskSpec::patience) the task also waits for one that is busy: until then it stands in a
//!   lane of the queue that the others can't serve.
//! * **Avoidance:** a task keeps off the workers that it has failed on, as long as another one could run it.
//!
//! The last two are *soft*. Between inputs this holds: a task waits for the workers that it prefers, or for others than it
//! avoids, only while one of them is up and could run it, or boots for the first time and may turn out to. Where that ends,
//! the task is softened: it moves to the lane of those that it can't be choosy beside, with the turn that it has.

use core::cmp::Reverse;

use crate::ids::{RegionId, WorkerId};
use crate::time::Instant;

use super::binding::Line;
use super::candidates::worker_id;
use super::offer::Needs;
use super::tasks::Standing;
use super::worker::{Phase, Worker};
use super::{Offer, Output, Scheduler, TaskSpec, WorkerList};

/// The workers that a task would rather have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Preference {
    workers: WorkerList,
    region: Option<RegionId>,
}

impl Preference {
    fn of(spec: &TaskSpec) -> Option<Self> {
        let Self { workers, region } = Self { workers: spec.affinity, region: spec.region };
        (!workers.is_empty() || region.is_some()).then_some(Self { workers, region })
    }

    pub(super) fn includes(&self, worker: WorkerId, offer: &Offer) -> bool {
        self.tier(worker, offer) < OTHERS
    }

    fn tier(&self, worker: WorkerId, offer: &Offer) -> u8 {
        if self.workers.contains(worker) {
            LISTED
        } else if self.region.is_some() && offer.region == self.region {
            LOCAL
        } else {
            OTHERS
        }
    }
}

impl Scheduler {
    /// What decides who may run the task, if it is queued now.
    pub(super) fn needs_now(&mut self, now: Instant, slot: u32) -> Needs {
        let needs = self.lasting_needs(slot);
        if self.asks_for(&needs) {
            Needs { asked: true, ..needs }
        } else {
            self.bound_needs(now, slot, needs)
        }
    }

    /// What decides who may run the task apart from what ends with time: bans, and whom it avoids.
    pub(super) fn lasting_needs(&self, slot: u32) -> Needs {
        let task = self.tasks.task(slot);
        let failed_on = task.failed_on;
        let needs = Needs::of(task.spec(), &self.config);
        if failed_on.is_empty() {
            return needs;
        }
        // Where it has failed on all of them, it begins again with any other than the last.
        let rounds = [failed_on, failed_on.last_only()].map(|avoided| Needs { avoided, ..needs });
        rounds.into_iter().find(|needs| self.is_hopeful(needs)).unwrap_or(needs)
    }

    /// With the line that it is to stand in, or the workers that it waits for.
    pub(super) fn bound_needs(&mut self, now: Instant, slot: u32, needs: Needs) -> Needs {
        let line = self.choose_line(now, slot, &needs);
        let task = self.tasks.task(slot);
        let spec = task.spec();
        let waits_for = Preference::of(spec).filter(|_| now < task.submitted_at + spec.patience);
        let patient = Needs { waits_for, ..needs };
        if line.is_none() && self.is_hopeful(&patient) { patient } else { Needs { line, ..needs } }
    }

    /// The free worker that suits a task best that minds; `None` where it may have none of them.
    pub(super) fn pick_preferred(&self, slot: u32) -> Option<WorkerId> {
        let task = self.tasks.task(slot);
        let (needs, spec) = (task.needs(), task.spec());
        let (preference, classes) = (Preference::of(spec), self.speeds.classes(spec.task_type));
        self.candidates.pick_ranked(
            needs.required,
            needs.complexity,
            |index| {
                let offer =
                    self.workers[index].offer.filter(|offer| needs.met_by(worker_id(index), offer))?;
                if needs.line.is_some_and(|line| line.of == worker_id(index)) {
                    return Some(OWN);
                }
                Some(preference.map_or(OTHERS, |preference| preference.tier(worker_id(index), &offer)))
            },
            |index| classes.map_or(0, |classes| classes.of(index)),
        )
    }

    /// The task is new or about to be queued again, and is as choosy as it may be.
    #[inline]
    pub(super) fn choose_lane(&mut self, now: Instant, slot: u32) {
        self.end_patience(slot);
        if self.binder.as_ref().is_some() || self.tasks.task(slot).is_particular() {
            self.tasks.task_mut(slot).queued_at = now;
            let needs = self.needs_now(now, slot);
            self.tasks.set_needs(slot, needs);
        }
    }

    /// The task waits from now on: its patience runs, where it has any.
    pub(super) fn begin_patience(&mut self, now: Instant, slot: u32) {
        let task = self.tasks.task(slot);
        let needs = task.needs();
        if needs.asked {
            self.outputs.push_back(Output::AskStrategy { task: task.id });
        }
        let ends_at = match needs.line {
            _ if needs.asked => now + self.config.binding.answer_within(),
            Some(line) if !line.is_open => self.opens_at(slot, line.of),
            None if needs.waits_for.is_some() => task.submitted_at + task.spec().patience,
            Some(_) | None => return,
        };
        self.deadlines.set(self.patience_timer(slot), ends_at);
    }

    /// The task waits no more, or for nobody in particular.
    #[inline]
    pub(super) fn end_patience(&mut self, slot: u32) {
        if self.tasks.task(slot).needs().is_patient() {
            self.deadlines.cancel(self.patience_timer(slot));
        }
    }

    /// The task takes any worker from now on, or may be taken from its worker's line. It is offered to those that are free at the end of this input.
    pub(super) fn on_patience_due(&mut self, now: Instant, slot: u32) {
        let task = self.tasks.task(slot);
        let (standing, needs) = (task.standing, *task.needs());
        if needs.asked {
            return self.on_answer_due(now, slot);
        }
        let line = needs.line.map(|line| Line { is_open: true, ..line });
        let patient_no_more = Needs { waits_for: None, line, ..needs };
        match standing {
            Standing::Queued => {
                self.queue.remove(&needs, slot);
                self.queue_softened(slot, patient_no_more);
            }
            Standing::Reserved { .. } => {
                self.tasks.set_needs(slot, patient_no_more);
                self.softened.push(slot);
            }
            // Given ahead, and may be stolen by anybody now.
            Standing::Held { .. } | Standing::Delayed => self.tasks.set_needs(slot, patient_no_more),
        }
    }

    /// A worker is gone or offers something else: those that waited in vain for it are softened.
    pub(super) fn soften_hopeless(&mut self, now: Instant) {
        while self.queue.choosy() > 0 {
            let workers = &self.workers;
            let hopeless = self.queue.pop_where(|needs| needs.is_choosy() && !is_hopeful(workers, needs));
            let Some(slot) = hopeless else { break };
            let may_wait = self.tasks.task(slot).needs().is_patient();
            self.end_patience(slot);
            let mut needs = self.needs_now(now, slot);
            if !may_wait {
                needs.waits_for = None;
            }
            self.queue_softened(slot, needs);
            self.begin_patience(now, slot);
        }
    }

    /// Offers what was softened to the workers that are free, in its order.
    #[inline]
    pub(super) fn offer_softened(&mut self, now: Instant) {
        if !self.softened.is_empty() {
            self.offer_all_softened(now);
        }
    }

    fn offer_all_softened(&mut self, now: Instant) {
        let tasks = &self.tasks;
        let turn = |slot: u32| tasks.get(slot).map(|task| task.turn.entry(slot));
        self.softened.sort_unstable_by_key(|&slot| Reverse(turn(slot)));
        while let Some(slot) = self.softened.pop() {
            self.offer_queued(now, slot);
        }
    }

    pub(super) fn is_hopeful(&self, needs: &Needs) -> bool {
        is_hopeful(&self.workers, needs)
    }

    pub(super) fn queue_softened(&mut self, slot: u32, needs: Needs) {
        self.tasks.set_needs(slot, needs);
        self.queue.push(&needs, self.tasks.task(slot).turn.entry(slot));
        self.softened.push(slot);
    }
}

/// Whether a worker is up that such a task would take, or one boots for the first time and may turn out to be one.
fn is_hopeful(workers: &[Worker], needs: &Needs) -> bool {
    if needs.asked {
        // Its wait has an end of its own.
        return true;
    }
    workers.iter().enumerate().any(|(index, worker)| match (worker.phase, &worker.offer) {
        (Phase::Up, Some(offer)) if worker.stays() => {
            let own = needs.line.is_none_or(|line| line.of == worker_id(index) && !worker.rests());
            own && needs.met_by(worker_id(index), offer)
        }
        (Phase::Booting, None) => needs.may_be_met_by(worker_id(index)),
        (Phase::Up | Phase::Booting | Phase::Dead | Phase::Retired, _) => false,
    })
}

impl Needs {
    /// Whether it could be more content than it is.
    pub(super) fn is_choosy(&self) -> bool {
        self.waits_for.is_some() || !self.avoided.is_empty() || self.line.is_some() || self.asked
    }

    /// Whether it is so for a time only.
    #[inline]
    fn is_patient(&self) -> bool {
        self.asked || self.waits_for.is_some() || self.line.is_some_and(|line| !line.is_open)
    }

    /// Whether a worker of which nothing is known could be one for it at this time.
    fn may_be_met_by(&self, worker: WorkerId) -> bool {
        let is_preferred = |of: Preference| of.region.is_some() || of.workers.contains(worker);
        self.line.is_none()
            && !self.banned.contains(worker)
            && !self.avoided.contains(worker)
            && self.waits_for.is_none_or(is_preferred)
    }
}

const OWN: u8 = 0;
const LISTED: u8 = 1;
const LOCAL: u8 = 2;
const OTHERS: u8 = 3;
