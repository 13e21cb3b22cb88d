//! One place in the pool and the worker that fills it.

use crate::ids::{Generation, TaskId};
use crate::time::{Duration, Instant};

use super::held::{Held, HeldTasks, Stage};
use super::rest::Row;
use super::{HealthConfig, HealthTracker, Lease, Load, Offer, PoolConfig, TerminateReason};

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkerState {
    /// Spawned, and not heard of yet. Never given a task: what is sent before its module has loaded would be lost.
    Booting,
    /// Waits for a task.
    Ready,
    /// Runs at least one task.
    Busy,
    /// Only cleans up after tasks that are settled already (aborted or timed out). Until it is done with them they take up
    /// its capacity.
    Draining,
    /// Gone; its replacement is due after a back-off.
    Dead,
    /// There is none: it is not needed at present.
    Retired,
}

#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) generation: Generation,
    pub(super) phase: Phase,
    /// As last reported, by this generation or an earlier one; `None` until the first was ready.
    pub(super) offer: Option<Offer>,
    pub(super) lease: Lease,
    /// Of this generation.
    pub(super) health: HealthTracker,
    /// Its failures in a row, and whether it rests for them.
    pub(super) row: Row,
    /// How often in a row it failed to become ready.
    pub(super) boot_failures: u32,
    /// What it was given and has not reported on.
    pub(super) held: HeldTasks,
    /// The queued task that its room is kept for: see [`super::reserve`].
    pub(super) reserved_for: Option<u32>,
    /// How often in a row it was lost without a healthy time or a completed task in between.
    losses: u32,
    /// Whether this generation has completed a task.
    has_proved: bool,
    ready_at: Instant,
    pub(super) completed: u64,
    /// How many tasks others were asked to give back for it.
    pub(super) thefts: u32,
    /// It is given nothing more, and replaced once it has done what it has: see [`super::recycle`].
    pub(super) is_leaving: bool,
    /// Since when it has always run something.
    busy_since: Option<Instant>,
    busy: Duration,
    available: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Booting,
    Up,
    Dead,
    Retired,
}

impl Worker {
    pub(super) fn new(config: &PoolConfig) -> Self {
        let held = if config.prefetch.is_zero() { HELD_AT_FIRST } else { AHEAD_AT_FIRST };
        Self {
            generation: Generation::new(Generation::FIRST.get() - 1),
            phase: Phase::Retired,
            offer: None,
            lease: Lease::new(Instant::ZERO),
            health: HealthTracker::new(config.health),
            row: Row::default(),
            boot_failures: 0,
            held: HeldTasks::with_capacity(held),
            reserved_for: None,
            losses: 0,
            has_proved: false,
            ready_at: Instant::ZERO,
            completed: 0,
            thefts: 0,
            is_leaving: false,
            busy_since: None,
            busy: Duration::ZERO,
            available: Duration::ZERO,
        }
    }

    pub(super) fn state(&self) -> WorkerState {
        match self.phase {
            Phase::Booting => WorkerState::Booting,
            Phase::Up if self.busy_since.is_none() => WorkerState::Ready,
            Phase::Up if self.held.started().any(Held::runs) => WorkerState::Busy,
            Phase::Up => WorkerState::Draining,
            Phase::Dead => WorkerState::Dead,
            Phase::Retired => WorkerState::Retired,
        }
    }

    /// Whether it has reported ready and is still there.
    pub(super) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Whether it is up and will be given more.
    pub(super) fn stays(&self) -> bool {
        self.is_up() && !self.is_leaving
    }

    /// Whether it runs anything or cleans up after it.
    pub(super) fn is_busy(&self) -> bool {
        self.busy_since.is_some()
    }

    /// Whether it has nothing, is about to get nothing, and could go.
    pub(super) fn is_idle(&self) -> bool {
        self.stays() && self.held.is_empty() && self.reserved_for.is_none() && self.thefts == 0
    }

    /// Whether it is given nothing, because it fails.
    pub(super) fn rests(&self) -> bool {
        self.row.rests_until.is_some()
    }

    /// How much more it may be given to start now.
    pub(super) fn room(&self) -> Load {
        if self.is_leaving { Load::ZERO } else { self.spare() }
    }

    /// How much more of what it was given ahead it starts now.
    pub(super) fn spare(&self) -> Load {
        match self.offer {
            Some(offer) if self.is_up() => offer.capacity - self.held.load(),
            Some(_) | None => Load::ZERO,
        }
    }

    /// The unsettled task that it runs for the longest.
    pub(super) fn running(&self) -> Option<TaskId> {
        self.held.started().find(|held| held.runs()).map(|held| held.task)
    }

    /// It was given a task, which starts now or waits.
    pub(super) fn hold(&mut self, held: Held) {
        if let Stage::Started(at) = held.stage {
            self.busy_since.get_or_insert(at);
        }
        self.held.push(held);
    }

    /// A task that it was given ahead starts now.
    pub(super) fn start(&mut self, now: Instant, position: usize) -> Held {
        self.busy_since.get_or_insert(now);
        self.held.change(position, |held| {
            held.stage = Stage::Started(now);
            held.thief = None;
        })
    }

    /// It is done with a task, as far as it is concerned.
    pub(super) fn let_go(&mut self, now: Instant, position: usize) -> Held {
        let held = self.held.remove(position);
        if self.held.started().next().is_none() {
            self.pause(now);
        }
        held
    }

    /// The next generation boots.
    pub(super) fn boot(&mut self, judged_by: HealthConfig) {
        self.health = HealthTracker::new(judged_by);
        self.generation = self.generation.next();
        self.phase = Phase::Booting;
    }

    pub(super) fn become_ready(&mut self, now: Instant) {
        self.phase = Phase::Up;
        self.has_proved = false;
        self.ready_at = now;
        self.boot_failures = 0;
        self.saw(now);
    }

    /// A task of its own has succeeded: losing it is no sign that workers can't live here.
    pub(super) fn prove(&mut self) {
        self.has_proved = true;
    }

    pub(super) fn saw(&mut self, now: Instant) {
        self.lease.renew(now);
        self.health.on_seen();
    }

    /// It is gone; what it held is the caller's matter. Returns how long to wait before its replacement.
    pub(super) fn die(&mut self, now: Instant, reason: TerminateReason, config: &PoolConfig) -> Duration {
        let was_up = self.is_up();
        self.pause(now);
        self.thefts = 0;
        let uptime = self.ongoing_uptime(now);
        self.available += uptime;
        self.phase = Phase::Dead;
        if !reason.is_loss() {
            return Duration::ZERO;
        }
        if was_up {
            if self.has_proved || uptime >= config.healthy_uptime {
                self.losses = 0;
            }
        } else {
            self.boot_failures = self.boot_failures.saturating_add(1);
        }
        self.losses = self.losses.saturating_add(1);
        if self.boot_failures >= config.max_boot_failures {
            return config.max_restart_delay;
        }
        restart_delay(self.losses, config)
    }

    /// Time in which it ran anything, until now.
    pub(super) fn busy_time(&self, now: Instant) -> Duration {
        self.busy + self.ongoing_work(now)
    }

    /// Time between ready and gone until now.
    pub(super) fn available_time(&self, now: Instant) -> Duration {
        self.available + self.ongoing_uptime(now)
    }

    fn pause(&mut self, now: Instant) {
        self.busy += self.ongoing_work(now);
        self.busy_since = None;
    }

    fn ongoing_work(&self, now: Instant) -> Duration {
        self.busy_since.map_or(Duration::ZERO, |since| now - since)
    }

    fn ongoing_uptime(&self, now: Instant) -> Duration {
        if self.is_up() { now - self.ready_at } else { Duration::ZERO }
    }
}

/// No wait for the first loss, then doubling from the configured delay up to the longest.
fn restart_delay(losses: u32, config: &PoolConfig) -> Duration {
    let Some(doublings) = losses.checked_sub(2) else { return Duration::ZERO };
    let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    (config.restart_delay * factor).min(config.max_restart_delay)
}

/// Room from the start for what a worker runs at once, and cleans up after.
const HELD_AT_FIRST: usize = 8;
/// And where it is given tasks ahead.
const AHEAD_AT_FIRST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_delays_double_up_to_the_longest() {
        let config = PoolConfig {
            restart_delay: Duration::from_millis(100),
            max_restart_delay: Duration::from_millis(500),
            ..PoolConfig::default()
        };
        let delays = [1, 2, 3, 4, 5, 70, u32::MAX].map(|losses| restart_delay(losses, &config).as_millis());
        assert_eq!(delays, [0, 100, 200, 400, 500, 500, 500]);
    }
}
