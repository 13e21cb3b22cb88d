//! From the hardware to a configuration, each value with its reason.

use core::fmt;

use crate::pool::PoolConfig;
use crate::time::Duration;

use super::{ComputeTarget, Explanation, Gpu, HardwareConfig, HardwareProfile, Reason, Setting, Wake};

/// A configuration with an explanation for each of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    pub(super) profile: HardwareProfile,
    pub(super) config: HardwareConfig,
    pub(super) explanations: [Explanation; Setting::ALL.len()],
}

/// The configuration that suits this hardware. It never fails: what is unknown is taken as on a small machine.
#[must_use]
pub fn generate(profile: &HardwareProfile) -> Generated {
    let (memory_budget_bytes, why_memory) = memory_budget(profile);
    let cache_budget_bytes = share(memory_budget_bytes, CACHE_PERCENT);
    let buffer_budget_bytes = share(memory_budget_bytes, BUFFER_PERCENT);
    let (max_workers, why_max) = max_workers(profile, memory_budget_bytes);
    let (min_workers, why_min) = min_workers(profile, max_workers);
    let (max_queued, why_queued) = max_queued(memory_budget_bytes);
    let (compute, why_compute) = compute(profile);
    let (wake, why_wake) = wake(profile);
    let batch_items = max_workers.saturating_mul(ITEMS_PER_WORKER).clamp(MIN_BATCH_ITEMS, MAX_BATCH_ITEMS);
    let (batch_bytes, why_batch_bytes) = batch_bytes(profile);
    let (gpu_batch_bytes, why_gpu_batch) = gpu_batch_bytes(profile, compute, buffer_budget_bytes);
    let wake_up = match wake {
        Wake::SharedMemory => SHARED_WAKE_UP,
        Wake::Messages => MESSAGE_WAKE_UP,
    };
    let config = HardwareConfig {
        min_workers,
        max_workers,
        max_queued,
        memory_budget_bytes,
        cache_budget_bytes,
        buffer_budget_bytes,
        compute,
        wake,
        batch_items,
        batch_bytes,
        gpu_batch_bytes,
        prefetch: wake_up * u64::from(PREFETCHED_WAKE_UPS),
    };
    let of_budget = |percent| Reason::ShareOfBudget { percent, budget_bytes: memory_budget_bytes };
    let explanations = Setting::ALL
        .map(|setting| {
            let (formula, reason) = match setting {
                Setting::MemoryBudget => ("min(1 GiB, memory / 4)", why_memory),
                Setting::CacheBudget => ("memory_budget_bytes * 20 %", of_budget(CACHE_PERCENT)),
                Setting::BufferBudget => ("memory_budget_bytes * 12 %", of_budget(BUFFER_PERCENT)),
                Setting::MaxWorkers => (
                    "clamp(logical_cores - 1, 1, min(64, memory_budget_bytes / 4 / 8 MiB)), half of it on battery",
                    why_max,
                ),
                Setting::MinWorkers => ("ceil(max_workers / 4), 1 on battery", why_min),
                Setting::MaxQueued => ("clamp(memory_budget_bytes * 1 % / 1 KiB, 1000, 100000)", why_queued),
                Setting::Compute => ("gpu where there is one in hardware, else cpu", why_compute),
                Setting::Wake => ("shared memory where cross-origin isolated, else messages", why_wake),
                Setting::BatchItems => {
                    ("clamp(16 * max_workers, 16, 1024)", Reason::ItemsPerWorker { items: ITEMS_PER_WORKER })
                }
                Setting::BatchBytes => ("100 KiB, 10 KiB with at most 2 logical cores", why_batch_bytes),
                Setting::GpuBatchBytes => {
                ("min(buffer_budget_bytes * 25 %, largest GPU buffer), 0 on the CPU", why_gpu_batch)
            }
            Setting::Prefetch => {
                    ("16 * wake-up time", Reason::WakeUps { wake_up, times: PREFETCHED_WAKE_UPS })
                }
            };
            Explanation { setting, value: config.value(setting), formula, reason }
        });
    Generated { profile: *profile, config, explanations }
}

impl Generated {
    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &HardwareConfig {
        &self.config
    }

    /// The hardware that it was generated for.
    #[must_use]
    pub const fn profile(&self) -> &HardwareProfile {
        &self.profile
    }

    /// Why each setting has its value, in the order of [`Setting::ALL`].
    #[must_use]
    pub fn explanations(&self) -> &[Explanation] {
        &self.explanations
    }

    /// Why this setting has its value.
    #[must_use]
    pub const fn explain(&self, setting: Setting) -> &Explanation {
        &self.explanations[setting as usize]
    }
}

impl fmt::Display for Generated {
    /// One explanation a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explanations.iter().try_for_each(|explanation| writeln!(f, "{explanation}"))
    }
}

fn memory_budget(profile: &HardwareProfile) -> (u64, Reason) {
    let known = profile.plausible_memory();
    let hint = profile.plausible_memory_hint();
    let (memory_bytes, reason) = match (known, hint) {
        (Some(memory_bytes), _) => (memory_bytes, Reason::QuarterOfMemory { memory_bytes }),
        (None, Some(memory_hint_bytes)) => (memory_hint_bytes, Reason::QuarterOfHint { memory_hint_bytes }),
        (None, None) => (ASSUMED_MEMORY, Reason::MemoryUnknown { assumed_bytes: ASSUMED_MEMORY }),
    };
    let quarter = memory_bytes / 4;
    if quarter > MAX_MEMORY_BUDGET {
        (MAX_MEMORY_BUDGET, Reason::MemoryCeiling { memory_bytes })
    } else {
        (quarter, reason)
    }
}

fn max_workers(profile: &HardwareProfile, memory_budget_bytes: u64) -> (u32, Reason) {
    let (cores, reason) = match (profile.plausible_logical_cores(), profile.plausible_physical_cores()) {
        (Some(logical), _) => (logical, Reason::CoresLessOne { logical }),
        (None, Some(physical)) => (physical, Reason::PhysicalCoresLessOne { physical }),
        (None, None) => (ASSUMED_CORES, Reason::CoresUnknown { assumed: ASSUMED_CORES }),
    };
    let by_cores = (cores - 1).max(1);
    let by_memory = u32::try_from(memory_budget_bytes / 4 / WORKER_BYTES).unwrap_or(u32::MAX).max(1);
    let (workers, reason) = if by_cores > by_memory.min(MAX_WORKERS) {
        if by_memory < MAX_WORKERS {
            (by_memory, Reason::WorkersFitMemory { by_cores, worker_bytes: WORKER_BYTES })
        } else {
            (MAX_WORKERS, Reason::WorkerCeiling { by_cores })
        }
    } else {
        (by_cores, reason)
    };
    match profile.battery_level() {
        Some(level_ratio) if level_ratio < LOW_BATTERY_RATIO => (1, Reason::BatteryLow { level_ratio }),
        Some(_) | None if profile.is_on_battery() && workers > 1 => {
            (workers.div_ceil(2), Reason::OnBattery { on_mains: workers })
        }
        Some(_) | None => (workers, reason),
    }
}

fn min_workers(profile: &HardwareProfile, max_workers: u32) -> (u32, Reason) {
    let warm = max_workers.div_ceil(4);
    if profile.is_on_battery() && warm > 1 {
        (1, Reason::OnBattery { on_mains: warm })
    } else {
        (warm, Reason::WarmShare { max_workers })
    }
}

fn max_queued(memory_budget_bytes: u64) -> (u32, Reason) {
    let by_memory = share(memory_budget_bytes, QUEUE_PERCENT) / QUEUED_TASK_BYTES;
    match u32::try_from(by_memory) {
        Ok(tasks) if (MIN_QUEUED..=MAX_QUEUED).contains(&tasks) => {
            (tasks, Reason::QueueFitsMemory { task_bytes: QUEUED_TASK_BYTES })
        }
        Ok(tasks) => (tasks.clamp(MIN_QUEUED, MAX_QUEUED), Reason::QueueClamped { by_memory }),
        Err(_) => (MAX_QUEUED, Reason::QueueClamped { by_memory }),
    }
}

fn compute(profile: &HardwareProfile) -> (ComputeTarget, Reason) {
    match profile.gpu {
        Some(Gpu::Hardware { .. }) => (ComputeTarget::Gpu, Reason::GpuPresent),
        Some(Gpu::Software) => (ComputeTarget::Cpu, Reason::GpuIsSoftware),
        Some(Gpu::Absent) => (ComputeTarget::Cpu, Reason::GpuAbsent),
        None => (ComputeTarget::Cpu, Reason::GpuUnknown),
    }
}

fn wake(profile: &HardwareProfile) -> (Wake, Reason) {
    match profile.cross_origin_isolated {
        Some(true) => (Wake::SharedMemory, Reason::Isolated),
        Some(false) => (Wake::Messages, Reason::NotIsolated),
        None => (Wake::Messages, Reason::IsolationUnknown),
    }
}

fn batch_bytes(profile: &HardwareProfile) -> (u64, Reason) {
    match profile.plausible_logical_cores() {
        Some(logical) if logical <= SLOW_DEVICE_CORES => (FRAME_COPY_BYTES, Reason::CopyInFrame { logical }),
        Some(_) | None => (RESPONSE_COPY_BYTES, Reason::CopyInResponse),
    }
}

pub(super) fn gpu_batch_bytes(
    profile: &HardwareProfile,
    target: ComputeTarget,
    buffer_budget_bytes: u64,
) -> (u64, Reason) {
    if target == ComputeTarget::Cpu {
        return (0, Reason::NoGpuKernels);
    }
    let part = share(buffer_budget_bytes, GPU_BATCH_PERCENT).max(1);
    match profile.gpu {
        Some(Gpu::Hardware { max_buffer_bytes: Some(limit_bytes) }) if (1..part).contains(&limit_bytes) => {
            (limit_bytes, Reason::GpuBufferLimit { limit_bytes })
        }
        Some(Gpu::Hardware { .. } | Gpu::Software | Gpu::Absent) | None => {
            (part, Reason::ShareOfBuffers { percent: GPU_BATCH_PERCENT, budget_bytes: buffer_budget_bytes })
        }
    }
}

/// Per cent of bytes, without overflow.
fn share(bytes: u64, percent: u32) -> u64 {
    bytes / 100 * u64::from(percent) + bytes % 100 * u64::from(percent) / 100
}

const MIB: u64 = 1 << 20;
/// The ceiling of the default budget, however large the machine is.
const MAX_MEMORY_BUDGET: u64 = 1 << 30;
/// Memory of a small machine, where the memory is unknown.
const ASSUMED_MEMORY: u64 = 2 << 30;
/// Cores of a small machine, where they are unknown.
const ASSUMED_CORES: u32 = 4;
/// With the buffers, the queue and a quarter for workers 58 % of the budget: under the 60 % at which memory warns.
pub(super) const CACHE_PERCENT: u32 = 20;
pub(super) const BUFFER_PERCENT: u32 = 12;
/// Input and output of a kernel, and the next one's.
const GPU_BATCH_PERCENT: u32 = 25;
pub(super) const QUEUE_PERCENT: u32 = 1;
/// What a worker with the app's code in it is assumed to take.
pub(super) const WORKER_BYTES: u64 = 8 * MIB;
const MAX_WORKERS: u32 = 64;
const _: () = assert!(MAX_WORKERS <= PoolConfig::MAX_WORKERS, "a pool must take what is generated");
const LOW_BATTERY_RATIO: f64 = 0.2;
/// What a waiting task with its arguments is assumed to take.
pub(super) const QUEUED_TASK_BYTES: u64 = 1_024;
const MIN_QUEUED: u32 = 1_000;
const MAX_QUEUED: u32 = 100_000;
const ITEMS_PER_WORKER: u32 = 16;
const MIN_BATCH_ITEMS: u32 = 16;
const MAX_BATCH_ITEMS: u32 = 1_024;
const SLOW_DEVICE_CORES: u32 = 2;
/// Copied within 100 ms on slow devices (surma.dev, "Is postMessage slow?").
const RESPONSE_COPY_BYTES: u64 = 100 * 1_024;
/// Copied within a frame on slow devices (same source).
const FRAME_COPY_BYTES: u64 = 10 * 1_024;
/// A worker holds what keeps it busy for 16 wake-ups: waking it costs at most a sixteenth of what it does.
const PREFETCHED_WAKE_UPS: u32 = 16;
const MESSAGE_WAKE_UP: Duration = Duration::from_nanos(62_500);
const SHARED_WAKE_UP: Duration = Duration::from_micros(15);
