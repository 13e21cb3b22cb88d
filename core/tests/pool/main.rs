//! The scheduler, one rule at a time, on a clock that the test moves.

mod abort;
mod affinity;
mod asked;
mod binding;
mod burst;
mod choice;
mod close;
mod dispatch;
mod elastic;
mod gate;
mod order;
mod overflow;
mod prefetch;
mod recovery;
mod recycle;
mod retry;
mod rig;
mod slots;
mod starvation;
mod stats;
mod threshold;
