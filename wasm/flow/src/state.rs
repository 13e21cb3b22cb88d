//! What lives between calls.

use quillwork_abi::handles::Handles;
use quillwork_abi::slots::Slots;
use quillwork_core::flow::executor::Executor;
use quillwork_core::flow::retry::RetryBudget;
use quillwork_core::telemetry::Sketch;

use crate::batch::Batching;
use crate::shared_stack::SharedStack;

/// Everything by handle, and the slots that all of it answers through.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) slots: Slots,
    pub(crate) stacks: Handles<SharedStack>,
    pub(crate) budgets: Handles<RetryBudget>,
    pub(crate) executors: Handles<Executor>,
    pub(crate) batchers: Handles<Batching>,
    pub(crate) sketches: Handles<Sketch>,
}

quillwork_abi::module!(State);
