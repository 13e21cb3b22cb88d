//! Where the energy comes from, and where it goes.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One battery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Battery {
    /// Kernel name: `BAT0`.
    pub name: String,
    /// Charge, 0 to 1.
    pub level_ratio: Option<f64>,
    /// Whether it is being charged, or full on mains; `false` while it discharges; `null` where that is unknown.
    pub is_charging: Option<bool>,
    /// What flows out of it or into it.
    pub watts: Option<f64>,
    /// Its voltage.
    pub volts: Option<f64>,
    /// What it holds when full, of what it held when new, 0 to 1.
    pub health_ratio: Option<f64>,
    /// Charge cycles.
    pub cycles: Option<u64>,
    /// Seconds until it is empty at the present power; `null` while it doesn't discharge.
    pub seconds_left: Option<f64>,
}

/// A power supply that is no battery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct PowerSource {
    /// Kernel name: `AC`.
    pub name: String,
    /// Whether it gives power.
    pub is_online: Option<bool>,
}

/// A part of the machine whose energy is counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct EnergyZone {
    /// Name with the zones around it: `package-0`, `package-0/dram`.
    pub name: String,
    /// Kernel name, which is unique: `intel-rapl:0:1`.
    pub device: String,
    /// Power over the last reading.
    pub watts: Option<f64>,
}
