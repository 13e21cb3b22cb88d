//! Stacks that share a retry budget.

use core::mem;

use quillwork_core::flow::policy::PolicyStack;
use quillwork_core::flow::retry::RetryBudget;

use crate::state::State;
use quillwork_abi::handles::Handles;
use quillwork_abi::slots::Slots;

/// A stack, and the handle of the budget that it shares with others; 0 for none.
pub(crate) struct SharedStack {
    pub(crate) stack: PolicyStack,
    pub(crate) budget: u32,
}

impl State {
    /// Acts on a stack while it has the budget that it shares.
    pub(crate) fn with_stack<R>(
        &mut self,
        stack: u32,
        act: impl FnOnce(&mut PolicyStack, &mut Slots) -> R,
    ) -> R {
        let Self { stacks, budgets, slots, .. } = self;
        let SharedStack { stack, budget } = stacks.get(stack);
        swap(stack, *budget, budgets);
        let result = act(stack, slots);
        swap(stack, *budget, budgets);
        result
    }
}

fn swap(stack: &mut PolicyStack, budget: u32, budgets: &mut Handles<RetryBudget>) {
    if budget != 0
        && let Some(own) = stack.retry_budget_mut()
    {
        mem::swap(own, budgets.get(budget));
    }
}
