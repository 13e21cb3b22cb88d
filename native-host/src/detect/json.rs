//! For programs.

use quillwork_core::hardware::{Gpu, HardwareProfile, Power, Value as Setting};
use serde_json::{Value, json};

use super::Findings;

pub(super) fn render(findings: &Findings) -> String {
    let host = &findings.host;
    let configuration: Vec<Value> = findings
        .generated
        .explanations()
        .iter()
        .map(|explanation| {
            let (value, unit) = setting(explanation.value);
            json!({
                "setting": explanation.setting.name(),
                "value": value,
                "unit": unit,
                "reason": explanation.reason.to_string(),
                "formula": explanation.formula,
            })
        })
        .collect();
    let profile = findings.generated.profile();
    let value = json!({
        "version": 1,
        "machine": host.machine,
        "profile": self::profile(profile),
        "implausible": profile.implausible().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "configuration": configuration,
        "hardware": {
            "memory": host.memory,
            "disks": host.disks,
            "blockDevices": host.block_devices,
            "networks": host.networks,
            "gpus": host.gpus,
            "temperatures": host.temperatures,
            "fans": host.fans,
            "voltages": host.voltages,
            "powers": host.powers,
            "batteries": host.batteries,
            "powerSources": host.power_sources,
            "energyZones": host.energy_zones,
        },
        "collectors": host.sampler.collectors,
    });
    let text = serde_json::to_string_pretty(&value).expect("keys are strings");
    text + "\n"
}

fn setting(value: Setting) -> (Value, &'static str) {
    match value {
        Setting::Count(count) => (json!(count), "count"),
        Setting::Bytes(bytes) => (json!(bytes), "bytes"),
        Setting::Time(time) => (json!(time.as_millis_f64()), "millis"),
        Setting::Compute(target) => (json!(target.to_string()), "name"),
        Setting::Wake(wake) => (json!(wake.to_string()), "name"),
    }
}

fn profile(profile: &HardwareProfile) -> Value {
    let gpu = profile.gpu.map(|gpu| match gpu {
        Gpu::Absent => "absent",
        Gpu::Software => "software",
        Gpu::Hardware { .. } => "hardware",
    });
    let power = profile.power.map(|power| match power {
        Power::Mains => json!({ "source": "mains" }),
        Power::Battery { level_ratio } => json!({ "source": "battery", "levelRatio": level_ratio }),
    });
    json!({
        "logicalCores": profile.logical_cores,
        "physicalCores": profile.physical_cores,
        "memoryBytes": profile.memory_bytes,
        "gpu": gpu,
        "crossOriginIsolated": profile.cross_origin_isolated,
        "power": power,
    })
}
