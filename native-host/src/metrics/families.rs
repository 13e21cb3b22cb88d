//! What the metrics are.

use std::sync::atomic::{AtomicU64, Ordering};

use quillwork_protocol::alert::AlertState;
use quillwork_protocol::replication::{Role, Standing};
use quillwork_protocol::snapshot::Snapshot;

use super::exposition::{Exposition, Kind, Sample};
use super::host_families::host_families;
use super::negotiation::Format;
use super::page_families::{pages, pools, signals};
use crate::export::Figures;
use crate::state::Tick;

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
    /// Reports that were written by the clock.
    pub(crate) reports: AtomicU64,
    /// Attempts of which nothing came.
    pub(crate) report_failures: AtomicU64,
}

/// Everything as text. `tick` is the last one: a scrape measures nothing by itself.
pub(crate) fn render(format: Format, tick: &Tick, counters: &ServerCounters, standing: &Standing) -> String {
    let snapshot = &tick.snapshot;
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
    exports(&mut to, &tick.exports);
    replication(&mut to, standing);
    to.finish()
}

#[expect(clippy::cast_precision_loss, reason = "both formats carry doubles")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}

fn replication(to: &mut Exposition, standing: &Standing) {
    let claim = &standing.claim;
    let role = match claim.role {
        Role::Primary => "primary",
        Role::Standby => "standby",
        Role::Fenced => "fenced",
    };
    to.family(
        "quillwork_role",
        Kind::Gauge,
        "Always 1; the label tells what the host is among those with the same history.",
        [Sample::new([("role", role)], 1.0)],
    );
    to.family(
        "quillwork_epoch",
        Kind::Gauge,
        "How often a standby has taken over.",
        Sample::only(float(claim.epoch)),
    );
    let seconds = |millis: u64| float(millis) / 1_000.0;
    to.family(
        "quillwork_standby_behind_seconds",
        Kind::Gauge,
        "How long ago this standby had all that the primary had; absent on others, and before it first had.",
        Sample::only(standing.behind_millis.map(seconds)),
    );
    let followers = standing.followers.iter().filter_map(|follower| {
        let behind = follower.asked_millis_ago.saturating_add(follower.behind_millis?);
        let name = follower.url.as_deref().unwrap_or(&follower.node);
        Some(Sample::new([("follower", name)], seconds(behind)))
    });
    to.family(
        "quillwork_follower_behind_seconds",
        Kind::Gauge,
        "How long ago a standby of this host had all that there was; absent before it first had.",
        followers,
    );
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

fn exports(to: &mut Exposition, exports: &[(&'static str, Figures)]) {
    let samples = exports.iter().flat_map(|(destination, figures)| {
        [("sent", figures.sent), ("dropped", figures.dropped), ("refused", figures.refused)]
            .map(|(outcome, count)| Sample::new([("to", *destination), ("outcome", outcome)], float(count)))
    });
    to.family(
        "quillwork_export_samples",
        Kind::Counter,
        "Samples sent on, dropped because too many waited, and refused by the receiver.",
        samples,
    );
    let of = |read: fn(&Figures) -> u64| {
        exports
            .iter()
            .map(move |(destination, figures)| Sample::new([("to", *destination)], float(read(figures))))
    };
    to.family(
        "quillwork_export_failures",
        Kind::Counter,
        "Requests that failed and are tried again.",
        of(|figures| figures.failures),
    );
    to.family(
        "quillwork_export_queued_samples",
        Kind::Gauge,
        "Samples that wait to be sent on.",
        of(|figures| figures.queued),
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
        ("quillwork_reports", "Reports that were written by the clock.", &counters.reports),
        ("quillwork_report_failures", "Attempts to write one that failed.", &counters.report_failures),
    ] {
        to.family(name, Kind::Counter, help, read(counter));
    }
}
