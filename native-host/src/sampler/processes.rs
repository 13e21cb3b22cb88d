//! The processes that use most.

use std::cmp::Ordering;

use quillwork_protocol::host::Process;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Processes shown.
const TOP: usize = 10;

/// Reads processes. Each costs a few system calls, so this has a slower cadence than the rest.
#[derive(Debug)]
pub(crate) struct ProcessReader {
    system: Option<System>,
    refreshed: bool,
}

impl ProcessReader {
    /// Nothing has been read yet.
    pub(crate) fn new() -> Self {
        let system =
            System::new().inspect_err(|error| tracing::warn!("processes can't be read: {error}")).ok();
        Self { system, refreshed: false }
    }

    /// The processes that used most processor time since the last call, then most memory.
    pub(crate) fn read(&mut self) -> Vec<Process> {
        let Some(system) = &mut self.system else { return Vec::new() };
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let known = std::mem::replace(&mut self.refreshed, true);
        let processes = system.processes().values().map(|process| Process {
            pid: process.pid().as_u32(),
            name: printable(&process.name().to_string_lossy()),
            cpu_of_core_ratio: known.then(|| f64::from(process.cpu_usage()).max(0.0) / 100.0),
            memory_bytes: process.memory(),
        });
        top(processes.collect())
    }
}

fn top(mut processes: Vec<Process>) -> Vec<Process> {
    let by_use = |a: &Process, b: &Process| -> Ordering {
        b.cpu_of_core_ratio
            .unwrap_or(0.0)
            .total_cmp(&a.cpu_of_core_ratio.unwrap_or(0.0))
            .then(b.memory_bytes.cmp(&a.memory_bytes))
            .then(a.pid.cmp(&b.pid))
    };
    if processes.len() > TOP {
        processes.select_nth_unstable_by(TOP, by_use);
        processes.truncate(TOP);
    }
    processes.sort_by(by_use);
    processes
}

/// Whoever starts a process chooses its name, line breaks and terminal escapes included.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, cpu: f64, memory_bytes: u64) -> Process {
        Process { pid, name: String::new(), cpu_of_core_ratio: Some(cpu), memory_bytes }
    }

    #[test]
    fn busiest_first_then_largest() {
        let mut processes: Vec<_> = (0..50).map(|pid| process(pid, 0.0, u64::from(pid))).collect();
        processes.push(process(60, 0.5, 1));
        processes.push(process(61, 1.5, 1));
        let top = top(processes);
        assert_eq!(top.len(), TOP);
        let pids: Vec<_> = top.iter().take(4).map(|process| process.pid).collect();
        assert_eq!(pids, [61, 60, 49, 48]);
    }

    #[test]
    fn names_can_not_break_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
