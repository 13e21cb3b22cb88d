//! One place in the pool and the worker that fills it.

use crate::ids::{Generation, TaskId};
use crate::time::{Duration, Instant};

use super::{Capabilities, PoolConfig, TerminateReason};

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkerState {
    /// Spawned, and not heard of yet. Never given a task: what is sent before its module has loaded would be lost.
    Booting,
    /// Waits for a task.
    Ready,
    /// Runs a task.
    Busy,
    /// Cleans up after a task that is settled already (aborted or timed out), and is given nothing until it is done.
    Draining,
    /// Gone; its replacement is due after a back-off.
    Dead,
}

#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) generation: Generation,
    pub(super) phase: Phase,
    /// As last reported, by this generation or an earlier one; `None` until the first was ready.
    pub(super) capabilities: Option<Capabilities>,
    pub(super) liveness: Liveness,
    /// How often in a row it failed to become ready.
    pub(super) boot_failures: u32,
    /// How often in a row it was lost without a healthy time in between.
    losses: u32,
    ready_at: Instant,
    pub(super) completed: u64,
    busy: Duration,
    available: Duration,
}

/// [`WorkerState`] with what belongs to each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Booting,
    Ready,
    Busy { task: TaskId, slot: u32, started_at: Instant },
    Draining { task: TaskId, started_at: Instant },
    Dead,
}

/// The lease: when the worker was last heard of, and whether it has been asked since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Liveness {
    pub(super) last_seen: Instant,
    pub(super) probed: bool,
}

impl Worker {
    pub(super) fn new() -> Self {
        Self {
            generation: Generation::new(Generation::FIRST.get() - 1),
            phase: Phase::Dead,
            capabilities: None,
            liveness: Liveness { last_seen: Instant::ZERO, probed: false },
            boot_failures: 0,
            losses: 0,
            ready_at: Instant::ZERO,
            completed: 0,
            busy: Duration::ZERO,
            available: Duration::ZERO,
        }
    }

    pub(super) fn state(&self) -> WorkerState {
        match self.phase {
            Phase::Booting => WorkerState::Booting,
            Phase::Ready => WorkerState::Ready,
            Phase::Busy { .. } => WorkerState::Busy,
            Phase::Draining { .. } => WorkerState::Draining,
            Phase::Dead => WorkerState::Dead,
        }
    }

    /// Whether it has reported ready and is still there.
    pub(super) fn is_up(&self) -> bool {
        !matches!(self.phase, Phase::Booting | Phase::Dead)
    }

    /// The unsettled task that it runs.
    pub(super) fn running(&self) -> Option<TaskId> {
        match self.phase {
            Phase::Busy { task, .. } => Some(task),
            Phase::Booting | Phase::Ready | Phase::Draining { .. } | Phase::Dead => None,
        }
    }

    /// The next generation boots.
    pub(super) fn boot(&mut self) {
        self.generation = self.generation.next();
        self.phase = Phase::Booting;
    }

    pub(super) fn become_ready(&mut self, now: Instant) {
        self.phase = Phase::Ready;
        self.ready_at = now;
        self.boot_failures = 0;
        self.saw(now);
    }

    pub(super) fn saw(&mut self, now: Instant) {
        self.liveness = Liveness { last_seen: now, probed: false };
    }

    /// It is done with its task, as far as it is concerned.
    pub(super) fn finish_work(&mut self, now: Instant) {
        self.busy += self.ongoing_work(now);
        self.phase = Phase::Ready;
    }

    /// It is gone. Returns how long to wait before its replacement.
    pub(super) fn die(&mut self, now: Instant, reason: TerminateReason, config: &PoolConfig) -> Duration {
        let was_up = self.is_up();
        self.busy += self.ongoing_work(now);
        let uptime = self.ongoing_uptime(now);
        self.available += uptime;
        self.phase = Phase::Dead;
        if !reason.is_loss() {
            return Duration::ZERO;
        }
        if was_up {
            if uptime >= config.healthy_uptime {
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

    /// Time spent on tasks until now.
    pub(super) fn busy_time(&self, now: Instant) -> Duration {
        self.busy + self.ongoing_work(now)
    }

    /// Time between ready and gone until now.
    pub(super) fn available_time(&self, now: Instant) -> Duration {
        self.available + self.ongoing_uptime(now)
    }

    fn ongoing_work(&self, now: Instant) -> Duration {
        match self.phase {
            Phase::Busy { started_at, .. } | Phase::Draining { started_at, .. } => now - started_at,
            Phase::Booting | Phase::Ready | Phase::Dead => Duration::ZERO,
        }
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
