//! Network interfaces.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Instant;

use quillwork_protocol::host::Network;
use sysinfo::Networks;

use super::rate::Rate;

/// Reads interfaces and their rates.
#[derive(Debug)]
pub(crate) struct NetworkReader {
    networks: Option<Networks>,
    rates: BTreeMap<String, (Rate, Rate)>,
}

impl NetworkReader {
    /// Nothing has been read yet.
    pub(crate) fn new() -> Self {
        let networks =
            Networks::new().inspect_err(|error| tracing::warn!("network can't be read: {error}")).ok();
        Self { networks, rates: BTreeMap::new() }
    }

    /// All interfaces now, by name.
    pub(crate) fn read(&mut self, now: Instant) -> Vec<Network> {
        let Some(networks) = &mut self.networks else { return Vec::new() };
        networks.refresh(true);
        let names: Vec<&str> = networks.keys().filter_map(|name| name.to_str()).collect();
        let shown = worth_showing(&names, is_virtual);
        self.rates.retain(|name, _| shown.contains(&name.as_str()));
        shown
            .into_iter()
            .filter_map(|name| Some((name, networks.get(OsStr::new(name))?)))
            .map(|(name, data)| {
                let (received, sent) = self.rates.entry(name.to_owned()).or_default();
                Network {
                    name: name.to_owned(),
                    received_bytes_total: data.total_received(),
                    sent_bytes_total: data.total_transmitted(),
                    received_bytes_per_second: received.per_second(now, data.total_received()),
                    sent_bytes_per_second: sent.per_second(now, data.total_transmitted()),
                    errors_total: data.total_errors_on_received() + data.total_errors_on_transmitted(),
                }
            })
            .collect()
    }
}

/// What passes a bond, a bridge or a tunnel passes a physical interface as well: counting both would double it. So
/// physical interfaces are shown, and only where there is none (in a container) all but the loopback.
fn worth_showing<'a>(names: &[&'a str], is_virtual: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let mut shown: Vec<&str> = names.iter().copied().filter(|name| !is_virtual(name)).collect();
    if shown.is_empty() {
        shown = names.iter().copied().filter(|name| !is_loopback(name)).collect();
    }
    shown.sort_unstable();
    shown
}

fn is_loopback(name: &str) -> bool {
    matches!(name, "lo" | "lo0") || name.starts_with("Loopback")
}

fn is_virtual(name: &str) -> bool {
    is_loopback(name) || Path::new("/sys/devices/virtual/net").join(name).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_not_counted_twice() {
        let names = ["veth12", "lo", "eth1", "docker0", "eth0", "bond0"];
        let shown = worth_showing(&names, |name| !name.starts_with("eth"));
        assert_eq!(shown, ["eth0", "eth1"]);
    }

    #[test]
    fn a_container_has_only_virtual_interfaces() {
        assert_eq!(worth_showing(&["lo", "eth0"], |_| true), ["eth0"]);
    }
}
