//! Why a setting has its value: as data, and as a sentence.

use core::fmt;

use crate::time::Duration;

use super::{ComputeTarget, Wake};

/// Names one field of a [`HardwareConfig`](super::HardwareConfig). In the order of [`Setting::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// [`memory_budget_bytes`](super::HardwareConfig::memory_budget_bytes)
    MemoryBudget,
    /// [`cache_budget_bytes`](super::HardwareConfig::cache_budget_bytes)
    CacheBudget,
    /// [`buffer_budget_bytes`](super::HardwareConfig::buffer_budget_bytes)
    BufferBudget,
    /// [`max_workers`](super::HardwareConfig::max_workers)
    MaxWorkers,
    /// [`min_workers`](super::HardwareConfig::min_workers)
    MinWorkers,
    /// [`max_queued`](super::HardwareConfig::max_queued)
    MaxQueued,
    /// [`compute`](super::HardwareConfig::compute)
    Compute,
    /// [`wake`](super::HardwareConfig::wake)
    Wake,
    /// [`batch_items`](super::HardwareConfig::batch_items)
    BatchItems,
    /// [`batch_bytes`](super::HardwareConfig::batch_bytes)
    BatchBytes,
    /// [`gpu_batch_bytes`](super::HardwareConfig::gpu_batch_bytes)
    GpuBatchBytes,
    /// [`prefetch`](super::HardwareConfig::prefetch)
    Prefetch,
}

impl Setting {
    /// All of them, in the order in which they are generated: each follows from the profile and the ones before it.
    pub const ALL: [Self; 12] = [
        Self::MemoryBudget,
        Self::CacheBudget,
        Self::BufferBudget,
        Self::MaxWorkers,
        Self::MinWorkers,
        Self::MaxQueued,
        Self::Compute,
        Self::Wake,
        Self::BatchItems,
        Self::BatchBytes,
        Self::GpuBatchBytes,
        Self::Prefetch,
    ];

    /// The field's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MemoryBudget => "memory_budget_bytes",
            Self::CacheBudget => "cache_budget_bytes",
            Self::BufferBudget => "buffer_budget_bytes",
            Self::MaxWorkers => "max_workers",
            Self::MinWorkers => "min_workers",
            Self::MaxQueued => "max_queued",
            Self::Compute => "compute",
            Self::Wake => "wake",
            Self::BatchItems => "batch_items",
            Self::BatchBytes => "batch_bytes",
            Self::GpuBatchBytes => "gpu_batch_bytes",
            Self::Prefetch => "prefetch",
        }
    }
}

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number of something.
    Count(u32),
    /// Bytes.
    Bytes(u64),
    /// A length of time.
    Time(Duration),
    /// Where kernels run.
    Compute(ComputeTarget),
    /// How workers are woken.
    Wake(Wake),
}

/// Why one setting has its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explanation {
    /// Which setting.
    pub setting: Setting,
    /// Its value.
    pub value: Value,
    /// How the value is computed, in the names of the profile and of other settings.
    pub formula: &'static str,
    /// What decided on this hardware.
    pub reason: Reason,
}

/// What decided the value of a setting on this hardware.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The user set it.
    Override {
        /// What it would have been.
        generated: Value,
    },
    /// The user set another value that leaves no room for the generated one.
    GaveWay {
        /// What it would have been.
        generated: Value,
    },
    /// A quarter of the memory, which is known.
    QuarterOfMemory {
        /// The memory.
        memory_bytes: u64,
    },
    /// A quarter of the memory that the browser hinted at.
    QuarterOfHint {
        /// The hint.
        memory_hint_bytes: u64,
    },
    /// The most that a page takes however large the machine is.
    MemoryCeiling {
        /// The memory, or the hint.
        memory_bytes: u64,
    },
    /// The memory is unknown, so a small machine is assumed.
    MemoryUnknown {
        /// What is assumed.
        assumed_bytes: u64,
    },
    /// A part of the memory budget.
    ShareOfBudget {
        /// Per cent of the budget.
        percent: u32,
        /// The budget.
        budget_bytes: u64,
    },
    /// One core is left for the user interface.
    CoresLessOne {
        /// Logical cores.
        logical: u32,
    },
    /// Only the physical cores are known; one is left for the user interface.
    PhysicalCoresLessOne {
        /// Physical cores.
        physical: u32,
    },
    /// The cores are unknown, so few are assumed.
    CoresUnknown {
        /// What is assumed.
        assumed: u32,
    },
    /// Half as many as on mains: energy is worth more than speed.
    OnBattery {
        /// How many there would be on mains.
        on_mains: u32,
    },
    /// One worker: the battery is nearly empty.
    BatteryLow {
        /// How full it is, 0 to 1.
        level_ratio: f64,
    },
    /// More workers would take more than their part of the memory budget.
    WorkersFitMemory {
        /// How many the cores would allow.
        by_cores: u32,
        /// What one worker is assumed to take.
        worker_bytes: u64,
    },
    /// A page has no use for more.
    WorkerCeiling {
        /// How many the cores would allow.
        by_cores: u32,
    },
    /// A part of the most workers stays warm, so that a burst need not wait for workers to boot.
    WarmShare {
        /// The most workers.
        max_workers: u32,
    },
    /// As many tasks as a part of the memory budget holds.
    QueueFitsMemory {
        /// What one waiting task is assumed to take.
        task_bytes: u64,
    },
    /// The memory would allow less, or more, than a queue is good for.
    QueueClamped {
        /// What the memory would allow.
        by_memory: u64,
    },
    /// There is a graphics processor.
    GpuPresent,
    /// There is none.
    GpuAbsent,
    /// The one there is computes on the CPU, more slowly than the CPU's own kernels.
    GpuIsSoftware,
    /// Nothing is known of a graphics processor.
    GpuUnknown,
    /// The page is cross-origin isolated.
    Isolated,
    /// The page is not cross-origin isolated.
    NotIsolated,
    /// It is not known whether the page is cross-origin isolated.
    IsolationUnknown,
    /// So many items for each worker.
    ItemsPerWorker {
        /// How many.
        items: u32,
    },
    /// What is copied within a response on a slow device.
    CopyInResponse,
    /// What is copied within a frame on a slow device, as this one is.
    CopyInFrame {
        /// Logical cores.
        logical: u32,
    },
    /// A part of the buffers' budget, so that several kernels' buffers fit.
    ShareOfBuffers {
        /// Per cent of the budget.
        percent: u32,
        /// The buffers' budget.
        budget_bytes: u64,
    },
    /// The largest buffer that the graphics processor binds.
    GpuBufferLimit {
        /// The limit.
        limit_bytes: u64,
    },
    /// Kernels run on the CPU.
    NoGpuKernels,
    /// So often the time that waking a worker takes, so that waking costs little of the time worked.
    WakeUps {
        /// The time that waking a worker takes.
        wake_up: Duration,
        /// How often.
        times: u32,
    },
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Bytes(bytes) => Bytes(*bytes).fmt(f),
            Self::Time(time) => write!(f, "{time:?}"),
            Self::Compute(target) => target.fmt(f),
            Self::Wake(wake) => wake.fmt(f),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {} [{}]", self.setting, self.value, self.reason, self.formula)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Override { generated } => write!(f, "set by the user; it would be {generated}"),
            Self::GaveWay { generated } => {
                write!(f, "follows what the user set elsewhere; it would be {generated}")
            }
            Self::QuarterOfMemory { memory_bytes } => {
                write!(f, "a quarter of {} of memory", Bytes(memory_bytes))
            }
            Self::QuarterOfHint { memory_hint_bytes } => {
                write!(f, "a quarter of the {} of memory that the browser hints at", Bytes(memory_hint_bytes))
            }
            Self::MemoryCeiling { memory_bytes } => {
                write!(f, "the most a page takes; a quarter of {} would be more", Bytes(memory_bytes))
            }
            Self::MemoryUnknown { assumed_bytes } => {
                write!(
                    f,
                    "the memory is unknown: a quarter of {}, as on a small machine",
                    Bytes(assumed_bytes)
                )
            }
            Self::ShareOfBudget { percent, budget_bytes } => {
                write!(f, "{percent} % of the memory budget of {}", Bytes(budget_bytes))
            }
            Self::CoresLessOne { logical } => {
                write!(f, "{logical} logical cores, less one for the user interface (at least 1)")
            }
            Self::PhysicalCoresLessOne { physical } => {
                write!(f, "{physical} physical cores, less one for the user interface (at least 1)")
            }
            Self::CoresUnknown { assumed } => {
                write!(f, "the cores are unknown: {assumed} are assumed, less one for the user interface")
            }
            Self::OnBattery { on_mains } => {
                write!(f, "half of the {on_mains} on mains, rounded up: on battery")
            }
            Self::BatteryLow { level_ratio } => {
                write!(f, "the least: the battery is at {:.0} %", level_ratio * 100.0)
            }
            Self::WorkersFitMemory { by_cores, worker_bytes } => write!(
                f,
                "the cores would allow {by_cores}, but at {} each they would take more than a quarter of the memory budget",
                Bytes(worker_bytes)
            ),
            Self::WorkerCeiling { by_cores } => {
                write!(f, "the cores would allow {by_cores}; no page has a use for more than this")
            }
            Self::WarmShare { max_workers } => {
                write!(f, "a quarter of the most workers ({max_workers}), rounded up, stays warm for a burst")
            }
            Self::QueueFitsMemory { task_bytes } => {
                write!(f, "1 % of the memory budget at {} for a waiting task", Bytes(task_bytes))
            }
            Self::QueueClamped { by_memory } => {
                write!(
                    f,
                    "1 % of the memory budget would hold {by_memory}; a useful queue has a limit on each side"
                )
            }
            Self::GpuPresent => f.write_str("there is a graphics processor"),
            Self::GpuAbsent => f.write_str("there is no graphics processor"),
            Self::GpuIsSoftware => {
                f.write_str("the graphics processor is emulated, more slowly than the CPU's own kernels")
            }
            Self::GpuUnknown => f.write_str("nothing is known of a graphics processor"),
            Self::Isolated => f.write_str("the page is cross-origin isolated"),
            Self::NotIsolated => {
                f.write_str("the page is not cross-origin isolated, so memory can't be shared")
            }
            Self::IsolationUnknown => {
                f.write_str("whether memory can be shared is unknown; messages work everywhere")
            }
            Self::ItemsPerWorker { items } => write!(f, "{items} items for each of the most workers"),
            Self::CopyInResponse => f.write_str("what even a slow device copies within a response of 100 ms"),
            Self::CopyInFrame { logical } => {
                write!(f, "a slow device ({logical} logical cores): what it copies within a frame")
            }
            Self::ShareOfBuffers { percent, budget_bytes } => {
                write!(
                    f,
                    "{percent} % of the buffers' budget of {}, so that several fit",
                    Bytes(budget_bytes)
                )
            }
            Self::GpuBufferLimit { limit_bytes } => {
                write!(f, "the graphics processor binds at most {}", Bytes(limit_bytes))
            }
            Self::NoGpuKernels => f.write_str("kernels run on the CPU"),
            Self::WakeUps { wake_up, times } => {
                write!(f, "{times} times the {wake_up:?} that waking a worker takes")
            }
        }
    }
}

/// Bytes for people: in the largest binary unit in which they are at least 1, with one decimal where they are not whole.
#[derive(Clone, Copy)]
pub(super) struct Bytes(pub(super) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
        let Some((unit, shift)) = units.into_iter().find(|&(_, shift)| self.0 >> shift > 0) else {
            return write!(f, "{} B", self.0);
        };
        if self.0.trailing_zeros() >= shift {
            write!(f, "{} {unit}", self.0 >> shift)
        } else {
            write!(f, "{:.1} {unit}", self.0 as f64 / (1_u64 << shift) as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn bytes_read_well() {
        let texts =
            [0, 1_023, 1_024, 1_536, 512 << 20, (1 << 30) + (1 << 29)].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(texts, ["0 B", "1023 B", "1 KiB", "1.5 KiB", "512 MiB", "1.5 GiB"]);
    }
}
