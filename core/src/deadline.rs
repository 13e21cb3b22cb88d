//! All deadlines of a policy in one table, with one answer to "when next?".
//!
//! A policy with many waits (time-outs, leases, back-offs) keeps them here under small dense slot numbers of its choice,
//! and tells the shell only [`Deadlines::next`]: one timer in the shell, however many waits. Setting and cancelling
//! are O(log n), the next deadline is O(1), and nothing is allocated once the table has reached its size.
//!
//! Deadlines that are due at the same instant leave in the order in which they were set.
//!
//! ```
//! use quillwork_core::deadline::Deadlines;
//! use quillwork_core::time::Instant;
//!
//! let mut deadlines = Deadlines::new();
//! deadlines.set(0, Instant::from_millis(30));
//! deadlines.set(1, Instant::from_millis(10));
//! deadlines.set(0, Instant::from_millis(20)); // moves it
//! assert_eq!(deadlines.next(), Some(Instant::from_millis(10)));
//!
//! deadlines.cancel(1);
//! assert_eq!(deadlines.pop_due(Instant::from_millis(19)), None);
//! assert_eq!(deadlines.pop_due(Instant::from_millis(20)), Some(0));
//! ```

use crate::indexed_heap::{Entry, IndexedHeap, Places};
use crate::time::Instant;

/// A table of deadlines, at most one per slot.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    heap: IndexedHeap,
    places: Places,
    sequence: u64,
}

impl Deadlines {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty table that allocates nothing more for the slots below this one.
    #[must_use]
    pub fn with_capacity(slots: u32) -> Self {
        let slots = slots as usize;
        let (heap, places) = (IndexedHeap::with_capacity(slots), Places::with_capacity(slots));
        Self { heap, places, sequence: 0 }
    }

    /// Sets the slot's deadline, in place of the one it may have. [`Instant::NEVER`] cancels it.
    ///
    /// Slots are indices into a table that grows to the largest: number them densely from 0.
    pub fn set(&mut self, slot: u32, at: Instant) {
        if at == Instant::NEVER {
            self.cancel(slot);
            return;
        }
        let entry = Entry { key: at.as_nanos(), sequence: self.sequence, slot };
        self.sequence += 1;
        match self.places.place(slot) {
            Some(place) => self.heap.replace_at(&mut self.places, place, entry),
            None => self.heap.push(&mut self.places, entry),
        }
    }

    /// Removes the slot's deadline and tells when it was.
    pub fn cancel(&mut self, slot: u32) -> Option<Instant> {
        let place = self.places.place(slot)?;
        let entry = self.heap.remove_at(&mut self.places, place);
        Some(Instant::from_nanos(entry.key))
    }

    /// When the slot is due.
    #[must_use]
    pub fn at(&self, slot: u32) -> Option<Instant> {
        self.places.place(slot).map(|place| Instant::from_nanos(self.heap.at(place).key))
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| Instant::from_nanos(entry.key))
    }

    /// The slot of the earliest deadline, and when it is.
    #[must_use]
    pub fn first(&self) -> Option<(u32, Instant)> {
        self.heap.peek().map(|entry| (entry.slot, Instant::from_nanos(entry.key)))
    }

    /// Removes the earliest deadline where it is due, and returns its slot. Call until `None`.
    pub fn pop_due(&mut self, now: Instant) -> Option<u32> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop(&mut self.places).map(|entry| entry.slot)
    }

    /// Removes every deadline.
    pub fn clear(&mut self) {
        while self.heap.pop(&mut self.places).is_some() {}
    }

    /// How many deadlines are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}
