//! History: a catalogue of series, and values on a fixed step.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// What a series is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeriesInfo {
    /// Name and labels as one text, by which it is asked for: `host.cpu.core{core="3"}`, `page.fps{source="<id>"}`.
    pub series: String,
    /// What is measured, for instance `host.cpu.core`.
    pub name: String,
    /// Which one of several.
    pub labels: BTreeMap<String, String>,
    /// What its values mean.
    pub kind: SeriesKind,
    /// Unit: `ratio`, `bytes`, `bytesPerSecond`, `perSecond`, `millis`, `celsius`, `watts`, `volts`, `hertz`, `rpm`, `count`.
    pub unit: String,
    /// Distance of two values.
    pub step_millis: u32,
    /// Values are kept to a multiple of this.
    pub resolution: f64,
}

/// What the values of a series mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SeriesKind {
    /// A level that goes up and down.
    Gauge,
    /// A count that only grows, and begins anew when whoever counts does.
    Counter,
    /// The spread of many values in each step.
    Sketch,
}

/// Answer to a catalogue query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeriesCatalogue {
    /// All series, by name and labels.
    pub series: Vec<SeriesInfo>,
}

/// Values of one series in `[from, to)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeriesData {
    /// What it is; `step_millis` is the step of these values, a multiple of the stored one.
    #[serde(flatten)]
    pub info: SeriesInfo,
    /// Instant of the first value, a multiple of the step.
    pub start_unix_millis: u64,
    /// One per step; `null` is a gap. Where several stored values fall into one step this is their mean, and of a counter the last.
    pub values: Vec<Option<f64>>,
}

/// Answer to a values query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeriesAnswer {
    /// The host's clock when it answered.
    pub server_unix_millis: u64,
    /// In the order asked for.
    pub series: Vec<SeriesData>,
}
