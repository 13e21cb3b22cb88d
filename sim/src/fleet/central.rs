//! The central-queue bound: one queue, and nobody has to guess.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::world::{Binder, World};

/// First come, first served, by whichever worker is free; the fastest of the free ones. It sees which workers are faulty
/// and gives them nothing (slow ones are used), so no dispatcher without that knowledge can be expected to beat it by
/// much. With a single kind of task and equal workers it is the queue M/G/k.
#[derive(Debug, Default)]
pub(super) struct CentralQueue {
    waiting: VecDeque<u32>,
}

impl CentralQueue {
    fn feed(&mut self, world: &mut World<'_>) {
        let mut place = 0;
        while let Some(&attempt) = self.waiting.get(place) {
            let job = *world.job(attempt);
            let free = world.servers.iter().enumerate().filter(|(_, server)| {
                server.is_sound() && server.has_room() && server.model.capabilities.contains(job.required)
            });
            let fastest = free.max_by(|(_, one), (_, other)| {
                one.speed(job.task_type).total_cmp(&other.speed(job.task_type))
            });
            match fastest.map(|(index, _)| index) {
                Some(server) => {
                    self.waiting.remove(place);
                    world.dispatch(self, attempt, server);
                    world.limit(attempt);
                }
                None if job.required.is_empty() => return,
                None => place += 1,
            }
        }
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
