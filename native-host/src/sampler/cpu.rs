//! Processor use.

use quillwork_protocol::host::Cpu;
use sysinfo::System;

/// Reads processor use between two ticks.
#[derive(Debug)]
pub(crate) struct CpuReader {
    refreshed: bool,
}

impl CpuReader {
    /// Nothing has been read yet.
    pub(crate) fn new() -> Self {
        Self { refreshed: false }
    }

    /// Use since the last call. The first call has nothing to compare with (sysinfo would give the average since the
    /// machine started), and after a gap the average over the gap is no reading of this second: both are "no data".
    pub(crate) fn read(&mut self, system: &mut System, gap: bool) -> Cpu {
        system.refresh_cpu_usage();
        let known = std::mem::replace(&mut self.refreshed, true) && !gap;
        Cpu {
            total_ratio: known.then(|| ratio(system.global_cpu_usage())),
            core_ratios: system.cpus().iter().map(|core| known.then(|| ratio(core.usage()))).collect(),
            load_averages: load_averages(),
        }
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
