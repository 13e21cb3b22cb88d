//! The two bounds: one queue, and nobody has to guess.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use quillwork_core::ids::TaskType;
use quillwork_core::time::{Duration, Instant};

use super::world::{Binder, World, share};

/// One queue in the order of arrival, by a dispatcher that knows what no real one can: how fast each worker is and whether
/// it is faulty, at every moment. Workers that are sure to fail a task are left out; of those that fail some of their
/// tasks, the ones that the task has failed on already. With a single kind of task and equal workers it is the queue M/G/k
/// either way.
///
/// *Work-conserving*, it is the central queue of queueing theory: a free worker is never idle while a task waits that it may
/// run, and of several free workers a task gets the fastest (the fastest-server-first discipline).
///
/// *Clairvoyant*, it knows besides when what runs will end. Each time that anything happens it plans what waits, task by task
/// in its order, each on the worker where it can be expected to end first; of equals the fastest. Those whose worker is
/// free begin, the others go on waiting and are planned anew. So a slow worker stays idle while a faster one will be free
/// soon enough. It doesn't know how long a task will take that hasn't begun, only what its type takes on average.
#[derive(Debug)]
pub(super) struct CentralQueue {
    clairvoyant: bool,
    waiting: VecDeque<u32>,
    /// What tasks of each type take on average, on a worker of speed 1.
    means: BTreeMap<TaskType, Duration>,
    /// By server, when each of its lanes is free by the plan, the soonest last. None of a worker that gets nothing.
    plan: Vec<Vec<Instant>>,
}

impl CentralQueue {
    pub(super) fn work_conserving() -> Self {
        Self { clairvoyant: false, waiting: VecDeque::new(), means: BTreeMap::new(), plan: Vec::new() }
    }

    pub(super) fn clairvoyant() -> Self {
        Self { clairvoyant: true, ..Self::work_conserving() }
    }

    fn feed(&mut self, world: &mut World<'_>) {
        let mut free = self.plan_from(world);
        let mut place = 0;
        while free > 0
            && let Some(&attempt) = self.waiting.get(place)
        {
            let Some((server, ends_at)) = self.soonest(world, attempt) else {
                place += 1;
                continue;
            };
            let lanes = &mut self.plan[server];
            let begins_at = lanes.pop().expect("it was chosen for its lane");
            let rank = lanes.partition_point(|free_at| *free_at > ends_at);
            lanes.insert(rank, ends_at);
            if begins_at > world.now {
                place += 1;
                continue;
            }
            free -= 1;
            self.waiting.remove(place);
            world.dispatch(self, attempt, server);
            world.limit(attempt);
        }
    }

    /// Starts a plan with what runs now. How many lanes are free.
    fn plan_from(&mut self, world: &World<'_>) -> usize {
        self.plan.resize(world.servers.len(), Vec::new());
        let mut free = 0;
        for (lanes, server) in self.plan.iter_mut().zip(&world.servers) {
            lanes.clear();
            if server.is_sound() {
                lanes.extend(server.running.iter().map(|running| running.ends_at.max(world.now)));
                lanes.sort_unstable_by(|one, other| other.cmp(one));
                lanes.extend(core::iter::repeat_n(world.now, server.free_lanes()));
                free += server.free_lanes();
            }
        }
        free
    }

    /// Where the attempt would end first, and when; `None` where it is to wait. Of equals the worker that fails less, then
    /// the fastest.
    fn soonest(&self, world: &World<'_>, attempt: u32) -> Option<(usize, Instant)> {
        let job = world.job(attempt);
        let mean = self.means.get(&job.task_type).copied().unwrap_or(job.work);
        let capable = || {
            let servers = self.plan.iter().zip(&world.servers).enumerate();
            let capable = servers.filter(|(_, (_, server))| server.model.capabilities.contains(job.required));
            capable.filter_map(|(index, (lanes, server))| Some((index, *lanes.last()?, server)))
        };
        let failed_on =
            |server: usize| world.failed_on(attempt).any(|failed_on| failed_on as usize == server);
        let has_another = capable().any(|(index, ..)| !failed_on(index));
        let ends = capable()
            .filter(|(index, ..)| !(has_another && failed_on(*index)))
            .filter(|(_, free_at, _)| self.clairvoyant || *free_at <= world.now)
            .map(|(index, free_at, server)| {
                let speed = server.speed(job.task_type);
                let there_and_back = server.model.latency.saturating_mul(2);
                (index, free_at + there_and_back + share(mean, 1.0 / speed), server.failing_ratio(), speed)
            });
        let soonest = ends.min_by(|(_, one, fails, speed), (_, other, other_fails, other_speed)| {
            one.cmp(other).then(fails.total_cmp(other_fails)).then(other_speed.total_cmp(speed))
        });
        soonest.map(|(index, ends_at, ..)| (index, ends_at))
    }

    fn conclude(&mut self, world: &mut World<'_>, attempt: u32, succeeded: bool) {
        if let Some(next) = world.conclude(attempt, succeeded) {
            self.waiting.push_front(next);
        }
    }
}

impl Binder for CentralQueue {
    fn begin(&mut self, world: &mut World<'_>) {
        let mut sums: BTreeMap<TaskType, (Duration, u64)> = BTreeMap::new();
        for job in world.jobs {
            let (work, count) = sums.entry(job.task_type).or_default();
            *work += job.work;
            *count += 1;
        }
        let mean = |(work, count): (Duration, u64)| Duration::from_nanos(work.as_nanos() / count);
        self.means = sums.into_iter().map(|(task_type, sum)| (task_type, mean(sum))).collect();
    }

    fn submitted(&mut self, world: &mut World<'_>, attempt: u32) {
        self.waiting.push_back(attempt);
        self.feed(world);
    }

    fn answered(&mut self, world: &mut World<'_>, attempt: u32, succeeded: bool) {
        self.conclude(world, attempt, succeeded);
        self.feed(world);
    }

    fn timed_out(&mut self, world: &mut World<'_>, attempt: u32) {
        self.conclude(world, attempt, false);
        self.feed(world);
    }

    fn crashed(&mut self, world: &mut World<'_>, _: usize, held: Vec<u32>) {
        for attempt in held {
            self.conclude(world, attempt, false);
        }
        self.feed(world);
    }

    fn restarted(&mut self, world: &mut World<'_>, _: usize) {
        self.feed(world);
    }

    fn flipped(&mut self, world: &mut World<'_>) {
        self.feed(world);
    }
}
