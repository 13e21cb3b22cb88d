//! Which processes are shown, and their groups.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use quillwork_protocol::host::{Process, ProcessCounts, ProcessGroup};

/// What is shown of all processes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ProcessReading {
    pub(crate) processes: Vec<Process>,
    pub(crate) groups: Vec<ProcessGroup>,
    pub(crate) counts: Option<ProcessCounts>,
}

/// A process and the name that it is grouped under.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) process: Process,
    pub(crate) group: String,
}

/// Up to `most` of each of those that use most processor time, most memory, most input and output; the busiest first. The
/// same of all processes of one name together.
pub(crate) fn top(seen: Vec<Seen>, counts: ProcessCounts, most: usize) -> ProcessReading {
    let mut groups = BTreeMap::<String, ProcessGroup>::new();
    let mut processes = Vec::with_capacity(seen.len());
    for Seen { process, group } in seen {
        match groups.get_mut(&group) {
            Some(found) => add(found, &process),
            None => {
                let mut new =
                    ProcessGroup { name: group.clone(), threads: Some(0), ..ProcessGroup::default() };
                add(&mut new, &process);
                groups.insert(group, new);
            }
        }
        processes.push(process);
    }
    ProcessReading {
        processes: heaviest(processes, most),
        groups: heaviest(groups.into_values().collect(), most),
        counts: Some(counts),
    }
}

fn add(group: &mut ProcessGroup, process: &Process) {
    let plus = |sum: Option<f64>, value: Option<f64>| match (sum, value) {
        (Some(sum), Some(value)) => Some(sum + value),
        (sum, value) => sum.or(value),
    };
    group.processes += 1;
    group.cpu_of_core_ratio = plus(group.cpu_of_core_ratio, process.cpu_of_core_ratio);
    group.memory_bytes = group.memory_bytes.saturating_add(process.memory_bytes);
    group.read_bytes_per_second = plus(group.read_bytes_per_second, process.read_bytes_per_second);
    group.written_bytes_per_second = plus(group.written_bytes_per_second, process.written_bytes_per_second);
    group.threads = group.threads.zip(process.threads).map(|(sum, threads)| sum.saturating_add(threads));
}

/// What processes and groups are compared by.
pub(crate) trait Usage {
    fn cpu(&self) -> f64;
    fn memory(&self) -> u64;
    fn io(&self) -> f64;
    /// Decides where all else is equal.
    fn order(&self, other: &Self) -> Ordering;
}

impl Usage for Process {
    fn cpu(&self) -> f64 {
        self.cpu_of_core_ratio.unwrap_or(0.0)
    }

    fn memory(&self) -> u64 {
        self.memory_bytes
    }

    fn io(&self) -> f64 {
        self.read_bytes_per_second.unwrap_or(0.0) + self.written_bytes_per_second.unwrap_or(0.0)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.pid.cmp(&other.pid)
    }
}

impl Usage for ProcessGroup {
    fn cpu(&self) -> f64 {
        self.cpu_of_core_ratio.unwrap_or(0.0)
    }

    fn memory(&self) -> u64 {
        self.memory_bytes
    }

    fn io(&self) -> f64 {
        self.read_bytes_per_second.unwrap_or(0.0) + self.written_bytes_per_second.unwrap_or(0.0)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}

pub(crate) fn by_cpu<T: Usage>(a: &T, b: &T) -> Ordering {
    b.cpu().total_cmp(&a.cpu()).then(b.memory().cmp(&a.memory())).then_with(|| a.order(b))
}

pub(crate) fn by_memory<T: Usage>(a: &T, b: &T) -> Ordering {
    b.memory().cmp(&a.memory()).then_with(|| by_cpu(a, b))
}

pub(crate) fn by_io<T: Usage>(a: &T, b: &T) -> Ordering {
    b.io().total_cmp(&a.io()).then_with(|| by_cpu(a, b))
}

fn heaviest<T: Usage>(items: Vec<T>, most: usize) -> Vec<T> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    let mut is_shown = vec![items.len() <= most; items.len()];
    if items.len() > most {
        for by in [by_cpu, by_memory] as [fn(&T, &T) -> Ordering; 2] {
            order.select_nth_unstable_by(most, |&a, &b| by(&items[a], &items[b]));
            order[..most].iter().for_each(|&index| is_shown[index] = true);
        }
        order.select_nth_unstable_by(most, |&a, &b| by_io(&items[a], &items[b]));
        // Where few read or write at all, those that don't are not first in it.
        order[..most]
            .iter()
            .filter(|&&index| items[index].io() > 0.0)
            .for_each(|&index| is_shown[index] = true);
    }
    let shown = items.into_iter().zip(is_shown).filter_map(|(item, is_shown)| is_shown.then_some(item));
    let mut shown: Vec<T> = shown.collect();
    shown.sort_by(by_cpu);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pid: u32, name: &str, cpu: f64, memory_bytes: u64, io: f64) -> Seen {
        let process = Process {
            pid,
            name: name.to_owned(),
            cpu_of_core_ratio: Some(cpu),
            memory_bytes,
            read_bytes_per_second: Some(io),
            threads: Some(2),
            ..Process::default()
        };
        Seen { process, group: name.to_owned() }
    }

    #[test]
    fn the_heaviest_in_each_way_are_shown_the_busiest_first() {
        let mut all: Vec<_> = (0..50).map(|pid| seen(pid, "idle", 0.0, 10, 0.0)).collect();
        all.extend([
            seen(60, "busy", 0.5, 1, 0.0),
            seen(61, "busy", 1.5, 1, 0.0),
            seen(62, "large", 0.0, 1_000, 0.0),
            seen(63, "writer", 0.0, 1, 9.0),
        ]);
        let reading = top(all, ProcessCounts::default(), 2);
        let pids: Vec<_> = reading.processes.iter().map(|process| process.pid).collect();
        assert_eq!(pids, [61, 60, 62, 0, 63]);
        let groups: Vec<_> = reading.groups.iter().map(|group| (&*group.name, group.processes)).collect();
        assert_eq!(groups, [("busy", 2), ("large", 1), ("idle", 50), ("writer", 1)]);
        assert_eq!((reading.groups[0].cpu_of_core_ratio, reading.groups[0].threads), (Some(2.0), Some(4)));
    }

    #[test]
    fn what_is_not_known_is_not_zero() {
        let mut unknown = seen(1, "x", 0.0, 5, 0.0);
        unknown.process.cpu_of_core_ratio = None;
        unknown.process.read_bytes_per_second = None;
        let reading = top(vec![unknown], ProcessCounts::default(), 2);
        assert_eq!(
            (reading.groups[0].cpu_of_core_ratio, reading.groups[0].read_bytes_per_second),
            (None, None)
        );
    }
}
