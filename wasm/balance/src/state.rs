//! What lives between calls.

use quillwork_abi::handles::Handles;
use quillwork_abi::slots::Slots;
use quillwork_core::pool::registry::Registry;

use crate::balancing::Balancing;

/// Everything by handle, and the slots that all of it answers through.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) slots: Slots,
    pub(crate) balancers: Handles<Balancing>,
    pub(crate) registries: Handles<Registry>,
}

quillwork_abi::module!(State);
