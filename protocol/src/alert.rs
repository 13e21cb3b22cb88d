//! Alerts as the host reports them.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One rule on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    /// Stable name of the rule, for instance `host-cpu`.
    pub rule: String,
    /// What it is about: `host`, a page's source id, `all` pages together, or the labels that set it apart.
    pub subject: String,
    /// What a person calls the subject.
    pub subject_name: String,
    /// One sentence with the value and the threshold.
    pub summary: String,
    /// Where it stands.
    pub state: AlertState,
    /// The last value; `null` where there is no data.
    pub value: Option<f64>,
    /// Unit of the value: `ratio`, `millis`, `perSecond`, `count`, `bytes`, `bytesPerSecond`, `celsius`, and so on.
    pub unit: String,
    /// Crossing this is a warning; `null` where nothing is.
    #[serde(default)]
    pub warning_threshold: Option<f64>,
    /// Crossing this is critical; `null` where nothing is.
    #[serde(default)]
    pub critical_threshold: Option<f64>,
    /// When it entered this state.
    pub since_unix_millis: u64,
    /// Identity of the alert over restarts and reloads: sixteen hexadecimal digits, of the rule's name and the labels.
    #[serde(default)]
    pub fingerprint: String,
    /// Labels of the series that it is about.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Since when it has been firing, raised, lowered and without data included; `null` where it isn't.
    #[serde(default)]
    pub firing_since_unix_millis: Option<u64>,
    /// Who is to blame, as of when it began or grew worse. Chosen by strangers in part: never trust it as markup.
    #[serde(default)]
    pub culprit: Option<String>,
    /// The first thing to look at, where it is firing.
    #[serde(default)]
    pub look_first: Option<String>,
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
