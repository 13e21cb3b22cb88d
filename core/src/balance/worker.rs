//! What the balancer is told about a worker.

use crate::ids::{RegionId, WorkerId};
use crate::pool::Capabilities;
use crate::time::Duration;

use super::Load;

/// Whether a worker takes tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkerStatus {
    /// It starts and takes no task yet: what is sent to a worker that isn't up may be lost.
    Booting,
    /// It takes tasks and has nothing to do.
    #[default]
    Ready,
    /// It works, and takes further tasks as far as its capacity goes.
    Busy,
    /// It finishes what it has and takes nothing new.
    Draining,
    /// It can't be reached. It keeps its place and its record; a worker that won't come back should leave.
    Offline,
    /// It isn't part of the fleet at present, and nothing speaks of it: for a shell that is handed the workers anew each
    /// time. It keeps its record, and no time counts as an outage.
    Absent,
}

impl WorkerStatus {
    /// Whether a worker of this status takes tasks.
    #[must_use]
    pub const fn takes_tasks(self) -> bool {
        matches!(self, Self::Ready | Self::Busy)
    }
}

/// What a worker is, as it was registered.
///
/// ```
/// use quillwork_core::balance::{Load, WorkerSpec};
/// use quillwork_core::ids::WorkerId;
///
/// let worker = WorkerSpec { capacity: Load::new(16), concurrency: 4, ..WorkerSpec::new(WorkerId::new(0)) };
/// assert!(worker.capabilities.is_empty());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSpec {
    /// Which worker it is.
    pub id: WorkerId,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How much it may hold at once, waiting in its own queue or running. It is also its weight in weighted strategies.
    pub capacity: Load,
    /// How many tasks it runs at the same time; the others that it holds wait. At least 1.
    pub concurrency: u32,
    /// Where it is.
    pub region: Option<RegionId>,
    /// The measured time that a message takes to it and back.
    pub latency: Duration,
}

impl WorkerSpec {
    /// A worker without special capabilities that runs one task at a time and holds eight.
    #[must_use]
    pub const fn new(id: WorkerId) -> Self {
        Self {
            id,
            capabilities: Capabilities::NONE,
            capacity: Load::new(8),
            concurrency: 1,
            region: None,
            latency: Duration::ZERO,
        }
    }
}

/// What a worker tells about itself from time to time. What is `None` stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerReport {
    /// What it can do from now on.
    pub capabilities: Option<Capabilities>,
    /// How much it may hold at once from now on.
    pub capacity: Option<Load>,
    /// The time that a message takes to it and back, measured anew.
    pub latency: Option<Duration>,
    /// The load that others than this balancer have put on it.
    pub foreign_load: Option<Load>,
}

/// What a worker has shown elsewhere, by its own account: what is believed of it until this balancer has seen more.
///
/// ```
/// use quillwork_core::balance::{BalanceConfig, LoadBalancer, WorkerRecord, WorkerSpec};
/// use quillwork_core::ids::WorkerId;
/// use quillwork_core::time::Instant;
///
/// let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1)?;
/// let now = Instant::ZERO;
/// let worker = WorkerId::new(0);
/// balancer.handle_joined(now, WorkerSpec::new(worker));
/// balancer.handle_record(worker, WorkerRecord { success_ratio: Some(0.5), ..WorkerRecord::default() });
/// let fleet = balancer.fleet();
/// let slot = fleet.slot_of(worker).expect("it has joined");
/// assert!((fleet.success_ratio(slot, now) - 0.5).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerRecord {
    /// The share of its runs that succeeded, in 0..=1. It counts as much as two runs that were seen.
    pub success_ratio: Option<f64>,
    /// What its runs take. Read beside what others say of theirs: it counts as one run that was seen.
    pub mean_duration: Option<Duration>,
    /// The share of the time in which it could be reached, in 0..=1. What is seen of its outages is multiplied with it.
    pub uptime_ratio: Option<f64>,
}
