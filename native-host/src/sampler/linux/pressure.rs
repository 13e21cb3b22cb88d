//! Pressure stall information, from `/proc/pressure` (Documentation/accounting/psi.rst).

use std::time::Duration;

use quillwork_protocol::host::{Pressure, Pressures, Stall};

use super::file::KeptFile;
use super::text::{float, lines, number, words};
use crate::sampler::rate::{Lap, Moment, Stopwatch, float as as_float};
use crate::sampler::root::SystemRoot;

/// Reads what waited between two ticks.
#[derive(Debug)]
pub(super) struct PressureReader {
    stopwatch: Stopwatch,
    cpu: Resource,
    memory: Resource,
    io: Resource,
}

#[derive(Debug)]
struct Resource {
    file: KeptFile,
    some_micros: Option<u64>,
    full_micros: Option<u64>,
}

impl PressureReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        let resource = |name: &str| Resource {
            file: KeptFile::new(root.path(format!("/proc/pressure/{name}"))),
            some_micros: None,
            full_micros: None,
        };
        Self {
            stopwatch: Stopwatch::new(period),
            cpu: resource("cpu"),
            memory: resource("memory"),
            io: resource("io"),
        }
    }

    /// What waited since the last call; `None` where the kernel doesn't tell.
    pub(super) fn read(&mut self, now: Moment, buffer: &mut Vec<u8>) -> Option<Pressures> {
        let lap = self.stopwatch.lap(now);
        let pressures = Pressures {
            cpu: self.cpu.read(lap, buffer),
            memory: self.memory.read(lap, buffer),
            io: self.io.read(lap, buffer),
        };
        (pressures != Pressures::default()).then_some(pressures)
    }
}

impl Resource {
    fn read(&mut self, lap: Option<Lap>, buffer: &mut Vec<u8>) -> Option<Pressure> {
        let Ok(text) = self.file.read(buffer) else {
            (self.some_micros, self.full_micros) = (None, None);
            return None;
        };
        let some = line(text, b"some");
        let full = line(text, b"full");
        let before = std::mem::replace(&mut self.some_micros, some.map(|line| line.total_micros));
        let some = some.map(|line| line.since(before, lap));
        let before = std::mem::replace(&mut self.full_micros, full.map(|line| line.total_micros));
        Some(Pressure { some: some?, full: full.map(|line| line.since(before, lap)) })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    average_10s: f64,
    total_micros: u64,
}

impl Line {
    fn since(self, before: Option<u64>, lap: Option<Lap>) -> Stall {
        let ratio = lap.zip(before).and_then(|(lap, before)| lap.per_second(before, self.total_micros));
        const MICROS: f64 = 1e6;
        Stall {
            ratio: ratio.map(|micros| (micros / MICROS).min(1.0)),
            average_10s_ratio: (self.average_10s / 100.0).clamp(0.0, 1.0),
            seconds_total: as_float(self.total_micros) / MICROS,
        }
    }
}

/// `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`
fn line(text: &[u8], key: &[u8]) -> Option<Line> {
    let line = lines(text).find(|line| words(line).next() == Some(key))?;
    let field = |name: &[u8]| words(line).find_map(|word| word.strip_prefix(name));
    Some(Line { average_10s: float(field(b"avg10=")?)?, total_micros: number(field(b"total=")?)? })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    #[test]
    fn pressure_is_of_the_last_tick() {
        let tree = Tree::new();
        let mut reader = PressureReader::new(&tree.root(), Duration::from_secs(1));
        let mut buffer = Vec::new();
        let text = |some, full| {
            format!(
                "some avg10=12.50 avg60=1.00 avg300=0.10 total={some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total={full}\n"
            )
        };
        tree.write("/proc/pressure/io", text(1_000_000, 500_000));
        let first = reader.read(seconds(0), &mut buffer).unwrap();
        let io = first.io.unwrap();
        assert_eq!((io.some.ratio, io.some.average_10s_ratio, io.some.seconds_total), (None, 0.125, 1.0));
        assert_eq!((first.cpu, first.memory), (None, None));
        tree.write("/proc/pressure/io", text(1_500_000, 600_000));
        let io = reader.read(seconds(2), &mut buffer).unwrap().io.unwrap();
        assert_eq!((io.some.ratio, io.full.unwrap().ratio), (Some(0.25), Some(0.05)));
    }

    #[test]
    fn a_kernel_without_it_tells_nothing() {
        let tree = Tree::new();
        let mut reader = PressureReader::new(&tree.root(), Duration::from_secs(1));
        assert_eq!(reader.read(seconds(0), &mut Vec::new()), None);
        tree.write("/proc/pressure/cpu", "garbage\nsome avg10=nonsense total=\n");
        assert_eq!(reader.read(seconds(1), &mut Vec::new()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
            line(&[b"some ", &bytes[..]].concat(), b"some");
        }
    }
}
