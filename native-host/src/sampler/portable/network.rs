//! Network interfaces.

use std::time::Duration;

use quillwork_protocol::host::Network;
use sysinfo::Networks;

use crate::sampler::names::{make_unique, printable};
use crate::sampler::rate::{Kept, Moment, Stopwatch};

/// Reads interfaces and their rates.
#[derive(Debug)]
pub(super) struct NetworkReader {
    networks: Option<Networks>,
    stopwatch: Stopwatch,
    before: Kept<(u64, u64)>,
}

impl NetworkReader {
    /// Nothing has been read yet.
    pub(super) fn new(period: Duration) -> Self {
        let networks =
            Networks::new().inspect_err(|error| tracing::warn!("network can't be read: {error}")).ok();
        Self { networks, stopwatch: Stopwatch::new(period), before: Kept::new() }
    }

    /// All interfaces now but the loopback, by name.
    pub(super) fn read(&mut self, now: Moment) -> Vec<Network> {
        let Some(networks) = &mut self.networks else { return Vec::new() };
        networks.refresh(true);
        let lap = self.stopwatch.lap(now);
        self.before.begin();
        let mut shown: Vec<Network> = networks
            .iter()
            .filter(|(name, _)| !is_loopback(&name.to_string_lossy()))
            .map(|(name, data)| {
                let name = printable(name.as_encoded_bytes());
                let (received, sent) = (data.total_received(), data.total_transmitted());
                let since = lap.zip(self.before.replace(&name, (received, sent)));
                Network {
                    name,
                    received_bytes_total: received,
                    sent_bytes_total: sent,
                    received_bytes_per_second: since
                        .and_then(|(lap, before)| lap.per_second(before.0, received)),
                    sent_bytes_per_second: since.and_then(|(lap, before)| lap.per_second(before.1, sent)),
                    received_packets_total: Some(data.total_packets_received()),
                    sent_packets_total: Some(data.total_packets_transmitted()),
                    errors_total: data.total_errors_on_received() + data.total_errors_on_transmitted(),
                    ..Network::default()
                }
            })
            .collect();
        shown.sort_by(|a, b| a.name.cmp(&b.name));
        make_unique(&mut shown, |network| &mut network.name);
        shown
    }
}

fn is_loopback(name: &str) -> bool {
    matches!(name, "lo" | "lo0") || name.starts_with("Loopback")
}
