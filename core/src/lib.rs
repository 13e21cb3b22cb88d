//! Scheduling, flow control, cache, telemetry and alerts that decide and do no I/O.

#![no_std]

extern crate alloc;

pub mod alert;
pub mod cache;
pub mod deadline;
pub mod digest;
pub mod ids;
pub mod pool;
pub mod rng;
pub mod telemetry;
pub mod time;

mod id_map;
mod indexed_heap;
