//! The workers of a fleet that come and go by themselves: remote processes, other hosts, browsers' tabs.
//!
//! A [`Scheduler`](super::Scheduler) spawns its workers and so knows them. A host whose workers start elsewhere keeps a
//! [`Registry`]: a worker registers and holds a lease, which every message of it renews; it is judged by its errors, its
//! latency and its silence (see [`Health`]); what is assigned to it is known, and is handed back exactly once, completed
//! or orphaned. Which worker gets a task is decided elsewhere: a query gives the candidates.
//!
//! Whoever falls silent is asked first, and lost when it does not answer. A lost worker that comes back registers anew and
//! gets a new generation; what its former life still says is refused as stale.
//!
//! ```
//! use quillwork_core::ids::{TaskId, WorkerId};
//! use quillwork_core::pool::registry::{Assignment, Query, Registration, Registry, RegistryConfig, RegistryOutput};
//! use quillwork_core::pool::{Capabilities, Health};
//! use quillwork_core::time::{Duration, Instant};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let gpu = Capabilities::from_bits(1);
//! let at = Instant::from_secs;
//! let mut registry = Registry::new(RegistryConfig { lease: Duration::from_secs(30), ..RegistryConfig::default() })?;
//! let worker = WorkerId::new(7);
//! registry.handle_register(at(0), worker, Registration { capabilities: gpu, ..Registration::default() })?;
//!
//! let candidates = Query { required: gpu, ..Query::usable() };
//! let found: Vec<WorkerId> = registry.query(at(1), candidates).map(|found| found.worker).collect();
//! assert_eq!(found, [worker]);
//!
//! let task = TaskId::new(1);
//! let generation = registry.handle_assign(at(1), worker, Assignment::of(task))?;
//!
//! // It is never heard of again: asked after half of its lease, lost after the other half.
//! registry.handle_deadline(at(15));
//! assert_eq!(registry.poll_output(), Some(RegistryOutput::Probe { worker, generation }));
//! registry.handle_deadline(at(30));
//! let outputs: Vec<RegistryOutput> = std::iter::from_fn(|| registry.poll_output()).collect();
//! assert!(outputs.contains(&RegistryOutput::Orphaned { task, worker, generation }));
//! assert_eq!(registry.health(at(31), worker), Some(Health::Lost));
//! # Ok(())
//! # }
//! ```

mod config;
mod entry;
mod output;
mod query;
mod refusal;

#[cfg(test)]
mod tests;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::deadline::Deadlines;
use crate::id_map::IdMap;
use crate::ids::{Generation, TaskId, WorkerId};
use crate::time::{Duration, Instant};

use super::{Capabilities, Health, LeaseCheck};
use entry::{Assigned, Entry};

pub use config::{Registration, RegistryConfig, RegistryConfigError};
pub use output::{LeaveReason, RegistryOutput};
pub use query::{Membership, Query, WorkerTotals, WorkerView};
pub use refusal::{AssignRefusal, Assignment, NotAssigned, RegistryFull, Stale};

/// The table of a fleet's workers: see the [module](self).
///
/// Driven as the [crate] describes. A `now` earlier than the last one counts as the last one.
#[derive(Clone, Debug)]
pub struct Registry {
    config: RegistryConfig,
    /// By slot. Slots are used again.
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// In order of id, so that queries answer in that order.
    by_id: BTreeMap<WorkerId, u32>,
    by_task: IdMap<TaskId, WorkerId>,
    deadlines: Deadlines,
    outputs: VecDeque<RegistryOutput>,
    now: Instant,
}

impl Registry {
    /// A registry without workers.
    ///
    /// # Errors
    ///
    /// Where a setting can't be used.
    pub fn new(config: RegistryConfig) -> Result<Self, RegistryConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            entries: Vec::new(),
            free: Vec::new(),
            by_id: BTreeMap::new(),
            by_task: IdMap::new(),
            deadlines: Deadlines::new(),
            outputs: VecDeque::new(),
            now: Instant::ZERO,
        })
    }

    /// A worker introduces itself. One that is known by this id is replaced: the tasks of its former life are orphaned,
    /// its totals go on. Its messages must carry the generation that is returned.
    ///
    /// # Errors
    ///
    /// Where there are as many workers as may be. Lost ones make room.
    pub fn handle_register(
        &mut self,
        now: Instant,
        worker: WorkerId,
        registration: Registration,
    ) -> Result<Generation, RegistryFull> {
        let now = self.advance(now);
        let registration = registration.within_bounds();
        if let Some(slot) = self.slot_of(worker) {
            if self.entry(slot).membership() != Membership::Lost {
                self.orphan_all(slot);
                self.leave(slot, LeaveReason::Replaced);
            }
            self.entry_mut(slot).begin_anew(now, registration);
            self.arm(now, slot);
            return Ok(self.entry(slot).generation);
        }
        if self.by_id.len() >= self.config.max_workers as usize && !self.forget_oldest_lost() {
            return Err(RegistryFull { limit: self.config.max_workers });
        }
        let entry = Entry::new(now, worker, registration, self.config.health);
        let generation = entry.generation;
        let slot = if let Some(slot) = self.free.pop() {
            self.entries[slot as usize] = Some(entry);
            slot
        } else {
            self.entries.push(Some(entry));
            super::scheduler::small(self.entries.len() - 1)
        };
        self.by_id.insert(worker, slot);
        self.arm(now, slot);
        Ok(generation)
    }

    /// A sign of life. Returns until when its lease holds without a further one.
    ///
    /// # Errors
    ///
    /// Where this life of the worker is over: it has to register anew.
    pub fn handle_heartbeat(
        &mut self,
        now: Instant,
        worker: WorkerId,
        generation: Generation,
    ) -> Result<Instant, Stale> {
        let now = self.advance(now);
        let slot = self.current(worker, generation)?;
        self.saw(now, slot);
        Ok(now + self.config.lease)
    }

    /// What the worker can do has changed. What was assigned to it stays.
    ///
    /// # Errors
    ///
    /// As [`Registry::handle_heartbeat`].
    pub fn handle_capabilities(
        &mut self,
        now: Instant,
        worker: WorkerId,
        generation: Generation,
        capabilities: Capabilities,
    ) -> Result<(), Stale> {
        let now = self.advance(now);
        let slot = self.current(worker, generation)?;
        self.saw(now, slot);
        self.entry_mut(slot).registration.capabilities = capabilities;
        Ok(())
    }

    /// A task is given to a worker. Returns the generation that has to report on it.
    ///
    /// # Errors
    ///
    /// Where the worker can't take it; nothing has changed then.
    pub fn handle_assign(
        &mut self,
        now: Instant,
        worker: WorkerId,
        assignment: Assignment,
    ) -> Result<Generation, AssignRefusal> {
        let now = self.advance(now);
        let slot = self.slot_of(worker).ok_or(AssignRefusal::NotRegistered)?;
        if let Some(&holder) = self.by_task.get(&assignment.task) {
            return Err(AssignRefusal::AlreadyAssigned { worker: holder });
        }
        let entry = self.entry_mut(slot);
        entry.assign(now, assignment)?;
        let generation = entry.generation;
        self.by_task.insert(assignment.task, worker);
        Ok(generation)
    }

    /// A worker reports the end of a task. Returns how long it had it.
    ///
    /// `expected` is what such a task takes elsewhere, where that is known: it tells a slow worker from a long task.
    ///
    /// # Errors
    ///
    /// Where this life of the worker is over, or doesn't have the task (any more): somebody else may have it by now. The
    /// message is a sign of life in the second case.
    pub fn handle_complete(
        &mut self,
        now: Instant,
        worker: WorkerId,
        generation: Generation,
        task: TaskId,
        success: bool,
        expected: Option<Duration>,
    ) -> Result<Duration, NotAssigned> {
        let now = self.advance(now);
        let slot = self.current(worker, generation).map_err(NotAssigned::Stale)?;
        self.saw(now, slot);
        let Some(Assigned { since, .. }) = self.entry_mut(slot).take(task) else {
            return Err(NotAssigned::UnknownTask { task });
        };
        self.by_task.remove(&task);
        let took = now - since;
        self.entry_mut(slot).count(now, success, took, expected);
        self.report_health(now, slot);
        self.finish_drain(slot);
        Ok(took)
    }

    /// The worker shall finish what it has and get nothing more. It leaves once it has nothing.
    ///
    /// # Errors
    ///
    /// Where no such worker is registered.
    pub fn handle_drain(&mut self, now: Instant, worker: WorkerId) -> Result<(), Stale> {
        self.advance(now);
        let slot = self.living(worker)?;
        self.entry_mut(slot).draining = true;
        self.finish_drain(slot);
        Ok(())
    }

    /// The worker leaves at once, and what it has is orphaned. Also how a connection that broke is told.
    ///
    /// # Errors
    ///
    /// Where no such worker is registered.
    pub fn handle_remove(&mut self, now: Instant, worker: WorkerId) -> Result<(), Stale> {
        self.advance(now);
        let slot = self.slot_of(worker).ok_or(Stale { current: None })?;
        if self.entry(slot).membership() != Membership::Lost {
            self.orphan_all(slot);
            self.leave(slot, LeaveReason::Removed);
        }
        self.forget(slot);
        Ok(())
    }

    /// Time has passed: asks silent workers, gives those up that did not answer, forgets those that were lost long ago.
    pub fn handle_deadline(&mut self, now: Instant) {
        let now = self.advance(now);
        while let Some(slot) = self.deadlines.pop_due(now) {
            if self.entry(slot).membership() == Membership::Lost {
                self.leave(slot, LeaveReason::Forgotten);
                self.forget(slot);
                continue;
            }
            let lease = self.config.lease;
            let entry = self.entry_mut(slot);
            let (worker, generation) = (entry.worker, entry.generation);
            match entry.lease.check_or_ask_again(now, lease) {
                LeaseCheck::Current { .. } => {}
                LeaseCheck::Probe { .. } => {
                    entry.health.on_probed();
                    self.outputs.push_back(RegistryOutput::Probe { worker, generation });
                }
                LeaseCheck::Lapsed => {
                    entry.health.on_lost();
                    entry.totals.lost += 1;
                    self.report_health(now, slot);
                    self.orphan_all(slot);
                    self.leave(slot, LeaveReason::Lost);
                    self.deadlines.set(slot, now + self.config.forget_lost_after);
                    continue;
                }
            }
            self.report_health(now, slot);
            self.arm(now, slot);
        }
    }

    /// What to do or to know. To be called until `None` after each input.
    pub fn poll_output(&mut self) -> Option<RegistryOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`Registry::handle_deadline`] if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The workers that the query asks for, in order of their ids.
    pub fn query(&self, now: Instant, query: Query) -> impl Iterator<Item = WorkerView> {
        let now = now.max(self.now);
        let views = self.by_id.values().map(move |&slot| self.entry(slot).view(now));
        views.filter(move |view| query.matches(view))
    }

    /// One worker, lost ones included.
    #[must_use]
    pub fn worker(&self, now: Instant, worker: WorkerId) -> Option<WorkerView> {
        Some(self.entry(self.slot_of(worker)?).view(now.max(self.now)))
    }

    /// How well a worker is.
    #[must_use]
    pub fn health(&self, now: Instant, worker: WorkerId) -> Option<Health> {
        self.worker(now, worker).map(|view| view.health)
    }

    /// Who has a task.
    #[must_use]
    pub fn holder(&self, task: TaskId) -> Option<WorkerId> {
        self.by_task.get(&task).copied()
    }

    /// How many workers are known, lost ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn advance(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    fn slot_of(&self, worker: WorkerId) -> Option<u32> {
        self.by_id.get(&worker).copied()
    }

    fn living(&self, worker: WorkerId) -> Result<u32, Stale> {
        let slot = self.slot_of(worker).filter(|&slot| self.entry(slot).membership() != Membership::Lost);
        slot.ok_or(Stale { current: None })
    }

    /// The slot of the life of a worker that goes on.
    fn current(&self, worker: WorkerId, generation: Generation) -> Result<u32, Stale> {
        let slot = self.living(worker)?;
        let current = self.entry(slot).generation;
        if current == generation { Ok(slot) } else { Err(Stale { current: Some(current) }) }
    }

    fn entry(&self, slot: u32) -> &Entry {
        self.entries[slot as usize].as_ref().expect(SLOT_IN_USE)
    }

    fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        self.entries[slot as usize].as_mut().expect(SLOT_IN_USE)
    }

    fn saw(&mut self, now: Instant, slot: u32) {
        let entry = self.entry_mut(slot);
        entry.lease.renew(now);
        entry.health.on_seen();
        self.report_health(now, slot);
    }

    /// The timer looks, when it fires, how long ago the last word was; it is only moved where it would be late.
    fn arm(&mut self, now: Instant, slot: u32) {
        let lease = self.config.lease;
        let entry = self.entry(slot);
        let checked = entry.lease.next_check(lease);
        let at = entry.health.next_change(now).map_or(checked, |change| change.min(checked));
        if self.deadlines.at(slot).is_none_or(|set| at < set) {
            self.deadlines.set(slot, at);
        }
    }

    fn report_health(&mut self, now: Instant, slot: u32) {
        let entry = self.entry_mut(slot);
        let (to, reason) = (entry.health.health(now), entry.health.reason(now));
        let from = core::mem::replace(&mut entry.reported, to);
        let worker = entry.worker;
        if from != to {
            self.outputs.push_back(RegistryOutput::HealthChanged { worker, from, to, reason });
        }
        if to != Health::Lost {
            self.arm(now, slot);
        }
    }

    fn orphan_all(&mut self, slot: u32) {
        let entry = self.entries[slot as usize].as_mut().expect(SLOT_IN_USE);
        let (worker, generation) = (entry.worker, entry.generation);
        entry.totals.orphaned += entry.assigned.len() as u64;
        entry.load = super::Load::ZERO;
        for Assigned { task, .. } in entry.assigned.drain(..) {
            self.by_task.remove(&task);
            self.outputs.push_back(RegistryOutput::Orphaned { task, worker, generation });
        }
    }

    fn leave(&mut self, slot: u32, reason: LeaveReason) {
        let entry = self.entry(slot);
        let (worker, generation) = (entry.worker, entry.generation);
        self.outputs.push_back(RegistryOutput::Left { worker, generation, reason });
    }

    fn finish_drain(&mut self, slot: u32) {
        let entry = self.entry(slot);
        if entry.draining && entry.assigned.is_empty() {
            self.leave(slot, LeaveReason::Drained);
            self.forget(slot);
        }
    }

    fn forget(&mut self, slot: u32) {
        self.deadlines.cancel(slot);
        if let Some(entry) = self.entries[slot as usize].take() {
            self.by_id.remove(&entry.worker);
            self.free.push(slot);
        }
    }

    fn forget_oldest_lost(&mut self) -> bool {
        let lost =
            self.by_id.values().copied().filter(|&slot| self.entry(slot).membership() == Membership::Lost);
        let Some(oldest) = lost.min_by_key(|&slot| self.entry(slot).lease.last_seen()) else { return false };
        self.leave(oldest, LeaveReason::Forgotten);
        self.forget(oldest);
        true
    }
}

const SLOT_IN_USE: &str = "a slot is found by id or by its timer, which both end with its entry";
