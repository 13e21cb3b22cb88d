//! Questions about series, and what was found.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Answer to a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueryAnswer {
    /// The host's clock when it answered.
    pub server_unix_millis: u64,
    /// Distance of the values, or of the stretches of which two points stand for each. Longer than asked for where less fine values are kept of that
    /// time.
    pub step_millis: u64,
    /// Instant of the first value, a multiple of the step.
    pub start_unix_millis: u64,
    /// By name and labels; the largest first where the top ones were asked for.
    pub lines: Vec<QueryLine>,
    /// Pieces of the history that could not be trusted. What they held is missing.
    #[serde(default)]
    pub damaged: Vec<String>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct QueryLine {
    /// What is measured.
    pub name: String,
    /// The series' labels, or those that it was grouped by.
    pub labels: BTreeMap<String, String>,
    /// Unit of the values.
    pub unit: String,
    /// One value for each step; `null` is a gap. Left out where spikes were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Option<f64>>>,
    /// Instants and values, of each stretch the lowest and the highest. Left out where they weren't asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<Vec<(u64, f64)>>,
}
