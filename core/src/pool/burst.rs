//! Bursts: many tasks at one instant of which the same is said.
//!
//! A page that starts a thousand tasks in one turn of its event loop has workers for a few of them; the others can only wait, or are given
//! ahead. Whether that is so depends on nothing that a further such task changes, so that it is found out once for all, and each costs its
//! place in the tables and in the queue.

use crate::ids::TaskId;
use crate::time::Instant;

use super::offer::Needs;
use super::queue::rank;
use super::scheduler::Closing;
use super::tasks::{Task, Turn};
use super::{Scheduler, TaskSpec, WorkerList};

impl Scheduler {
    /// Tasks were submitted of which the same is said: takes in as many of the first as can't start at once, just as
    /// [`Scheduler::handle_submit`] would one by one, and costs a fraction of that. Returns how many; the next is for
    /// `handle_submit`, which also tells where its id is in use. It takes none before the outputs of the last input were fetched,
    /// and stops where there are more than a few dozen.
    ///
    /// ```
    /// use quillwork_core::ids::TaskId;
    /// use quillwork_core::pool::{PoolConfig, Scheduler, TaskSpec};
    /// use quillwork_core::time::Instant;
    ///
    /// // Its workers boot, so that nobody is there yet for any of them.
    /// let mut pool = Scheduler::new(PoolConfig::default(), Instant::ZERO)?;
    /// while pool.poll_output().is_some() {}
    /// let taken = pool.handle_burst(Instant::ZERO, (0..100).map(TaskId::new), &TaskSpec::default());
    /// assert_eq!((taken, pool.stats(Instant::ZERO).queued), (100, 100));
    /// # Ok::<(), quillwork_core::pool::ConfigError>(())
    /// ```
    pub fn handle_burst(
        &mut self,
        now: Instant,
        tasks: impl IntoIterator<Item = TaskId>,
        spec: &TaskSpec,
    ) -> usize {
        let now = self.advance(now);
        let needs = Needs::of(spec, &self.config);
        if !self.nobody_starts(spec, &needs) {
            return 0;
        }
        let rank = rank(now, spec.priority, self.config.ageing);
        let mut gives_ahead = self.may_give_ahead(now, spec, &needs);
        let mut alike = None;
        let mut taken = 0;
        for id in tasks {
            // Who fills the queue is told of.
            let is_last = self.queued_inside().saturating_add(1) >= self.config.max_queued;
            if is_last || self.outputs.len() > FEW_OUTPUTS || self.tasks.contains(id) {
                break;
            }
            let turn = Turn { rank, sequence: self.next_sequence };
            self.next_sequence += 1;
            self.counters.submitted += 1;
            let task = Task::new(id, turn, now, WorkerList::NONE);
            let (lane, slot) = match alike {
                Some((lane, first)) => (lane, self.tasks.insert_alike(task, first)),
                None => (self.queue.lane_for(&needs), self.tasks.insert(task, spec, &needs)),
            };
            alike.get_or_insert((lane, slot));
            self.queue.push_into(lane, turn.entry(slot));
            self.note_waiting(slot);
            if let Some(ttl) = spec.queue_ttl {
                self.deadlines.set(self.task_timer(slot), now + ttl);
            }
            taken += 1;
            let outputs = self.outputs.len();
            if gives_ahead {
                self.prefetch_somewhere(now, slot);
            }
            if self.outputs.len() == outputs {
                self.resize(now);
                self.observe(now);
            } else {
                self.conclude(now);
                gives_ahead = self.may_give_ahead(now, spec, &needs);
            }
        }
        taken
    }

    /// Whether none of the tasks starts of which this is said, however many come at this instant, and nothing else follows from them but what
    /// is given ahead.
    fn nobody_starts(&self, spec: &TaskSpec, needs: &Needs) -> bool {
        self.candidates.pick(needs.required, needs.complexity).is_none()
            && self.closing == Closing::Open
            && self.resting == 0
            && self.reservations == 0
            && self.left_until.is_none()
            && !self.config.threshold
            && !needs.is_large()
            && !self.queue.has_large()
            && !spec.is_particular()
            && self.binder.as_ref().is_none()
            && self.pressure.worker_limit().is_none()
            && self.sheds(spec.priority).is_none()
            && self.unservable(needs).is_none()
            && self.outputs.is_empty()
    }
}

/// The shell has room for some, and more would have to be kept.
const FEW_OUTPUTS: usize = 64;
