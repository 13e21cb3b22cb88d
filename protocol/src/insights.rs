//! What follows from the history: what limits, what grows, what goes together, how many workers it takes.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// What follows from a range of the history. Each list is empty where nothing is to be said, which is usual; where it could not be
/// looked at all, [`missing`](Self::missing) says why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Insights {
    /// First instant.
    pub from_unix_millis: u64,
    /// Instant after the last.
    pub to_unix_millis: u64,
    /// What limited, in the order in which to look: the machine before pages, the longest first.
    pub bottlenecks: Vec<BottleneckInfo>,
    /// Disks and memory: whether they fill, and when they are full. Looked at over a day before the range's end.
    pub trends: Vec<TrendInfo>,
    /// Series of the machine that were high while a page was slow, the strongest first. A correlation is no cause. Looked at over the
    /// last half hour of the range.
    pub correlations: Vec<CorrelationInfo>,
    /// How many workers keep a page's promise.
    pub capacity: Vec<CapacityInfo>,
    /// What could not be concluded for want of data.
    pub missing: Vec<MissingInfo>,
    /// Pieces of the history that could not be trusted. What they held is missing.
    pub damaged: Vec<String>,
}

/// What can limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LimitKind {
    /// The machine's memory.
    Memory,
    /// The processor.
    Cpu,
    /// A block device.
    Disk,
    /// A network interface.
    Network,
    /// A graphics processor.
    Gpu,
    /// The workers of a page's pool.
    Queue,
    /// One worker beside the others.
    Worker,
    /// One type of task.
    TaskType,
}

/// What gave it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum LimitSign {
    /// Work waited for it.
    Saturation,
    /// It was in use all the time; whether anything waited isn't known.
    Utilisation,
    /// It failed.
    Errors,
}

/// Something that limited for more than half of a window or of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct BottleneckInfo {
    /// What it is.
    pub resource: LimitKind,
    /// Which one: a device, an interface, a type of task; empty where there is only one.
    pub subject: String,
    /// The page's source id, where it is a page's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What a person calls the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    /// What gave it away.
    pub sign: LimitSign,
    /// One sentence with the evidence.
    pub summary: String,
    /// The first thing to look at.
    pub look_first: String,
    /// Time over the limit, in the windows in which it limited.
    pub over_millis: u64,
    /// Time that was measured in these windows.
    pub measured_millis: u64,
    /// Windows in which it limited, and of which length.
    pub windows: u32,
    /// Length of a window.
    pub window_millis: u64,
    /// Start of the first of them.
    pub first_unix_millis: u64,
    /// End of the last.
    pub last_unix_millis: u64,
    /// The limit, in [`unit`](Self::unit).
    pub threshold: f64,
    /// The median of what was measured, in the window that is surest.
    pub median: f64,
    /// `ratio`, `count` or `perSecond`.
    pub unit: String,
    /// How sure that window is, 0 to 1.
    pub confidence: f64,
}

/// A disk or memory, and where it is going.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TrendInfo {
    /// The series, for instance `host.disk.used{mount="/"}`.
    pub series: String,
    /// Its mount point; empty for memory.
    pub subject: String,
    /// Whether it has a trend.
    pub state: TrendState,
    /// One sentence.
    pub summary: String,
    /// Share in use at the end, without its noise; the last value where there is no trend.
    pub level_ratio: Option<f64>,
    /// Change in an hour, as a share of the whole; `null` without a trend, as all that follows.
    pub per_hour_ratio: Option<f64>,
    /// The least change that what was seen leaves room for.
    pub lowest_per_hour_ratio: Option<f64>,
    /// The greatest.
    pub highest_per_hour_ratio: Option<f64>,
    /// From the first value to the last.
    pub span_millis: Option<u64>,
    /// When it is full; `null` where that is not in sight.
    pub full: Option<FullInfo>,
}

/// Whether there is a trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum TrendState {
    /// It grows.
    Rising,
    /// It shrinks.
    Falling,
    /// Nothing that chance would not do as well.
    None,
    /// It grew or shrank, and has stopped.
    Ended,
    /// Too little was measured to tell: an hour at least, and half of the time.
    TooFew,
}

/// When something is full if things go on like this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FullInfo {
    /// Not before.
    pub earliest_unix_millis: u64,
    /// Most likely.
    pub likely_unix_millis: u64,
    /// Not after; `null` where that can't be told.
    pub latest_unix_millis: Option<u64>,
}

/// A series of the machine that was higher while a page was slow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CorrelationInfo {
    /// The page's source id.
    pub source: String,
    /// What a person calls it.
    pub source_name: String,
    /// The machine's series.
    pub series: String,
    /// One sentence.
    pub summary: String,
    /// It came so many seconds before the page's slow ones.
    pub lag_seconds: u32,
    /// The probability that a slow second has the higher value: one half where it makes no difference, 1 where all have.
    pub strength: f64,
    /// Seconds that were compared.
    pub seconds: u32,
    /// Slow ones of them: the 95th percentile of responses above 100 ms, or fewer than 55 frames a second.
    pub slow_seconds: u32,
    /// An upper bound of the probability that chance alone finds as much.
    pub chance: f64,
}

/// How many workers a page's pool takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CapacityInfo {
    /// The page's source id.
    pub source: String,
    /// What a person calls it.
    pub source_name: String,
    /// What is advised.
    pub advice: CapacityAdvice,
    /// One sentence.
    pub summary: String,
    /// Workers that it has; `null` where it doesn't tell.
    pub workers: Option<u32>,
    /// 95 of 100 tasks are to be answered within this.
    pub target_millis: f64,
    /// Tasks a second in its busiest minute.
    pub arrivals_per_second: f64,
    /// Mean run time.
    pub mean_run_millis: f64,
    /// Squared coefficient of variation of the run times.
    pub run_scv: f64,
    /// The fewest workers that keep the promise; `null` where none do.
    pub advised_workers: Option<u32>,
    /// The 95th percentile with those.
    pub p95_millis: Option<f64>,
    /// The most that it may be in truth.
    pub p95_at_most_millis: Option<f64>,
    /// Share of the time in which one of those workers is busy.
    pub utilisation_ratio: Option<f64>,
}

/// What to do about workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum CapacityAdvice {
    /// As many as there are, or as are advised where it doesn't tell how many there are.
    Enough,
    /// More.
    More,
    /// Fewer would do.
    Fewer,
    /// None would do: the tasks alone take longer.
    TasksTooSlow,
    /// None up to 64 would do.
    NotByWorkers,
}

/// What could not be looked at, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MissingInfo {
    /// `bottlenecks`, `trends`, `correlations` or `capacity`.
    pub about: String,
    /// Why, and what would help.
    pub reason: String,
}
