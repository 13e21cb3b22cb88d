//! Everything the host knows at one tick.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::alert::AlertStatus;
use crate::host::HostSnapshot;
use crate::page::{PageSample, PageSource};

/// Host, pages and alerts at one tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// [`crate::VERSION`].
    pub version: u32,
    /// Changes each time the host starts: sequence numbers count within it.
    pub instance: String,
    /// Counts ticks from 1.
    pub sequence: u64,
    /// The machine; `null` before the first tick.
    pub host: Option<HostSnapshot>,
    /// Pages that are connected, or were until a short while ago.
    pub pages: Vec<PageSnapshot>,
    /// Every rule on every subject, the most urgent first.
    pub alerts: Vec<AlertStatus>,
}

/// What the host last heard of a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PageSnapshot {
    /// Who it is.
    pub source: PageSource,
    /// Whether it still reports.
    pub link: PageLink,
    /// When the host last heard from it, on the host's clock.
    pub last_heard_unix_millis: u64,
    /// Its newest sample, with `at_unix_millis` moved onto the host's clock.
    pub sample: Option<PageSample>,
    /// 95th percentile of the response time over the last minute, from the merged sketches.
    pub response_p95_millis: Option<f64>,
    /// Share of the tasks that ended in the last minute and did so with an error, a time-out or a crash, 0 to 1.
    pub error_ratio: Option<f64>,
    /// Samples that the page had to drop since it loaded.
    pub dropped_samples: u64,
    /// Errors and rejections that nobody caught since it loaded.
    #[serde(default)]
    pub errors: u64,
}

/// Whether a page still reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum PageLink {
    /// It reports; or its newest sample was hidden and its socket is open. Browsers let the timers of a hidden page run
    /// once a second and later once a minute, so that its silence says nothing: its figures are as old as
    /// [`PageSnapshot::last_heard_unix_millis`] and count as not observed.
    Live,
    /// Silent for three seconds or more. For a hidden page these count from the end of its socket, which the host
    /// notices within a minute where the page is gone without a word: it leaves pings unanswered then.
    Lost,
    /// It said goodbye.
    Closed,
}
