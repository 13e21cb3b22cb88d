//! From the configuration to the settings of the parts that it sizes.

use core::num::{NonZeroU32, NonZeroU64};

use crate::cache::CacheOptions;
use crate::flow::batch::BatchConfig;
use crate::pool::{ElasticConfig, PoolConfig};

use super::HardwareConfig;
use super::buffers::BufferPoolConfig;

/// The settings of each part, with what depends on the hardware put into a base. What the hardware says nothing about stays
/// as the base has it. What [`generate`](super::generate) made is accepted by the parts; of the user's own values budgets may be
/// so small that the part itself refuses them and says so.
///
/// ```
/// use quillwork_core::hardware::{HardwareProfile, generate};
/// use quillwork_core::pool::{PoolConfig, Scheduler};
/// use quillwork_core::time::{Duration, Instant};
///
/// let generated = generate(&HardwareProfile { logical_cores: Some(8), ..HardwareProfile::default() });
/// let base = PoolConfig { lease: Some(Duration::from_secs(5)), ..PoolConfig::default() };
/// let pool = Scheduler::new(generated.config().pool_config(base), Instant::ZERO)?;
/// assert_eq!((pool.config().workers, pool.config().elastic.min_workers), (7, Some(2)));
/// assert_eq!(pool.config().lease, base.lease);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl HardwareConfig {
    /// A pool's: how many workers it has under load, how many it keeps while there is nothing to do, and how many tasks may
    /// wait.
    #[must_use]
    pub const fn pool_config(&self, base: PoolConfig) -> PoolConfig {
        let elastic = ElasticConfig { min_workers: Some(self.min_workers), ..base.elastic };
        PoolConfig { workers: self.max_workers, max_queued: self.max_queued, elastic, ..base }
    }

    /// A cache's: its capacity is the budget in bytes, so its entries must be weighed in bytes. Several caches share it.
    #[must_use]
    pub const fn cache_options(&self, base: CacheOptions) -> CacheOptions {
        CacheOptions { capacity: self.cache_budget_bytes, ..base }
    }

    /// A buffer pool's: its budget.
    #[must_use]
    pub const fn buffer_pool_config(&self) -> BufferPoolConfig {
        BufferPoolConfig::with_budget(self.buffer_budget_bytes)
    }

    /// A batcher's whose batches go to a worker in one message each: how many items and bytes. A limit of 0 counts as 1.
    #[must_use]
    pub fn batch_config(&self, base: BatchConfig) -> BatchConfig {
        BatchConfig {
            max_items: NonZeroU32::new(self.batch_items).unwrap_or(NonZeroU32::MIN),
            max_bytes: Some(NonZeroU64::new(self.batch_bytes).unwrap_or(NonZeroU64::MIN)),
            ..base
        }
    }
}
