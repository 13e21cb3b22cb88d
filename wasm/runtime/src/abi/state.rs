//! What lives between calls.

use alloc::vec::Vec;

use quillwork_core::cache::Cache;

use crate::driver::PoolDriver;
use crate::slots::Slots;

/// Pools and caches by handle, and the slots that they answer through.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) slots: Slots,
    /// The log that was last asked for.
    #[cfg(feature = "full")]
    pub(crate) log: Vec<u8>,
    pub(crate) pools: Handles<PoolDriver>,
    pub(crate) caches: Handles<Cache>,
}

/// Things by handle, counted from 1. They live as long as the instance, which the page drops as a whole.
pub(crate) struct Handles<T> {
    things: Vec<T>,
}

impl<T> Handles<T> {
    pub(crate) fn insert(&mut self, thing: T) -> u32 {
        self.things.push(thing);
        u32::try_from(self.things.len()).expect("memory ends before handles do")
    }

    /// Panics where nothing has this handle: a fault of the page.
    pub(crate) fn get(&mut self, handle: u32) -> &mut T {
        (handle as usize)
            .checked_sub(1)
            .and_then(|at| self.things.get_mut(at))
            .expect("the page passes handles that it got")
    }
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self { things: Vec::new() }
    }
}

/// Runs a call. Panics where one is running already.
pub(crate) fn with<R>(call: impl FnOnce(&mut State) -> R) -> R {
    STATE.with(|state| call(state.borrow_mut().get_or_insert_default()))
}

quillwork_abi::kept!(STATE: State);
