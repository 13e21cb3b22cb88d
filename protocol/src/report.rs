//! A report on a range of the history, as its JSON form has it. The other forms say the same.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::alert::{AlertEvent, AlertStatus, ObjectiveInfo};
use crate::annotation::Annotation;
use crate::insights::Insights;

/// Version of [`Report`].
pub const REPORT_VERSION: u32 = 1;

/// A range of the history beside the budgets: what was kept and what wasn't, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// Name of the machine; empty where it isn't known.
    pub host: String,
    /// When the report was made.
    pub made_unix_millis: u64,
    /// First instant.
    pub from_unix_millis: u64,
    /// Instant after the last.
    pub to_unix_millis: u64,
    /// Figures are of means over steps of this length: a longer range has longer ones.
    pub step_millis: u64,
    /// The range that it is compared with; `null` where it isn't.
    pub earlier: Option<RangeInfo>,
    /// The budgets, each kept, missed or not observed.
    pub budgets: Vec<BudgetInfo>,
    /// What to do, the most urgent first.
    pub recommendations: Vec<Recommendation>,
    /// Objectives, over their own periods, as of when the report was made.
    pub objectives: Vec<ObjectiveInfo>,
    /// Alerts.
    pub alerts: AlertSummary,
    /// What limited, what fills, what goes together, how many workers it takes; and what could not be looked at.
    pub insights: Insights,
    /// Pages that reported, those seen longest first.
    pub pages: Vec<PageSummary>,
    /// Types of task, those that took most of the workers' time first.
    pub task_types: Vec<TaskTypeSummary>,
    /// The pages' caches together; `null` where nothing was looked up.
    pub cache: Option<CacheSummary>,
    /// What the machine did.
    pub machine: Vec<Figure>,
    /// Stretches of a minute and more in which nothing was measured, the longest first.
    pub gaps: Vec<RangeInfo>,
    /// Curves over the range.
    pub charts: Vec<ChartInfo>,
    /// What people and scripts did in the range, the newest first.
    pub annotations: Vec<Annotation>,
}

/// `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RangeInfo {
    /// First instant.
    pub from_unix_millis: u64,
    /// Instant after the last.
    pub to_unix_millis: u64,
}

/// A budget and how it was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BudgetInfo {
    /// `memory`, `cpu`, `response`, `frames`, `up` or `errors`.
    pub name: String,
    /// What is compared, for people: the 95th percentile of the processor's use.
    pub what: String,
    /// `ratio`, `millis` or `perSecond`.
    pub unit: String,
    /// What it must stay below, or above.
    pub bound: f64,
    /// Which.
    pub side: BudgetSide,
    /// What it was; `null` where nobody observed it.
    pub value: Option<f64>,
    /// Whether it was kept.
    pub state: BudgetState,
    /// Share of the time or of the tasks that lay outside.
    pub outside_ratio: Option<f64>,
    /// The worst value.
    pub worst: Option<f64>,
    /// What it was in the earlier range.
    pub earlier: Option<f64>,
}

/// Which side of a bound is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum BudgetSide {
    /// Less.
    Below,
    /// More.
    Above,
}

/// Whether a budget was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum BudgetState {
    /// It was.
    Kept,
    /// It wasn't.
    Missed,
    /// Nobody looked.
    NotObserved,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Recommendation {
    /// How soon.
    pub urgency: Urgency,
    /// What to do.
    pub advice: String,
    /// Why: sentences with the numbers.
    pub evidence: Vec<String>,
}

/// How soon something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Urgency {
    /// Today.
    Now,
    /// This week.
    Soon,
    /// When there is time.
    Later,
}

/// Alerts of the range, and those that fire when it is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AlertSummary {
    /// Those that fire when the report is made.
    pub firing: Vec<AlertStatus>,
    /// What happened in the range by rule, the longest first.
    pub rules: Vec<RuleSummary>,
    /// What happened, the newest first, at most 1000. A page is called by its name.
    pub events: Vec<AlertEvent>,
    /// How many of them there were.
    pub event_count: u64,
    /// The host remembers the last thousand: of the range before this instant some may be missing. `null` where none are.
    pub incomplete_before_unix_millis: Option<u64>,
}

/// What happened to the alerts of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RuleSummary {
    /// Its name.
    pub rule: String,
    /// How often one began.
    pub begun: u32,
    /// Whether one was critical.
    pub critical: bool,
    /// Time of those that ended in the range, and of those that fire still.
    pub fired_millis: u64,
    /// What they were about, each once, at most 5.
    pub subjects: Vec<String>,
    /// The newest culprit that was named.
    pub culprit: Option<String>,
}

/// A page load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageSummary {
    /// Its source id.
    pub source: String,
    /// What a person calls it.
    pub name: String,
    /// Time in which it reported.
    pub seen_millis: u64,
    /// Mean frames a second while it was visible.
    pub frames_per_second: Option<f64>,
    /// The frame rate below which it was for 5 % of that time.
    pub frames_per_second_p5: Option<f64>,
    /// Response times of its tasks.
    pub response_p50_millis: Option<f64>,
    /// Of 95 of 100.
    pub response_p95_millis: Option<f64>,
    /// Of 99 of 100.
    pub response_p99_millis: Option<f64>,
    /// Tasks that were answered.
    pub responses: u64,
    /// Share of the tasks that ended with an error, a time-out or a crash.
    pub error_ratio: Option<f64>,
    /// Share of the workers' time spent on tasks, on average.
    pub pool_utilisation: Option<f64>,
    /// Share of look-ups that found something, the mean of the times in which there were any.
    pub cache_hit_ratio: Option<f64>,
}

/// A type of task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskTypeSummary {
    /// Its name.
    pub task_type: String,
    /// How many ran.
    pub count: u64,
    /// Mean run time.
    pub mean_millis: f64,
    /// 95th percentile.
    pub p95_millis: f64,
    /// All run times together.
    pub total_millis: f64,
    /// Their share of the run time of all types.
    pub share_ratio: f64,
    /// The mean in the earlier range.
    pub earlier_mean_millis: Option<f64>,
}

/// Caches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CacheSummary {
    /// Share of look-ups that found something, the mean of the times in which there were any.
    pub hit_ratio: f64,
    /// Pages with a cache that was used.
    pub pages: u32,
    /// The page with the lowest share.
    pub lowest_source: String,
    /// What a person calls it.
    pub lowest_name: String,
    /// Its share.
    pub lowest_hit_ratio: f64,
    /// [`hit_ratio`](Self::hit_ratio) in the earlier range.
    pub earlier_hit_ratio: Option<f64>,
}

/// A figure of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// The series.
    pub series: String,
    /// What it is, for people.
    pub what: String,
    /// Its unit.
    pub unit: String,
    /// The mean.
    pub mean: f64,
    /// What it did not exceed for 95 % of the time.
    pub p95: f64,
    /// The highest.
    pub highest: f64,
    /// The mean in the earlier range.
    pub earlier_mean: Option<f64>,
}

/// A chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChartInfo {
    /// What it shows.
    pub title: String,
    /// Unit of the values.
    pub unit: String,
    /// The budget.
    pub limit: Option<f64>,
    /// Instant of the first value.
    pub start_unix_millis: u64,
    /// Distance of two.
    pub step_millis: u64,
    /// The curves.
    pub lines: Vec<ChartLine>,
}

/// A curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChartLine {
    /// What it is of.
    pub name: String,
    /// The mean of each step, and of response times the 95th percentile; `null` is a gap.
    pub values: Vec<Option<f64>>,
    /// The lowest value of each step; empty where it is the same.
    pub lowest: Vec<Option<f64>>,
    /// The highest.
    pub highest: Vec<Option<f64>>,
}

/// Where reports by the clock stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReportSchedule {
    /// `never`, `day` or `week`.
    pub every: String,
    /// When the next is due; `null` where none is.
    pub next_unix_millis: Option<u64>,
    /// Where they are written to.
    pub directory: Option<String>,
    /// When this run of the host wrote one last.
    pub last_unix_millis: Option<u64>,
    /// Which file that is.
    pub last_file: Option<String>,
    /// Why the one that is due could not be written; it is tried again every ten minutes.
    pub error: Option<String>,
}
