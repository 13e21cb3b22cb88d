//! From what was measured to what core generates a configuration from.

use quillwork_core::hardware::{Gpu, HardwareProfile, Power};
use quillwork_protocol::host::HostSnapshot;

/// What a page on this machine, served by this host, has to work with.
pub(super) fn of(host: &HostSnapshot) -> HardwareProfile {
    HardwareProfile {
        logical_cores: usable_cores(host),
        physical_cores: host.machine.physical_cores,
        memory_bytes: (host.memory.total_bytes > 0).then_some(host.memory.total_bytes),
        memory_hint_bytes: None,
        gpu: Some(gpu(host)),
        // The host serves its pages with the headers for it.
        cross_origin_isolated: Some(true),
        power: power(host),
    }
}

/// Processors, but no more than a quota allows.
pub(super) fn usable_cores(host: &HostSnapshot) -> Option<u32> {
    let cores = Some(host.machine.logical_cores).filter(|&cores| cores > 0)?;
    let Some(quota) = host.machine.cpu_limit_cores else { return Some(cores) };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a number of cores"
    )]
    let allowed = quota.floor().clamp(1.0, f64::from(cores)) as u32;
    Some(allowed)
}

/// Only the vendors of devices that compute count: a virtual card, or the one of a server's management, only shows a
/// picture.
fn gpu(host: &HostSnapshot) -> Gpu {
    const COMPUTING: [&str; 3] = ["NVIDIA", "AMD", "Intel"];
    let computes =
        |vendor: &Option<String>| vendor.as_deref().is_some_and(|vendor| COMPUTING.contains(&vendor));
    if host.gpus.iter().any(|gpu| computes(&gpu.vendor)) {
        Gpu::Hardware { max_buffer_bytes: None }
    } else {
        Gpu::Absent
    }
}

/// Unknown where neither a battery nor a supply is shown.
fn power(host: &HostSnapshot) -> Option<Power> {
    let is_online = host.power_sources.iter().any(|source| source.is_online == Some(true));
    let is_charging = host.batteries.iter().any(|battery| battery.is_charging == Some(true));
    let draining = host.batteries.iter().find(|battery| battery.is_charging == Some(false));
    match draining {
        Some(battery) if !is_online => Some(Power::Battery { level_ratio: battery.level_ratio }),
        _ => (is_online || is_charging).then_some(Power::Mains),
    }
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::host::{self, Battery, PowerSource};

    use super::*;

    #[test]
    fn a_quota_leaves_fewer_cores() {
        let mut host = HostSnapshot::default();
        assert_eq!(usable_cores(&host), None);
        host.machine.logical_cores = 8;
        assert_eq!(usable_cores(&host), Some(8));
        for (quota, cores) in [(2.5, 2), (0.5, 1), (64.0, 8)] {
            host.machine.cpu_limit_cores = Some(quota);
            assert_eq!(usable_cores(&host), Some(cores));
        }
    }

    #[test]
    fn power_is_mains_battery_or_unknown() {
        let mut host = HostSnapshot::default();
        assert_eq!(of(&host).power, None);
        host.batteries =
            vec![Battery { is_charging: Some(false), level_ratio: Some(0.4), ..Battery::default() }];
        assert_eq!(of(&host).power, Some(Power::Battery { level_ratio: Some(0.4) }));
        host.power_sources = vec![PowerSource { is_online: Some(true), ..PowerSource::default() }];
        assert_eq!(of(&host).power, Some(Power::Mains), "a battery that is not charged although it could be");
    }

    #[test]
    fn a_virtual_card_computes_nothing() {
        let card = |vendor: &str| host::Gpu { vendor: Some(vendor.to_owned()), ..host::Gpu::default() };
        let mut host = HostSnapshot { gpus: vec![card("virtio"), card("0x1a03")], ..HostSnapshot::default() };
        assert_eq!(of(&host).gpu, Some(Gpu::Absent));
        host.gpus.push(card("AMD"));
        assert_eq!(of(&host).gpu, Some(Gpu::Hardware { max_buffer_bytes: None }));
    }
}
