//! Processor use, and what waits for resources.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Processor use over the last tick.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Cpu {
    /// Busy share of all cores together, 0 to 1. `null` until two readings exist. Waiting for input and output is not
    /// busy; time that the hypervisor gave to others is.
    pub total_ratio: Option<f64>,
    /// Busy share of each core, 0 to 1.
    pub core_ratios: Vec<Option<f64>>,
    /// Load averages over 1, 5 and 15 minutes; `null` where the system has none (Windows).
    pub load_averages: Option<[f64; 3]>,
    /// Share of the last tick in each mode.
    pub modes: Option<CpuModes>,
    /// Seconds of all cores in each mode since the machine started.
    pub mode_seconds_total: Option<CpuModes>,
    /// Clock of each core now.
    pub core_hertz: Vec<Option<f64>>,
    /// Context switches since the machine started.
    pub context_switches_total: Option<u64>,
    /// Context switches a second.
    pub context_switches_per_second: Option<f64>,
    /// Interrupts since the machine started.
    pub interrupts_total: Option<u64>,
    /// Interrupts a second.
    pub interrupts_per_second: Option<f64>,
    /// Processes and threads created since the machine started.
    pub forks_total: Option<u64>,
    /// Processes and threads created a second.
    pub forks_per_second: Option<f64>,
    /// Tasks that run or could.
    pub runnable: Option<u64>,
    /// Tasks that wait for input and output.
    pub blocked: Option<u64>,
}

/// Processor time by mode. The modes are disjoint: Linux counts a guest's time in `user` and `nice` as well, here it is
/// taken out of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct CpuModes {
    /// Programs.
    pub user: f64,
    /// Programs that give way.
    pub nice: f64,
    /// The kernel.
    pub system: f64,
    /// Nothing.
    pub idle: f64,
    /// Nothing, while a task of this processor waits for a disk.
    pub iowait: f64,
    /// Interrupts.
    pub irq: f64,
    /// The second half of interrupts.
    pub softirq: f64,
    /// The hypervisor ran another machine.
    pub steal: f64,
    /// Guests of this machine, those that give way included.
    pub guest: f64,
}

impl CpuModes {
    /// Each mode with its name, in the order of the fields.
    #[must_use]
    pub fn by_name(&self) -> [(&'static str, f64); 9] {
        [
            ("user", self.user),
            ("nice", self.nice),
            ("system", self.system),
            ("idle", self.idle),
            ("iowait", self.iowait),
            ("irq", self.irq),
            ("softirq", self.softirq),
            ("steal", self.steal),
            ("guest", self.guest),
        ]
    }
}

/// Pressure stall information of Linux, by resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Pressures {
    /// Waiting for a processor. `full` is not defined for the whole machine.
    pub cpu: Option<Pressure>,
    /// Waiting for memory.
    pub memory: Option<Pressure>,
    /// Waiting for input and output.
    pub io: Option<Pressure>,
}

/// How long tasks waited for one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Pressure {
    /// At least one task waited.
    pub some: Stall,
    /// All tasks that had work waited.
    pub full: Option<Stall>,
}

/// Time lost by waiting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Stall {
    /// Share of the last tick, 0 to 1.
    pub ratio: Option<f64>,
    /// The kernel's average over 10 seconds, 0 to 1.
    pub average_10s_ratio: f64,
    /// Seconds since the machine started.
    pub seconds_total: f64,
}
