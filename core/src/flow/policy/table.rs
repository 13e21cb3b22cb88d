//! Calls and attempts under way, in tables that are used again.

use alloc::vec::Vec;

use super::types::{AttemptId, CallId};
use crate::flow::adaptive_limit::LimitSlot;
use crate::flow::breaker::Permit;
use crate::flow::bulkhead::BulkheadTicket;
use crate::flow::hedge::{Hedge, HedgeAttempt};
use crate::flow::rate_limit::{RateMark, Reservation};
use crate::flow::retry::Retry;
use crate::time::Instant;

/// A call that has not settled.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) retry: Option<Retry>,
    pub(super) permit: Option<Permit>,
    pub(super) hedge: Option<Hedge>,
    /// When the first attempt of this round began to run.
    pub(super) round_started: Option<Instant>,
    /// Its attempts that wait or run, as a list through their table.
    pub(super) first_attempt: u32,
}

/// An attempt that waits, runs, or was cancelled and has not ended.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) call: CallId,
    pub(super) copy: HedgeAttempt,
    pub(super) next: u32,
    pub(super) state: AttemptState,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum AttemptState {
    /// Its turn has not come.
    WaitsForRate(Reservation<RateMark>),
    /// In the bulkhead's queue, under the ticket in its place.
    Queued,
    /// Since then.
    Running(Instant),
    /// Runs, but nobody waits for it, and its call may be over.
    Cancelled,
}

/// What it holds of the concurrency layer.
#[derive(Debug, Default)]
pub(super) enum Place {
    #[default]
    None,
    Bulkhead(BulkheadTicket),
    Adaptive(LimitSlot),
}

/// Slots with serial numbers, so that the id of what is gone names nothing.
#[derive(Debug)]
pub(super) struct Table<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    pub(super) fn insert(&mut self, item: T) -> (u32, u32) {
        if let Some(slot) = self.free.pop() {
            let (serial, place) = &mut self.slots[slot as usize];
            *place = Some(item);
            return (slot, *serial);
        }
        let slot =
            u32::try_from(self.slots.len()).ok().filter(|&slot| slot < MAX).expect("fewer calls than memory");
        self.slots.push((0, Some(item)));
        // As many may be free as there are: giving one back never allocates.
        self.free.reserve(self.slots.len());
        (slot, 0)
    }

    pub(super) fn at(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.1.as_mut()
    }

    pub(super) fn take(&mut self, slot: u32) -> Option<T> {
        let (serial, item) = self.slots.get_mut(slot as usize)?;
        let item = item.take()?;
        *serial = serial.wrapping_add(1);
        self.free.push(slot);
        Some(item)
    }

    pub(super) fn holds(&self, slot: u32, serial: u32) -> bool {
        self.slots.get(slot as usize).is_some_and(|(held, item)| *held == serial && item.is_some())
    }

    pub(super) fn id(&self, slot: u32) -> (u32, u32) {
        (slot, self.slots[slot as usize].0)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

impl CallId {
    pub(super) const fn new((slot, serial): (u32, u32)) -> Self {
        Self { slot, serial }
    }
}

impl AttemptId {
    pub(super) const fn new((slot, serial): (u32, u32)) -> Self {
        Self { slot, serial }
    }
}

/// No slot.
pub(super) const NONE: u32 = u32::MAX;
/// Timers number four to a slot.
const MAX: u32 = u32::MAX / 4;
