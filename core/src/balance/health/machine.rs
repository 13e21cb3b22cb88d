//! Slow start, ejection and the panic threshold at work on a fleet.

use alloc::collections::VecDeque;

use crate::ids::WorkerId;
use crate::time::Instant;

use super::slow_start::SlowStarts;
use super::{EjectionChange, EjectionConfig, EjectionConfigError, Ejector, PanicThreshold, SlowStartConfig};
use crate::balance::{ConfigError, Fleet, Slot, WorkerStatus};

/// How the balancer looks after its workers. The default does nothing by itself; a service with remote workers wants
/// [`HealthConfig::on`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HealthConfig {
    /// How new workers start; `None` for at full weight. Default `None`.
    pub slow_start: Option<SlowStartConfig>,
    /// When failing workers are ejected; `None` for never. Default `None`.
    pub ejection: Option<EjectionConfig>,
    /// When ejections are ignored. Default: where less than half of the workers that take tasks are left.
    pub panic: PanicThreshold,
}

impl HealthConfig {
    /// Everything on, with its defaults.
    #[must_use]
    pub fn on() -> Self {
        Self {
            slow_start: Some(SlowStartConfig::default()),
            ejection: Some(EjectionConfig::default()),
            panic: PanicThreshold::HALF,
        }
    }

    pub(in crate::balance) fn validate(&self) -> Result<(), ConfigError> {
        if let Some(slow_start) = &self.slow_start {
            slow_start.validate().map_err(ConfigError::SlowStart)?;
        }
        if let Some(ejection) = &self.ejection {
            ejection.validate().map_err(ConfigError::Ejection)?;
        }
        Ok(())
    }
}

/// Tells the fleet which workers are ejected and which weigh less.
#[derive(Debug)]
pub(in crate::balance) struct Health {
    slow_starts: Option<SlowStarts>,
    ejector: Option<Ejector>,
    panic: PanicThreshold,
    changes: VecDeque<EjectionChange>,
    next_deadline: Instant,
}

impl Health {
    pub(in crate::balance) fn new(config: &HealthConfig) -> Result<Self, EjectionConfigError> {
        Ok(Self {
            slow_starts: config.slow_start.map(SlowStarts::new),
            ejector: config.ejection.map(Ejector::new).transpose()?,
            panic: config.panic,
            changes: VecDeque::new(),
            next_deadline: Instant::NEVER,
        })
    }

    /// A worker is new in the fleet.
    pub(in crate::balance) fn handle_joined(&mut self, now: Instant, fleet: &mut Fleet, slot: Slot) {
        let worker = fleet.worker(slot);
        if let Some(ejector) = &mut self.ejector {
            ejector.handle_joined(worker);
        }
        self.start_slowly(now, fleet, worker);
        self.apply(now, fleet);
    }

    /// A worker is gone, also from the fleet.
    pub(in crate::balance) fn handle_left(&mut self, now: Instant, fleet: &mut Fleet, worker: WorkerId) {
        if let Some(ejector) = &mut self.ejector {
            ejector.handle_left(worker);
        }
        if let Some(starts) = &mut self.slow_starts {
            starts.stop(worker);
        }
        self.apply(now, fleet);
    }

    /// A worker's status changed from `before`.
    pub(in crate::balance) fn handle_status(
        &mut self,
        now: Instant,
        fleet: &mut Fleet,
        slot: Slot,
        before: WorkerStatus,
    ) {
        let (worker, status) = (fleet.worker(slot), fleet.status(slot));
        if let Some(ejector) = &mut self.ejector {
            ejector.handle_available(worker, status.takes_tasks());
        }
        if matches!(before, WorkerStatus::Booting | WorkerStatus::Offline) && status.takes_tasks() {
            self.start_slowly(now, fleet, worker);
        }
        self.apply(now, fleet);
    }

    /// A task ended on a worker.
    pub(in crate::balance) fn handle_finished(
        &mut self,
        now: Instant,
        fleet: &mut Fleet,
        worker: WorkerId,
        success: bool,
    ) {
        if let Some(ejector) = &mut self.ejector {
            ejector.handle_finished(now, worker, success);
            let ends = ejector.interval_ends();
            self.next_deadline = self.next_deadline.min(ends);
            self.apply_changes(now, fleet);
        }
    }

    /// A probe of a worker came back.
    pub(in crate::balance) fn handle_probe(
        &mut self,
        now: Instant,
        fleet: &mut Fleet,
        worker: WorkerId,
        success: bool,
    ) {
        if let Some(ejector) = &mut self.ejector {
            ejector.handle_probe(now, worker, success);
            self.apply_changes(now, fleet);
        }
    }

    pub(in crate::balance) fn handle_deadline(&mut self, now: Instant, fleet: &mut Fleet) {
        if now < self.next_deadline {
            return;
        }
        if let Some(ejector) = &mut self.ejector {
            ejector.handle_deadline(now);
        }
        if let Some(starts) = &mut self.slow_starts {
            starts.handle_deadline(now, |factors| fleet.set_weight_factors(factors));
        }
        self.apply(now, fleet);
    }

    /// [`Instant::NEVER`] where there is nothing to wait for.
    pub(in crate::balance) const fn next_deadline(&self) -> Instant {
        self.next_deadline
    }

    pub(in crate::balance) fn poll_change(&mut self) -> Option<EjectionChange> {
        self.changes.pop_front()
    }

    fn start_slowly(&mut self, now: Instant, fleet: &mut Fleet, worker: WorkerId) {
        if let (Some(starts), Some(slot)) = (&mut self.slow_starts, fleet.slot_of(worker)) {
            fleet.set_weight_factor(slot, starts.start(now, worker));
        }
    }

    fn apply(&mut self, now: Instant, fleet: &mut Fleet) {
        self.apply_changes(now, fleet);
        self.apply_panic(now, fleet);
        self.follow_deadlines();
    }

    fn apply_changes(&mut self, now: Instant, fleet: &mut Fleet) {
        let mut any = false;
        while let Some(change) = self.ejector.as_mut().and_then(Ejector::poll_output) {
            let (worker, until) = match change {
                EjectionChange::Ejected { worker, until, .. } => (worker, Some(until)),
                EjectionChange::Returned { worker, .. } => {
                    self.start_slowly(now, fleet, worker);
                    (worker, None)
                }
            };
            if let Some(slot) = fleet.slot_of(worker) {
                fleet.set_ejected_until(now, slot, until);
            }
            if self.changes.len() == MOST_CHANGES {
                self.changes.pop_front();
            }
            self.changes.push_back(change);
            any = true;
        }
        if any {
            self.apply_panic(now, fleet);
            self.follow_deadlines();
        }
    }

    fn apply_panic(&mut self, now: Instant, fleet: &mut Fleet) {
        let Some(ejector) = &self.ejector else { return };
        let (mut taking, mut healthy) = (0, 0);
        for slot in fleet.slots().filter(|&slot| fleet.status(slot).takes_tasks()) {
            taking += 1;
            healthy += usize::from(ejector.ejected_until(fleet.worker(slot)).is_none());
        }
        fleet.set_ignores_ejections(now, self.panic.is_crossed(taking, healthy));
    }

    fn follow_deadlines(&mut self) {
        let ejector = self.ejector.as_ref().and_then(Ejector::next_deadline).unwrap_or(Instant::NEVER);
        let starts = self.slow_starts.as_ref().map_or(Instant::NEVER, SlowStarts::next_deadline);
        self.next_deadline = ejector.min(starts);
    }
}

/// So many changes wait for a shell that doesn't ask; then the oldest is forgotten.
const MOST_CHANGES: usize = 256;
