//! The pool: its scheduler, and the machines around it.

pub(super) mod elastic;
pub(super) mod registry;
pub(super) mod scheduler;
pub(super) mod statistics;
