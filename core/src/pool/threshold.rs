//! A slow worker leaves a task to faster ones that will be free soon enough.
//!
//! Late binding by itself keeps no worker idle while a task waits, and so gives a task to a worker that takes eight times as
//! long because a fast one is busy for another millisecond. With [`PoolConfig::threshold`](super::PoolConfig::threshold) a
//! free worker takes a task only once so many wait that the faster workers would not be done with them sooner: the threshold
//! policy of Lin and Kumar, "Optimal control of a queueing system with two heterogeneous servers", IEEE Transactions on
//! Automatic Control 29, 1984, for several faster workers by their rates.
//!
//! Let `n` tasks of a type wait, each faster worker `w` take `r` on average for what it runs and `m` for such a task, and the
//! free worker take `own`. Then the last of the `n` can be expected to be done on a faster worker after
//! `(n + sum of m / r) / sum of 1 / r`, and the free worker leaves the first while that is less than `own`. For the
//! comparison, `own` is the measured mean less half of the mean deviation: noise must not look like slowness.
//!
//! Only the first of the tasks with the same needs is looked at; those behind it wait for their turn, as ever.
//!
//! Only what was measured counts. A worker takes the task all the same where
//!
//! * it, or every worker that seems faster, has not been measured with the type (or with what that one runs) often enough;
//! * a faster worker runs what it has for eight times as long as such a task takes there: nobody knows when it will be free;
//! * the task has waited for as long as the detour costs, `own` less the fastest mean: what waiting costs is bounded by that
//!   however wrong the estimates are;
//! * the task would expire before, or the queue is full, or the task was bound early;
//! * the worker was not measured with the type for 32 times its mean: it may have become fast.
//!
//! What a faster worker was given ahead and has not started is left to it in the same way.
//!
//! Between inputs, [`Scheduler::next_deadline`] tells when the first that was left is to be looked at again.

use crate::time::{Duration, Instant};

use super::Scheduler;
use super::candidates::worker_id;
use super::held::Stage;
use super::speeds::{Measured, TRIAL_AFTER};
use super::tasks::TaskRef;
use super::worker::Worker;

impl Scheduler {
    /// Until when the worker leaves the first of so many waiting tasks with its needs to faster ones; `None` where it takes it.
    pub(super) fn leaves(&self, now: Instant, index: usize, first: u32, waiting: u32) -> Option<Instant> {
        if !self.config.threshold || self.queued() >= self.config.max_queued {
            return None;
        }
        let task = self.tasks.task(first);
        if task.needs().line.is_some() {
            return None;
        }
        let own = self.speeds.measured(task.spec().task_type, index)?;
        if now - own.at >= own.mean.saturating_mul(TRIAL_AFTER) {
            return None;
        }
        let mut faster = Faster::default();
        for (other, place) in self.workers.iter().enumerate() {
            if other != index {
                self.count_faster(&mut faster, now, task, &own, other, place);
            }
        }
        let done_after = (f64::from(waiting) + faster.work) / faster.rate;
        // What is given back, ahead of its start, has waited since it came.
        let since = if task.attempts == 0 { task.submitted_at } else { task.queued_at };
        let until = since + (own.mean - faster.fastest?);
        let expires = task.spec().queue_ttl.is_some_and(|ttl| task.queued_at + ttl <= until);
        let pays = nanos(own.at_least) > done_after && now < until && !expires;
        pays.then_some(until)
    }

    /// Lets free workers look again at what they have left to others: it has become more, or older, or the others are gone.
    pub(super) fn offer_left(&mut self, now: Instant) {
        if self.left_until.take().is_none() {
            return;
        }
        for index in 0..self.workers.len() {
            self.feed(now, index);
        }
    }

    fn count_faster(
        &self,
        faster: &mut Faster,
        now: Instant,
        task: TaskRef<'_>,
        own: &Measured,
        other: usize,
        place: &Worker,
    ) {
        let may = place.offer.is_some_and(|offer| task.needs().met_by(worker_id(other), &offer));
        if !may || !place.stays() || place.rests() {
            return;
        }
        let Some(mean) = self.speeds.measured(task.spec().task_type, other).map(|measured| measured.mean)
        else {
            return;
        };
        if mean >= own.at_least {
            return;
        }
        for held in place.held.started().filter(|held| held.runs()) {
            let Stage::Started(at) = held.stage else { continue };
            let runs = self.tasks.task(held.slot).spec().task_type;
            let Some(measured) = self.speeds.measured(runs, other) else { continue };
            if now - at < measured.mean.saturating_mul(STUCK_AFTER) {
                let rate = 1.0 / nanos(measured.mean);
                faster.rate += rate;
                faster.work += nanos(mean) * rate;
                faster.fastest = Some(faster.fastest.map_or(mean, |fastest| fastest.min(mean)));
            }
        }
    }
}

/// The faster workers that will be free.
#[derive(Clone, Copy, Debug, Default)]
struct Faster {
    /// How many tasks they finish in a nanosecond.
    rate: f64,
    /// What one more task keeps them, in tasks of the kinds that they run.
    work: f64,
    /// The shortest mean.
    fastest: Option<Duration>,
}

/// At least 1.
fn nanos(duration: Duration) -> f64 {
    duration.as_nanos().max(1) as f64
}

/// In means of what is running.
const STUCK_AFTER: u64 = 8;
