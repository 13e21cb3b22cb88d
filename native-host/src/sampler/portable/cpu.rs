//! Processor use.

use quillwork_protocol::host::Cpu;
use sysinfo::System;

/// Use since the last call. With nothing to compare with sysinfo would give the average since the machine started, or
/// over a gap: both are "no data".
pub(super) fn read(system: &mut System, comparable: bool) -> Cpu {
    system.refresh_cpu_usage();
    Cpu {
        total_ratio: comparable.then(|| ratio(system.global_cpu_usage())),
        core_ratios: system.cpus().iter().map(|core| comparable.then(|| ratio(core.usage()))).collect(),
        load_averages: load_averages(),
        ..Cpu::default()
    }
}

fn ratio(per_cent: f32) -> f64 {
    (f64::from(per_cent) / 100.0).clamp(0.0, 1.0)
}

fn load_averages() -> Option<[f64; 3]> {
    // Windows has none, and sysinfo then answers with zeros.
    if cfg!(windows) {
        return None;
    }
    let load = System::load_average().ok()?;
    Some([load.one, load.five, load.fifteen])
}
