//! Alerts as the host reports them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

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
    /// Who takes care of it.
    #[serde(default)]
    pub acknowledged_by: Option<String>,
    /// Why nobody is told of it now: a silence, a maintenance window, another alert, or because it comes and goes.
    #[serde(default)]
    pub muted_by: Option<String>,
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

/// An alert that began, grew worse or better, or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AlertEvent {
    /// When.
    pub at_unix_millis: u64,
    /// The rule's name.
    pub rule: String,
    /// As [`AlertStatus::subject`].
    pub subject: String,
    /// Labels of what it is about.
    pub labels: BTreeMap<String, String>,
    /// As [`AlertStatus::fingerprint`].
    pub fingerprint: String,
    /// Where it stood.
    pub from: AlertState,
    /// Where it stands; `null` where nobody watches it any more, which is no resolution.
    pub to: Option<AlertState>,
    /// `warning` or `critical` where it fires, with or without data.
    pub severity: Option<String>,
    /// The last value seen.
    pub value: Option<f64>,
    /// Who is to blame.
    pub culprit: Option<String>,
    /// How long it had been firing, where it ended.
    pub fired_for_millis: Option<u64>,
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AlertDelivery {
    /// When it was known.
    pub at_unix_millis: u64,
    /// The channel.
    pub receiver: String,
    /// How often it was sent.
    pub attempts: u32,
    /// Why it has not arrived; `null` where it has.
    pub failure: Option<String>,
}

/// A rule that is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RuleInfo {
    /// Its name.
    pub name: String,
    /// What is compared: `value`, `mean`, `sum`, `change`, `time-to-reach`, `quantile`, `ratio`, `absent`, `all`, `any`,
    /// `objective`.
    pub condition: String,
    /// Names of its series, or of the rules that it is made of.
    pub series: Vec<String>,
    /// Unit of what is compared.
    pub unit: String,
    /// Which side is bad: `above` or `below`.
    pub direction: String,
    /// When it is a warning.
    pub warning: Option<LevelInfo>,
    /// When it is critical.
    pub critical: Option<LevelInfo>,
    /// How long the value must be back before it stops firing.
    pub keep_firing_millis: u64,
    /// Without a sample for longer there is no data.
    pub stale_after_millis: u64,
    /// Whether somebody is told.
    pub notify: bool,
    /// The first thing to look at.
    pub look_first: String,
}

/// A level of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LevelInfo {
    /// Beyond this it is crossed.
    pub threshold: f64,
    /// Back here it lets go.
    pub clear: f64,
    /// How long it must be crossed.
    pub for_millis: u64,
}

/// Where an objective's budget stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveInfo {
    /// The rule's name.
    pub rule: String,
    /// Labels, where there is a budget for each.
    pub labels: BTreeMap<String, String>,
    /// The share of events that must be good.
    pub objective: f64,
    /// Over which time.
    pub period_millis: u64,
    /// The share that was good; `null` without events.
    pub attained: Option<f64>,
    /// Share of the budget that is left; below 0 where the objective is missed.
    pub budget_left: Option<f64>,
    /// Events of the period.
    pub events: u64,
    /// Bad ones.
    pub bad_events: u64,
    /// In how many minutes somebody looked. The rest is not observed, neither up nor down.
    pub observed_millis: u64,
    /// How many times too fast the budget was spent in the last hour; `null` where there were too few events.
    #[serde(rename = "burnRate1h")]
    pub burn_rate_1h: Option<f64>,
}

/// A condition on a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MatcherInfo {
    /// Which label; `alertname` is the rule, `severity` is `warning` or `critical`.
    pub label: String,
    /// How it is compared.
    pub kind: MatcherKind,
    /// With what; `*` stands for any characters where it is `like` or `notLike`.
    pub value: String,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum MatcherKind {
    /// The same text.
    Is,
    /// Another text.
    IsNot,
    /// The text fits the pattern.
    Like,
    /// It doesn't.
    NotLike,
}

/// A silence to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSilence {
    /// All must match; at least one.
    pub matchers: Vec<MatcherInfo>,
    /// When it begins; now if left out.
    #[serde(default)]
    pub starts_unix_millis: Option<u64>,
    /// When it ends.
    pub ends_unix_millis: u64,
    /// Who asks.
    pub author: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SilenceInfo {
    /// To expire it by.
    pub id: u64,
    /// All must match.
    pub matchers: Vec<MatcherInfo>,
    /// When it begins.
    pub starts_unix_millis: u64,
    /// When it ends, or ended.
    pub ends_unix_millis: u64,
    /// Who asked.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Whether it mutes now.
    pub active: bool,
}

/// Somebody takes care of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAcknowledgement {
    /// Who.
    pub author: String,
    /// What they say.
    #[serde(default)]
    pub comment: String,
}
