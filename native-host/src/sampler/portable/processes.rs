//! Processes.

use quillwork_protocol::host::{Process, ProcessCounts};
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use crate::sampler::fault::Fault;
use crate::sampler::names::printable;
use crate::sampler::top::{ProcessReading, Seen, top};

/// Reads processes.
#[derive(Debug)]
pub(super) struct ProcessReader {
    system: Option<System>,
    refreshed: bool,
    most: usize,
}

impl ProcessReader {
    /// Nothing has been read yet.
    pub(super) fn new(most: usize) -> Self {
        Self { system: System::new().ok(), refreshed: false, most }
    }

    /// All processes since the last call.
    pub(super) fn read(&mut self) -> Result<ProcessReading, Fault> {
        let system =
            self.system.as_mut().ok_or_else(|| Fault("this system does not tell of processes".to_owned()))?;
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let known = std::mem::replace(&mut self.refreshed, true);
        let mut counts = ProcessCounts::default();
        let mut seen = Vec::with_capacity(system.processes().len());
        for process in system.processes().values() {
            counts.total += 1;
            match process.status() {
                ProcessStatus::Run => counts.running += 1,
                ProcessStatus::Zombie => counts.zombies += 1,
                ProcessStatus::UninterruptibleDiskSleep => counts.uninterruptible += 1,
                _ => {}
            }
            let name = printable(process.name().as_encoded_bytes());
            seen.push(Seen {
                group: name.clone(),
                process: Process {
                    pid: process.pid().as_u32(),
                    name,
                    cpu_of_core_ratio: known.then(|| f64::from(process.cpu_usage()).max(0.0) / 100.0),
                    memory_bytes: process.memory(),
                    ..Process::default()
                },
            });
        }
        seen.sort_by_key(|seen| seen.process.pid);
        Ok(top(seen, counts, self.most))
    }
}
