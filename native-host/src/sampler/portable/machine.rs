//! Facts that don't change while the host runs.

use quillwork_protocol::host::Machine;
use sysinfo::{CpuRefreshKind, System};

/// Reads them once. What the system doesn't tell is empty.
pub(super) fn read(system: &mut System) -> Machine {
    system.refresh_cpu_list(CpuRefreshKind::nothing());
    Machine {
        name: System::host_name().unwrap_or_default(),
        system: System::long_os_version().unwrap_or_default(),
        kernel: System::kernel_version().unwrap_or_default(),
        cpu_model: system.cpus().first().map(|core| core.brand().trim().to_owned()).unwrap_or_default(),
        logical_cores: u32::try_from(system.cpus().len()).unwrap_or(u32::MAX),
        physical_cores: System::physical_core_count().ok().and_then(|cores| u32::try_from(cores).ok()),
        ..Machine::default()
    }
}
