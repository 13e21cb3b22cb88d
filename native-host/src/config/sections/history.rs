//! `[history]`

use std::path::PathBuf;
use std::time::Duration;

use quillwork_store::history::HistoryOptions;

use crate::config::{ByteSize, settings};

settings! {
    /// What is kept, where and for how long.
    pub struct History {
        /// Directory to keep it in. Not set: in memory only, and gone when the host stops.
        data_dir: Option<PathBuf> = None, applies OnRestart;
        /// How long values are kept by the second.
        keep_1s: Duration = DAY, from "1h" to "365d", applies OnRestart;
        /// How long they are kept by ten seconds: at least 6 hours longer than by the second.
        keep_10s: Duration = DAY.saturating_mul(7), from "1h" to "3650d", applies OnRestart;
        /// How long they are kept by the minute: longer than by ten seconds, and at least 4 days longer than by the second.
        keep_1m: Duration = DAY.saturating_mul(30), from "1h" to "3650d", applies OnRestart;
        /// How long they are kept by the hour: longer than by the minute. What is older is gone.
        keep_1h: Duration = DAY.saturating_mul(730), from "1h" to "36500d", applies OnRestart;
        /// Bytes that it never exceeds. What is nearest to its end makes room; `quillwork check` says whether that is likely. The state of alerts and annotations lie beside it and don't count.
        max_bytes: ByteSize = ByteSize(512 << 20), from "1MiB" to "1000000GiB", applies OnRestart;
    }
}

const DAY: Duration = Duration::from_secs(86_400);

/// The options that say how long each step is kept, from fine to coarse.
pub(crate) const KEPT: [&str; 4] =
    ["history.keep_1s", "history.keep_10s", "history.keep_1m", "history.keep_1h"];

impl History {
    /// What the store is opened with.
    #[must_use]
    pub fn options(&self) -> HistoryOptions {
        let mut options = HistoryOptions { max_bytes: self.max_bytes.0, ..HistoryOptions::default() };
        for (tier, kept) in
            options.tiers.iter_mut().zip([self.keep_1s, self.keep_10s, self.keep_1m, self.keep_1h])
        {
            tier.retention_millis = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
        }
        options
    }
}
