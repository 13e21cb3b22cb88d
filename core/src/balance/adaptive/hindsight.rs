//! What advice would have cost, seen from when its outcome is known.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::{TaskId, TaskType, WorkerId};
use crate::time::{Duration, Instant};

/// What one expert advised in one decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Advice {
    pub(super) worker: WorkerId,
    /// The task would have begun there after this completion of the worker's.
    pub(super) start_after: u64,
}

/// A decision whose outcome isn't known yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decision {
    pub(super) task: TaskId,
    pub(super) task_type: TaskType,
    /// When it was taken.
    pub(super) at: Instant,
}

/// The decisions that wait for their outcomes; the oldest gives way where there are too many.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    place_of: IdMap<TaskId, u32>,
    decisions: Vec<Option<Decision>>,
    /// One run of `experts` for each decision.
    advice: Vec<Advice>,
    free: Vec<u32>,
    /// Where the next eviction looks.
    hand: u32,
    experts: usize,
    limit: u32,
}

impl Pending {
    pub(super) fn new(experts: usize, limit: u32) -> Self {
        Self {
            place_of: IdMap::new(),
            decisions: Vec::new(),
            advice: Vec::new(),
            free: Vec::new(),
            hand: 0,
            experts,
            limit,
        }
    }

    /// Takes the place of an earlier decision about the same task.
    pub(super) fn insert(&mut self, decision: Decision, advice: &[Advice]) {
        let place = match self.place_of.get(&decision.task) {
            Some(&place) => place,
            None => self.free_place(),
        };
        self.place_of.insert(decision.task, place);
        self.decisions[place as usize] = Some(decision);
        let start = place as usize * self.experts;
        self.advice[start..start + self.experts].copy_from_slice(advice);
    }

    pub(super) fn remove(&mut self, task: TaskId) -> Option<(Decision, &[Advice])> {
        let place = self.place_of.remove(&task)?;
        let decision = self.decisions[place as usize].take()?;
        self.free.push(place);
        let start = place as usize * self.experts;
        Some((decision, &self.advice[start..start + self.experts]))
    }

    fn free_place(&mut self) -> u32 {
        if let Some(place) = self.free.pop() {
            return place;
        }
        let len = u32::try_from(self.decisions.len()).unwrap_or(u32::MAX);
        if len < self.limit {
            self.decisions.push(None);
            let nobody = Advice { worker: WorkerId::new(0), start_after: 0 };
            self.advice.resize(self.advice.len() + self.experts, nobody);
            return len;
        }
        // Places are filled in turn while nothing is freed, so the hand meets the oldest first.
        let place = self.hand;
        self.hand = (self.hand + 1) % self.limit;
        if let Some(evicted) = self.decisions[place as usize].take() {
            self.place_of.remove(&evicted.task);
        }
        place
    }
}

/// When a worker was done with its last tasks.
///
/// A worker works off its queue in order. So when a task that was never sent to it would have begun there is no
/// guess, some time later: when what lay before it was done.
#[derive(Clone, Debug)]
pub(super) struct Completions {
    count: u64,
    /// When completion number `n` was, counted from 1, at place `n` modulo its length.
    times: [Instant; REMEMBERED],
    /// The share of failures among the last few.
    failure_ratio: f64,
    /// What a failure takes, in nanoseconds.
    failure_nanos: f64,
    /// Failures since the last success.
    streak: u32,
    /// The share of failures before those.
    ratio_before: f64,
}

impl Completions {
    pub(super) const fn new() -> Self {
        Self {
            count: 0,
            times: [Instant::ZERO; REMEMBERED],
            failure_ratio: 0.0,
            failure_nanos: 0.0,
            streak: 0,
            ratio_before: 0.0,
        }
    }

    pub(super) fn observe(&mut self, now: Instant, success: bool, duration: Duration) {
        self.count += 1;
        self.times[place_of(self.count)] = now;
        if success {
            // What was a state of the worker and is over by now isn't held against it.
            let doubt = 1.0 / f64::from(1_u32 << self.streak.saturating_sub(1).min(30));
            self.failure_ratio = self.ratio_before + (self.failure_ratio - self.ratio_before) * doubt;
            self.streak = 0;
        } else {
            if self.streak == 0 {
                self.ratio_before = self.failure_ratio;
            }
            self.streak = self.streak.saturating_add(1);
        }
        self.failure_ratio += NEWEST * (if success { 0.0 } else { 1.0 } - self.failure_ratio);
        if !success {
            self.failure_nanos += NEWEST * (duration.as_nanos() as f64 - self.failure_nanos);
        }
    }

    /// The share of failures among its last few tasks, and what a failure takes, in nanoseconds.
    pub(super) const fn failures(&self) -> (f64, f64) {
        (self.failure_ratio, self.failure_nanos)
    }

    /// After which completion a task would begin that is given to the worker now: it holds `in_flight` others and runs
    /// `concurrency` at a time.
    pub(super) fn start_after(&self, in_flight: u32, concurrency: u32) -> u64 {
        self.count + u64::from((in_flight + 1).saturating_sub(concurrency.max(1)))
    }

    /// When that completion was, as far as it is known: not before `given` and not after `now`, where it is still to come.
    pub(super) fn began(&self, start_after: u64, given: Instant, now: Instant) -> Instant {
        if start_after > self.count {
            return now;
        }
        // One that was forgotten was long ago; the oldest known is the best that can be said.
        let oldest = (self.count + 1).saturating_sub(REMEMBERED as u64);
        self.times[place_of(start_after.max(oldest))].clamp(given, now.max(given))
    }
}

/// What is known in the end of a worker that one expert advised.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outlook {
    /// `None` where it has left.
    pub(super) worker: Option<WorkerId>,
    /// What an attempt there takes on average, in nanoseconds, successful or not.
    pub(super) attempt: f64,
    pub(super) failure_ratio: f64,
}

impl Outlook {
    /// What the advice costs: the attempt and, where that fails, another one on the best of the others; a typical one
    /// where nobody else was advised.
    pub(super) fn cost(&self, all: &[Self], typical: f64) -> f64 {
        let others = all.iter().filter(|other| other.worker != self.worker);
        let alternative =
            others.map(|other| other.attempt + other.failure_ratio * typical).fold(f64::INFINITY, f64::min);
        let again = if alternative.is_finite() { alternative } else { typical };
        self.attempt + self.failure_ratio * again
    }
}

fn place_of(completion: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
    let place = (completion % REMEMBERED as u64) as usize;
    place
}

/// What the newest outcome counts beside all before it.
const NEWEST: f64 = 1.0 / 8.0;
/// So many completions of each worker are remembered.
const REMEMBERED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(task: u64) -> Decision {
        Decision { task: TaskId::new(task), task_type: TaskType::new(0), at: Instant::ZERO }
    }

    fn advice(of: u64) -> [Advice; 2] {
        let worker = |number: u64| WorkerId::new(u32::try_from(number).unwrap());
        [Advice { worker: worker(of), start_after: 1 }, Advice { worker: worker(of + 100), start_after: 2 }]
    }

    #[test]
    fn outcomes_find_their_own_decision_in_any_order() {
        let mut pending = Pending::new(2, 8);
        for round in 0..10 {
            let tasks: Vec<u64> = (0..8).map(|n| round * 8 + n).collect();
            tasks.iter().for_each(|&task| pending.insert(decision(task), &advice(task)));
            for &task in tasks.iter().rev() {
                let (found, given) = pending.remove(TaskId::new(task)).expect("it waits");
                assert_eq!(found.task, TaskId::new(task));
                assert_eq!(u64::from(given[1].worker.get()), task + 100);
            }
            assert!(pending.remove(TaskId::new(round * 8)).is_none());
        }
        assert_eq!(pending.decisions.len(), 8);
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut pending = Pending::new(2, 3);
        (0..5).for_each(|task| pending.insert(decision(task), &advice(task)));
        assert!((0..2).all(|task| pending.remove(TaskId::new(task)).is_none()));
        assert!((2..5).all(|task| pending.remove(TaskId::new(task)).is_some()));
    }

    #[test]
    fn a_second_decision_about_a_task_replaces_the_first() {
        let mut pending = Pending::new(2, 3);
        pending.insert(decision(1), &advice(1));
        pending.insert(decision(1), &advice(7));
        let (_, given) = pending.remove(TaskId::new(1)).expect("it waits");
        assert_eq!(given[0].worker, WorkerId::new(7));
        assert!(pending.remove(TaskId::new(1)).is_none());
    }

    #[test]
    fn failures_in_a_row_are_forgiven_by_the_success_that_ends_them() {
        let mut worker = Completions::new();
        let mut observe = |success| {
            worker.observe(Instant::from_secs(1), success, Duration::from_secs(2));
            worker.failures().0
        };
        let once = observe(false);
        assert!((once - NEWEST).abs() < 1e-12);
        let before = observe(true);
        assert!((before - NEWEST * (1.0 - NEWEST)).abs() < 1e-12, "one alone says something about its share");
        let broken = (0..8).map(|_| observe(false)).last().unwrap();
        assert!(broken > 0.6);
        let after = observe(true);
        let doubt = 1.0 / 128.0;
        assert!((after - (before + (broken - before) * doubt) * (1.0 - NEWEST)).abs() < 1e-12, "{after}");
    }

    /// Three tasks lie on a worker that runs one at a time; a fourth would begin with the third completion.
    #[test]
    fn a_task_begins_when_what_lay_before_it_is_done() {
        let at = Instant::from_millis;
        let mut worker = Completions::new();
        worker.observe(at(1), true, Duration::ZERO);
        let fourth = worker.start_after(3, 1);
        assert_eq!(worker.began(fourth, at(5), at(6)), at(6), "not known yet: not before now");
        [10, 20, 30, 40].into_iter().for_each(|millis| worker.observe(at(millis), true, Duration::ZERO));
        assert_eq!(worker.began(fourth, at(5), at(50)), at(30));
        // An idle one begins at once, one with a free slot as well.
        assert_eq!(worker.began(worker.start_after(0, 1), at(45), at(50)), at(45));
        assert_eq!(worker.began(worker.start_after(2, 4), at(45), at(50)), at(45));
    }

    #[test]
    fn what_is_forgotten_is_as_old_as_the_oldest_known() {
        let at = Instant::from_millis;
        let mut worker = Completions::new();
        let first = worker.start_after(1, 1);
        (1..=100).for_each(|millis| worker.observe(at(millis), true, Duration::ZERO));
        assert_eq!(worker.began(first, at(0), at(100)), at(37));
    }
}
