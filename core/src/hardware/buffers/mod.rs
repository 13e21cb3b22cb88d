//! Pooled buffers within a byte budget: which bytes of which slab a buffer is, decided here and held by the shell.
//!
//! Asking the system for a buffer costs time, and in a browser a freed one stays until a collector or a driver is done with it. The
//! pool cuts *slabs* into slots of a *size class* and hands the slots out again and again. It holds no byte: it says
//! which slab to allocate or free and which bytes to move, and the shell does so to an `ArrayBuffer`, a WebGPU buffer or
//! a `Vec<u8>`.
//!
//! * Classes have four steps to a doubling, so that a buffer is at most a quarter larger than what was asked for. All sizes and
//!   offsets are multiples of 256 bytes, as WebGPU bindings need them.
//! * All slabs together never exceed the budget. Empty slabs are kept for reuse, and given up when another class needs
//!   the room, when they were idle for a while, and under [`MemoryPressure`].
//! * What a fragmented class wastes is measured ([`BufferPool::fragmentation`]) and won back by
//!   [`BufferPool::compact`], which moves buffers that are not pinned.
//!
//! The classes follow jemalloc (Evans, 2006), slabs with a bit for each slot follow Bonwick's slab allocator (1994).
//!
//! ```
//! use quillwork_core::hardware::buffers::{BufferPool, BufferPoolConfig, SlabOrder};
//! use quillwork_core::time::Instant;
//!
//! let now = Instant::ZERO;
//! let mut pool = BufferPool::new(BufferPoolConfig::with_budget(1 << 20))?;
//! let first = pool.acquire(now, 3_000)?;
//! assert_eq!(first.capacity_bytes, 3_072);
//! // The shell allocates the slab before it touches the buffer.
//! assert!(matches!(pool.poll_output(), Some(SlabOrder::Allocate { slab, .. }) if slab == first.slab));
//!
//! pool.release(now, first.id)?;
//! let second = pool.acquire(now, 2_900)?;
//! assert_eq!((second.slab, second.offset_bytes), (first.slab, first.offset_bytes));
//! assert_eq!(pool.poll_output(), None);
//! // An id is good for one release, whoever has its bytes now.
//! assert!(pool.release(now, first.id).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod class;
mod compaction;
mod config;
mod handle;
mod order;
mod pool;
mod pressure;
mod slab;
mod stats;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod pool_tests;

pub use compaction::{Compaction, Fragmentation};
pub use config::{BufferPoolConfig, BufferPoolConfigError};
pub use handle::{BufferId, UnknownBuffer};
pub use order::{SlabId, SlabOrder, SlabPlace};
pub use pool::{AcquireError, Buffer, BufferPool};
pub use pressure::MemoryPressure;
pub use stats::BufferPoolStats;
