//! Memory and swap.

use std::fs;

use quillwork_protocol::host::Memory;
use sysinfo::System;

/// Memory of the machine, or of the control group where its limit is smaller.
pub(crate) fn read(system: &mut System) -> Memory {
    system.refresh_memory();
    let machine = Capacity { total: system.total_memory(), available: system.available_memory() };
    let group = system
        .cgroup_limits()
        // Page cache that can be dropped at once counts as available, as the kernel's MemAvailable has it.
        .map(|group| Capacity {
            total: group.total_memory,
            available: group.free_memory.saturating_add(reclaimable_bytes()),
        });
    let capacity = binding(machine, group);
    Memory {
        total_bytes: capacity.total,
        available_bytes: capacity.available,
        used_ratio: capacity.used_ratio(),
        swap_total_bytes: system.total_swap(),
        swap_used_bytes: system.used_swap(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Capacity {
    total: u64,
    available: u64,
}

impl Capacity {
    fn used_ratio(self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
        (self.total > 0).then(|| (1.0 - self.available as f64 / self.total as f64).clamp(0.0, 1.0))
    }
}

/// The limit that is met first. LXC can report more available than there is: clamped.
fn binding(machine: Capacity, group: Option<Capacity>) -> Capacity {
    let capacity = match group {
        Some(group) if group.total > 0 && group.total < machine.total => {
            Capacity { total: group.total, available: group.available.min(machine.available) }
        }
        _ => machine,
    };
    Capacity { available: capacity.available.min(capacity.total), ..capacity }
}

fn reclaimable_bytes() -> u64 {
    ["/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat"]
        .iter()
        .find_map(|path| fs::read_to_string(path).ok())
        .and_then(|stat| inactive_file(&stat))
        .unwrap_or(0)
}

fn inactive_file(stat: &str) -> Option<u64> {
    ["total_inactive_file ", "inactive_file "]
        .iter()
        .find_map(|key| stat.lines().find_map(|line| line.strip_prefix(key)))
        .and_then(|value| value.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Capacity = Capacity { total: 16_000, available: 12_000 };

    #[test]
    fn the_smaller_limit_binds() {
        let group = Capacity { total: 4_000, available: 1_000 };
        assert_eq!(binding(MACHINE, Some(group)), group);
        assert_eq!(binding(MACHINE, None), MACHINE);
        let unlimited = Capacity { total: 16_000, available: 15_000 };
        assert_eq!(binding(MACHINE, Some(unlimited)), MACHINE);
    }

    #[test]
    fn a_group_has_no_more_than_the_machine_has_left() {
        let machine = Capacity { total: 16_000, available: 500 };
        let group = Capacity { total: 4_000, available: 3_000 };
        assert_eq!(binding(machine, Some(group)), Capacity { total: 4_000, available: 500 });
    }

    #[test]
    fn more_available_than_there_is_reads_as_all_of_it() {
        let odd = Capacity { total: 1_000, available: 1_200 };
        assert_eq!(binding(odd, None).used_ratio(), Some(0.0));
        assert_eq!(Capacity { total: 0, available: 0 }.used_ratio(), None);
    }

    #[test]
    fn inactive_files_are_read_from_both_versions() {
        assert_eq!(inactive_file("anon 5\ninactive_file 42\n"), Some(42));
        assert_eq!(inactive_file("inactive_file 1\ntotal_inactive_file 43\n"), Some(43));
        assert_eq!(inactive_file("anon 5\n"), None);
    }
}
