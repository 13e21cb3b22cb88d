//! `/metrics`: the last tick in Prometheus' text format or OpenMetrics.

mod exposition;
mod families;
mod host_devices;
mod host_families;
mod negotiation;
mod page_families;

pub(crate) use self::families::{ServerCounters, render};
pub(crate) use self::negotiation::Format;
