//! Load balancing: each strategy over the same life of a fleet, and what is told about overload.

mod life;

pub(super) mod overload;
pub(super) mod reorder;
pub(super) mod strategies;
