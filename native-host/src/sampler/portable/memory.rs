//! Memory and swap.

use quillwork_protocol::host::Memory;
use sysinfo::System;

use crate::sampler::rate::share;

/// Memory of the machine.
pub(super) fn read(system: &mut System) -> Memory {
    system.refresh_memory();
    let total = system.total_memory();
    let available = system.available_memory().min(total);
    Memory {
        total_bytes: total,
        available_bytes: available,
        used_ratio: share(total - available, total),
        swap_total_bytes: system.total_swap(),
        swap_used_bytes: system.used_swap(),
        machine_total_bytes: Some(total),
        machine_available_bytes: Some(available),
        free_bytes: Some(system.free_memory()),
        ..Memory::default()
    }
}
