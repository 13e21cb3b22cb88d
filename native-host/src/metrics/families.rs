//! What the metrics are.

use std::sync::atomic::{AtomicU64, Ordering};

use quillwork_protocol::alert::AlertState;
use quillwork_protocol::snapshot::Snapshot;

use super::exposition::{Exposition, Kind, Sample};
use super::host_families::host_families;
use super::negotiation::Format;
use super::page_families::{pages, pools, signals};

/// What the server counts of itself.
#[derive(Debug, Default)]
pub(crate) struct ServerCounters {
    /// Dashboards that are connected.
    pub(crate) dashboards: AtomicU64,
    /// Page connections.
    pub(crate) page_connections: AtomicU64,
    /// Clients that were dropped because they read too slowly.
    pub(crate) dropped_slow_clients: AtomicU64,
    /// Batches that were counted.
    pub(crate) batches: AtomicU64,
    /// Batches that had been counted before.
    pub(crate) duplicate_batches: AtomicU64,
    /// Batches that were refused.
    pub(crate) refused_batches: AtomicU64,
}

/// Everything as text. `snapshot` is the last tick: a scrape measures nothing by itself.
pub(crate) fn render(format: Format, snapshot: &Snapshot, counters: &ServerCounters) -> String {
    let mut to = Exposition::new(format);
    let version = env!("CARGO_PKG_VERSION");
    to.family(
        "quillwork_build_info",
        Kind::Gauge,
        "Always 1; the label tells the version.",
        [Sample::new([("version", version)], 1.0)],
    );
    if let Some(host) = &snapshot.host {
        host_families(&mut to, host);
    }
    pages(&mut to, &snapshot.pages);
    pools(&mut to, &snapshot.pages);
    signals(&mut to, &snapshot.pages);
    alerts(&mut to, snapshot);
    server(&mut to, counters);
    to.finish()
}

#[expect(clippy::cast_precision_loss, reason = "both formats carry doubles")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}

fn alerts(to: &mut Exposition, snapshot: &Snapshot) {
    let samples = snapshot.alerts.iter().map(|alert| {
        let level = match alert.state {
            AlertState::Ok | AlertState::Pending => Some(0.0),
            AlertState::Warning => Some(1.0),
            AlertState::Critical => Some(2.0),
            AlertState::NoData => None,
        };
        Sample::new([("rule", &*alert.rule), ("subject", &*alert.subject)], level)
    });
    to.family(
        "quillwork_alert_level",
        Kind::Gauge,
        "0 nothing is firing, 1 warning, 2 critical; absent without data.",
        samples,
    );
}

fn server(to: &mut Exposition, counters: &ServerCounters) {
    let read = |counter: &AtomicU64| Sample::only(float(counter.load(Ordering::Relaxed)));
    to.family("quillwork_dashboards", Kind::Gauge, "Dashboards connected.", read(&counters.dashboards));
    to.family(
        "quillwork_page_connections",
        Kind::Gauge,
        "Pages connected.",
        read(&counters.page_connections),
    );
    for (name, help, counter) in [
        ("quillwork_slow_clients_dropped", "Clients that read too slowly.", &counters.dropped_slow_clients),
        ("quillwork_batches", "Batches of pages that were counted.", &counters.batches),
        ("quillwork_batches_duplicate", "Batches that had been counted before.", &counters.duplicate_batches),
        ("quillwork_batches_refused", "Batches that were refused.", &counters.refused_batches),
    ] {
        to.family(name, Kind::Counter, help, read(counter));
    }
}
