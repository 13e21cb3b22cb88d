//! The pool: acquire, release, trim.

use alloc::collections::VecDeque;
use core::fmt;

use crate::time::Instant;

use super::class::SizeClass;
use super::handle::{Handles, Held};
use super::slab::{SLOTS, Slabs};
use super::{
    BufferId, BufferPoolConfig, BufferPoolConfigError, BufferPoolStats, MemoryPressure, SlabId, SlabOrder,
    SlabPlace, UnknownBuffer,
};

/// A buffer and where its bytes are. The place is good until an [`SlabOrder::Move`] names the buffer; pinned buffers are
/// not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// For [`BufferPool::release`].
    pub id: BufferId,
    /// In which slab.
    pub slab: SlabId,
    /// From the slab's beginning; a multiple of 256.
    pub offset_bytes: u64,
    /// How many bytes it has, at least what was asked for. What they hold is whatever was there before.
    pub capacity_bytes: u64,
}

/// Decides which bytes of which slab a buffer is. See the [module](super) for how.
///
/// As everywhere, orders are drained ([`BufferPool::poll_output`]) after each call and before a buffer is touched.
#[derive(Clone, Debug)]
pub struct BufferPool {
    pub(super) config: BufferPoolConfig,
    pub(super) slabs: Slabs,
    pub(super) handles: Handles,
    pub(super) orders: VecDeque<SlabOrder>,
    pub(super) stats: BufferPoolStats,
    largest: SizeClass,
    pressure: MemoryPressure,
    /// What all slabs may take: the budget, under critical pressure what was held when it began.
    ceiling_bytes: u64,
    now: Instant,
}

impl BufferPool {
    /// A pool that holds nothing.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(config: BufferPoolConfig) -> Result<Self, BufferPoolConfigError> {
        config.validate()?;
        let Some(largest) = SizeClass::within(config.budget_bytes) else {
            return Err(BufferPoolConfigError::Budget { asked_bytes: config.budget_bytes });
        };
        Ok(Self {
            config,
            slabs: Slabs::new(largest),
            handles: Handles::default(),
            orders: VecDeque::new(),
            stats: BufferPoolStats::default(),
            largest,
            pressure: MemoryPressure::Normal,
            ceiling_bytes: config.budget_bytes,
            now: Instant::ZERO,
        })
    }

    /// A buffer of at least so many bytes; zero bytes get the smallest there is. It may have had another use before: its
    /// bytes are not cleared.
    ///
    /// # Errors
    ///
    /// Where there is none within the budget, or under critical pressure none without growth. Nothing is held then.
    pub fn acquire(&mut self, now: Instant, bytes: u64) -> Result<Buffer, AcquireError> {
        self.advance(now);
        let found = self.slab_for(bytes);
        let (slab, is_new) = found.inspect_err(|_| self.stats.refused += 1)?;
        if self.slabs.get(slab).used == 0 {
            self.stats.empty_bytes -= self.slabs.get(slab).bytes();
        }
        let (id, slot) = self.handles.insert_with(|index| {
            let slot = self.slabs.take_slot(slab, index);
            (Held { slab, slot, asked_bytes: bytes, pins: 0 }, slot)
        });
        let capacity_bytes = self.slabs.get(slab).class.bytes();
        self.stats.in_use_bytes += capacity_bytes;
        self.stats.asked_bytes += bytes;
        self.stats.buffers += 1;
        self.stats.acquired += 1;
        self.stats.reused += u64::from(!is_new);
        let SlabPlace { slab, offset_bytes } = self.place(slab, slot);
        Ok(Buffer { id, slab, offset_bytes, capacity_bytes })
    }

    /// Gives a buffer back, pinned or not.
    ///
    /// # Errors
    ///
    /// Where it is not held, as after an earlier release. Nothing has changed then.
    pub fn release(&mut self, now: Instant, id: BufferId) -> Result<(), UnknownBuffer> {
        self.advance(now);
        let held = self.handles.remove(id)?;
        self.stats.released += 1;
        self.forget(&held);
        self.slabs.give_slot(self.now, held.slab, held.slot);
        let slab = *self.slabs.get(held.slab);
        if slab.used == 0 {
            self.stats.empty_bytes += slab.bytes();
            self.trim_class(slab.class);
        }
        Ok(())
    }

    /// Where a buffer is now.
    ///
    /// # Errors
    ///
    /// Where it is not held.
    pub fn locate(&self, id: BufferId) -> Result<Buffer, UnknownBuffer> {
        let held = self.handles.get(id)?;
        let SlabPlace { slab, offset_bytes } = self.place(held.slab, held.slot);
        Ok(Buffer { id, slab, offset_bytes, capacity_bytes: self.slabs.get(held.slab).class.bytes() })
    }

    /// Keeps a buffer where it is until as many calls of [`unpin`](Self::unpin): for bytes that a worker or the GPU is
    /// working on.
    ///
    /// # Errors
    ///
    /// Where it is not held.
    pub fn pin(&mut self, id: BufferId) -> Result<(), UnknownBuffer> {
        let held = self.handles.get_mut(id)?;
        held.pins = held.pins.saturating_add(1);
        if held.pins == 1 {
            self.slabs.pin(held.slab);
        }
        Ok(())
    }

    /// Takes one pin off. One too many changes nothing.
    ///
    /// # Errors
    ///
    /// Where it is not held.
    pub fn unpin(&mut self, id: BufferId) -> Result<(), UnknownBuffer> {
        let held = self.handles.get_mut(id)?;
        if held.pins == 1 {
            self.slabs.unpin(held.slab);
        }
        held.pins = held.pins.saturating_sub(1);
        Ok(())
    }

    /// The app's memory is under this pressure until told otherwise. What to do follows the docs of the levels.
    pub fn handle_pressure(&mut self, now: Instant, pressure: MemoryPressure) {
        self.advance(now);
        let was_critical = self.pressure == MemoryPressure::Critical;
        self.pressure = pressure;
        for class in self.largest.up_to() {
            self.trim_class(class);
        }
        if pressure >= MemoryPressure::High && self.config.pressure_compaction_bytes > 0 {
            self.compact(now, self.config.pressure_compaction_bytes);
        }
        if pressure < MemoryPressure::Critical {
            self.ceiling_bytes = self.config.budget_bytes;
        } else if !was_critical {
            self.ceiling_bytes = self.stats.held_bytes;
        }
    }

    /// A slab is lost with everything in it: it could not be allocated, or the device that held it is gone. Its buffers are not held
    /// any more; returns how many they were.
    pub fn handle_slab_lost(&mut self, now: Instant, slab: SlabId) -> u64 {
        self.advance(now);
        if !self.slabs.is_held(slab.0) {
            return 0;
        }
        let mut lost = 0;
        for slot in self.slabs.used_slots(slab.0) {
            let held = self.handles.remove_at(self.slabs.owner(slab.0, slot));
            self.forget(&held);
            lost += 1;
        }
        self.stats.lost += lost;
        if lost == 0 {
            self.stats.empty_bytes -= self.slabs.get(slab.0).bytes();
        }
        self.drop_slab(slab.0);
        lost
    }

    /// Frees slabs that were empty for long enough.
    pub fn handle_deadline(&mut self, now: Instant) {
        self.advance(now);
        for class in self.largest.up_to() {
            while let Some(slab) = self.slabs.oldest_empty(class)
                && self.slabs.get(slab).emptied_at + self.config.idle <= self.now
            {
                self.free_empty(slab);
            }
        }
    }

    /// When to call [`handle_deadline`](Self::handle_deadline).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let oldest = self.largest.up_to().filter_map(|class| self.slabs.oldest_empty(class));
        let deadlines = oldest.map(|slab| self.slabs.get(slab).emptied_at + self.config.idle);
        deadlines.min().filter(|&deadline| deadline != Instant::NEVER)
    }

    /// What the shell does next.
    pub fn poll_output(&mut self) -> Option<SlabOrder> {
        self.orders.pop_front()
    }

    /// Numbers about the pool.
    #[must_use]
    pub const fn stats(&self) -> BufferPoolStats {
        self.stats
    }

    /// The high-water mark, which starts again at what is held now.
    pub fn take_high_water(&mut self) -> u64 {
        core::mem::replace(&mut self.stats.high_water_bytes, self.stats.held_bytes)
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &BufferPoolConfig {
        &self.config
    }

    pub(super) fn place(&self, slab: u32, slot: u8) -> SlabPlace {
        let offset_bytes = self.slabs.get(slab).class.bytes() * u64::from(slot);
        SlabPlace { slab: SlabId(slab), offset_bytes }
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = SizeClass> + use<> {
        self.largest.up_to()
    }

    /// Frees a slab in which nothing is held any more.
    pub(super) fn free(&mut self, slab: u32) {
        let bytes = self.slabs.get(slab).bytes();
        self.drop_slab(slab);
        self.orders.push_back(SlabOrder::Free { slab: SlabId(slab), bytes });
    }

    pub(super) fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// A slab with a free slot for so many bytes, and whether it is new.
    fn slab_for(&mut self, bytes: u64) -> Result<(u32, bool), AcquireError> {
        let class = SizeClass::holding(bytes).filter(|&class| class <= self.largest);
        let Some(class) = class else {
            return Err(AcquireError::TooLarge { asked_bytes: bytes, limit_bytes: self.largest.bytes() });
        };
        if let Some(slab) = self.slabs.with_room(class) {
            return Ok((slab, false));
        }
        let wanted = (self.config.slab_bytes / class.bytes()).clamp(1, SLOTS as u64);
        self.make_room(wanted * class.bytes());
        let slots = wanted.min(self.room_bytes() / class.bytes());
        if slots == 0 && self.pressure == MemoryPressure::Critical {
            return Err(AcquireError::GrowthStopped { asked_bytes: bytes });
        }
        if slots == 0 {
            let reclaimable_bytes = self.fragmentation().reclaimable_bytes;
            return Err(AcquireError::BudgetTaken { asked_bytes: bytes, reclaimable_bytes });
        }
        let slots = u8::try_from(slots).expect("at most 64");
        let slab = self.slabs.add(self.now, class, slots);
        let slab_bytes = class.bytes() * u64::from(slots);
        self.stats.held_bytes += slab_bytes;
        self.stats.empty_bytes += slab_bytes;
        self.stats.high_water_bytes = self.stats.high_water_bytes.max(self.stats.held_bytes);
        self.stats.slabs += 1;
        self.stats.slabs_allocated += 1;
        self.orders.push_back(SlabOrder::Allocate { slab: SlabId(slab), bytes: slab_bytes });
        Ok((slab, true))
    }

    fn room_bytes(&self) -> u64 {
        self.ceiling_bytes.saturating_sub(self.stats.held_bytes)
    }

    /// Gives up empty slabs, the longest empty first, until so many bytes are free or none is left.
    fn make_room(&mut self, bytes: u64) {
        while self.room_bytes() < bytes {
            let oldest = self.largest.up_to().filter_map(|class| self.slabs.oldest_empty(class));
            let Some(slab) = oldest.min_by_key(|&slab| (self.slabs.get(slab).emptied_at, slab)) else {
                return;
            };
            self.free_empty(slab);
        }
    }

    /// Frees the empty slabs of a class that the pressure leaves no room for.
    fn trim_class(&mut self, class: SizeClass) {
        loop {
            let is_too_many = match self.pressure {
                MemoryPressure::Normal => false,
                MemoryPressure::Warning => self.slabs.has_several_empty(class),
                MemoryPressure::High | MemoryPressure::Critical => true,
            };
            match self.slabs.oldest_empty(class) {
                Some(slab) if is_too_many => self.free_empty(slab),
                Some(_) | None => return,
            }
        }
    }

    fn free_empty(&mut self, slab: u32) {
        self.stats.empty_bytes -= self.slabs.get(slab).bytes();
        self.free(slab);
    }

    fn drop_slab(&mut self, slab: u32) {
        self.stats.held_bytes -= self.slabs.get(slab).bytes();
        self.stats.slabs -= 1;
        self.stats.slabs_freed += 1;
        self.slabs.remove(slab);
    }

    /// Takes a buffer that is not held any more out of the sums.
    fn forget(&mut self, held: &Held) {
        if held.pins > 0 {
            self.slabs.unpin(held.slab);
        }
        self.stats.in_use_bytes -= self.slabs.get(held.slab).class.bytes();
        self.stats.asked_bytes -= held.asked_bytes;
        self.stats.buffers -= 1;
    }
}

/// Why there is no buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// No buffer is ever so large within this budget.
    TooLarge {
        /// What was asked for.
        asked_bytes: u64,
        /// The largest buffer that the budget allows.
        limit_bytes: u64,
    },
    /// The budget is taken. After [`BufferPool::compact`], or a release, there may be room.
    BudgetTaken {
        /// What was asked for.
        asked_bytes: u64,
        /// What compacting would free if nothing were pinned.
        reclaimable_bytes: u64,
    },
    /// The pool doesn't grow past what it held when the critical pressure began.
    GrowthStopped {
        /// What was asked for.
        asked_bytes: u64,
    },
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { asked_bytes, limit_bytes } => write!(
                f,
                "a buffer of {asked_bytes} bytes is over the {limit_bytes} that the pool's budget allows: split it, or raise the budget"
            ),
            Self::BudgetTaken { asked_bytes, reclaimable_bytes } => write!(
                f,
                "no room for {asked_bytes} bytes within the pool's budget: release buffers; compacting would free {reclaimable_bytes} bytes"
            ),
            Self::GrowthStopped { asked_bytes } => write!(
                f,
                "memory is under critical pressure, so the pool doesn't grow by {asked_bytes} bytes: wait for a release"
            ),
        }
    }
}

impl core::error::Error for AcquireError {}
