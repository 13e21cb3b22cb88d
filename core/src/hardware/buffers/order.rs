//! What the shell does to its slabs.

use core::fmt;

use super::BufferId;

/// One slab of the shell's: counted from 0, used again after it was freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlabId(pub(super) u32);

impl SlabId {
    /// Its number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As an index into a table of slabs.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for SlabId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlabPlace {
    /// In which slab.
    pub slab: SlabId,
    /// From its beginning; a multiple of 256.
    pub offset_bytes: u64,
}

/// What the shell does, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlabOrder {
    /// Allocate a slab. Where that fails, drain the other orders and then call
    /// [`handle_slab_lost`](super::BufferPool::handle_slab_lost).
    Allocate {
        /// Its id.
        slab: SlabId,
        /// Its size.
        bytes: u64,
    },
    /// Free a slab in which nothing is held.
    Free {
        /// Which one.
        slab: SlabId,
        /// Its size.
        bytes: u64,
    },
    /// Copy a buffer's bytes, and from now on find the buffer at its new place.
    Move {
        /// Which buffer.
        buffer: BufferId,
        /// Where it was.
        from: SlabPlace,
        /// Where it is now. The places don't overlap.
        to: SlabPlace,
        /// How many bytes were asked for; what is behind them in the slot needs no copy.
        bytes: u64,
    },
}
