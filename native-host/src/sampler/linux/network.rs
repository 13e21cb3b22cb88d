//! Network interfaces, from `/proc/net/dev` and `/sys/class/net` (Documentation/ABI/testing/sysfs-class-net).

use std::collections::BTreeMap;
use std::time::Duration;

use quillwork_protocol::host::Network;

use super::file::{self, KeptFile};
use super::text::{lines, next, words};
use crate::sampler::fault::Fault;
use crate::sampler::names::{make_unique, printable};
use crate::sampler::rate::{Kept, Moment, Stopwatch};
use crate::sampler::root::SystemRoot;

/// Reads interfaces and their rates.
#[derive(Debug)]
pub(super) struct NetworkReader {
    dev: KeptFile,
    stopwatch: Stopwatch,
    before: Kept<Counters>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    received: u64,
    received_packets: u64,
    receive_errors: u64,
    receive_drops: u64,
    sent: u64,
    sent_packets: u64,
    send_errors: u64,
    send_drops: u64,
}

impl NetworkReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self {
            dev: KeptFile::new(root.path("/proc/net/dev")),
            stopwatch: Stopwatch::new(period),
            before: Kept::new(),
        }
    }

    /// All interfaces now, by name. `links` says of each what changes seldom.
    pub(super) fn read(
        &mut self,
        now: Moment,
        links: &BTreeMap<String, Link>,
        buffer: &mut Vec<u8>,
    ) -> Result<Vec<Network>, Fault> {
        let text = self.dev.require(buffer)?;
        let lap = self.stopwatch.lap(now);
        self.before.begin();
        let mut networks = Vec::new();
        for (name, counters) in lines(text).filter_map(parse).take(MOST_INTERFACES) {
            if is_left_out(name) {
                continue;
            }
            let name = printable(name);
            let lap = lap.zip(self.before.replace(&name, counters));
            let rate = |of: fn(&Counters) -> u64| {
                let (lap, before) = lap?;
                lap.per_second(of(&before), of(&counters))
            };
            let link = links.get(&name).copied().unwrap_or_default();
            networks.push(Network {
                is_stacked: !link.is_physical,
                is_up: link.is_up,
                speed_bits_per_second: link.speed_bits_per_second,
                received_bytes_total: counters.received,
                sent_bytes_total: counters.sent,
                received_bytes_per_second: rate(|counters| counters.received),
                sent_bytes_per_second: rate(|counters| counters.sent),
                received_packets_total: Some(counters.received_packets),
                sent_packets_total: Some(counters.sent_packets),
                received_packets_per_second: rate(|counters| counters.received_packets),
                sent_packets_per_second: rate(|counters| counters.sent_packets),
                errors_total: counters.errors(),
                errors_per_second: rate(Counters::errors),
                drops_total: Some(counters.drops()),
                drops_per_second: rate(Counters::drops),
                name,
            });
        }
        // In a container no interface is physical: there they are all that counts.
        if networks.iter().all(|network| network.is_stacked) {
            networks.iter_mut().for_each(|network| network.is_stacked = false);
        }
        networks.sort_by(|a, b| a.name.cmp(&b.name));
        make_unique(&mut networks, |network| &mut network.name);
        Ok(networks)
    }
}

/// A machine of many containers has as many, and a page of them helps nobody.
const MOST_INTERFACES: usize = 256;

/// The loopback, and the host's ends of the links of containers and virtual machines.
fn is_left_out(name: &[u8]) -> bool {
    const LINKS: [&[u8]; 6] = [b"veth", b"cali", b"lxc", b"vnet", b"fwln", b"ifb"];
    name == b"lo" || LINKS.iter().any(|prefix| name.starts_with(prefix))
}

/// `eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16`, with or without a space behind the colon.
fn parse(line: &[u8]) -> Option<(&[u8], Counters)> {
    // A name may hold a colon; numbers don't.
    let colon = line.iter().rposition(|&byte| byte == b':')?;
    let mut words = words(&line[colon + 1..]);
    let mut column = || next(&mut words);
    let (received, received_packets, receive_errors, receive_drops) =
        (column()?, column()?, column()?, column()?);
    const SKIPPED: usize = 4;
    for _ in 0..SKIPPED {
        column()?;
    }
    let (sent, sent_packets, send_errors, send_drops) = (column()?, column()?, column()?, column()?);
    let counters = Counters {
        received,
        received_packets,
        receive_errors,
        receive_drops,
        sent,
        sent_packets,
        send_errors,
        send_drops,
    };
    Some((line[..colon].trim_ascii(), counters))
}

impl Counters {
    fn errors(&self) -> u64 {
        self.receive_errors.saturating_add(self.send_errors)
    }

    fn drops(&self) -> u64 {
        self.receive_drops.saturating_add(self.send_drops)
    }
}

/// What changes seldom, and takes a lock of the kernel's that a driver may hold for long: read in a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// It is a device, not made up of others.
    is_physical: bool,
    is_up: Option<bool>,
    speed_bits_per_second: Option<u64>,
}

/// All links by the names of their interfaces.
pub(super) fn links(root: &SystemRoot) -> BTreeMap<String, Link> {
    let class = root.path("/sys/class/net");
    let names = file::names(&class).into_iter().filter(|name| !is_left_out(name.as_bytes()));
    names
        .map(|name| {
            let directory = class.join(&name);
            let is_up = match file::attribute(&directory.join("operstate")).as_deref() {
                Some(b"up") => Some(true),
                Some(b"down" | b"lowerlayerdown" | b"notpresent" | b"dormant" | b"testing") => Some(false),
                _ => None,
            };
            const MEGA: u64 = 1_000_000;
            let link = Link {
                is_physical: directory.join("device").exists(),
                is_up,
                // An unknown speed is -1, which is no whole number; virtio says 0.
                speed_bits_per_second: file::number(&directory.join("speed"))
                    .filter(|&speed| speed > 0)
                    .and_then(|speed| speed.checked_mul(MEGA)),
            };
            (printable(name.as_bytes()), link)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    fn dev(interfaces: &[(&str, u64)]) -> String {
        let head = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";
        let lines = interfaces
            .iter()
            .map(|(name, received)| format!("{name}: {received} 10 1 2 0 0 0 0 500 5 3 4 0 0 0 0\n"));
        head.to_owned() + &lines.collect::<String>()
    }

    fn physical(tree: &Tree, name: &str, speed: &str) {
        tree.write_all(&format!("/sys/class/net/{name}"), &[("operstate", "up"), ("speed", speed)]);
        tree.write(&format!("/sys/class/net/{name}/device/vendor"), "0x8086\n");
    }

    #[test]
    fn traffic_is_not_counted_twice() {
        let tree = Tree::new();
        physical(&tree, "eth0", "10000");
        physical(&tree, "eth1", "-1");
        tree.write_all("/sys/class/net/bond0", &[("operstate", "down")]);
        let interfaces = [("  lo", 9), ("eth1", 100), ("eth0", 50), ("bond0", 150), ("veth12ab", 7)];
        tree.write("/proc/net/dev", dev(&interfaces));
        let links = links(&tree.root());
        let mut reader = NetworkReader::new(&tree.root(), Duration::from_secs(1));
        let networks = reader.read(seconds(0), &links, &mut Vec::new()).unwrap();
        let shown: Vec<_> = networks.iter().map(|n| (&*n.name, n.is_stacked, n.is_up)).collect();
        assert_eq!(
            shown,
            [("bond0", true, Some(false)), ("eth0", false, Some(true)), ("eth1", false, Some(true))]
        );
        let speeds: Vec<_> = networks.iter().map(|n| n.speed_bits_per_second).collect();
        assert_eq!(speeds, [None, Some(10_000_000_000), None]);
        assert_eq!((networks[1].errors_total, networks[1].drops_total), (4, Some(6)));
    }

    #[test]
    fn a_container_has_only_virtual_interfaces_and_they_count() {
        let tree = Tree::new();
        tree.write("/proc/net/dev", dev(&[("lo", 1), ("eth0", 1)]));
        let mut reader = NetworkReader::new(&tree.root(), Duration::from_secs(1));
        let networks = reader.read(seconds(0), &BTreeMap::new(), &mut Vec::new()).unwrap();
        assert_eq!((networks.len(), networks[0].is_stacked, networks[0].is_up), (1, false, None));
    }

    #[test]
    fn an_interface_made_anew_has_no_rate() {
        let tree = Tree::new();
        let mut reader = NetworkReader::new(&tree.root(), Duration::from_secs(1));
        let mut buffer = Vec::new();
        for (at, received, expected) in
            [(0, 100, None), (2, 300, Some(100.0)), (3, 40, None), (4, 50, Some(10.0))]
        {
            tree.write("/proc/net/dev", dev(&[("eth0", received)]));
            let networks = reader.read(seconds(at), &BTreeMap::new(), &mut buffer).unwrap();
            assert_eq!(networks[0].received_bytes_per_second, expected, "at {at} s");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
            parse(&bytes);
        }
    }
}
