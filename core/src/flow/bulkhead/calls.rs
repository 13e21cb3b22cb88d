//! The calls inside a bulkhead: a table of slots, and the queue as a list through it.

use alloc::vec::Vec;

use crate::time::Instant;

/// A call inside a bulkhead. Its slot is used again after the call has ended; the serial number keeps what is told about
/// the old call from touching the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BulkheadTicket {
    slot: u32,
    serial: u32,
}

impl BulkheadTicket {
    /// As one number, for a shell that keeps numbers.
    #[must_use]
    pub const fn as_bits(self) -> u64 {
        ((self.serial as u64) << 32) | self.slot as u64
    }

    /// From [`as_bits`](Self::as_bits). A number that never came from there names no call.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "each half of the number is taken by itself")]
    pub const fn from_bits(bits: u64) -> Self {
        Self { slot: bits as u32, serial: (bits >> 32) as u32 }
    }
}

/// What a call is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Queued { due: Instant },
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    serial: u32,
    /// `None`: free.
    state: Option<State>,
    /// In the queue: its neighbours. In the list of free slots: `after` only.
    before: u32,
    after: u32,
}

/// All calls of a bulkhead. Every operation takes constant time.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    slots: Vec<Slot>,
    free: u32,
    first: u32,
    last: u32,
    running: u32,
    queued: u32,
}

impl Default for Calls {
    fn default() -> Self {
        Self { slots: Vec::new(), free: NONE, first: NONE, last: NONE, running: 0, queued: 0 }
    }
}

impl Calls {
    pub(super) const fn running(&self) -> u32 {
        self.running
    }

    pub(super) const fn queued(&self) -> u32 {
        self.queued
    }

    pub(super) fn state(&self, ticket: BulkheadTicket) -> Option<State> {
        self.slots.get(ticket.slot as usize).filter(|slot| slot.serial == ticket.serial)?.state
    }

    pub(super) fn start_new(&mut self) -> BulkheadTicket {
        self.running += 1;
        self.take(State::Running)
    }

    /// Adds a call at the end of the queue. `due` is not before that of the call in front of it.
    pub(super) fn enqueue_new(&mut self, due: Instant) -> BulkheadTicket {
        let ticket = self.take(State::Queued { due });
        let before = self.last;
        self.slots[ticket.slot as usize].before = before;
        match self.slots.get_mut(before as usize) {
            Some(last) => last.after = ticket.slot,
            None => self.first = ticket.slot,
        }
        self.last = ticket.slot;
        self.queued += 1;
        ticket
    }

    /// Lets the first of the queue run.
    pub(super) fn start_first(&mut self) -> Option<BulkheadTicket> {
        let ticket = self.first_ticket()?;
        self.unlink(ticket.slot);
        self.slots[ticket.slot as usize].state = Some(State::Running);
        self.running += 1;
        Some(ticket)
    }

    /// When the first of the queue has waited too long.
    pub(super) fn first_due(&self) -> Option<Instant> {
        match self.slots.get(self.first as usize)?.state {
            Some(State::Queued { due }) => Some(due),
            Some(State::Running) | None => None,
        }
    }

    /// Takes out the first of the queue if it has waited too long. Call until `None`.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<BulkheadTicket> {
        if self.first_due()? > now {
            return None;
        }
        let ticket = self.first_ticket()?;
        self.remove(ticket);
        Some(ticket)
    }

    /// Takes out a call that is in here.
    pub(super) fn remove(&mut self, ticket: BulkheadTicket) {
        match self.state(ticket) {
            Some(State::Running) => self.running -= 1,
            Some(State::Queued { .. }) => self.unlink(ticket.slot),
            None => return,
        }
        let slot = &mut self.slots[ticket.slot as usize];
        slot.state = None;
        slot.serial = slot.serial.wrapping_add(1);
        slot.after = self.free;
        self.free = ticket.slot;
    }

    fn first_ticket(&self) -> Option<BulkheadTicket> {
        let slot = self.slots.get(self.first as usize)?;
        Some(BulkheadTicket { slot: self.first, serial: slot.serial })
    }

    fn take(&mut self, state: State) -> BulkheadTicket {
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let ticket = BulkheadTicket { slot: self.free, serial: slot.serial };
            self.free = slot.after;
            *slot = Slot { serial: slot.serial, state: Some(state), before: NONE, after: NONE };
            return ticket;
        }
        let slot = u32::try_from(self.slots.len())
            .ok()
            .filter(|&slot| slot != NONE)
            .expect("a bulkhead holds fewer calls than a u32 counts");
        self.slots.push(Slot { serial: 0, state: Some(state), before: NONE, after: NONE });
        BulkheadTicket { slot, serial: 0 }
    }

    fn unlink(&mut self, slot: u32) {
        let Slot { before, after, .. } = self.slots[slot as usize];
        match self.slots.get_mut(before as usize) {
            Some(before) => before.after = after,
            None => self.first = after,
        }
        match self.slots.get_mut(after as usize) {
            Some(after) => after.before = before,
            None => self.last = before,
        }
        self.queued -= 1;
    }
}

/// No slot. No table is so long.
const NONE: u32 = u32::MAX;
