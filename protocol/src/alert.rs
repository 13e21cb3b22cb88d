//! Alerts as the host reports them.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One rule on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// Stable name of the rule, for instance `host-cpu`.
    pub rule: String,
    /// What it is about: `host`, or a page's source id.
    pub subject: String,
    /// What a person calls the subject.
    pub subject_name: String,
    /// One sentence with the value and the threshold.
    pub summary: String,
    /// Where it stands.
    pub state: AlertState,
    /// The last value; `null` where there is no data.
    pub value: Option<f64>,
    /// Unit of the value: `ratio`, `millis`, `perSecond`.
    pub unit: String,
    /// Crossing this is a warning.
    pub warning_threshold: f64,
    /// Crossing this is critical.
    pub critical_threshold: f64,
    /// When it entered this state.
    pub since_unix_millis: u64,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum AlertState {
    /// Within bounds.
    Ok,
    /// Out of bounds, not yet for long enough.
    Pending,
    /// Firing as a warning.
    Warning,
    /// Firing as critical.
    Critical,
    /// No data: never a reason to resolve what was firing.
    NoData,
}
