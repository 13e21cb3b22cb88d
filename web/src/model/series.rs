//! The series that are charted, and their values in a tick. The names are those of the host's history, so
//! that what is back-filled lands in the column of what is heard live.

use quillwork_protocol::page::PageSample;
use quillwork_protocol::snapshot::{PageLink, PageSnapshot, Snapshot};

/// Busy share of all cores.
pub const CPU: &str = "host.cpu.total";
/// Share of the memory in use. The host may keep it in bytes; see [`super::backfill`].
pub const MEMORY: &str = "host.memory.used";
/// Share of the swap space in use.
pub const SWAP: &str = "host.swap.used";
/// Bytes a second received by all interfaces.
pub const RECEIVED: &str = "host.network.received.all";
/// Bytes a second sent by all interfaces.
pub const SENT: &str = "host.network.sent.all";
/// Bytes a second read from all disks.
pub const READ: &str = "host.disk.read.all";
/// Bytes a second written to all disks.
pub const WRITTEN: &str = "host.disk.written.all";

/// Series of the host that are charted.
pub const HOST: [&str; 7] = [CPU, MEMORY, SWAP, RECEIVED, SENT, READ, WRITTEN];
/// Names of the series of each page that are charted.
pub const PAGE: [&str; 2] = [FRAMES, RESPONSE];
/// Frames a second.
pub const FRAMES: &str = "page.fps";
/// 95th percentile of the response time.
pub const RESPONSE: &str = "page.response_p95";

/// The label that tells whose page it is.
pub const SOURCE: &str = "source";

/// A sample older than this at the tick is not this tick's: the chart has a gap there.
const STALE_AFTER_MILLIS: u64 = 2_500;

/// The series of a page, as the host writes it. Source ids have no character that would need escaping.
pub fn page(source_id: &str, name: &str) -> String {
    format!("{name}{{{SOURCE}=\"{source_id}\"}}")
}

/// Whose page it is, of a series as [`page`] writes it.
pub fn source_of(series: &str) -> Option<&str> {
    let (_, label) = series.split_once('{')?;
    label.strip_prefix(SOURCE)?.strip_prefix("=\"")?.strip_suffix("\"}")
}

/// Every charted value of a tick; `None` where nothing was observed.
pub fn values(snapshot: &Snapshot) -> Vec<(String, Option<f64>)> {
    let Some(host) = &snapshot.host else { return Vec::new() };
    let mut values = vec![
        (CPU.to_owned(), host.cpu.total_ratio),
        (MEMORY.to_owned(), host.memory.used_ratio),
        (SWAP.to_owned(), swap_ratio(&host.memory)),
        (RECEIVED.to_owned(), host.received_bytes_per_second()),
        (SENT.to_owned(), host.sent_bytes_per_second()),
        (READ.to_owned(), host.read_bytes_per_second()),
        (WRITTEN.to_owned(), host.written_bytes_per_second()),
    ];
    for page_snapshot in &snapshot.pages {
        let sample = fresh_sample(page_snapshot, host.at_unix_millis);
        let id = &page_snapshot.source.id;
        values.push((page(id, FRAMES), sample.and_then(|sample| sample.frames_per_second)));
        values.push((page(id, RESPONSE), sample.and(page_snapshot.response_p95_millis)));
    }
    values
}

/// Share of the swap space in use; `None` without swap.
pub fn swap_ratio(memory: &quillwork_protocol::host::Memory) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a share of two byte counts")]
    let ratio = memory.swap_used_bytes as f64 / memory.swap_total_bytes as f64;
    (memory.swap_total_bytes > 0).then_some(ratio)
}

fn fresh_sample(page: &PageSnapshot, now_unix_millis: u64) -> Option<&PageSample> {
    let sample = page.sample.as_ref()?;
    let age = now_unix_millis.saturating_sub(sample.at_unix_millis);
    (page.link == PageLink::Live && age <= STALE_AFTER_MILLIS).then_some(sample)
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::host::{Disk, HostSnapshot, Network};

    use super::*;
    use crate::model::pages::tests::page_snapshot;

    fn snapshot() -> Snapshot {
        let mut host = HostSnapshot { at_unix_millis: 10_000, ..HostSnapshot::default() };
        host.cpu.total_ratio = Some(0.5);
        let network = |received| Network { received_bytes_per_second: received, ..Network::default() };
        host.networks = vec![network(Some(1.0)), network(None), network(Some(2.0))];
        host.disks = vec![Disk::default()];
        Snapshot {
            version: 1,
            instance: "one".into(),
            sequence: 1,
            host: Some(host),
            pages: vec![page_snapshot("a", PageLink::Live, 9_500)],
            alerts: Vec::new(),
        }
    }

    fn value(snapshot: &Snapshot, name: &str) -> Option<f64> {
        values(snapshot).into_iter().find(|(found, _)| found == name).expect("a charted series").1
    }

    #[test]
    fn sums_interfaces_and_leaves_unobserved_ones_out() {
        let snapshot = snapshot();
        assert_eq!(value(&snapshot, RECEIVED), Some(3.0));
        assert_eq!(value(&snapshot, SENT), None);
        assert_eq!(value(&snapshot, READ), None);
        assert_eq!(value(&snapshot, SWAP), None);
    }

    #[test]
    fn a_lost_or_stale_page_leaves_a_gap() {
        let mut snapshot = snapshot();
        assert_eq!(value(&snapshot, r#"page.fps{source="a"}"#), Some(60.0));
        snapshot.pages[0].link = PageLink::Lost;
        assert_eq!(value(&snapshot, r#"page.fps{source="a"}"#), None);
        snapshot.pages = vec![page_snapshot("a", PageLink::Live, 7_000)];
        assert_eq!(value(&snapshot, r#"page.response_p95{source="a"}"#), None);
    }

    #[test]
    fn before_the_first_tick_there_is_nothing() {
        assert!(values(&Snapshot { host: None, ..snapshot() }).is_empty());
    }
}
