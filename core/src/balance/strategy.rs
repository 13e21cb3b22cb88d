//! What a strategy is.

use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use crate::ids::{TaskId, TaskType, WorkerId};
use crate::rng::Rng;
use crate::time::{Duration, Instant};

use super::{Eligible, Fleet, Slot, Task};

/// How one worker is chosen among those that are eligible.
///
/// The balancer keeps all loads and measurements in its [`Fleet`], so most strategies have no state of their own. One that
/// does keeps it by [`WorkerId`], or by [`Slot`] and follows [`Strategy::handle_joined`] and [`Strategy::handle_left`].
///
/// Every registered strategy is told what happens, also while another one chooses: switching finds it up to date.
///
/// A strategy must be deterministic: the same events, seed and tasks lead to the same choices. It draws randomness from
/// `rng` only, looks at no clock but `now`, and breaks ties by [`Fleet::last_picked`] (as [`Eligible::highest`] does) and
/// never by position.
///
/// ```
/// use quillwork_core::balance::{BalanceConfig, Eligible, LoadBalancer, Slot, Strategy, Task, WorkerSpec};
/// use quillwork_core::ids::{TaskId, WorkerId};
/// use quillwork_core::rng::Rng;
/// use quillwork_core::time::Instant;
///
/// /// Keeps the workers with the shortest way to them busy.
/// #[derive(Debug)]
/// struct Nearest;
///
/// impl Strategy for Nearest {
///     fn name(&self) -> &'static str {
///         "nearest"
///     }
///
///     fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
///         eligible.lowest(|slot| eligible.fleet().spec(slot).latency.as_millis_f64())
///     }
///
///     fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
///         out.extend(eligible.iter().map(|slot| 1.0 / (1.0 + eligible.fleet().spec(slot).latency.as_millis_f64())));
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1)?;
/// balancer.register_strategy(Box::new(Nearest))?;
/// balancer.set_strategy("nearest")?;
/// balancer.handle_joined(Instant::ZERO, WorkerSpec::new(WorkerId::new(0)));
/// assert_eq!(balancer.select_worker(Instant::ZERO, &Task::new(TaskId::new(1)))?, WorkerId::new(0));
/// # Ok(())
/// # }
/// ```
pub trait Strategy: Any + Send {
    /// What it is called in settings and reports, in lower case with hyphens.
    fn name(&self) -> &'static str;

    /// Chooses one of the eligible workers; there is at least one. An answer that isn't one of them is counted
    /// ([`LoadBalancer::invalid_choices`](super::LoadBalancer::invalid_choices)) and replaced by the least loaded.
    fn choose(&mut self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, rng: &mut Rng) -> Slot;

    /// How much it would like each of them, in their order: appends one number in 0..=1 for each to `out`. Changes nothing.
    fn scores(&self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>);

    /// A worker joined and is at `slot`; the slots from there on moved up by one.
    fn handle_joined(&mut self, fleet: &Fleet, slot: Slot) {
        let _ = (fleet, slot);
    }

    /// A worker left that was at `slot`; the slots after it moved down by one. `fleet` no longer has it.
    fn handle_left(&mut self, fleet: &Fleet, slot: Slot, worker: WorkerId) {
        let _ = (fleet, slot, worker);
    }

    /// A task was given to the worker at `slot`, chosen by this strategy or not.
    fn handle_assigned(&mut self, now: Instant, task: &Task<'_>, fleet: &Fleet, slot: Slot) {
        let _ = (now, task, fleet, slot);
    }

    /// A task ended. `fleet` has taken it in already.
    fn handle_finished(&mut self, now: Instant, finished: &Finished, fleet: &Fleet) {
        let _ = (now, finished, fleet);
    }
}

/// By its name: that every strategy could tell all that it has would be a tenth of a module for a page.
impl fmt::Debug for dyn Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Which task; `None` where it was told by [`LoadBalancer::update_context`](super::LoadBalancer::update_context).
    pub task: Option<TaskId>,
    /// What kind of task.
    pub task_type: TaskType,
    /// On which worker.
    pub worker: WorkerId,
    /// Where that worker is.
    pub slot: Slot,
    /// Whether it succeeded.
    pub success: bool,
    /// From its start to its end.
    pub duration: Duration,
    /// From its assignment to its end.
    pub latency: Duration,
}
