//! For people.

use std::fmt::Write as _;

use quillwork_core::hardware::Explanation;
use quillwork_protocol::host::{Disk, Gpu, HostSnapshot, Network};

use super::Findings;
use super::profile::usable_cores;
use crate::units::{bytes, per_cent};

pub(super) fn render(findings: &Findings) -> String {
    let mut text = String::from("Hardware\n");
    for (name, value) in hardware(&findings.host) {
        writeln!(text, "  {name:<12} {value}").expect("writing to a string can't fail");
    }
    let failed = findings.host.sampler.collectors.iter().filter(|collector| !collector.succeeded);
    let mut failed = failed.peekable();
    if failed.peek().is_some() {
        text.push_str("\nNot measured\n");
    }
    for collector in failed {
        let why = collector.error.as_deref().unwrap_or("it has not answered yet");
        writeln!(text, "  {:<12} {why}", collector.name).expect("writing to a string can't fail");
    }
    text.push_str("\nConfiguration for pages on this machine\n");
    let explanations = findings.generated.explanations();
    let value = |explanation: &Explanation| explanation.value.to_string();
    let wide = explanations.iter().map(|explanation| value(explanation).len()).max().unwrap_or(0);
    for explanation in explanations {
        let (name, value) = (explanation.setting.name(), value(explanation));
        writeln!(text, "  {name:<20} {value:<wide$}  {}", explanation.reason)
            .expect("writing to a string can't fail");
    }
    for wrong in findings.generated.profile().implausible() {
        writeln!(text, "  note: {wrong}").expect("writing to a string can't fail");
    }
    text
}

fn hardware(host: &HostSnapshot) -> Vec<(&'static str, String)> {
    let machine = &host.machine;
    let known = |parts: [&str; 3]| {
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { UNKNOWN.to_owned() } else { parts.join(", ") }
    };
    let mut rows = vec![
        ("machine", known([&machine.name, &machine.system, &machine.kernel])),
        ("processor", known([&machine.cpu_model, "", ""])),
        ("cores", cores(host)),
        ("memory", memory(host)),
    ];
    rows.extend(list("graphics", host.gpus.iter().map(gpu), "none found"));
    rows.push(("power", power(host)));
    rows.extend(list("disks", host.disks.iter().map(disk), "none found"));
    rows.extend(list("network", host.networks.iter().map(network), "none found"));
    rows.push(("sensors", sensors(host)));
    rows
}

const UNKNOWN: &str = "unknown";

/// The first line of a list has its name.
fn list(
    name: &'static str,
    items: impl Iterator<Item = String>,
    none: &str,
) -> impl Iterator<Item = (&'static str, String)> {
    let mut items: Vec<String> = items.collect();
    if items.is_empty() {
        items.push(none.to_owned());
    }
    items.into_iter().enumerate().map(move |(place, item)| (if place == 0 { name } else { "" }, item))
}

fn cores(host: &HostSnapshot) -> String {
    let machine = &host.machine;
    if machine.logical_cores == 0 {
        return UNKNOWN.to_owned();
    }
    let mut text = format!("{} logical", machine.logical_cores);
    if let Some(physical) = machine.physical_cores {
        write!(text, ", {physical} physical").expect("writing to a string can't fail");
    }
    if let (Some(quota), Some(usable)) = (machine.cpu_limit_cores, usable_cores(host)) {
        write!(text, "; the control group's quota is {quota:.2}, so {usable} count")
            .expect("writing to a string can't fail");
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn memory(host: &HostSnapshot) -> String {
    let memory = &host.memory;
    if memory.total_bytes == 0 {
        return UNKNOWN.to_owned();
    }
    let size = |value: u64| bytes(value as f64);
    let mut text = format!("{}, {} available", size(memory.total_bytes), size(memory.available_bytes));
    if let (Some(limit), Some(machine)) = (&memory.limit, memory.machine_total_bytes) {
        write!(text, "; the limit of the control group {} on a machine of {}", limit.group, size(machine))
            .expect("writing to a string can't fail");
    }
    match memory.swap_total_bytes {
        0 => text.push_str("; no swap"),
        swap => write!(text, "; {} swap", size(swap)).expect("writing to a string can't fail"),
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn gpu(gpu: &Gpu) -> String {
    let memory = gpu.memory_total_bytes.map(|total| bytes(total as f64));
    let limit = gpu.limit_watts.map(|watts| format!("{watts:.0} W"));
    let parts = [
        Some(gpu.name.clone()),
        memory,
        limit,
        Some(gpu.device.clone()).filter(|device| *device != gpu.name),
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn power(host: &HostSnapshot) -> String {
    let batteries = host.batteries.iter().map(|battery| {
        let level = battery.level_ratio.map_or_else(|| UNKNOWN.to_owned(), per_cent);
        let state = match battery.is_charging {
            Some(true) => "charging or full",
            Some(false) => "discharging",
            None => "in an unknown state",
        };
        format!("{} {level}, {state}", battery.name)
    });
    let sources = host.power_sources.iter().map(|source| {
        let state = match source.is_online {
            Some(true) => "on",
            Some(false) => "off",
            None => UNKNOWN,
        };
        format!("{} {state}", source.name)
    });
    let all: Vec<String> = batteries.chain(sources).collect();
    if all.is_empty() { "no battery and no supply is shown".to_owned() } else { all.join("; ") }
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn disk(disk: &Disk) -> String {
    let state = match (disk.is_stuck, disk.is_read_only) {
        (true, _) => ", does not answer",
        (false, true) => ", read-only",
        (false, false) => "",
    };
    let (free, size) = (bytes(disk.available_bytes as f64), bytes(disk.total_bytes as f64));
    format!("{} ({}, {}) {free} free of {size}{state}", disk.mount, disk.file_system, disk.name)
}

fn network(network: &Network) -> String {
    let state = match network.is_up {
        Some(true) => ", up",
        Some(false) => ", down",
        None => "",
    };
    const GIGA: u64 = 1_000_000_000;
    const MEGA: u64 = 1_000_000;
    let speed = match network.speed_bits_per_second {
        Some(speed) if speed >= GIGA => format!(", {} Gbit/s", speed / GIGA),
        Some(speed) => format!(", {} Mbit/s", speed / MEGA),
        None => String::new(),
    };
    format!("{}{state}{speed}", network.name)
}

fn sensors(host: &HostSnapshot) -> String {
    let counts = [
        (host.temperatures.len(), "temperatures"),
        (host.fans.len(), "fans"),
        (host.voltages.len(), "voltages"),
        (host.powers.len() + host.energy_zones.len(), "power meters"),
    ];
    let known: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if known.is_empty() {
        "none; containers and most virtual machines show none".to_owned()
    } else {
        known.join(", ")
    }
}
