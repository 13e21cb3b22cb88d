//! Who is to blame, as far as the host can see.

use quillwork_core::alert::{Culprit, Labels};
use quillwork_protocol::host::{HostSnapshot, Process, ProcessGroup};
use quillwork_protocol::snapshot::PageSnapshot;

use super::SOURCE;
use super::words::{bytes, rounded};
use crate::printable::printable;

/// Names the culprit; `None` where nobody stands out.
pub(super) fn name(
    kind: Culprit,
    labels: &Labels,
    host: Option<&HostSnapshot>,
    pages: &[PageSnapshot],
) -> Option<String> {
    let page = labels.value_of(SOURCE).and_then(|id| pages.iter().find(|page| page.source.id == id));
    match kind {
        Culprit::Labels => None,
        Culprit::ProcessByCpu => {
            let share = |process: &Process| process.cpu_of_core_ratio.unwrap_or(0.0);
            let top = host?.processes.iter().max_by(|a, b| share(a).total_cmp(&share(b)))?;
            let cores = top.cpu_of_core_ratio?;
            let of_group = |group: &ProcessGroup| group.cpu_of_core_ratio.unwrap_or(0.0);
            let group = host?.process_groups.iter().max_by(|a, b| of_group(a).total_cmp(&of_group(b)));
            if let Some(group) = group.filter(|group| of_group(group) >= CROWD * cores) {
                return Some(format!("{}, {} cores", crowd(group), rounded(of_group(group))));
            }
            Some(format!("process {} ({}), {} cores", printable(&top.name), top.pid, rounded(cores)))
        }
        Culprit::ProcessByMemory => {
            let top = host?.processes.iter().max_by_key(|process| process.memory_bytes)?;
            let group = host?.process_groups.iter().max_by_key(|group| group.memory_bytes);
            #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
            let is_crowd =
                |group: &&ProcessGroup| group.memory_bytes as f64 >= CROWD * top.memory_bytes as f64;
            if let Some(group) = group.filter(is_crowd) {
                return Some(format!("{}, {}", crowd(group), bytes(group.memory_bytes)));
            }
            Some(format!("process {} ({}), {}", printable(&top.name), top.pid, bytes(top.memory_bytes)))
        }
        Culprit::TaskType => {
            let task_types = &page.or_else(|| slowest(pages))?.sample.as_ref()?.task_types;
            let most = task_types.iter().max_by(|a, b| a.runs.sum_millis.total_cmp(&b.runs.sum_millis))?;
            let (name, runs) = (printable(&most.task_type), &most.runs);
            Some(format!("{name}, {} runs, the longest {} ms", runs.count, rounded(runs.max_millis)))
        }
        Culprit::Worker => {
            let pool = &page?.sample.as_ref()?.pool;
            Some(format!("{} of {} workers are busy, {} tasks wait", pool.busy, pool.workers, pool.queued))
        }
    }
}

/// Many small ones are to blame together where they use this many times what the largest does.
const CROWD: f64 = 2.0;

fn crowd(group: &ProcessGroup) -> String {
    format!("{} processes of {}", group.processes, printable(&group.name))
}

/// Where an alert is about all pages, the one that answers slowest.
fn slowest(pages: &[PageSnapshot]) -> Option<&PageSnapshot> {
    let slowness = |page: &PageSnapshot| page.response_p95_millis.unwrap_or(0.0);
    pages.iter().max_by(|a, b| slowness(a).total_cmp(&slowness(b)))
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::page::{Latency, PageSample, PageSource, TaskTypeRuns};
    use quillwork_protocol::snapshot::PageLink;

    use super::*;

    #[test]
    fn a_process_cant_write_into_the_log_by_its_name() {
        let process = |name: &str, cpu, memory_bytes| Process {
            pid: 7,
            name: name.to_owned(),
            cpu_of_core_ratio: cpu,
            memory_bytes,
            ..Process::default()
        };
        let host = HostSnapshot {
            processes: vec![
                process("idle", None, 5),
                process("evil\n\u{1b}[31mroot\u{202e}", Some(1.75), 3),
                process("large", Some(0.1), 3 << 30),
            ],
            ..HostSnapshot::default()
        };
        let named = |kind| name(kind, &Labels::none(), Some(&host), &[]);
        assert_eq!(named(Culprit::ProcessByCpu).as_deref(), Some("process evil??[31mroot? (7), 1.8 cores"));
        assert_eq!(named(Culprit::ProcessByMemory).as_deref(), Some("process large (7), 3 GiB"));
        assert_eq!(named(Culprit::TaskType), None);
    }

    #[test]
    fn the_task_type_that_took_the_most_time_is_to_blame() {
        let runs = |task_type: &str, count, sum_millis, max_millis| TaskTypeRuns {
            task_type: task_type.to_owned(),
            runs: Latency { count, sum_millis, max_millis, ..Latency::default() },
        };
        let task_types = vec![runs("save", 1, 90.0, 90.0), runs("lay\u{202e}out", 40, 400.0, 31.6)];
        let sample = PageSample { task_types, ..PageSample::default() };
        let page = PageSnapshot {
            source: PageSource::default(),
            link: PageLink::Live,
            last_heard_unix_millis: 0,
            sample: Some(sample),
            response_p95_millis: None,
            error_ratio: None,
            dropped_samples: 0,
            errors: 0,
        };
        let named = name(Culprit::TaskType, &Labels::none(), None, &[page]);
        assert_eq!(named.as_deref(), Some("lay?out, 40 runs, the longest 31.6 ms"));
    }

    #[test]
    fn many_small_processes_are_to_blame_together() {
        let group = |name: &str, processes, cpu, memory_bytes| ProcessGroup {
            name: name.to_owned(),
            processes,
            cpu_of_core_ratio: Some(cpu),
            memory_bytes,
            ..ProcessGroup::default()
        };
        let large = Process {
            pid: 7,
            name: "db".into(),
            cpu_of_core_ratio: Some(0.9),
            memory_bytes: 4 << 30,
            ..Process::default()
        };
        let host = |groups: Vec<ProcessGroup>| HostSnapshot {
            processes: vec![large.clone()],
            process_groups: groups,
            ..HostSnapshot::default()
        };
        let named = |kind, host: &HostSnapshot| name(kind, &Labels::none(), Some(host), &[]).unwrap();
        let db = group("db", 1, 0.9, 4 << 30);
        let busy = host(vec![db.clone(), group("rustc\n", 16, 7.5, 7 << 30)]);
        assert_eq!(named(Culprit::ProcessByCpu, &busy), "16 processes of rustc?, 7.5 cores");
        assert_eq!(
            named(Culprit::ProcessByMemory, &busy),
            "process db (7), 4 GiB",
            "7 GiB of 16 are no more to blame"
        );
        let full = host(vec![db, group("chrome", 40, 0.5, 9 << 30)]);
        assert_eq!(named(Culprit::ProcessByMemory, &full), "40 processes of chrome, 9 GiB");
        assert_eq!(named(Culprit::ProcessByCpu, &full), "process db (7), 0.9 cores");
    }
}
