//! Batteries and power supplies, from `/sys/class/power_supply` (Documentation/ABI/testing/sysfs-class-power), and
//! energy that is counted, from `/sys/class/powercap` (Documentation/power/powercap/powercap.rst).

use std::path::Path;
use std::time::Duration;

use quillwork_protocol::host::{Battery, EnergyZone, PowerSource};

use super::file::{attribute, label, micro, names, number};
use crate::sampler::names::{make_unique, printable};
use crate::sampler::rate::{Kept, Moment, Stopwatch, float, grown_in};
use crate::sampler::root::SystemRoot;

/// Where the energy comes from, and where it goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Energy {
    pub(super) batteries: Vec<Battery>,
    pub(super) sources: Vec<PowerSource>,
    pub(super) zones: Vec<EnergyZone>,
}

/// Reads power between two readings. Batteries answer over slow buses, so this runs in a probe.
#[derive(Debug)]
pub(super) struct PowerReader {
    root: SystemRoot,
    stopwatch: Stopwatch,
    before: Kept<u64>,
}

impl PowerReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self { root: root.clone(), stopwatch: Stopwatch::new(period), before: Kept::new() }
    }

    /// Everything now.
    pub(super) fn read(&mut self, now: Moment) -> Energy {
        let mut energy = Energy { zones: self.zones(now), ..Energy::default() };
        let class = self.root.path("/sys/class/power_supply");
        for name in names(&class) {
            let directory = class.join(&name);
            let name = printable(name.as_bytes());
            // The batteries of mice and keyboards don't run the machine.
            if attribute(&directory.join("scope")).as_deref() == Some(b"Device") {
                continue;
            }
            match attribute(&directory.join("type")).as_deref() {
                Some(b"Battery" | b"UPS") => energy.batteries.push(battery(name, &directory)),
                Some(_) => {
                    let is_online = number(&directory.join("online")).map(|online| online > 0);
                    energy.sources.push(PowerSource { name, is_online });
                }
                None => {}
            }
        }
        energy
    }

    fn zones(&mut self, now: Moment) -> Vec<EnergyZone> {
        let lap = self.stopwatch.lap(now);
        self.before.begin();
        let class = self.root.path("/sys/class/powercap");
        let devices = names(&class);
        let mut zones: Vec<EnergyZone> = devices
            .iter()
            // `intel-rapl-mmio` shows the same packages again.
            .filter(|device| device.starts_with("intel-rapl:"))
            .filter_map(|device| {
                let directory = class.join(device);
                let micros = number(&directory.join("energy_uj"))?;
                let before = self.before.replace(device, micros);
                let range = number(&directory.join("max_energy_range_uj"));
                let watts = lap.zip(before).and_then(|(lap, before)| {
                    // The counter wraps within minutes on a busy machine.
                    let grown = grown_in(before, micros, range.map_or(0, |range| range.saturating_add(1)))?;
                    Some(float(grown) / 1e6 / lap.seconds)
                });
                Some(EnergyZone {
                    name: zone_name(&class, device)?,
                    device: printable(device.as_bytes()),
                    watts,
                })
            })
            .collect();
        make_unique(&mut zones, |zone| &mut zone.name);
        zones
    }
}

/// The names of the zones around it and its own: `intel-rapl:0:1` is zone 1 of `intel-rapl:0`.
fn zone_name(class: &Path, device: &str) -> Option<String> {
    let own = label(&class.join(device).join("name"))?;
    match device.rsplit_once(':') {
        Some((parent, _)) if parent.contains(':') => Some(format!("{}/{own}", zone_name(class, parent)?)),
        _ => Some(own),
    }
}

fn battery(name: String, directory: &Path) -> Battery {
    let units = |file: &str| micro(&directory.join(file));
    let status = attribute(&directory.join("status"));
    let is_charging = match status.as_deref() {
        Some(b"Charging" | b"Full" | b"Not charging") => Some(true),
        Some(b"Discharging") => Some(false),
        _ => None,
    };
    let volts = units("voltage_now");
    // Some batteries count energy, others charge. Their currents have a sign on some machines.
    let by_energy = [units("energy_now"), units("energy_full"), units("energy_full_design")];
    let [now, full, design] = if by_energy[0].is_some() {
        by_energy
    } else {
        ["charge_now", "charge_full", "charge_full_design"].map(units)
    };
    let flow = if by_energy[0].is_some() { units("power_now") } else { units("current_now") }.map(f64::abs);
    let watts = units("power_now").map(f64::abs).or_else(|| Some(units("current_now")?.abs() * volts?));
    let of = |part: Option<f64>, whole: Option<f64>| {
        Some((part? / whole.filter(|&whole| whole > 0.0)?).clamp(0.0, 1.0))
    };
    let capacity = number(&directory.join("capacity")).filter(|&capacity| capacity <= 100);
    const SECONDS_AN_HOUR: f64 = 3_600.0;
    Battery {
        name,
        level_ratio: capacity.map(|capacity| float(capacity) / 100.0).or_else(|| of(now, full)),
        is_charging,
        watts,
        volts,
        health_ratio: of(full, design),
        // Zero is what batteries say that don't count.
        cycles: number(&directory.join("cycle_count")).filter(|&cycles| cycles > 0),
        seconds_left: (is_charging == Some(false))
            .then(|| Some(now? / flow.filter(|&flow| flow > 0.0)? * SECONDS_AN_HOUR))
            .flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    const PERIOD: Duration = Duration::from_secs(2);

    #[test]
    fn a_laptop_on_battery() {
        let tree = Tree::new();
        let supplies = "/sys/class/power_supply";
        tree.write_all(&format!("{supplies}/AC"), &[("type", "Mains"), ("online", "0")]);
        let battery = [
            ("type", "Battery"),
            ("status", "Discharging"),
            ("capacity", "60"),
            ("energy_now", "30000000"),
            ("energy_full", "50000000"),
            ("energy_full_design", "62500000"),
            ("power_now", "10000000"),
            ("voltage_now", "12000000"),
            ("cycle_count", "211"),
        ];
        tree.write_all(&format!("{supplies}/BAT0"), &battery);
        let mouse = [("type", "Battery"), ("scope", "Device"), ("capacity", "5")];
        tree.write_all(&format!("{supplies}/hidpp_battery_0"), &mouse);
        let energy = PowerReader::new(&tree.root(), PERIOD).read(seconds(0));
        assert_eq!(energy.sources, [PowerSource { name: "AC".to_owned(), is_online: Some(false) }]);
        let expected = Battery {
            name: "BAT0".to_owned(),
            level_ratio: Some(0.6),
            is_charging: Some(false),
            watts: Some(10.0),
            volts: Some(12.0),
            health_ratio: Some(0.8),
            cycles: Some(211),
            seconds_left: Some(10_800.0),
        };
        assert_eq!(energy.batteries, [expected]);
    }

    #[test]
    fn a_battery_that_counts_charge_and_one_that_tells_nothing() {
        let tree = Tree::new();
        let battery = [
            ("type", "Battery"),
            ("status", "Discharging"),
            ("charge_now", "2000000"),
            ("charge_full", "4000000"),
            ("current_now", "-1000000"),
            ("voltage_now", "8000000"),
            ("cycle_count", "0"),
        ];
        tree.write_all("/sys/class/power_supply/BAT1", &battery);
        tree.write_all("/sys/class/power_supply/BAT2", &[("type", "Battery"), ("status", "Unknown")]);
        let batteries = PowerReader::new(&tree.root(), PERIOD).read(seconds(0)).batteries;
        assert_eq!((batteries[0].level_ratio, batteries[0].watts), (Some(0.5), Some(8.0)));
        assert_eq!((batteries[0].seconds_left, batteries[0].cycles), (Some(7_200.0), None));
        assert_eq!(batteries[1], Battery { name: "BAT2".to_owned(), ..Battery::default() });
    }

    #[test]
    fn energy_becomes_power_over_a_wrap() {
        let tree = Tree::new();
        let zone = |device: &str, name: &str, energy: &str| {
            let files = [("name", name), ("energy_uj", energy), ("max_energy_range_uj", "262143328850")];
            tree.write_all(&format!("/sys/class/powercap/{device}"), &files);
        };
        let mut reader = PowerReader::new(&tree.root(), PERIOD);
        zone("intel-rapl:0", "package-0", "262143000000");
        zone("intel-rapl:0:1", "dram", "1000000");
        zone("intel-rapl-mmio:0", "package-0", "5");
        tree.write_all("/sys/class/powercap/intel-rapl", &[("enabled", "1")]);
        assert!(reader.read(seconds(0)).zones.iter().all(|zone| zone.watts.is_none()));
        zone("intel-rapl:0", "package-0", "19671149");
        zone("intel-rapl:0:1", "dram", "9000000");
        let zones = reader.read(seconds(2)).zones;
        assert_eq!((zones[0].name.as_str(), zones[1].name.as_str()), ("package-0", "package-0/dram"));
        let watts = zones[0].watts.unwrap();
        assert!((watts - 10.0).abs() < 1e-6, "{watts}");
        assert_eq!(zones[1].watts, Some(4.0));
        zone("intel-rapl:0:1", "dram", "8000000");
        assert_eq!(reader.read(seconds(4)).zones[1].watts, None, "a reset is no wrap");
    }

    #[test]
    fn without_the_right_to_read_there_is_no_zone() {
        let tree = Tree::new();
        tree.write_all("/sys/class/powercap/intel-rapl:0", &[("name", "package-0")]);
        assert_eq!(PowerReader::new(&tree.root(), PERIOD).read(seconds(0)), Energy::default());
    }
}
