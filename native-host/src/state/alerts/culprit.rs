//! Who is to blame, as far as the host can see.

use quillwork_core::alert::{Culprit, Labels};
use quillwork_protocol::host::{HostSnapshot, Process};
use quillwork_protocol::snapshot::PageSnapshot;

use super::SOURCE;
use super::words::{bytes, printable, rounded};

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
            Some(format!("process {} ({}), {} cores", printable(&top.name), top.pid, rounded(cores)))
        }
        Culprit::ProcessByMemory => {
            let top = host?.processes.iter().max_by_key(|process| process.memory_bytes)?;
            Some(format!("process {} ({}), {}", printable(&top.name), top.pid, bytes(top.memory_bytes)))
        }
        Culprit::TaskType => {
            let spans = &page.or_else(|| slowest(pages))?.sample.as_ref()?.spans;
            let longest = spans.iter().max_by(|a, b| a.duration_millis.total_cmp(&b.duration_millis))?;
            Some(format!("{}, {} ms", printable(&longest.name), rounded(longest.duration_millis)))
        }
        Culprit::Worker => {
            let pool = &page?.sample.as_ref()?.pool;
            Some(format!("{} of {} workers are busy, {} tasks wait", pool.busy, pool.workers, pool.queued))
        }
    }
}

/// Where an alert is about all pages, the one that answers slowest.
fn slowest(pages: &[PageSnapshot]) -> Option<&PageSnapshot> {
    let slowness = |page: &PageSnapshot| page.response_p95_millis.unwrap_or(0.0);
    pages.iter().max_by(|a, b| slowness(a).total_cmp(&slowness(b)))
}

#[cfg(test)]
mod tests {
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
}
