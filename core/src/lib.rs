//! Scheduling, flow control, cache, telemetry and alerts that decide and do no I/O.

#![no_std]

extern crate alloc;
