//! Looks over the fleet and says what is too much, and what would help.

use alloc::vec::Vec;

use crate::balance::{Fleet, Load, LoadBalancer, Slot, WorkerStatus};
use crate::ids::WorkerId;
use crate::order::sort_by_key;
use crate::time::{Duration, Instant};

use super::hysteresis::{Hysteresis, Levels};
use super::{OverloadAction, OverloadConfig, OverloadReason, Recommendation, Urgency};

/// How loaded the fleet is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overload {
    /// The pressure on the workers that take tasks, together: 1 is full. 0 where there is none.
    pub fleet_pressure: f64,
    /// Whether the fleet counts as overloaded.
    pub is_fleet_overloaded: bool,
    /// How many workers count as overloaded, stalled or unreachable with tasks.
    pub workers: u32,
}

/// Which workers are overloaded, over time.
#[derive(Debug)]
pub(in crate::balance) struct OverloadDetector {
    config: OverloadConfig,
    /// As the fleet's slots.
    workers: Vec<Watched>,
    fleet: Hysteresis,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    worker: WorkerId,
    state: Hysteresis,
    pressure: f64,
    trouble: Option<OverloadReason>,
    /// Load with what recommendations bring and take.
    planned: Load,
}

impl LoadBalancer {
    /// Looks for overload, and writes what would help into `out`, the most urgent first.
    ///
    /// Levels have hysteresis and a dwell time ([`OverloadConfig`]), so this is to be called regularly: as often as one would act, and
    /// a few times in a dwell time. It changes nothing but what is remembered of the levels.
    pub fn detect_overload(&mut self, now: Instant, out: &mut Vec<Recommendation>) -> Overload {
        self.refresh(now);
        self.overload.detect(now, &self.fleet, out)
    }

    /// When a level changes if all pressures stay as they were at the last
    /// [`detect_overload`](LoadBalancer::detect_overload).
    #[must_use]
    pub fn next_overload_change(&self) -> Option<Instant> {
        self.overload.next_change()
    }
}

impl OverloadDetector {
    pub(in crate::balance) fn new(config: OverloadConfig) -> Self {
        Self { config, workers: Vec::new(), fleet: Hysteresis::default() }
    }

    fn detect(&mut self, now: Instant, fleet: &Fleet, out: &mut Vec<Recommendation>) -> Overload {
        out.clear();
        self.follow(fleet);
        let config = self.config;
        let levels = Levels { enter: config.enter, leave: config.leave, dwell: config.dwell };
        let (mut queued_nanos, mut lanes) = (0_u64, 0_u64);
        for (slot, watched) in fleet.slots().zip(&mut self.workers) {
            let queue = queue_of(fleet, slot);
            if fleet.is_open(slot) {
                queued_nanos = queued_nanos.saturating_add(queue.nanos);
                lanes += u64::from(fleet.spec(slot).concurrency.max(1));
            }
            let is_there = fleet.status(slot) != WorkerStatus::Absent;
            let pressure = fleet.load_share(slot).max(queue.wait.as_secs_f64() / config.wait.as_secs_f64());
            watched.pressure = if is_there { pressure } else { 0.0 };
            watched.planned = fleet.load(slot);
            let is_over = watched.state.update(now, watched.pressure, levels);
            let trouble = || trouble(now, fleet, slot, &config, is_over, watched.pressure);
            watched.trouble = if is_there { trouble() } else { None };
        }
        let fleet_wait = Duration::from_nanos(queued_nanos / lanes.max(1));
        let fleet_pressure =
            fleet.mean_load_share().max(fleet_wait.as_secs_f64() / config.wait.as_secs_f64());
        let levels = Levels { enter: config.fleet_enter, leave: config.fleet_leave, dwell: config.dwell };
        let is_fleet_overloaded = self.fleet.update(now, fleet_pressure, levels);
        if is_fleet_overloaded {
            out.extend(self.more_workers(fleet, fleet_pressure, fleet_wait));
        }
        let mut workers = 0;
        for slot in fleet.slots() {
            if let Some(why) = self.workers[slot.index()].trouble {
                workers += 1;
                out.push(self.relief(now, fleet, slot, why));
            }
        }
        sort_by_key(out, |help| (core::cmp::Reverse(help.urgency), core::cmp::Reverse(help.gain), help.from));
        Overload { fleet_pressure, is_fleet_overloaded, workers }
    }

    fn next_change(&self) -> Option<Instant> {
        let states = self.workers.iter().map(|watched| &watched.state).chain([&self.fleet]);
        states.filter_map(|state| state.changes_at(self.config.dwell)).min()
    }

    /// Keeps what is known of the workers that are still there.
    fn follow(&mut self, fleet: &Fleet) {
        let is_same = self.workers.len() == fleet.len()
            && fleet.slots().zip(&self.workers).all(|(slot, watched)| fleet.worker(slot) == watched.worker);
        if is_same {
            return;
        }
        let known = core::mem::take(&mut self.workers);
        self.workers.extend(fleet.slots().map(|slot| {
            let worker = fleet.worker(slot);
            let found = known.binary_search_by_key(&worker, |watched| watched.worker);
            let state = found.map_or_else(|_| Hysteresis::default(), |place| known[place].state);
            Watched { worker, state, pressure: 0.0, trouble: None, planned: Load::ZERO }
        }));
    }

    /// Who could take something from this worker, and how much.
    fn relief(&mut self, now: Instant, fleet: &Fleet, from: Slot, why: OverloadReason) -> Recommendation {
        let queue = queue_of(fleet, from);
        // What runs doesn't move, whatever became of it.
        let running = fleet.load(from) - part(fleet.load(from), queue.share);
        let (wait, urgency, keeps) = match why {
            OverloadReason::Overloaded { pressure } => {
                let urgency = Urgency::of_pressure(pressure, self.config.leave);
                (queue.wait, urgency, part(fleet.load(from), self.config.leave / pressure))
            }
            // What was silent for so long may be silent for as long again.
            OverloadReason::Stalled { silent } => (queue.wait + silent, Urgency::new(8), running),
            OverloadReason::Unreachable { .. } | OverloadReason::FleetOverloaded { .. } => {
                (queue.wait + fleet.silence(from, now), Urgency::new(9), running)
            }
        };
        let excess = self.workers[from.index()].planned - keeps;
        let takers = fleet.slots().filter(|&slot| {
            let watched = &self.workers[slot.index()];
            slot != from
                && fleet.is_open(slot)
                && watched.trouble.is_none()
                && self.takes(fleet, slot) > Load::ZERO
        });
        let wait_of = |slot: Slot| queue_of(fleet, slot).wait;
        let taker =
            takers.min_by_key(|&slot| (wait_of(slot), core::cmp::Reverse(self.takes(fleet, slot)), slot));
        let taker = taker.filter(|&slot| wait_of(slot) < wait || wait.is_zero());
        let worker = Some(fleet.worker(from));
        let Some(to) = taker.filter(|_| excess > Load::ZERO) else {
            let (to, gain) = (None, Duration::ZERO);
            return Recommendation { from: worker, to, action: OverloadAction::HoldBack, why, urgency, gain };
        };
        let load = excess.min(self.takes(fleet, to));
        let [from_planned, to_planned] = [from, to].map(|slot| self.workers[slot.index()].planned);
        self.workers[from.index()].planned = from_planned - load;
        self.workers[to.index()].planned = to_planned + load;
        let gain = wait - wait_of(to) - fleet.spec(to).latency;
        let to = Some(fleet.worker(to));
        Recommendation { from: worker, to, action: OverloadAction::Move { load }, why, urgency, gain }
    }

    fn more_workers(&self, fleet: &Fleet, pressure: f64, wait: Duration) -> Option<Recommendation> {
        let open = fleet.slots().filter(|&slot| fleet.is_open(slot)).count();
        // So many times the workers that there are would bring the pressure to where the overload ends.
        let times = pressure / self.config.fleet_leave;
        let missing = libm::ceil(open as f64 * (times - 1.0));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
        let count = (missing as u32).max(1);
        let shorter = 1.0 - open as f64 / (open as f64 + f64::from(count));
        Some(Recommendation {
            from: None,
            to: None,
            action: OverloadAction::AddWorkers { count },
            why: OverloadReason::FleetOverloaded { pressure },
            urgency: Urgency::of_pressure(pressure, self.config.fleet_leave),
            gain: Duration::from_secs_f64(wait.as_secs_f64() * shorter),
        })
        .filter(|_| open > 0)
    }

    /// What a worker may hold without being overloaded.
    fn below_leave(&self, fleet: &Fleet, slot: Slot) -> Load {
        part(fleet.spec(slot).capacity, self.config.leave)
    }

    /// What a worker can take and stay below the end of overload.
    fn takes(&self, fleet: &Fleet, slot: Slot) -> Load {
        self.below_leave(fleet, slot) - self.workers[slot.index()].planned
    }
}

/// A part of a load, rounded down; all of it from 1 on.
fn part(load: Load, ratio: f64) -> Load {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a u32; `as` saturates"
    )]
    let units = (f64::from(load.get()) * ratio.min(1.0)) as u32;
    Load::new(units)
}

/// What waits on a worker.
#[derive(Clone, Copy, Debug)]
struct Queue {
    /// What the waiting tasks take one after the other.
    nanos: u64,
    /// How long they take on its lanes.
    wait: Duration,
    /// The part of its tasks that wait, 0 to 1.
    share: f64,
}

/// The tasks that a worker holds past those that it runs are its queue; each is expected to take as long as any other.
fn queue_of(fleet: &Fleet, slot: Slot) -> Queue {
    let held = u64::from(fleet.in_flight(slot));
    let lanes = u64::from(fleet.spec(slot).concurrency.max(1));
    let queued = held.saturating_sub(lanes);
    let nanos = u128::from(fleet.backlog_nanos(slot)) * u128::from(queued) / u128::from(held.max(1));
    let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
    let share = queued as f64 / held.max(1) as f64;
    Queue { nanos, wait: Duration::from_nanos(nanos / lanes), share }
}

fn trouble(
    now: Instant,
    fleet: &Fleet,
    slot: Slot,
    config: &OverloadConfig,
    is_over: bool,
    pressure: f64,
) -> Option<OverloadReason> {
    let status = fleet.status(slot);
    if status == WorkerStatus::Offline && fleet.held(slot) > 0 {
        return Some(OverloadReason::Unreachable { status });
    }
    let silent = fleet.silence(slot, now);
    if silent >= config.stall && fleet.overdue(slot, now) >= STALLED {
        return Some(OverloadReason::Stalled { silent });
    }
    is_over.then_some(OverloadReason::Overloaded { pressure })
}

/// So many times as long as all its work should take.
const STALLED: f64 = 4.0;
