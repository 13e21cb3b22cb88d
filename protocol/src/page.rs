//! What a page measures of itself and sends to the host.
//!
//! Batches are delivered at least once: a page sends a batch again until the host has acknowledged its `batchId`, and
//! the host counts each `batchId` once.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::signals::{CustomMetric, Dropped, LongAnimationFrames, PageErrors, Span, WebVital};

/// Who sends: one page load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageSource {
    /// Random id of this page load: 1 to 64 characters of `A-Z a-z 0-9 -`, but not `host`.
    ///
    /// It is a secret between page and host: where the host asks for a token, beacons are taken for an id of 22
    /// characters or more that connected with the token before. Make it of 128 random bits.
    pub id: String,
    /// What a person calls it, for instance the app's name. At most 120 characters.
    pub name: String,
}

/// Samples since the last batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageBatch {
    /// [`crate::VERSION`].
    pub version: u32,
    /// Who sends.
    pub source: PageSource,
    /// Random id of the batch, for deduplication: same alphabet as the source's.
    pub batch_id: String,
    /// Counts the batches of this source from 1.
    pub sequence: u64,
    /// The page's wall clock when it sent, from which the host corrects skew.
    pub sent_at_unix_millis: u64,
    /// Oldest first, at most 600.
    pub samples: Vec<PageSample>,
    /// Samples that the page had to drop since its last batch because its queue was full.
    #[serde(default)]
    pub dropped_samples: u64,
    /// The page is going away: a beacon.
    #[serde(default)]
    pub closing: bool,
}

/// One sampling interval of a page, normally a second. Counts are of the interval, not totals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageSample {
    /// End of the interval on the page's wall clock.
    pub at_unix_millis: u64,
    /// Length of the interval.
    pub interval_millis: f64,
    /// Whether the page was visible for all of it. Frames of a hidden page are not observed.
    pub visible: bool,
    /// Frames a second; `null` where the page was hidden.
    pub frames_per_second: Option<f64>,
    /// Refresh rate of the display as measured.
    pub display_hertz: Option<f64>,
    /// Share of the display's frames that were missed, 0 to 1.
    pub dropped_frame_ratio: Option<f64>,
    /// 1 % low: the rate of the slowest hundredth of the last 600 frames; `null` where too few were seen.
    #[serde(default)]
    pub low_frames_per_second: Option<f64>,
    /// Tasks of 50 ms and more on the main thread, estimated where the browser doesn't tell; `null` where there are no frames either.
    pub long_tasks: Option<LongTasks>,
    /// Frames of 50 ms and more and what ran in them; `null` where the browser doesn't tell.
    #[serde(default)]
    pub long_animation_frames: Option<LongAnimationFrames>,
    /// The vitals that are known by now, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub web_vitals: Vec<WebVital>,
    /// JavaScript heap in use; `null` where the browser doesn't tell.
    pub heap_used_bytes: Option<u64>,
    /// Limit of the JavaScript heap.
    pub heap_limit_bytes: Option<u64>,
    /// Memory of the page with its workers and frames, where the browser tells
    /// (`performance.measureUserAgentSpecificMemory`); it is asked once a minute or so.
    #[serde(default)]
    pub user_agent_memory_bytes: Option<u64>,
    /// WebAssembly memory of the runtime.
    pub wasm_bytes: u64,
    /// Time of passes on the GPU, by its own clock; `null` where none was measured.
    #[serde(default)]
    pub gpu_millis: Option<f64>,
    /// An estimate: collections of garbage that were noticed. The browser tells of none; young and full ones count alike.
    #[serde(default)]
    pub garbage_collections_estimate: Option<u32>,
    /// The worker pool.
    pub pool: Pool,
    /// The runtime's caches together.
    pub cache: Cache,
    /// From submission to result, of tasks of normal priority (5) and above that ended in this interval; `null` where none
    /// did. Bulk work, below that, waits in the queue by design.
    pub response: Option<Latency>,
    /// Run times of the tasks that ended in this interval by type, at most 33.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub task_types: Vec<TaskTypeRuns>,
    /// Errors that nobody caught; `null` where there were none.
    #[serde(default)]
    pub errors: Option<PageErrors>,
    /// Metrics of the app's own that have a value, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<CustomMetric>,
    /// Spans that ended, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    /// What was too much to send; `null` where nothing was.
    #[serde(default)]
    pub dropped: Option<Dropped>,
    /// Share of the main thread's time that measuring and reporting took, 0 to 1, as they measured it themselves.
    #[serde(default)]
    pub telemetry_cost_ratio: Option<f64>,
}

/// Long tasks of the main thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct LongTasks {
    /// How many.
    pub count: u32,
    /// Their time together.
    pub total_millis: f64,
    /// The longest.
    pub max_millis: f64,
    /// Whether they follow from frames that came late, because the browser tells of none.
    #[serde(default, skip_serializing_if = "is_told")]
    pub estimated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_told(estimated: &bool) -> bool {
    !estimated
}

/// State of the pool at the end of the interval, and what ended in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Workers that are ready or busy.
    pub workers: u32,
    /// Workers that run a task.
    pub busy: u32,
    /// Tasks that wait.
    pub queued: u32,
    /// Share of the workers' time spent on tasks, 0 to 1; `null` without workers.
    pub utilisation_ratio: Option<f64>,
    /// Ended with a result.
    pub completed: u32,
    /// Ended with the task's own error.
    pub failed: u32,
    /// Ended by the caller.
    pub aborted: u32,
    /// Ended by their time-out.
    pub timed_out: u32,
    /// Ended because workers crashed too often.
    pub crashed: u32,
    /// Refused, expired in the queue or cut off by closing.
    pub refused: u32,
    /// Dispatched again after a worker was lost.
    pub redelivered: u32,
    /// Workers that were lost.
    pub workers_lost: u32,
}

/// Cache use in the interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cache {
    /// Found.
    pub hits: u32,
    /// Not found.
    pub misses: u32,
    /// Removed to make room.
    pub evictions: u32,
    /// Entries at the end.
    pub entries: u32,
}

/// How long tasks of one type ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TaskTypeRuns {
    /// What the app calls them, 1 to 120 characters without control characters; `(others)` for those beyond the 32 that a page tells apart.
    pub task_type: String,
    /// From the start on a worker to the end there, whatever the outcome.
    pub runs: Latency,
}

/// Latencies as a mergeable sketch (DDSketch): host and dashboard merge it over pages and time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum_millis: f64,
    /// The shortest.
    pub min_millis: f64,
    /// The longest.
    pub max_millis: f64,
    /// Relative accuracy of the sketch, 0.01 for one per cent.
    pub relative_accuracy: f64,
    /// Values of zero.
    pub zeros: u64,
    /// Pairs of bucket index and count, ascending. Bucket `i` holds `(g^(i-1), g^i]` with `g = (1+a)/(1-a)`.
    pub buckets: Vec<(i32, u64)>,
}
