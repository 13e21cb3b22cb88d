//! What the host's own process costs.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use quillwork_protocol::host::HostProcess;

use super::file::KeptFile;
use super::processes::Stat;
use crate::sampler::rate::{Moment, Stopwatch};
use crate::sampler::root::SystemRoot;

/// Reads the host's own process between two ticks.
#[derive(Debug)]
pub(super) struct SelfReader {
    stat: KeptFile,
    files: PathBuf,
    stopwatch: Stopwatch,
    cpu_ticks: Option<u64>,
    page_bytes: u64,
}

impl SelfReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self {
            stat: KeptFile::new(root.path("/proc/self/stat")),
            files: root.path("/proc/self/fd"),
            stopwatch: Stopwatch::new(period),
            cpu_ticks: None,
            page_bytes: u64::try_from(rustix::param::page_size()).expect("a page is small"),
        }
    }

    /// What it costs now.
    pub(super) fn read(&mut self, now: Moment, buffer: &mut Vec<u8>) -> Option<HostProcess> {
        let lap = self.stopwatch.lap(now);
        let stat = Stat::parse(self.stat.read(buffer).ok()?)?;
        let before = self.cpu_ticks.replace(stat.cpu_ticks);
        const USER_HZ: f64 = 100.0;
        Some(HostProcess {
            cpu_of_core_ratio: lap
                .zip(before)
                .and_then(|(lap, before)| lap.per_second(before, stat.cpu_ticks))
                .map(|ticks| ticks / USER_HZ),
            memory_bytes: stat.resident_pages.saturating_mul(self.page_bytes),
            open_files: fs::read_dir(&self.files).ok().and_then(|files| u32::try_from(files.count()).ok()),
            threads: u32::try_from(stat.threads).ok(),
        })
    }
}
