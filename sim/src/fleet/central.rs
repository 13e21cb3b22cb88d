//! The central-queue bound: one queue, and nobody has to guess.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use quillwork_core::time::Instant;

use super::world::{Binder, World};

/// One queue in the order of arrival, by a dispatcher that knows what no real one can: which worker is faulty now, how
/// long each task takes, and when each worker will be free.
///
/// Each time that anything happens it plans what waits, task by task in its order, each on the worker where it would end
/// first; of equals the fastest. Those whose worker is free begin, the others go on waiting and are planned anew. So a
/// slow worker stays idle while a faster one will be free soon enough. Workers that are sure to fail a task, or that it has
/// failed on already, are left out. With a single kind of task and equal workers it is the queue M/G/k.
#[derive(Debug, Default)]
pub(super) struct CentralQueue {
    waiting: VecDeque<u32>,
    /// By server, when each of its lanes is free by the plan, the soonest last. None of a worker that gets nothing.
    plan: Vec<Vec<Instant>>,
}

impl CentralQueue {
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

    /// Where the attempt would end first, and when.
    fn soonest(&self, world: &World<'_>, attempt: u32) -> Option<(usize, Instant)> {
        let among = |may: &dyn Fn(usize) -> bool| {
            let job = world.job(attempt);
            self.plan
                .iter()
                .zip(&world.servers)
                .enumerate()
                .filter(|(index, (_, server))| {
                    server.model.capabilities.contains(job.required) && may(*index)
                })
                .filter_map(|(index, (lanes, server))| {
                    let there_and_back = server.model.latency.saturating_mul(2);
                    let ends_at = *lanes.last()? + there_and_back + server.takes(job);
                    Some((index, ends_at, server.speed(job.task_type)))
                })
                .min_by(|(_, one, speed), (_, other, other_speed)| {
                    one.cmp(other).then_with(|| other_speed.total_cmp(speed))
                })
                .map(|(index, ends_at, _)| (index, ends_at))
        };
        among(&|index| world.failed_on(attempt).all(|failed_on| failed_on as usize != index))
            .or_else(|| among(&|_| true))
    }

    fn conclude(&mut self, world: &mut World<'_>, attempt: u32, succeeded: bool) {
        if let Some(next) = world.conclude(attempt, succeeded) {
            self.waiting.push_front(next);
        }
    }
}

impl Binder for CentralQueue {
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
