//! Numbers about a buffer pool.

/// A buffer pool at one instant, with counts since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferPoolStats {
    /// What all slabs take. Never over the budget.
    pub held_bytes: u64,
    /// What the slots of held buffers take.
    pub in_use_bytes: u64,
    /// What was asked for of the held buffers.
    pub asked_bytes: u64,
    /// What empty slabs take.
    pub empty_bytes: u64,
    /// The most that all slabs took since the last [`take_high_water`](super::BufferPool::take_high_water).
    pub high_water_bytes: u64,
    /// Buffers that are held.
    pub buffers: u64,
    /// Slabs that are held.
    pub slabs: u64,
    /// Buffers handed out.
    pub acquired: u64,
    /// Of them, those that needed no new slab.
    pub reused: u64,
    /// Buffers given back.
    pub released: u64,
    /// Buffers lost with their slab.
    pub lost: u64,
    /// Buffers refused.
    pub refused: u64,
    /// Slabs allocated.
    pub slabs_allocated: u64,
    /// Slabs freed or lost.
    pub slabs_freed: u64,
    /// Bytes moved by compaction.
    pub moved_bytes: u64,
}

impl BufferPoolStats {
    /// The part of the handed out buffers that needed no new slab; `None` before the first.
    #[must_use]
    pub fn reuse_ratio(&self) -> Option<f64> {
        (self.acquired > 0).then(|| self.reused as f64 / self.acquired as f64)
    }
}
