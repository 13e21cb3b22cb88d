//! What the balancer lets a shell know and do about its workers' health.

use crate::ids::WorkerId;
use crate::time::Instant;

use super::EjectionChange;
use crate::balance::LoadBalancer;

/// The health of the workers, as [`HealthConfig`](super::HealthConfig) has it.
impl LoadBalancer {
    /// A probe of a worker came back: one that succeeded ends its ejection. What is sent as a probe is the shell's choice.
    pub fn handle_probe(&mut self, now: Instant, worker: WorkerId, success: bool) {
        self.health.handle_probe(now, &mut self.fleet, worker, success);
    }

    /// Does what is due: lets workers return, grows those that start, compares success rates. Each choice does so
    /// too, so a shell that chooses often needs no timer.
    pub fn handle_deadline(&mut self, now: Instant) {
        self.refresh(now);
    }

    /// When to call [`handle_deadline`](Self::handle_deadline) if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let health = self.health.next_deadline();
        let next = self.fleet.next_return().map_or(health, |returns| returns.min(health));
        (next != Instant::NEVER).then_some(next)
    }

    /// Who was ejected or returned since the last call, the oldest first; of more than 256 the oldest are forgotten. For
    /// logs and probes: the balancer acts on them by itself.
    pub fn poll_health_change(&mut self) -> Option<EjectionChange> {
        self.health.poll_change()
    }
}
