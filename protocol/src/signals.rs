//! What a page tells beside its numbers of every second: slow frames, vitals, errors, metrics and spans of the app.
//!
//! A page leaves out what it has none of, and a page of an older version tells none of it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Frames that took 50 ms and more to come about (Long Animation Frames API).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LongAnimationFrames {
    /// How many.
    pub count: u32,
    /// Their time together.
    pub total_millis: f64,
    /// The time of them in which input would have had to wait.
    pub blocking_millis: f64,
    /// The longest.
    pub max_millis: f64,
    /// What ran for longest in them, the longest first, at most 5.
    pub scripts: Vec<SlowScript>,
}

/// A script that ran in a long animation frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SlowScript {
    /// Its address without query and fragment; empty where the browser doesn't tell.
    pub source: String,
    /// The function that was entered; empty where it has no name.
    pub function: String,
    /// What made it run, for instance `BUTTON.onclick` or `TimerHandler:setTimeout`.
    pub invoker: String,
    /// Where in the file the function stands, in characters.
    pub position: Option<u32>,
    /// How long it ran.
    pub duration_millis: f64,
    /// The time of that in which it forced style and layout.
    pub layout_millis: f64,
}

/// A Core Web Vital, or one of the two that explain them, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebVital {
    /// Which.
    pub name: VitalName,
    /// Milliseconds; for `CLS` a score.
    pub value: f64,
    /// Against the thresholds of <https://web.dev/articles/vitals>.
    pub rating: VitalRating,
}

/// Which vital.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum VitalName {
    /// Cumulative layout shift.
    Cls,
    /// First contentful paint.
    Fcp,
    /// Interaction to next paint.
    Inp,
    /// Largest contentful paint.
    Lcp,
    /// Time to first byte.
    Ttfb,
}

/// How good a vital is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VitalRating {
    /// As it should be.
    Good,
    /// Between the thresholds.
    NeedsImprovement,
    /// Beyond both.
    Poor,
}

/// Errors that nobody caught.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageErrors {
    /// Errors that were thrown, and those that the app reported.
    pub errors: u32,
    /// Promises that were rejected.
    pub rejections: u32,
    /// What they were, each once, at most 10.
    pub records: Vec<ErrorRecord>,
}

/// An error, and how often it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ErrorRecord {
    /// How it came to be known.
    pub kind: ErrorKind,
    /// Its class.
    pub name: String,
    /// How often it came in the interval.
    pub count: u32,
    /// File name of the script, without its path.
    pub script: Option<String>,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column, from 1.
    pub column: Option<u32>,
    /// What it says; only where the person agreed.
    pub message: Option<String>,
    /// Where it came from; only where the person agreed.
    pub stack: Option<String>,
}

/// How an error came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum ErrorKind {
    /// Nobody caught it.
    Uncaught,
    /// A promise was rejected with it and nobody listened.
    Rejection,
    /// The app reported it.
    Reported,
}

/// A metric of the app's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CustomMetric {
    /// 1 to 80 characters: a letter, then letters, digits and `_ . : / -`.
    pub name: String,
    /// Its unit, at most 16 characters; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// At most 8, names of at most 40 characters, values of at most 80.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What it was in the interval.
    #[serde(flatten)]
    pub value: MetricValue,
}

/// What a metric was in an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum MetricValue {
    /// By how much it grew.
    Counter {
        /// That.
        value: f64,
    },
    /// What it was at the end.
    Gauge {
        /// That.
        value: f64,
    },
    /// The values that were recorded.
    Histogram {
        /// As a mergeable sketch.
        sketch: MetricSketch,
    },
}

/// Values as a mergeable sketch (DDSketch), in the metric's unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MetricSketch {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Relative accuracy of the sketch, 0.01 for one per cent.
    pub relative_accuracy: f64,
    /// Values of zero.
    pub zeros: u64,
    /// Pairs of bucket index and count, ascending. Bucket `i` holds `(g^(i-1), g^i]` with `g = (1+a)/(1-a)`.
    pub buckets: Vec<(i32, u64)>,
}

/// Something that the app did, from its start to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// 16 hexadecimal digits.
    pub id: String,
    /// The span that it is a part of.
    pub parent: Option<String>,
    /// As a metric's.
    pub name: String,
    /// On the page's wall clock.
    pub start_unix_millis: f64,
    /// How long it took.
    pub duration_millis: f64,
    /// Whether it ended without an error.
    pub ok: bool,
    /// As a metric's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// What a page observed and did not send, because there was more of it than may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Dropped {
    /// Values of metrics.
    pub metrics: u32,
    /// Spans.
    pub spans: u32,
    /// Records of errors; the errors are counted all the same.
    pub errors: u32,
    /// Run times of task types.
    #[serde(default)]
    pub task_types: u32,
}
