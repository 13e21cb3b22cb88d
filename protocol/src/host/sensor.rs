//! Sensors of the hardware. Label and device together are unique and stable.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One temperature sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Temperature {
    /// The chip and what the sensor is called: `coretemp Package id 0`.
    pub label: String,
    /// The device that it belongs to, as the bus names it (`0000:03:00.0`): the same after a restart. Empty where there
    /// is none.
    pub device: String,
    /// Reading; `null` where the sensor gave none this time.
    pub celsius: Option<f64>,
    /// The hardware's own threshold from which on it is hot.
    pub high_celsius: Option<f64>,
    /// The hardware's own critical threshold.
    pub critical_celsius: Option<f64>,
}

/// One fan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Fan {
    /// The chip and what the sensor is called: `coretemp Package id 0`.
    pub label: String,
    /// The device that it belongs to, as the bus names it (`0000:03:00.0`): the same after a restart. Empty where there
    /// is none.
    pub device: String,
    /// Turns a minute, 0 where it stands; `null` where the sensor gave none this time.
    pub rpm: Option<f64>,
}

/// One voltage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Voltage {
    /// The chip and what the sensor is called: `coretemp Package id 0`.
    pub label: String,
    /// The device that it belongs to, as the bus names it (`0000:03:00.0`): the same after a restart. Empty where there
    /// is none.
    pub device: String,
    /// Reading; `null` where the sensor gave none this time.
    pub volts: Option<f64>,
}

/// One sensor of electrical power.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct PowerSensor {
    /// The chip and what the sensor is called: `coretemp Package id 0`.
    pub label: String,
    /// The device that it belongs to, as the bus names it (`0000:03:00.0`): the same after a restart. Empty where there
    /// is none.
    pub device: String,
    /// Reading; `null` where the sensor gave none this time.
    pub watts: Option<f64>,
}
