//! Memory and swap, from `/proc/meminfo` and `/proc/vmstat` (proc(5)), within the limits of control groups.

use std::time::Duration;

use quillwork_protocol::host::{Memory, MemoryLimit};

use super::cgroup::MemoryLimits;
use super::file::KeptFile;
use super::text::{lines, next, words};
use crate::sampler::fault::Fault;
use crate::sampler::rate::{Moment, Stopwatch, share};
use crate::sampler::root::SystemRoot;

/// Reads memory between two ticks.
#[derive(Debug)]
pub(super) struct MemoryReader {
    meminfo: KeptFile,
    vmstat: KeptFile,
    limits: MemoryLimits,
    stopwatch: Stopwatch,
    before: Option<Events>,
    page_bytes: u64,
}

impl MemoryReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self {
            meminfo: KeptFile::new(root.path("/proc/meminfo")),
            vmstat: KeptFile::new(root.path("/proc/vmstat")),
            limits: MemoryLimits::find(root),
            stopwatch: Stopwatch::new(period),
            before: None,
            page_bytes: u64::try_from(rustix::param::page_size()).expect("a page is small"),
        }
    }

    /// Memory of the machine, or of the control group where its limit is smaller.
    pub(super) fn read(&mut self, now: Moment, buffer: &mut Vec<u8>) -> Result<Memory, Fault> {
        let lap = self.stopwatch.lap(now);
        let info = Info::parse(self.meminfo.require(buffer)?);
        let total = info.total.ok_or_else(|| Fault("/proc/meminfo has no MemTotal".to_owned()))?;
        let limit = self.limits.read(total, buffer);
        let capacity = capacity(total, info.available(), limit.as_ref());
        let events = self.vmstat.read(buffer).ok().map(|text| Events::parse(text, self.page_bytes));
        let before = std::mem::replace(&mut self.before, events);
        let rate =
            |of: fn(&Events) -> Option<u64>| lap?.per_second(of(before.as_ref()?)?, of(events.as_ref()?)?);
        let swap_total = info.swap_total.unwrap_or(0);
        Ok(Memory {
            total_bytes: capacity.total,
            available_bytes: capacity.available,
            used_ratio: share(capacity.total - capacity.available, capacity.total),
            swap_total_bytes: swap_total,
            swap_used_bytes: swap_total.saturating_sub(info.swap_free.unwrap_or(swap_total)),
            machine_total_bytes: Some(total),
            machine_available_bytes: Some(info.available().min(total)),
            limit,
            free_bytes: info.free,
            cached_bytes: info.cached,
            buffers_bytes: info.buffers,
            shared_bytes: info.shared,
            dirty_bytes: info.dirty,
            writeback_bytes: info.writeback,
            slab_reclaimable_bytes: info.slab_reclaimable,
            slab_unreclaimable_bytes: info.slab_unreclaimable,
            committed_bytes: info.committed,
            huge_total_bytes: info.huge(info.huge_total),
            huge_free_bytes: info.huge(info.huge_free),
            swapped_in_bytes_total: events.and_then(|events| events.swapped_in_bytes),
            swapped_out_bytes_total: events.and_then(|events| events.swapped_out_bytes),
            swapped_in_bytes_per_second: rate(|events| events.swapped_in_bytes),
            swapped_out_bytes_per_second: rate(|events| events.swapped_out_bytes),
            major_faults_per_second: rate(|events| events.major_faults),
            oom_kills_total: events.and_then(|events| events.oom_kills),
        })
    }
}

/// What `/proc/meminfo` says, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Info {
    total: Option<u64>,
    free: Option<u64>,
    available: Option<u64>,
    buffers: Option<u64>,
    cached: Option<u64>,
    shared: Option<u64>,
    dirty: Option<u64>,
    writeback: Option<u64>,
    slab_reclaimable: Option<u64>,
    slab_unreclaimable: Option<u64>,
    committed: Option<u64>,
    swap_total: Option<u64>,
    swap_free: Option<u64>,
    /// In pages of their own size.
    huge_total: Option<u64>,
    huge_free: Option<u64>,
    huge_page: Option<u64>,
}

impl Info {
    fn parse(text: &[u8]) -> Self {
        let mut info = Self::default();
        for line in lines(text) {
            let mut words = words(line);
            let Some(key) = words.next() else { continue };
            let slot = match key {
                b"MemTotal:" => &mut info.total,
                b"MemFree:" => &mut info.free,
                b"MemAvailable:" => &mut info.available,
                b"Buffers:" => &mut info.buffers,
                b"Cached:" => &mut info.cached,
                b"Shmem:" => &mut info.shared,
                b"Dirty:" => &mut info.dirty,
                b"Writeback:" => &mut info.writeback,
                b"SReclaimable:" => &mut info.slab_reclaimable,
                b"SUnreclaim:" => &mut info.slab_unreclaimable,
                b"Committed_AS:" => &mut info.committed,
                b"SwapTotal:" => &mut info.swap_total,
                b"SwapFree:" => &mut info.swap_free,
                b"HugePages_Total:" => &mut info.huge_total,
                b"HugePages_Free:" => &mut info.huge_free,
                b"Hugepagesize:" => &mut info.huge_page,
                _ => continue,
            };
            let number = next(&mut words);
            let unit = if words.next() == Some(b"kB") { 1_024 } else { 1 };
            *slot = number.and_then(|number| number.checked_mul(unit));
        }
        info
    }

    /// What programs could still take. Kernels before 3.14 don't tell; then what is free and what files hold.
    fn available(&self) -> u64 {
        self.available.unwrap_or_else(|| {
            let droppable = [self.buffers, self.cached, self.slab_reclaimable].into_iter().flatten();
            let sum = droppable.fold(self.free.unwrap_or(0), u64::saturating_add);
            sum.saturating_sub(self.shared.unwrap_or(0))
        })
    }

    fn huge(&self, pages: Option<u64>) -> Option<u64> {
        pages?.checked_mul(self.huge_page?)
    }
}

/// What `/proc/vmstat` counts since the machine started.
#[derive(Clone, Copy, Debug)]
struct Events {
    swapped_in_bytes: Option<u64>,
    swapped_out_bytes: Option<u64>,
    major_faults: Option<u64>,
    oom_kills: Option<u64>,
}

impl Events {
    fn parse(text: &[u8], page_bytes: u64) -> Self {
        let mut events =
            Self { swapped_in_bytes: None, swapped_out_bytes: None, major_faults: None, oom_kills: None };
        for line in lines(text) {
            let Some(space) = line.iter().position(|&byte| byte == b' ') else { continue };
            let (slot, unit) = match &line[..space] {
                b"pswpin" => (&mut events.swapped_in_bytes, page_bytes),
                b"pswpout" => (&mut events.swapped_out_bytes, page_bytes),
                b"pgmajfault" => (&mut events.major_faults, 1),
                b"oom_kill" => (&mut events.oom_kills, 1),
                _ => continue,
            };
            *slot = next(&mut words(&line[space..])).and_then(|number| number.checked_mul(unit));
        }
        events
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Capacity {
    total: u64,
    available: u64,
}

/// What is there to be used: the limit's, but no more than the machine has left. LXC can report more available than there
/// is: clamped.
fn capacity(total: u64, available: u64, limit: Option<&MemoryLimit>) -> Capacity {
    let available = available.min(total);
    match limit {
        Some(limit) => Capacity {
            total: limit.bytes,
            available: limit.bytes.saturating_sub(limit.used_bytes).min(available),
        },
        None => Capacity { total, available },
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    const INFO: &str = "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n\
                        Cached:          6500 kB\nSwapTotal:       4000 kB\nSwapFree:        3000 kB\n\
                        Dirty:             12 kB\nHugePages_Total:       4\nHugePages_Free:        1\n\
                        Hugepagesize:       2048 kB\n";

    #[test]
    fn memory_is_what_is_available_not_what_is_free() {
        let tree = Tree::new();
        tree.write("/proc/meminfo", INFO);
        tree.write("/proc/vmstat", "pswpin 10\npswpout 0\npgmajfault 5\noom_kill 2\n");
        let mut reader = MemoryReader::new(&tree.root(), Duration::from_secs(1));
        let mut buffer = Vec::new();
        let first = reader.read(seconds(0), &mut buffer).unwrap();
        assert_eq!((first.used_ratio, first.total_bytes), (Some(0.5), 16_000 << 10));
        assert_eq!((first.swap_used_bytes, first.dirty_bytes), (1_000 << 10, Some(12 << 10)));
        assert_eq!((first.huge_total_bytes, first.huge_free_bytes), (Some(8 << 20), Some(2 << 20)));
        assert_eq!((first.buffers_bytes, first.swapped_in_bytes_per_second), (None, None));
        assert_eq!(first.oom_kills_total, Some(2));
        tree.write("/proc/vmstat", "pswpin 14\npswpout 0\npgmajfault 5\n");
        let second = reader.read(seconds(2), &mut buffer).unwrap();
        let page = rustix::param::page_size() as f64;
        assert_eq!(second.swapped_in_bytes_per_second, Some(2.0 * page));
        assert_eq!((second.major_faults_per_second, second.oom_kills_total), (Some(0.0), None));
    }

    #[test]
    fn an_old_kernel_does_not_tell_what_is_available() {
        let info = Info::parse(b"MemFree: 5 kB\nBuffers: 2 kB\nCached: 10 kB\nShmem: 4 kB\n");
        assert_eq!(info.available(), 13 << 10);
    }

    #[test]
    fn a_limit_binds_but_gives_no_more_than_the_machine_has() {
        let limit = |bytes, used_bytes| MemoryLimit { group: "/x".to_owned(), bytes, used_bytes };
        let at = |available, limit: &MemoryLimit| capacity(16_000, available, Some(limit));
        assert_eq!(at(12_000, &limit(4_000, 3_000)), Capacity { total: 4_000, available: 1_000 });
        assert_eq!(at(500, &limit(4_000, 1_000)), Capacity { total: 4_000, available: 500 });
        assert_eq!(at(12_000, &limit(4_000, 5_000)), Capacity { total: 4_000, available: 0 });
        assert_eq!(capacity(1_000, 1_200, None), Capacity { total: 1_000, available: 1_000 });
    }

    #[test]
    fn no_total_is_an_error() {
        let tree = Tree::new();
        tree.write("/proc/meminfo", "MemFree: 1 kB\n");
        let mut reader = MemoryReader::new(&tree.root(), Duration::from_secs(1));
        let fault = reader.read(seconds(0), &mut Vec::new()).unwrap_err();
        assert!(fault.to_string().contains("MemTotal"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64), number: u64) {
            Info::parse(&bytes).available();
            Info::parse(format!("HugePages_Total: {number}\nHugepagesize: {number} kB\nMemFree: {number} kB\nCached: {number} kB").as_bytes()).available();
            Events::parse(&bytes, 4_096);
            Events::parse(format!("pswpin {number}").as_bytes(), 4_096);
        }
    }
}
