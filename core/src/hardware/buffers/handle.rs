//! Ids of buffers: good until their release, and never for another buffer.

use alloc::vec::Vec;
use core::fmt;

/// One buffer from its acquisition to its release. Ids are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId {
    index: u32,
    generation: u32,
}

impl BufferId {
    /// As one number, for a shell's tables.
    #[must_use]
    pub const fn get(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }
}

/// An id that is not held: it was released before, its slab was lost, or it is another pool's. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownBuffer(pub BufferId);

impl fmt::Display for UnknownBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "buffer {} is not held: it was released before, or its slab was lost", self.0.get())
    }
}

impl core::error::Error for UnknownBuffer {}

/// What a held buffer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) slab: u32,
    pub(super) slot: u8,
    pub(super) asked_bytes: u64,
    pub(super) pins: u32,
}

/// All held buffers by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Handles {
    handles: Vec<Handle>,
    vacant: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Handle {
    generation: u32,
    held: Option<Held>,
}

impl Handles {
    /// Adds what `make` says of the new buffer's index, and passes on what else it says.
    pub(super) fn insert_with<T>(&mut self, make: impl FnOnce(u32) -> (Held, T)) -> (BufferId, T) {
        let index = self.vacant.pop().unwrap_or_else(|| {
            let index = u32::try_from(self.handles.len()).expect("a budget holds at most 2^30 buffers");
            self.handles.push(Handle { generation: 0, held: None });
            index
        });
        let (held, more) = make(index);
        let handle = &mut self.handles[index as usize];
        handle.held = Some(held);
        (BufferId { index, generation: handle.generation }, more)
    }

    pub(super) fn get(&self, id: BufferId) -> Result<&Held, UnknownBuffer> {
        let handle = self.handles.get(id.index as usize).filter(|handle| handle.generation == id.generation);
        handle.and_then(|handle| handle.held.as_ref()).ok_or(UnknownBuffer(id))
    }

    pub(super) fn get_mut(&mut self, id: BufferId) -> Result<&mut Held, UnknownBuffer> {
        let handle =
            self.handles.get_mut(id.index as usize).filter(|handle| handle.generation == id.generation);
        handle.and_then(|handle| handle.held.as_mut()).ok_or(UnknownBuffer(id))
    }

    pub(super) fn remove(&mut self, id: BufferId) -> Result<Held, UnknownBuffer> {
        let held = *self.get(id)?;
        let handle = &mut self.handles[id.index as usize];
        handle.held = None;
        // A place whose generations are used up is never used again, so that no id comes twice.
        if let Some(generation) = handle.generation.checked_add(1) {
            handle.generation = generation;
            self.vacant.push(id.index);
        }
        Ok(held)
    }

    /// Takes out what is held at this index.
    pub(super) fn remove_at(&mut self, index: u32) -> Held {
        self.remove(self.id_at(index)).expect("a used slot has a held buffer")
    }

    /// The id in use at this index.
    pub(super) fn id_at(&self, index: u32) -> BufferId {
        BufferId { index, generation: self.handles[index as usize].generation }
    }
}
