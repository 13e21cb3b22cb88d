//! The configuration that follows from the hardware.

use core::fmt;

use crate::time::Duration;

use super::{Setting, Value};

/// Sizes that depend on the hardware. [`generate`](super::generate) makes one with an explanation for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardwareConfig {
    /// Workers that are kept while there is nothing to do.
    pub min_workers: u32,
    /// Workers under load.
    pub max_workers: u32,
    /// Tasks that may wait.
    pub max_queued: u32,
    /// What everything together may take: heap, WASM memory and pooled buffers. The levels of pressure are parts of it.
    pub memory_budget_bytes: u64,
    /// What caches may take of it.
    pub cache_budget_bytes: u64,
    /// What pooled buffers may take of it.
    pub buffer_budget_bytes: u64,
    /// Where kernels run that can run on both.
    pub compute: ComputeTarget,
    /// How workers are woken.
    pub wake: Wake,
    /// Items that go to a worker in one message, at most.
    pub batch_items: u32,
    /// Bytes that go to a worker in one message, at most, where they are copied.
    pub batch_bytes: u64,
    /// Bytes that one kernel on the graphics processor gets, at most; 0 where kernels run on the CPU.
    pub gpu_batch_bytes: u64,
    /// How much measured run time a worker may hold in advance.
    pub prefetch: Duration,
}

/// Where kernels run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComputeTarget {
    /// On the graphics processor, by the one worker that holds it.
    Gpu,
    /// On the workers' cores.
    Cpu,
}

/// How workers are woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// By a flag in shared memory. Needs cross-origin isolation.
    SharedMemory,
    /// By messages. Works everywhere.
    Messages,
}

impl HardwareConfig {
    /// The value of one setting.
    #[must_use]
    pub const fn value(&self, setting: Setting) -> Value {
        match setting {
            Setting::MinWorkers => Value::Count(self.min_workers),
            Setting::MaxWorkers => Value::Count(self.max_workers),
            Setting::MaxQueued => Value::Count(self.max_queued),
            Setting::MemoryBudget => Value::Bytes(self.memory_budget_bytes),
            Setting::CacheBudget => Value::Bytes(self.cache_budget_bytes),
            Setting::BufferBudget => Value::Bytes(self.buffer_budget_bytes),
            Setting::Compute => Value::Compute(self.compute),
            Setting::Wake => Value::Wake(self.wake),
            Setting::BatchItems => Value::Count(self.batch_items),
            Setting::BatchBytes => Value::Bytes(self.batch_bytes),
            Setting::GpuBatchBytes => Value::Bytes(self.gpu_batch_bytes),
            Setting::Prefetch => Value::Time(self.prefetch),
        }
    }
}

impl fmt::Display for ComputeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        })
    }
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SharedMemory => "shared memory",
            Self::Messages => "messages",
        })
    }
}
