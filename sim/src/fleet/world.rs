//! Workers, traffic and faults. Who runs what is the [`Binder`]'s decision.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use super::arrivals::exponential;
use super::job::START;
use super::report::Recorder;
use super::server::{Dispatch, Running, Server};
use super::{Fault, FleetReport, FleetScenario, Job, When};

/// Decides who runs what: one dispatcher, which hears of everything that a real one would.
pub(super) trait Binder {
    /// Before anything happens.
    fn begin(&mut self, _world: &mut World<'_>) {}
    /// A new attempt is to be run.
    fn submitted(&mut self, world: &mut World<'_>, attempt: u32);
    /// A worker has begun an attempt.
    fn started(&mut self, _world: &mut World<'_>, _attempt: u32) {}
    /// A worker's answer was heard. The attempt may be over by now.
    fn answered(&mut self, world: &mut World<'_>, attempt: u32, succeeded: bool);
    /// No answer in time, where [`World::limit`] was called for the attempt.
    fn timed_out(&mut self, _world: &mut World<'_>, _attempt: u32) {}
    /// A worker is gone with what it held.
    fn crashed(&mut self, world: &mut World<'_>, server: usize, held: Vec<u32>);
    /// A crashed worker could be there again.
    fn restarted(&mut self, world: &mut World<'_>, server: usize);
    /// A worker that was asked for has booted.
    fn booted(&mut self, _world: &mut World<'_>, _server: usize, _generation: u32) {}
    /// A worker's fault came or went. A real dispatcher isn't told.
    fn flipped(&mut self, _world: &mut World<'_>) {}
    fn next_deadline(&self) -> Option<Instant> {
        None
    }
    fn deadline(&mut self, _world: &mut World<'_>) {}
}

pub(super) struct World<'a> {
    pub(super) scenario: &'a FleetScenario,
    pub(super) jobs: &'a [Job],
    pub(super) servers: Vec<Server>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) now: Instant,
    events: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    scheduled: u64,
    /// Attempts that were made once more.
    repeats: usize,
    rng: Rng,
    recorder: Recorder,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) job: u32,
    /// From 1.
    pub(super) number: u32,
    /// Where it was dispatched last.
    pub(super) server: Option<u32>,
    /// The attempt of the same task before it, which failed.
    previous: Option<u32>,
    serial: u32,
    pub(super) over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(u32),
    Reach { server: u32, dispatch: Dispatch },
    Finish { server: u32, dispatch: Dispatch, succeeded: bool },
    Hear { dispatch: Dispatch, succeeded: bool },
    TimeOut(Dispatch),
    Flip(u32),
    Crash(u32),
    Restart(u32),
    Boot { server: u32, generation: u32 },
    Submit(u32),
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a FleetScenario, jobs: &'a [Job], rng: Rng) -> Self {
        let mut world = Self {
            scenario,
            jobs,
            servers: scenario.workers.iter().cloned().map(Server::new).collect(),
            attempts: Vec::with_capacity(jobs.len() + jobs.len() / 8),
            now: START,
            events: BinaryHeap::new(),
            scheduled: 0,
            repeats: 0,
            rng,
            recorder: Recorder::new(scenario, jobs),
        };
        for (index, server) in (0..).zip(0..world.servers.len()) {
            world.plan_fault(index, server);
        }
        if let Some(first) = jobs.first() {
            world.schedule(first.at, Event::Arrive(0));
        }
        world
    }

    /// To the last task.
    pub(super) fn run(mut self, binder: &mut impl Binder) -> FleetReport {
        binder.begin(&mut self);
        while !self.recorder.is_complete() {
            let next = self.events.peek().map(|Reverse((at, ..))| *at);
            match (next, binder.next_deadline()) {
                (next, Some(deadline)) if next.is_none_or(|next| deadline < next) => {
                    self.now = self.now.max(deadline);
                    binder.deadline(&mut self);
                }
                (Some(_), _) => self.step(binder),
                (None, _) => break,
            }
        }
        let given = self.servers.iter().map(|server| server.given).collect();
        self.recorder.report(given, self.attempts.len() + self.repeats)
    }

    fn step(&mut self, binder: &mut impl Binder) {
        let Some(Reverse((now, _, event))) = self.events.pop() else { return };
        self.now = now;
        match event {
            Event::Arrive(job) => {
                if let Some(next) = self.jobs.get(job as usize + 1) {
                    self.schedule(next.at, Event::Arrive(job + 1));
                }
                let attempt = self.attempt(job, 1, None);
                binder.submitted(self, attempt);
            }
            Event::Reach { server, dispatch } => {
                self.servers[server as usize].coming -= 1;
                self.reach(binder, server, dispatch);
            }
            Event::Finish { server, dispatch, succeeded } => {
                let place = &mut self.servers[server as usize];
                let Some(slot) = place.running.iter().position(|running| running.dispatch == dispatch) else {
                    return;
                };
                place.running.swap_remove(slot);
                let latency = place.model.latency;
                if latency.is_zero() {
                    self.hear(binder, dispatch, succeeded);
                } else {
                    self.schedule(now + latency, Event::Hear { dispatch, succeeded });
                }
                self.run_queue(binder, server);
            }
            Event::Hear { dispatch, succeeded } => self.hear(binder, dispatch, succeeded),
            Event::TimeOut(dispatch) => {
                let attempt = self.attempts[dispatch.attempt as usize];
                if !attempt.over && attempt.serial == dispatch.serial {
                    self.withdraw(dispatch.attempt);
                    binder.timed_out(self, dispatch.attempt);
                }
            }
            Event::Flip(server) => {
                self.servers[server as usize].faulty ^= true;
                self.plan_flip(server);
                if self.servers[server as usize].is_black_hole() {
                    self.servers[server as usize].queue.clear();
                }
                binder.flipped(self);
            }
            Event::Crash(server) => self.crash(binder, server),
            Event::Restart(server) => {
                self.servers[server as usize].up = true;
                self.plan_crash(server);
                binder.restarted(self, server as usize);
            }
            Event::Submit(attempt) => binder.submitted(self, attempt),
            Event::Boot { server, generation } => binder.booted(self, server as usize, generation),
        }
    }

    /// Sends the attempt to a worker.
    pub(super) fn dispatch(&mut self, binder: &mut impl Binder, attempt: u32, server: usize) {
        let entry = &mut self.attempts[attempt as usize];
        entry.serial += 1;
        entry.server = Some(index(server));
        let dispatch = Dispatch { attempt, serial: entry.serial };
        let latency = self.servers[server].model.latency;
        self.servers[server].given += 1;
        if latency.is_zero() {
            self.reach(binder, index(server), dispatch);
        } else {
            self.servers[server].coming += 1;
            self.schedule(self.now + latency, Event::Reach { server: index(server), dispatch });
        }
    }

    /// Lets the attempt time out, counted from now.
    pub(super) fn limit(&mut self, attempt: u32) {
        let serial = self.attempts[attempt as usize].serial;
        let at = self.now + self.scenario.client.timeout;
        self.schedule(at, Event::TimeOut(Dispatch { attempt, serial }));
    }

    /// Submits the attempt once what is happening now is done with.
    pub(super) fn submit_soon(&mut self, attempt: u32) {
        self.schedule(self.now, Event::Submit(attempt));
    }

    /// Takes it out of its worker's queue. If it runs it runs on: a worker can't be interrupted.
    pub(super) fn withdraw(&mut self, attempt: u32) {
        if let Some(server) = self.attempts[attempt as usize].server {
            self.servers[server as usize].queue.retain(|queued| queued.attempt != attempt);
        }
    }

    /// The worker is ended by force and holds nothing any more.
    pub(super) fn terminate(&mut self, server: usize) {
        self.servers[server].clear();
    }

    /// Tells in a while that the worker has booted.
    pub(super) fn boot(&mut self, server: usize, generation: u32) {
        let at = self.now + self.servers[server].model.boot;
        self.schedule(at, Event::Boot { server: index(server), generation });
    }

    /// Ends an attempt. Returns the next one of its task, which is to be submitted, unless the task is settled.
    #[must_use]
    pub(super) fn conclude(&mut self, attempt: u32, succeeded: bool) -> Option<u32> {
        let entry = &mut self.attempts[attempt as usize];
        if core::mem::replace(&mut entry.over, true) {
            return None;
        }
        let Attempt { job, number, .. } = *entry;
        if succeeded {
            self.recorder.completed(self.now, job);
        } else if number < self.scenario.client.attempts {
            return Some(self.attempt(job, number + 1, Some(attempt)));
        } else {
            self.recorder.failed(self.now, job);
        }
        None
    }

    pub(super) fn job(&self, attempt: u32) -> &'a Job {
        &self.jobs[self.attempts[attempt as usize].job as usize]
    }

    /// The same attempt is made once more, after it failed: it counts as a further one.
    pub(super) fn repeat(&mut self, attempt: u32) {
        self.attempts[attempt as usize].number += 1;
        self.repeats += 1;
    }

    /// How often the attempt's task may still be tried, with this attempt.
    pub(super) fn attempts_left(&self, attempt: u32) -> u32 {
        self.scenario.client.attempts + 1 - self.attempts[attempt as usize].number
    }

    /// The workers on which earlier attempts of its task failed, the last first.
    pub(super) fn failed_on(&self, attempt: u32) -> impl Iterator<Item = u32> {
        let before = |attempt: u32| self.attempts[attempt as usize].previous;
        core::iter::successors(before(attempt), move |&attempt| before(attempt))
            .filter_map(|attempt| self.attempts[attempt as usize].server)
    }

    fn attempt(&mut self, job: u32, number: u32, previous: Option<u32>) -> u32 {
        self.attempts.push(Attempt { job, number, server: None, previous, serial: 0, over: false });
        index(self.attempts.len() - 1)
    }

    fn reach(&mut self, binder: &mut impl Binder, server: u32, dispatch: Dispatch) {
        let attempt = &self.attempts[dispatch.attempt as usize];
        let place = &mut self.servers[server as usize];
        if attempt.serial != dispatch.serial || attempt.over || !place.up || place.is_black_hole() {
            return;
        }
        place.queue.push_back(dispatch);
        self.run_queue(binder, server);
    }

    fn run_queue(&mut self, binder: &mut impl Binder, server: u32) {
        loop {
            let place = &mut self.servers[server as usize];
            if !place.up || place.running.len() >= place.model.concurrency as usize {
                return;
            }
            let Some(dispatch) = place.queue.pop_front() else { return };
            let job = &self.jobs[self.attempts[dispatch.attempt as usize].job as usize];
            let (takes, succeeded) = place.run(job, &mut self.rng);
            let ends_at = self.now + takes;
            place.running.push(Running { dispatch, ends_at });
            self.schedule(ends_at, Event::Finish { server, dispatch, succeeded });
            binder.started(self, dispatch.attempt);
        }
    }

    fn hear(&mut self, binder: &mut impl Binder, dispatch: Dispatch, succeeded: bool) {
        if self.attempts[dispatch.attempt as usize].serial == dispatch.serial {
            binder.answered(self, dispatch.attempt, succeeded);
        }
    }

    fn crash(&mut self, binder: &mut impl Binder, server: u32) {
        let place = &mut self.servers[server as usize];
        place.up = false;
        place.clear();
        if let Fault::Crash { downtime, .. } = place.model.fault {
            self.schedule(self.now + downtime, Event::Restart(server));
        }
        // With what is still on its way there.
        let held = (0..self.attempts.len())
            .filter(|&attempt| self.attempts[attempt].server == Some(server) && !self.attempts[attempt].over)
            .map(index)
            .collect();
        binder.crashed(self, server as usize, held);
    }

    fn plan_fault(&mut self, index: u32, server: usize) {
        match self.servers[server].model.fault {
            Fault::None => {}
            Fault::Crash { .. } => self.plan_crash(index),
            Fault::Slow { when, .. } | Fault::FailFast { when, .. } | Fault::BlackHole { when } => match when
            {
                When::Always => self.servers[server].faulty = true,
                When::Periodic { period, ratio } => {
                    // As if it had begun one period before, at a random point.
                    let into = self.rng.unit_f64();
                    self.servers[server].faulty = into < ratio;
                    let rest = if into < ratio { ratio - into } else { 1.0 - into };
                    self.schedule(self.now + share(period, rest), Event::Flip(index));
                }
            },
        }
    }

    fn plan_flip(&mut self, server: u32) {
        let place = &self.servers[server as usize];
        let (Fault::Slow { when, .. } | Fault::FailFast { when, .. } | Fault::BlackHole { when }) =
            place.model.fault
        else {
            return;
        };
        if let When::Periodic { period, ratio } = when {
            let lasts = share(period, if place.faulty { ratio } else { 1.0 - ratio });
            self.schedule(self.now + lasts, Event::Flip(server));
        }
    }

    fn plan_crash(&mut self, server: u32) {
        if let Fault::Crash { mean_uptime, .. } = self.servers[server as usize].model.fault {
            let uptime = exponential(&mut self.rng, mean_uptime, 1.0);
            self.schedule(self.now + uptime, Event::Crash(server));
        }
    }

    fn schedule(&mut self, at: Instant, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((at, self.scheduled, event)));
    }
}

/// So many times the duration.
pub(super) fn share(period: Duration, ratio: f64) -> Duration {
    Duration::from_millis_f64(period.as_millis_f64() * ratio)
}

pub(super) fn index(number: usize) -> u32 {
    u32::try_from(number).expect("a run has far fewer than 2^32 tasks and workers")
}
