//! How the pool's size follows its work, and what it gives up under pressure: what [`Sizer`](super::Sizer) and
//! [`Pressure`](super::Pressure) decide, done.
//!
//! A place without a worker is *retired*: it costs nothing and is refilled when the queue needs it. What its last worker
//! offered is remembered, so that a task that only such a worker could run is not refused, and brings it back.
//!
//! Under a limit of workers, work below [`ResourceBudgets::urgent`](super::ResourceBudgets::urgent) is *held back*: it
//! starts on a worker that runs nothing only while fewer workers than the limit run anything.

use crate::indexed_heap::Entry;
use crate::time::Instant;

use super::candidates::worker_id;
use super::offer::Needs;
use super::recovery::may_serve;
use super::scheduler::{Closing, small};
use super::tasks::Standing;
use super::worker::Phase;
use super::{
    Action, Demand, Output, Priority, Refusal, Resize, ResizeReason, Resources, Scheduler, Settlement,
    SizeLimits, TerminateReason,
};

/// What is to follow from what [`Scheduler::tell_pressure`] told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pressed {
    may_start_more: bool,
    limited: Option<u32>,
    shed: Option<Priority>,
}

impl Scheduler {
    /// A reading of the machine: see [`ResourceBudgets`](super::ResourceBudgets) for of what it is a share. Feed one a
    /// second or so; readings that cease to come are unknown, which takes no action.
    pub fn handle_resources(&mut self, now: Instant, resources: Resources) {
        let now = self.advance(now);
        let alive = self.alive();
        self.pressure.handle_resources(now, resources, alive);
        self.conclude(now);
    }

    /// Tells what was decided under pressure. All of it is told before anything follows from it: the limit of workers counts from now on.
    pub(super) fn tell_pressure(&mut self) -> Pressed {
        let mut pressed = Pressed::default();
        if self.closing == Closing::Closed {
            return pressed;
        }
        while let Some((action, reason)) = self.pressure.poll_output() {
            self.outputs.push_back(Output::Pressure { action, reason });
            match action {
                Action::LimitWorkers { to, .. } => pressed.limited = Some(to),
                Action::Shed { below } => pressed.shed = Some(below),
                Action::LiftLimit | Action::RestoreCaches => pressed.may_start_more = true,
                Action::Warn
                | Action::EndWarning
                | Action::ShrinkCaches
                | Action::StopGrowth
                | Action::ResumeGrowth
                | Action::StopShedding => {}
            }
        }
        pressed
    }

    /// What may be left to do about size and pressure at the end of an input.
    pub(super) fn follow_demand(&mut self, now: Instant, pressed: Pressed) {
        if self.closing == Closing::Closed {
            return;
        }
        let Pressed { may_start_more, limited, shed } = pressed;
        if let Some(below) = shed {
            self.shed(below);
        }
        if let Some(resize) = limited.and_then(|to| self.sizer.handle_lowered_limit(&self.demand(), to)) {
            self.apply(now, resize);
        }
        if may_start_more || self.pressure.worker_limit().is_some() {
            self.feed_all(now);
        }
        self.offer_opened(now);
        // A worker may have kept its room for a task that was just shed.
        self.feed_unreserved(now);
        self.resize(now);
        if self.pressure.worker_limit().is_some() && !self.softened.is_empty() {
            // The line of a worker that was just retired stands in others now, whose workers have looked already.
            self.softened.clear();
            self.feed_all(now);
        } else {
            self.offer_softened(now);
        }
    }

    /// Whether new work of this priority is refused for the sake of memory.
    pub(super) fn sheds(&self, priority: Priority) -> Option<Refusal> {
        let below = self.pressure.shed_below()?;
        (priority < below).then_some(Refusal::Shed { below })
    }

    /// Whether this worker may start urgent work only, for the sake of the CPU.
    pub(super) fn is_held_back(&self, index: usize) -> bool {
        let Some(limit) = self.pressure.worker_limit() else { return false };
        !self.workers[index].is_busy() && self.occupied() >= limit
    }

    /// Workers that are up, booting or about to be replaced.
    pub(super) fn alive(&self) -> u32 {
        small(self.workers.len()) - self.retired
    }

    fn occupied(&self) -> u32 {
        small(self.workers.iter().filter(|place| place.is_busy()).count())
    }

    /// Refuses what waits below this priority.
    fn shed(&mut self, below: Priority) {
        for slot in 0..self.tasks.slots() {
            let waits = self.tasks.get(slot).is_some_and(|task| {
                task.spec().priority < below && !matches!(task.standing, Standing::Held { .. })
            });
            if waits {
                self.unqueue(slot);
                self.settle(slot, Settlement::Refused(Refusal::Shed { below }));
            }
        }
    }

    /// A new task takes its turn in the queue, and all workers look there; `false` where none takes it, and it stands nowhere
    /// again.
    pub(super) fn place_under_limit(&mut self, now: Instant, slot: u32) -> bool {
        self.enqueue(now, slot);
        self.feed_all(now);
        let taken = matches!(self.tasks.task(slot).standing, Standing::Held { .. });
        if !taken {
            self.unqueue(slot);
        }
        taken
    }

    /// Lets every worker look at the queue, whoever would take the first task first. Under a limit they compete for it: the
    /// next worker that happens to be free would keep older tasks waiting for ever that only another one can run.
    fn feed_all(&mut self, now: Instant) {
        let mut in_vain = None;
        while let Some(next) = self.next_to_feed(in_vain) {
            let (_, index) = next;
            let kept_for = self.workers[index].reserved_for;
            let takes_some = self.feed_one(now, index);
            // A worker that has started something is held back no more, and what one keeps its room for another may have room for,
            // so that all may look again.
            let again = takes_some || self.workers[index].reserved_for != kept_for;
            in_vain = if again { None } else { Some(next) };
        }
        for index in 0..self.workers.len() {
            self.prefetch_again(now, index);
        }
    }

    /// The worker that would take the first task of all, among those behind the ones that were asked in vain.
    fn next_to_feed(&self, in_vain: Option<(Entry, usize)>) -> Option<(Entry, usize)> {
        if self.queued() == 0 {
            return None;
        }
        let awake = self.workers.iter().enumerate().filter(|(_, place)| !place.rests());
        let heads = awake.filter_map(|(index, place)| {
            let (offer, room) = (place.offer?, place.room());
            let urgent_only = self.is_held_back(index);
            let may_take = |needs: &Needs, _, _| (needs.urgent || !urgent_only) && self.gates.admits(needs);
            let heads = self.queue.heads_for(worker_id(index), &offer, room, may_take);
            let queued =
                [heads.fitting.or(heads.stolen), heads.blocked].into_iter().flatten().map(|head| head.entry);
            let first = queued.chain(self.reserved_and_fitting(index, urgent_only)).min()?;
            Some((first, index))
        });
        heads.filter(|head| in_vain.is_none_or(|in_vain| *head > in_vain)).min()
    }

    #[inline]
    pub(super) fn resize(&mut self, now: Instant) {
        let limits = SizeLimits { workers: self.pressure.worker_limit(), may_grow: self.pressure.may_grow() };
        self.size_deadline = None;
        if self.sizer.is_fixed() && self.retired == 0 && limits.workers.is_none() {
            return;
        }
        let demand = self.demand();
        if let Some(resize) = self.sizer.handle_demand(now, &demand, limits) {
            self.apply(now, resize);
        }
        self.size_deadline = self.sizer.next_deadline(self.alive(), limits);
    }

    fn demand(&self) -> Demand {
        // A further worker would not help what is kept from the free ones.
        let mut demand = Demand {
            queued: self.queued() - self.held_back(|_| true),
            urgent: self.queue.urgent() - self.held_back(|needs| needs.urgent),
            ..Demand::default()
        };
        for place in &self.workers {
            demand.alive += u32::from(place.phase != Phase::Retired);
            demand.booting += u32::from(place.phase == Phase::Booting);
            demand.occupied += u32::from(place.is_busy());
        }
        if demand.queued > 0 && self.retired > 0 {
            demand.stranded =
                self.queue.count_where(|needs| self.is_stranded(needs) && self.gates.admits(needs));
            let helps = (0..self.workers.len()).filter(|&index| self.would_help(index));
            demand.helpful = small(helps.count());
        }
        demand.queued_work = self.statistics.mean_run().map(|mean| mean * u64::from(demand.queued));
        demand
    }

    fn apply(&mut self, now: Instant, resize: Resize) {
        let Resize { from, to, reason } = resize;
        if to > from {
            self.outputs.push_back(Output::Resize { from, to, reason });
            for _ in from..to {
                let Some(index) = self.place_to_fill(reason) else { break };
                self.retired -= 1;
                self.spawn(now, index);
            }
        } else {
            let idle = small(self.workers.iter().filter(|place| place.is_idle()).count());
            let going = idle.min(from - to);
            if going > 0 {
                self.outputs.push_back(Output::Resize { from, to: from - going, reason });
            }
            for _ in 0..going {
                let Some(index) = self.place_to_empty() else { break };
                self.retire(now, index);
            }
            // One of them may have stood in for a worker that rests.
            self.wake(now);
        }
        self.sizer.on_resized(now, resize, self.alive());
    }

    /// The best place for a further worker: one for tasks that nobody else can run, then one for any task that waits.
    fn place_to_fill(&self, reason: ResizeReason) -> Option<usize> {
        let retired = (0..self.workers.len()).filter(|&index| self.workers[index].phase == Phase::Retired);
        let helpful = retired.filter(|&index| reason == ResizeReason::Minimum || self.would_help(index));
        helpful.min_by_key(|&index| {
            let rescues = |needs: &Needs| self.is_stranded(needs) && self.may_fill_for(index, needs);
            let known = self.workers[index].offer.is_some();
            let rescues = self.queue.count_where(rescues) > 0;
            (!rescues, !known, index)
        })
    }

    /// The worker with the least to lose: one that rests because it fails, then one of the fewest capabilities, and of those
    /// the last.
    fn place_to_empty(&self) -> Option<usize> {
        let idle = (0..self.workers.len()).filter(|&index| self.workers[index].is_idle());
        idle.min_by_key(|&index| {
            let capabilities = self.workers[index].offer.map_or(0, |offer| offer.capabilities.len());
            (!self.workers[index].rests(), capabilities, core::cmp::Reverse(index))
        })
    }

    fn retire(&mut self, now: Instant, index: usize) {
        let (worker, reason) = (worker_id(index), TerminateReason::Retired);
        let place = &mut self.workers[index];
        place.die(now, reason, &self.config);
        place.phase = Phase::Retired;
        let generation = place.generation;
        self.retired += 1;
        self.candidates.close(worker);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_gone(now, worker);
        }
        self.forget_row(now, index);
        self.speeds.forget(index);
        self.deadlines.cancel(Self::lifecycle_timer(index));
        self.outputs.push_back(Output::Terminate { worker, generation, reason });
        self.soften_hopeless(now);
    }

    /// Whether a worker in this retired place could run something that waits, as far as is known.
    fn would_help(&self, index: usize) -> bool {
        self.workers[index].phase == Phase::Retired
            && self.queue.count_where(|needs| self.may_fill_for(index, needs) && self.gates.admits(needs)) > 0
    }

    fn may_fill_for(&self, index: usize, needs: &Needs) -> bool {
        may_serve(worker_id(index), &self.workers[index], self.config.max_boot_failures, needs)
    }

    /// Whether none of the workers that are up could ever run a task with these needs.
    fn is_stranded(&self, needs: &Needs) -> bool {
        let mut up = self.workers.iter().enumerate().filter(|(_, place)| place.is_up());
        !up.any(|(index, place)| {
            place.offer.is_some_and(|offer| needs.could_be_met_by(worker_id(index), &offer))
        })
    }
}
