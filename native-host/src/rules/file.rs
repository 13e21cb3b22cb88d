//! The rules file as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesFile {
    /// Whether the rules that ship are watched, too. One of the same name replaces its own.
    #[serde(default = "yes")]
    pub(super) defaults: bool,
    /// Rules that ship and are not wanted.
    #[serde(default)]
    pub(super) disable: Vec<String>,
    #[serde(default)]
    pub(super) rule: Vec<RuleTable>,
    #[serde(default)]
    pub(super) route: Vec<RouteTable>,
    #[serde(default)]
    pub(super) inhibit: Vec<InhibitTable>,
    #[serde(default)]
    pub(super) maintenance: Vec<MaintenanceTable>,
    #[serde(default)]
    pub(super) heartbeat: Vec<HeartbeatTable>,
    #[serde(default)]
    pub(super) flood: FloodTable,
}

fn yes() -> bool {
    true
}

/// `[[rule]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleTable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) condition: ConditionName,
    pub(super) series: Option<String>,
    pub(super) part: Option<String>,
    pub(super) total: Option<String>,
    pub(super) of: Option<Vec<String>>,
    pub(super) by: Option<Vec<String>>,
    pub(super) window: Option<String>,
    pub(super) quantile: Option<f64>,
    pub(super) limit: Option<f64>,
    pub(super) min_total: Option<f64>,
    pub(super) objective: Option<f64>,
    pub(super) period: Option<String>,
    pub(super) min_events: Option<u64>,
    pub(super) good_above: Option<f64>,
    pub(super) good_below: Option<f64>,
    pub(super) unit: Option<String>,
    pub(super) direction: Option<DirectionName>,
    pub(super) warning: Option<LevelTable>,
    pub(super) critical: Option<LevelTable>,
    pub(super) keep_firing: Option<String>,
    pub(super) stale_after: Option<String>,
    pub(super) min_count: Option<u64>,
    pub(super) warm_up: Option<String>,
    pub(super) notify: Option<bool>,
    pub(super) culprit: Option<CulpritName>,
    pub(super) look_first: Option<String>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ConditionName {
    #[default]
    Value,
    Mean,
    Sum,
    Change,
    TimeToReach,
    Quantile,
    Ratio,
    Absent,
    All,
    Any,
    Objective,
}

/// Which side is bad.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DirectionName {
    Above,
    Below,
}

/// Who is to blame.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CulpritName {
    Labels,
    ProcessByCpu,
    ProcessByMemory,
    TaskType,
    Worker,
}

/// `warning = { threshold = 0.7, clear = 0.65, for = "15s" }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelTable {
    pub(super) threshold: Amount,
    pub(super) clear: Option<Amount>,
    pub(super) r#for: Option<String>,
}

/// A number, or a duration where the unit is milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Amount {
    Number(f64),
    Text(String),
}

/// `match = { severity = "critical", alertname = "page-*", source = "!test*" }`
pub(super) type MatchTable = BTreeMap<String, String>;

/// `[[route]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteTable {
    pub(super) receiver: String,
    #[serde(default)]
    pub(super) r#match: MatchTable,
    pub(super) group_by: Option<Vec<String>>,
    pub(super) group_wait: Option<String>,
    pub(super) group_interval: Option<String>,
    pub(super) repeat_interval: Option<String>,
    pub(super) after: Option<String>,
    pub(super) tells_ends: Option<bool>,
}

/// `[[inhibit]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InhibitTable {
    pub(super) source: MatchTable,
    pub(super) target: MatchTable,
    #[serde(default)]
    pub(super) equal: Vec<String>,
}

/// `[[maintenance]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MaintenanceTable {
    pub(super) name: String,
    #[serde(default)]
    pub(super) r#match: MatchTable,
    pub(super) days: Vec<DayName>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) utc_offset: Option<String>,
    pub(super) timezone: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DayName {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// `[[heartbeat]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeartbeatTable {
    pub(super) receiver: String,
    pub(super) interval: String,
}

/// `[flood]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FloodTable {
    pub(super) burst: Option<u32>,
    pub(super) every: Option<String>,
    pub(super) alerts_per_rule: Option<usize>,
    pub(super) flapping_begins: Option<usize>,
    pub(super) flapping_within: Option<String>,
    pub(super) flapping_hold: Option<String>,
}
