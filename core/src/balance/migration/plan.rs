//! The planner: what stays, what goes, and where to.

use alloc::vec::Vec;

use crate::balance::in_flight::InFlightTable;
use crate::balance::rules::Rules;
use crate::balance::{Fleet, InFlight, Ineligible, LoadBalancer, Slot, Task, Urgency, WorkerStatus};
use crate::ids::{TaskId, WorkerId};
use crate::order::sort_by_key;
use crate::time::{Duration, Instant};

use super::MigrationConfig;

/// One task that should wait on another worker than it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Which task. It has not started.
    pub task: TaskId,
    /// On which worker it waits.
    pub from: WorkerId,
    /// Which one would be done with it sooner.
    pub to: WorkerId,
    /// By how much sooner, the cost taken off.
    pub gain: Duration,
    /// What the move costs: the messages, its bytes, a cold cache.
    pub cost: Duration,
    /// 1 for a gain that is just worth it, one more for each doubling.
    pub urgency: Urgency,
}

impl LoadBalancer {
    /// Tasks that are worth their move, the ones that gain most first, into `out`.
    ///
    /// A task is moved only where it has not started: not told to have, and not among the first tasks of its worker, as many as that
    /// one runs at a time. With
    ///
    /// ```text
    /// stay = work ahead of it / lanes + its run time, on its worker
    /// go   = work / lanes + its run time, on the other (no wait where a lane is free)
    /// cost = latency of both + bytes / transfer rate + cold start
    /// ```
    ///
    /// it is suggested where `stay - go >= margin * cost + min_gain`. A task with affinity to the worker it waits on stays there unless that
    /// one is offline or ejected; bans, capabilities and capacities are kept. A run that has taken longer than
    /// expected is expected to take as long again, so the queue of a stalled worker empties.
    ///
    /// Each suggestion counts with the ones before it. Nothing is changed: the shell takes the task back, and where
    /// that worked tells [`handle_assigned`](LoadBalancer::handle_assigned). Tasks with a list of more than
    /// [`FewWorkers::MOST`](crate::balance::FewWorkers::MOST) bans are never suggested.
    pub fn suggest_migration(&mut self, now: Instant, out: &mut Vec<Migration>) {
        self.refresh(now);
        self.planner.plan(now, (&self.fleet, &self.rules), &self.tasks, out);
    }

    /// The same for queues that the shell keeps itself: `held` is what the workers hold, each with its worker and the ones
    /// that go first first; what of it is past a worker's lanes waits. The loads are those that were reported. Tasks of
    /// unknown workers, and a second one of an id, are left out.
    pub fn suggest_migration_of(
        &mut self,
        now: Instant,
        held: &[(Task<'_>, WorkerId)],
        out: &mut Vec<Migration>,
    ) {
        self.refresh(now);
        let mut tasks = InFlightTable::new();
        for (task, worker) in held {
            if self.fleet.slot_of(*worker).is_some() && tasks.find(task.id).is_none() {
                let expected_nanos = nanos(self.fleet.typical_nanos(task.task_type));
                tasks.insert(InFlight::new(now, task, *worker, expected_nanos));
            }
        }
        self.planner.plan(now, (&self.fleet, &self.rules), &tasks, out);
    }
}

/// Plans moves. What it holds is room for the next plan.
#[derive(Debug)]
pub(in crate::balance) struct Planner {
    config: MigrationConfig,
    /// By slot.
    places: Vec<Place>,
    sources: Vec<Slot>,
    /// Everyone, the shortest wait first: who waits too long to be worth a move is never looked at.
    targets: Vec<Slot>,
    waiting: Vec<Waiting>,
    /// Pairs of a task and a target that were compared for this plan.
    pub(super) compared: usize,
    /// How many those may be when the source at hand is through.
    most_compared: usize,
}

/// A worker with what the plan brings and takes.
#[derive(Clone, Copy, Debug)]
struct Place {
    tasks: u64,
    lanes: u64,
    work_nanos: u64,
    /// Load units that the plan brings; what it takes away is not free before it has gone.
    coming: u64,
}

/// A task that has not started.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    task: InFlight,
    /// Work of the tasks before it.
    ahead_nanos: u64,
    /// What it takes on its worker.
    service_nanos: u64,
}

/// Where a task would go.
#[derive(Clone, Copy, Debug)]
struct Offer {
    to: Slot,
    net_nanos: u64,
    cost: Duration,
    service_nanos: u64,
}

impl Planner {
    pub(in crate::balance) fn new(config: MigrationConfig) -> Self {
        Self {
            config,
            places: Vec::new(),
            sources: Vec::new(),
            targets: Vec::new(),
            waiting: Vec::new(),
            compared: 0,
            most_compared: 0,
        }
    }

    fn plan(
        &mut self,
        now: Instant,
        (fleet, rules): (&Fleet, &Rules),
        tasks: &InFlightTable,
        out: &mut Vec<Migration>,
    ) {
        out.clear();
        self.compared = 0;
        self.places.clear();
        for slot in fleet.slots() {
            let place = self.look_at(now, fleet, tasks, slot);
            self.places.push(place);
        }
        let mut sources = core::mem::take(&mut self.sources);
        sources.clear();
        sources.extend(fleet.slots().filter(|&slot| self.places[slot.index()].wait_nanos() > 0));
        // Those who wait longest are helped first, before the others' room is taken.
        sort_by_key(&mut sources, |&slot| (core::cmp::Reverse(self.places[slot.index()].wait_nanos()), slot));
        let places = &self.places;
        self.targets.clear();
        self.targets.extend(fleet.slots());
        sort_by_key(&mut self.targets, |&slot| (places[slot.index()].wait_nanos(), slot));
        let share = MOST_COMPARISONS / sources.len().max(1);
        for &from in &sources {
            if out.len() >= self.config.limit as usize {
                break;
            }
            self.look_at(now, fleet, tasks, from);
            self.most_compared = self.compared + share.max(fleet.len());
            self.relieve(now, (fleet, rules), from, out);
        }
        self.sources = sources;
        sort_by_key(out, |migration| (core::cmp::Reverse(migration.gain), migration.task));
    }

    /// What a worker has to do; its waiting tasks are in `waiting`, the last assigned at the end.
    fn look_at(&mut self, now: Instant, fleet: &Fleet, tasks: &InFlightTable, slot: Slot) -> Place {
        self.waiting.clear();
        let lanes = u64::from(fleet.spec(slot).concurrency.max(1));
        let is_offline = fleet.status(slot) == WorkerStatus::Offline;
        let away = if is_offline { self.config.outage.as_nanos().saturating_mul(lanes) } else { 0 };
        let mut place = Place { tasks: 0, lanes, work_nanos: away, coming: 0 };
        let mut running = 0;
        for task in tasks.of_worker(fleet.worker(slot)) {
            let service_nanos = nanos(fleet.service_nanos(slot, task.task_type, now));
            place.tasks += 1;
            if task.started_at.is_some() || running < lanes {
                running += 1;
                let since = task.started_at.unwrap_or(task.assigned_at.max(fleet.progress(slot)));
                let elapsed = (now - since).as_nanos();
                // Past what was expected nobody knows: as long again.
                let rest = if elapsed < service_nanos { service_nanos - elapsed } else { elapsed };
                place.work_nanos = place.work_nanos.saturating_add(rest);
            } else {
                self.waiting.push(Waiting { task: *task, ahead_nanos: place.work_nanos, service_nanos });
                place.work_nanos = place.work_nanos.saturating_add(service_nanos);
            }
        }
        place
    }

    fn relieve(
        &mut self,
        now: Instant,
        (fleet, rules): (&Fleet, &Rules),
        from: Slot,
        out: &mut Vec<Migration>,
    ) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of a number of tasks"
        )]
        let mut left = libm::ceil(self.waiting.len() as f64 * self.config.max_share) as usize;
        // The last first: nobody waits behind it.
        let most = self.config.limit as usize * LOOKS_PER_MOVE;
        for index in (0..self.waiting.len()).rev().take(most) {
            let is_full = out.len() >= self.config.limit as usize;
            if left == 0 || is_full || self.compared >= self.most_compared {
                return;
            }
            let waiting = self.waiting[index];
            let Some(offer) = self.best_offer(now, (fleet, rules), from, &waiting) else { continue };
            let source = &mut self.places[from.index()];
            source.work_nanos = source.work_nanos.saturating_sub(waiting.service_nanos);
            source.tasks = source.tasks.saturating_sub(1);
            let target = &mut self.places[offer.to.index()];
            target.work_nanos = target.work_nanos.saturating_add(offer.service_nanos);
            target.tasks += 1;
            target.coming += u64::from(waiting.task.complexity.get());
            left -= 1;
            [from, offer.to].into_iter().for_each(|slot| self.rank_again(slot));
            out.push(Migration {
                task: waiting.task.task,
                from: waiting.task.worker,
                to: fleet.worker(offer.to),
                gain: Duration::from_nanos(offer.net_nanos),
                cost: offer.cost,
                urgency: self.urgency(offer.net_nanos),
            });
        }
    }

    fn best_offer(
        &mut self,
        now: Instant,
        (fleet, rules): (&Fleet, &Rules),
        from: Slot,
        waiting: &Waiting,
    ) -> Option<Offer> {
        let task = &waiting.task;
        // Where the list was longer than what is kept of it, it may have named this worker.
        let is_at_home = task.affinity.as_slice().contains(&task.worker) || !task.affinity.is_complete();
        let is_cut_off = fleet.status(from) == WorkerStatus::Offline
            || fleet.ejected_until(from).is_some_and(|until| until > now);
        if !task.anti_affinity.is_complete() || is_at_home && !is_cut_off {
            return None;
        }
        let stay =
            (waiting.ahead_nanos / self.places[from.index()].lanes).saturating_add(waiting.service_nanos);
        let longest_wait = stay.checked_sub(self.config.min_gain.as_nanos())?;
        let mut best: Option<Offer> = None;
        for &to in &self.targets {
            let wait = self.places[to.index()].wait_nanos();
            if wait > longest_wait || self.compared >= self.most_compared {
                break;
            }
            self.compared += 1;
            if to == from || !self.may_go(fleet, rules, task, to) {
                continue;
            }
            let service_nanos = nanos(fleet.service_nanos(to, task.task_type, now));
            let cost = self.cost(now, fleet, task, (from, to));
            let gross_nanos = stay.saturating_sub(wait.saturating_add(service_nanos));
            let net_nanos = gross_nanos.saturating_sub(cost.as_nanos());
            let least = cost.as_nanos() as f64 * self.config.margin + self.config.min_gain.as_nanos() as f64;
            let is_worth_it = net_nanos > 0 && gross_nanos as f64 >= least;
            let is_better = best.is_none_or(|best| {
                net_nanos > best.net_nanos
                    || net_nanos == best.net_nanos && fleet.last_picked(to) < fleet.last_picked(best.to)
            });
            if is_worth_it && is_better {
                best = Some(Offer { to, net_nanos, cost, service_nanos });
            }
        }
        best
    }

    /// Puts a worker whose wait has changed where it belongs among the targets.
    fn rank_again(&mut self, slot: Slot) {
        let place = self.targets.iter().position(|&target| target == slot).expect("everyone is a target");
        self.targets.remove(place);
        let places = &self.places;
        let rank = |slot: Slot| (places[slot.index()].wait_nanos(), slot);
        let place = self.targets.partition_point(|&target| rank(target) < rank(slot));
        self.targets.insert(place, slot);
    }

    /// Whether the worker may have the task, and has room for it beside what the plan brings.
    fn may_go(&self, fleet: &Fleet, rules: &Rules, task: &InFlight, to: Slot) -> bool {
        let coming = self.places[to.index()].coming;
        if coming + u64::from(task.complexity.get()) > u64::from(fleet.free(to).get()) {
            return false;
        }
        let asked = Task {
            task_type: task.task_type,
            required: task.required,
            complexity: task.complexity,
            anti_affinity: task.anti_affinity.as_slice(),
            ..Task::new(task.task)
        };
        Ineligible::check(fleet, rules, &asked, fleet.worker(to)).is_ok()
    }

    fn cost(&self, now: Instant, fleet: &Fleet, task: &InFlight, (from, to): (Slot, Slot)) -> Duration {
        let bytes = u128::from(task.size_hint_bytes.unwrap_or(0));
        let transfer = bytes * NANOS_PER_SEC / u128::from(self.config.bytes_per_second);
        let transfer = Duration::from_nanos(u64::try_from(transfer).unwrap_or(u64::MAX));
        let likes = task.affinity.as_slice();
        let is_warm = if likes.is_empty() {
            fleet.type_evidence(to, task.task_type, now) >= 1.0
        } else {
            likes.contains(&fleet.worker(to))
        };
        let cold = if is_warm { Duration::ZERO } else { self.config.cold_start };
        fleet.spec(from).latency + fleet.spec(to).latency + transfer + cold
    }

    fn urgency(&self, net_nanos: u64) -> Urgency {
        let times = net_nanos / self.config.min_gain.as_nanos().max(1);
        Urgency::new(u8::try_from(1 + times.max(1).ilog2()).unwrap_or(u8::MAX))
    }
}

impl Place {
    /// How long a task waits that comes last.
    const fn wait_nanos(&self) -> u64 {
        if self.tasks < self.lanes { 0 } else { self.work_nanos / self.lanes }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of u64s; `as` saturates")]
fn nanos(mean: f64) -> u64 {
    mean as u64
}

/// So many tasks of a worker are looked at for each move that there may be: those before them wait for less, and are worth
/// their move less.
const LOOKS_PER_MOVE: usize = 4;
/// So many pairs of a task and a target are compared for one plan, shared out among the sources; each source may compare
/// one task with everybody.
const MOST_COMPARISONS: usize = 1 << 20;
const NANOS_PER_SEC: u128 = 1_000_000_000;
