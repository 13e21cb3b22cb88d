//! Block devices, from `/proc/diskstats` (Documentation/admin-guide/iostats.rst).

use std::collections::BTreeMap;
use std::time::Duration;

use quillwork_protocol::host::BlockDevice;

use super::file::{self, KeptFile};
use super::text::{lines, next, words};
use crate::sampler::fault::Fault;
use crate::sampler::names::{make_unique, printable};
use crate::sampler::rate::{Kept, Lap, Moment, Stopwatch, float, grown_32};
use crate::sampler::root::SystemRoot;

/// Reads block devices between two ticks.
#[derive(Debug)]
pub(super) struct BlockReader {
    root: SystemRoot,
    diskstats: KeptFile,
    stopwatch: Stopwatch,
    before: Kept<Counters>,
    /// What doesn't change, read when a device is first seen.
    facts: BTreeMap<String, Facts>,
}

/// What block devices did.
#[derive(Debug, Default)]
pub(super) struct BlockReading {
    /// Whole disks and what is stacked on them.
    pub(super) devices: Vec<BlockDevice>,
    /// Bytes read and written a second, of partitions too, by kernel name with the device's numbers.
    pub(super) rates: Vec<DeviceRates>,
}

/// What was read from and written to one device.
#[derive(Debug)]
pub(super) struct DeviceRates {
    pub(super) device: (u64, u64),
    pub(super) name: String,
    pub(super) read: Option<f64>,
    pub(super) written: Option<f64>,
}

#[derive(Clone, Debug)]
enum Facts {
    /// A part of another device.
    Partition,
    Whole {
        shown: String,
        is_stacked: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Counters {
    reads: u64,
    read_sectors: u64,
    read_millis: u64,
    writes: u64,
    written_sectors: u64,
    write_millis: u64,
    in_flight: u64,
    busy_millis: u64,
    weighted_millis: u64,
}

impl BlockReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self {
            root: root.clone(),
            diskstats: KeptFile::new(root.path("/proc/diskstats")),
            stopwatch: Stopwatch::new(period),
            before: Kept::new(),
            facts: BTreeMap::new(),
        }
    }

    /// What happened since the last call. Devices that hold no data of their own (loops, memory disks, optical drives)
    /// are left out.
    pub(super) fn read(&mut self, now: Moment, buffer: &mut Vec<u8>) -> Result<BlockReading, Fault> {
        let text = self.diskstats.require(buffer)?;
        let lap = self.stopwatch.lap(now);
        let mut reading = BlockReading::default();
        self.before.begin();
        for (device, name, counters) in lines(text).filter_map(parse).take(MOST_DEVICES) {
            let name = printable(name);
            let before = self.before.replace(&name, counters);
            let lap = lap.zip(before);
            let (read, written) = counters.bytes_per_second(lap);
            let facts = match self.facts.get(&name) {
                Some(facts) => facts.clone(),
                None => {
                    let facts = facts(&self.root, &name);
                    self.facts.insert(name.clone(), facts.clone());
                    facts
                }
            };
            if let Facts::Whole { shown, is_stacked } = facts {
                reading.devices.push(counters.device(shown, is_stacked, lap));
            }
            reading.rates.push(DeviceRates { device, name, read, written });
        }
        if self.facts.len() > reading.rates.len() {
            // Another device may come under the name of one that went.
            self.facts.retain(|name, _| reading.rates.iter().any(|rates| rates.name == *name));
        }
        make_unique(&mut reading.devices, |device| &mut device.name);
        Ok(reading)
    }
}

/// More than any machine shows.
const MOST_DEVICES: usize = 1_024;

/// Major and minor number, name, counters. Devices without data of their own give nothing.
fn parse(line: &[u8]) -> Option<((u64, u64), &[u8], Counters)> {
    let mut words = words(line);
    let device = (next(&mut words)?, next(&mut words)?);
    let name = words.next()?;
    const WITHOUT_DATA: [&[u8]; 6] = [b"loop", b"ram", b"zram", b"sr", b"fd", b"nbd"];
    if WITHOUT_DATA
        .iter()
        .any(|prefix| name.strip_prefix(*prefix).and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit))
    {
        return None;
    }
    let mut column = || next(&mut words);
    let (reads, _merged, read_sectors, read_millis) = (column()?, column()?, column()?, column()?);
    let (writes, _merged, written_sectors, write_millis) = (column()?, column()?, column()?, column()?);
    let (in_flight, busy_millis, weighted_millis) = (column()?, column()?, column()?);
    let counters = Counters {
        reads,
        read_sectors,
        read_millis,
        writes,
        written_sectors,
        write_millis,
        in_flight,
        busy_millis,
        weighted_millis,
    };
    Some((device, name, counters))
}

fn facts(root: &SystemRoot, name: &str) -> Facts {
    // sysfs can't have slashes in names: `cciss/c0d0` is `cciss!c0d0` there.
    let directory = root.path("/sys/block").join(name.replace('/', "!"));
    if !directory.exists() {
        return Facts::Partition;
    }
    // One path to a disk that is shown as a whole elsewhere, as NVMe has them.
    if file::number(&directory.join("hidden")) == Some(1) {
        return Facts::Partition;
    }
    Facts::Whole {
        shown: file::label(&directory.join("dm/name")).unwrap_or_else(|| name.to_owned()),
        is_stacked: !file::names(&directory.join("slaves")).is_empty(),
    }
}

/// A sector of these tables, whatever the disk's own are.
const SECTOR: u64 = 512;

impl Counters {
    fn bytes_per_second(&self, since: Option<(Lap, Self)>) -> (Option<f64>, Option<f64>) {
        let rate = |before, after| Some(since?.0.per_second(before, after)? * float(SECTOR));
        let before = since.map_or(*self, |(_, before)| before);
        (rate(before.read_sectors, self.read_sectors), rate(before.written_sectors, self.written_sectors))
    }

    fn device(&self, name: String, is_stacked: bool, since: Option<(Lap, Self)>) -> BlockDevice {
        let (read, written) = self.bytes_per_second(since);
        // The kernel keeps times as unsigned 32-bit milliseconds on some versions: they wrap.
        let times = |of: fn(&Self) -> u64| {
            let (lap, before) = since?;
            Some(float(grown_32(of(&before), of(self))?) / (lap.seconds * 1_000.0))
        };
        let count = |of: fn(&Self) -> u64| {
            let (lap, before) = since?;
            lap.per_second(of(&before), of(self))
        };
        let await_millis = |operations: fn(&Self) -> u64, millis: fn(&Self) -> u64| {
            let (_, before) = since?;
            let operations = operations(self).checked_sub(operations(&before)).filter(|&count| count > 0)?;
            Some(float(grown_32(millis(&before), millis(self))?) / float(operations))
        };
        BlockDevice {
            name,
            is_stacked,
            read_bytes_total: self.read_sectors.saturating_mul(SECTOR),
            written_bytes_total: self.written_sectors.saturating_mul(SECTOR),
            reads_total: self.reads,
            writes_total: self.writes,
            read_bytes_per_second: read,
            written_bytes_per_second: written,
            reads_per_second: count(|counters| counters.reads),
            writes_per_second: count(|counters| counters.writes),
            read_await_millis: await_millis(|counters| counters.reads, |counters| counters.read_millis),
            write_await_millis: await_millis(|counters| counters.writes, |counters| counters.write_millis),
            queue: times(|counters| counters.weighted_millis),
            busy_ratio: times(|counters| counters.busy_millis).map(|ratio| ratio.min(1.0)),
            in_flight: self.in_flight,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    fn tree() -> Tree {
        let tree = Tree::new();
        tree.write("/sys/block/sda/size", "1\n");
        tree.write("/sys/block/dm-0/dm/name", "vg-root\n").write("/sys/block/dm-0/slaves/sda2/size", "1\n");
        tree.write("/sys/block/nvme0c0n1/hidden", "1\n");
        tree
    }

    fn line(name: &str, counters: [u64; 11]) -> String {
        let columns: String = counters.iter().map(|number| format!(" {number}")).collect();
        format!("   8       0 {name}{columns} 0 0 0 0 0 0\n")
    }

    #[test]
    fn rates_latency_queue_and_use_are_of_the_last_tick() {
        let tree = tree();
        let mut reader = BlockReader::new(&tree.root(), Duration::from_secs(1));
        let mut buffer = Vec::new();
        tree.write("/proc/diskstats", line("sda", [100, 0, 1_000, 500, 10, 0, 80, 40, 0, 1_000, 2_000]));
        let first = reader.read(seconds(0), &mut buffer).unwrap();
        let device = &first.devices[0];
        assert_eq!(
            (device.read_bytes_total, device.reads_per_second, device.busy_ratio),
            (512_000, None, None)
        );
        tree.write("/proc/diskstats", line("sda", [120, 0, 3_000, 600, 10, 0, 80, 40, 3, 1_500, 5_000]));
        let second = reader.read(seconds(2), &mut buffer).unwrap();
        let device = &second.devices[0];
        assert_eq!(device.read_bytes_per_second, Some(512_000.0));
        assert_eq!((device.reads_per_second, device.writes_per_second), (Some(10.0), Some(0.0)));
        assert_eq!((device.read_await_millis, device.write_await_millis), (Some(5.0), None));
        assert_eq!((device.busy_ratio, device.queue, device.in_flight), (Some(0.25), Some(1.5), 3));
    }

    #[test]
    fn partitions_loops_and_paths_are_no_disks_and_stacks_are_marked() {
        let tree = tree();
        let names = ["sda", "sda2", "loop0", "ram1", "zram0", "sr0", "dm-0", "nvme0c0n1"];
        tree.write("/proc/diskstats", names.map(|name| line(name, [0; 11])).concat());
        let mut reader = BlockReader::new(&tree.root(), Duration::from_secs(1));
        let reading = reader.read(seconds(0), &mut Vec::new()).unwrap();
        let shown: Vec<_> = reading.devices.iter().map(|device| (&*device.name, device.is_stacked)).collect();
        assert_eq!(shown, [("sda", false), ("vg-root", true)]);
        assert_eq!(reading.rates.len(), 4, "a partition has rates of its own");
    }

    #[test]
    fn a_wrapped_time_goes_on_and_a_reset_is_no_data() {
        let tree = tree();
        let mut reader = BlockReader::new(&tree.root(), Duration::from_secs(1));
        let mut buffer = Vec::new();
        let mut read = |at, counters| {
            tree.write("/proc/diskstats", line("sda", counters));
            reader.read(seconds(at), &mut buffer).unwrap().devices.remove(0)
        };
        read(0, [9, 0, 9, 9, 9, 0, 9, 9, 0, u64::from(u32::MAX) - 99, 9]);
        assert_eq!(read(1, [9, 0, 9, 9, 9, 0, 9, 9, 0, 400, 9]).busy_ratio, Some(0.5));
        let reset = read(2, [1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1]);
        assert_eq!((reset.reads_per_second, reset.busy_ratio, reset.read_await_millis), (None, None, None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64), numbers in vec(any::<u64>(), 22)) {
            parse(&bytes);
            let before = line("sda", numbers[..11].try_into().unwrap());
            let after = line("sda", numbers[11..].try_into().unwrap());
            let (before, after) = (parse(before.trim().as_bytes()).unwrap().2, parse(after.trim().as_bytes()).unwrap().2);
            after.device("sda".to_owned(), false, Some((Lap { seconds: 1.0 }, before)));
        }
    }
}
