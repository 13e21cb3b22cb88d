//! What lives between calls.

use std::cell::RefCell;

use quillwork_core::flow::executor::Executor;
use quillwork_core::flow::retry::RetryBudget;
use quillwork_core::pool::registry::Registry;
use quillwork_core::telemetry::Sketch;

use super::flow::batch::Batching;
use super::flow::shared_stack::SharedStack;
use crate::balance::Balancing;
use crate::slots::Slots;

/// Everything by handle, and the slots that all of it answers through.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) slots: Slots,
    pub(crate) stacks: Handles<SharedStack>,
    pub(crate) budgets: Handles<RetryBudget>,
    pub(crate) executors: Handles<Executor>,
    pub(crate) batchers: Handles<Batching>,
    pub(crate) balancers: Handles<Balancing>,
    pub(crate) registries: Handles<Registry>,
    pub(crate) sketches: Handles<Sketch>,
}

/// Things by handle, counted from 1, until they are freed.
pub(crate) struct Handles<T> {
    things: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Handles<T> {
    pub(crate) fn insert(&mut self, thing: T) -> u32 {
        if let Some(handle) = self.free.pop() {
            self.things[handle as usize - 1] = Some(thing);
            return handle;
        }
        self.things.push(Some(thing));
        u32::try_from(self.things.len()).expect("memory ends before handles do")
    }

    /// Panics where nothing has this handle: a fault of the caller.
    pub(crate) fn get(&mut self, handle: u32) -> &mut T {
        (handle as usize)
            .checked_sub(1)
            .and_then(|at| self.things.get_mut(at))
            .and_then(Option::as_mut)
            .expect("the caller passes handles that it got and did not free")
    }

    /// Frees the thing of this handle. Nothing where there is none.
    pub(crate) fn remove(&mut self, handle: u32) {
        let place = (handle as usize).checked_sub(1).and_then(|at| self.things.get_mut(at));
        if place.and_then(Option::take).is_some() {
            self.free.push(handle);
        }
    }
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self { things: Vec::new(), free: Vec::new() }
    }
}

/// Runs a call. Panics where one is running already.
pub(crate) fn with<R>(call: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(call)
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_handle_is_used_again_once() {
        let mut handles = Handles::default();
        let (one, two) = (handles.insert("one"), handles.insert("two"));
        handles.remove(one);
        handles.remove(one);
        assert_eq!(handles.insert("three"), one);
        assert_ne!(handles.insert("four"), one);
        assert_eq!((*handles.get(one), *handles.get(two)), ("three", "two"));
    }
}
