//! What follows from the hardware: settings, buffers, and where the time goes.

pub(super) mod buffers;
pub(super) mod config;
pub(super) mod profiler;
