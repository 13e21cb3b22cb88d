//! Graphics processors.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One graphics processor. What its driver does not tell is `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Gpu {
    /// Model or device name.
    pub name: String,
    /// Its address on the bus, `0000:03:00.0`: the same after a restart. Empty where it is unknown.
    pub device: String,
    /// Vendor, where known.
    pub vendor: Option<String>,
    /// Busy share, 0 to 1.
    pub used_ratio: Option<f64>,
    /// Memory of the device.
    pub memory_total_bytes: Option<u64>,
    /// Memory in use.
    pub memory_used_bytes: Option<u64>,
    /// Temperature of the chip.
    pub celsius: Option<f64>,
    /// Power.
    pub watts: Option<f64>,
    /// Power that it may take.
    pub limit_watts: Option<f64>,
    /// Clock of the shaders.
    pub core_hertz: Option<f64>,
    /// Clock of the memory.
    pub memory_hertz: Option<f64>,
    /// Turns of its fan a minute.
    pub fan_rpm: Option<f64>,
}
