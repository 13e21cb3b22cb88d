//! The pool: its scheduler, and the machines around it.

pub(super) mod scheduler;
