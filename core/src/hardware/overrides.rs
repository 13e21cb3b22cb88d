//! What the user sets instead, checked as a whole.

use alloc::vec::Vec;
use core::fmt;

use crate::pool::PoolConfig;
use crate::time::Duration;

use super::explain::Bytes;
use super::generate::gpu_batch_bytes;
use super::{ComputeTarget, Generated, Gpu, HardwareConfig, HardwareProfile, Reason, Setting, Wake};

/// Values that the user sets instead of the generated ones; `None` keeps what is generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Instead of [`HardwareConfig::min_workers`].
    pub min_workers: Option<u32>,
    /// Instead of [`HardwareConfig::max_workers`].
    pub max_workers: Option<u32>,
    /// Instead of [`HardwareConfig::max_queued`].
    pub max_queued: Option<u32>,
    /// Instead of [`HardwareConfig::memory_budget_bytes`].
    pub memory_budget_bytes: Option<u64>,
    /// Instead of [`HardwareConfig::cache_budget_bytes`].
    pub cache_budget_bytes: Option<u64>,
    /// Instead of [`HardwareConfig::buffer_budget_bytes`].
    pub buffer_budget_bytes: Option<u64>,
    /// Instead of [`HardwareConfig::compute`].
    pub compute: Option<ComputeTarget>,
    /// Instead of [`HardwareConfig::wake`].
    pub wake: Option<Wake>,
    /// Instead of [`HardwareConfig::batch_items`].
    pub batch_items: Option<u32>,
    /// Instead of [`HardwareConfig::batch_bytes`].
    pub batch_bytes: Option<u64>,
    /// Instead of [`HardwareConfig::gpu_batch_bytes`].
    pub gpu_batch_bytes: Option<u64>,
    /// Instead of [`HardwareConfig::prefetch`].
    pub prefetch: Option<Duration>,
}

impl Overrides {
    /// These, and where they say nothing what `fallback` says: how several layers (defaults of an app, a file, an
    /// environment) become one.
    #[must_use]
    pub fn or(self, fallback: Self) -> Self {
        Self {
            min_workers: self.min_workers.or(fallback.min_workers),
            max_workers: self.max_workers.or(fallback.max_workers),
            max_queued: self.max_queued.or(fallback.max_queued),
            memory_budget_bytes: self.memory_budget_bytes.or(fallback.memory_budget_bytes),
            cache_budget_bytes: self.cache_budget_bytes.or(fallback.cache_budget_bytes),
            buffer_budget_bytes: self.buffer_budget_bytes.or(fallback.buffer_budget_bytes),
            compute: self.compute.or(fallback.compute),
            wake: self.wake.or(fallback.wake),
            batch_items: self.batch_items.or(fallback.batch_items),
            batch_bytes: self.batch_bytes.or(fallback.batch_bytes),
            gpu_batch_bytes: self.gpu_batch_bytes.or(fallback.gpu_batch_bytes),
            prefetch: self.prefetch.or(fallback.prefetch),
        }
    }

    fn names(&self, setting: Setting) -> bool {
        match setting {
            Setting::MinWorkers => self.min_workers.is_some(),
            Setting::MaxWorkers => self.max_workers.is_some(),
            Setting::MaxQueued => self.max_queued.is_some(),
            Setting::MemoryBudget => self.memory_budget_bytes.is_some(),
            Setting::CacheBudget => self.cache_budget_bytes.is_some(),
            Setting::BufferBudget => self.buffer_budget_bytes.is_some(),
            Setting::Compute => self.compute.is_some(),
            Setting::Wake => self.wake.is_some(),
            Setting::BatchItems => self.batch_items.is_some(),
            Setting::BatchBytes => self.batch_bytes.is_some(),
            Setting::GpuBatchBytes => self.gpu_batch_bytes.is_some(),
            Setting::Prefetch => self.prefetch.is_some(),
        }
    }
}

impl Generated {
    /// With what the user sets instead. Generated values give way where an override leaves them no room: a `max_workers`
    /// under the generated minimum lowers the minimum, a smaller memory budget shrinks the generated parts of it in
    /// proportion.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the overrides, not only the first of it.
    pub fn with_overrides(&self, overrides: &Overrides) -> Result<Self, InvalidOverrides> {
        let config = merged(&self.config, overrides, &self.profile);
        let errors = errors_of(&config, overrides, &self.profile);
        if !errors.is_empty() {
            return Err(InvalidOverrides { errors });
        }
        let mut explanations = self.explanations;
        for explanation in &mut explanations {
            let generated = explanation.value;
            explanation.value = config.value(explanation.setting);
            if overrides.names(explanation.setting) {
                explanation.reason = Reason::Override { generated };
            } else if explanation.value != generated {
                explanation.reason = Reason::GaveWay { generated };
            }
        }
        Ok(Self { profile: self.profile, config, explanations })
    }
}

fn merged(generated: &HardwareConfig, overrides: &Overrides, profile: &HardwareProfile) -> HardwareConfig {
    let max_workers =
        overrides.max_workers.or(overrides.min_workers.map(|min| min.max(generated.max_workers)));
    let max_workers = max_workers.unwrap_or(generated.max_workers);
    let memory_budget_bytes = overrides.memory_budget_bytes.unwrap_or(generated.memory_budget_bytes);
    let in_proportion = |bytes: u64| {
        let scaled = u128::from(bytes) * u128::from(memory_budget_bytes)
            / u128::from(generated.memory_budget_bytes.max(1));
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    let compute = overrides.compute.unwrap_or(generated.compute);
    let buffer_budget_bytes =
        overrides.buffer_budget_bytes.unwrap_or(in_proportion(generated.buffer_budget_bytes));
    // For the target and the buffers that there are now.
    let (gpu_batch_bytes, _) = gpu_batch_bytes(profile, compute, buffer_budget_bytes);
    HardwareConfig {
        min_workers: overrides.min_workers.unwrap_or(generated.min_workers.min(max_workers)),
        max_workers,
        max_queued: overrides.max_queued.unwrap_or(generated.max_queued),
        memory_budget_bytes,
        cache_budget_bytes: overrides
            .cache_budget_bytes
            .unwrap_or(in_proportion(generated.cache_budget_bytes)),
        buffer_budget_bytes,
        compute,
        wake: overrides.wake.unwrap_or(generated.wake),
        batch_items: overrides.batch_items.unwrap_or(generated.batch_items),
        batch_bytes: overrides.batch_bytes.unwrap_or(generated.batch_bytes),
        gpu_batch_bytes: overrides.gpu_batch_bytes.unwrap_or(gpu_batch_bytes),
        prefetch: overrides.prefetch.unwrap_or(generated.prefetch),
    }
}

fn errors_of(
    config: &HardwareConfig,
    overrides: &Overrides,
    profile: &HardwareProfile,
) -> Vec<OverrideError> {
    let mut errors = Vec::new();
    let worker_range = 1..=PoolConfig::MAX_WORKERS;
    for (setting, asked) in
        [(Setting::MinWorkers, overrides.min_workers), (Setting::MaxWorkers, overrides.max_workers)]
    {
        if let Some(asked) = asked.filter(|asked| !worker_range.contains(asked)) {
            errors.push(OverrideError::Workers { setting, asked });
        }
    }
    if config.min_workers > config.max_workers {
        errors.push(OverrideError::MinOverMax { min: config.min_workers, max: config.max_workers });
    }
    if let Some(asked) = overrides.max_queued.filter(|&asked| asked > PoolConfig::MAX_QUEUED) {
        errors.push(OverrideError::MaxQueued { asked });
    }
    if config.memory_budget_bytes == 0 {
        errors.push(OverrideError::NoMemoryBudget);
    }
    let parts = config.cache_budget_bytes.saturating_add(config.buffer_budget_bytes);
    if parts > config.memory_budget_bytes && config.memory_budget_bytes > 0 {
        errors.push(OverrideError::PartsOverBudget {
            cache_bytes: config.cache_budget_bytes,
            buffer_bytes: config.buffer_budget_bytes,
            budget_bytes: config.memory_budget_bytes,
        });
    }
    if overrides.compute == Some(ComputeTarget::Gpu) && profile.gpu == Some(Gpu::Absent) {
        errors.push(OverrideError::NoGpu);
    }
    if overrides.wake == Some(Wake::SharedMemory) && profile.cross_origin_isolated == Some(false) {
        errors.push(OverrideError::NotIsolated);
    }
    if config.batch_items == 0 {
        errors.push(OverrideError::EmptyBatch { setting: Setting::BatchItems });
    }
    if config.batch_bytes == 0 {
        errors.push(OverrideError::EmptyBatch { setting: Setting::BatchBytes });
    }
    let gpu_limit = match profile.gpu {
        Some(Gpu::Hardware { max_buffer_bytes: Some(limit) }) => limit.min(config.buffer_budget_bytes),
        Some(Gpu::Hardware { .. } | Gpu::Software | Gpu::Absent) | None => config.buffer_budget_bytes,
    };
    if let Some(asked) = overrides.gpu_batch_bytes.filter(|&asked| asked > gpu_limit) {
        errors.push(OverrideError::GpuBatch { asked_bytes: asked, limit_bytes: gpu_limit });
    }
    if config.compute == ComputeTarget::Gpu && config.gpu_batch_bytes == 0 {
        errors.push(OverrideError::EmptyBatch { setting: Setting::GpuBatchBytes });
    }
    if let Some(asked) = overrides.prefetch.filter(|&asked| asked > MAX_PREFETCH) {
        errors.push(OverrideError::Prefetch { asked });
    }
    errors
}

/// Everything that is wrong with some [`Overrides`]. Displays one line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOverrides {
    errors: Vec<OverrideError>,
}

impl InvalidOverrides {
    /// What is wrong, at least one.
    #[must_use]
    pub fn errors(&self) -> &[OverrideError] {
        &self.errors
    }
}

impl fmt::Display for InvalidOverrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl core::error::Error for InvalidOverrides {}

/// An override that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverrideError {
    /// Not 1 to [`PoolConfig::MAX_WORKERS`] workers.
    Workers {
        /// Which of the two.
        setting: Setting,
        /// What was asked for.
        asked: u32,
    },
    /// More workers at the least than at the most.
    MinOverMax {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// A longer queue than [`PoolConfig::MAX_QUEUED`].
    MaxQueued {
        /// What was asked for.
        asked: u32,
    },
    /// A memory budget of nothing.
    NoMemoryBudget,
    /// Caches and buffers together would take more than there is.
    PartsOverBudget {
        /// Of the caches.
        cache_bytes: u64,
        /// Of the buffers.
        buffer_bytes: u64,
        /// The memory budget.
        budget_bytes: u64,
    },
    /// Kernels were to run on a graphics processor that isn't there.
    NoGpu,
    /// Memory was to be shared in a page that isn't cross-origin isolated.
    NotIsolated,
    /// Batches of nothing.
    EmptyBatch {
        /// Which limit is zero.
        setting: Setting,
    },
    /// More bytes for a kernel than a buffer may have.
    GpuBatch {
        /// What was asked for.
        asked_bytes: u64,
        /// The smaller of the largest buffer that the graphics processor binds and the buffers' budget.
        limit_bytes: u64,
    },
    /// More work held in advance than is worth it.
    Prefetch {
        /// What was asked for.
        asked: Duration,
    },
}

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Workers { setting, asked } => {
                write!(f, "{setting} is {asked}: set 1 to {}", PoolConfig::MAX_WORKERS)
            }
            Self::MinOverMax { min, max } => {
                write!(f, "min_workers ({min}) is over max_workers ({max}): lower the one or raise the other")
            }
            Self::MaxQueued { asked } => {
                write!(f, "max_queued is {asked}: set at most {}", PoolConfig::MAX_QUEUED)
            }
            Self::NoMemoryBudget => {
                f.write_str("memory_budget_bytes is 0: set the bytes that the app may take, or leave it out")
            }
            Self::PartsOverBudget { cache_bytes, buffer_bytes, budget_bytes } => write!(
                f,
                "cache_budget_bytes ({}) and buffer_budget_bytes ({}) together are over memory_budget_bytes ({}): lower them or raise it",
                Bytes(cache_bytes),
                Bytes(buffer_bytes),
                Bytes(budget_bytes)
            ),
            Self::NoGpu => {
                f.write_str("compute is gpu, but there is no graphics processor: set cpu, or leave it out")
            }
            Self::NotIsolated => f.write_str(
                "wake is shared memory, but the page is not cross-origin isolated: serve it with the headers \
                 Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy, or set messages",
            ),
            Self::EmptyBatch { setting } => {
                write!(f, "{setting} is 0: set 1 or more; 1 sends each item alone")
            }
            Self::GpuBatch { asked_bytes, limit_bytes } => write!(
                f,
                "gpu_batch_bytes is {}: set at most {}, the largest buffer there can be",
                Bytes(asked_bytes),
                Bytes(limit_bytes)
            ),
            Self::Prefetch { asked } => write!(
                f,
                "prefetch is {asked:?}: set at most {MAX_PREFETCH:?}, for what a worker holds can't go to one that is free; zero turns it off"
            ),
        }
    }
}

impl core::error::Error for OverrideError {}

const MAX_PREFETCH: Duration = Duration::from_millis(100);
