//! Processes, from `/proc/<pid>/stat` and `/proc/<pid>/io` (proc(5)).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quillwork_protocol::host::{Process, ProcessCounts};

use super::text::{next, number, value, words};
use crate::sampler::fault::Fault;
use crate::sampler::names::printable;
use crate::sampler::rate::{Moment, Stopwatch, float};
use crate::sampler::root::SystemRoot;
use crate::sampler::top::{ProcessReading, Seen, top};

/// Reads processes. Each costs a few system calls, so this has a slower cadence than the rest.
#[derive(Debug)]
pub(super) struct ProcessReader {
    proc: PathBuf,
    stopwatch: Stopwatch,
    known: BTreeMap<u32, Known>,
    round: u64,
    page_bytes: u64,
    most: usize,
}

/// What is kept of a process from reading to reading.
#[derive(Debug)]
struct Known {
    /// With the id it names a process: ids are used again.
    started: u64,
    cpu_ticks: u64,
    io: Option<Io>,
    may_read_io: bool,
    round: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Io {
    read: u64,
    written: u64,
}

impl ProcessReader {
    /// Shows up to `most` of each: those that use most processor time, most memory, most input and output.
    pub(super) fn new(root: &SystemRoot, period: Duration, most: usize) -> Self {
        Self {
            proc: root.path("/proc"),
            stopwatch: Stopwatch::new(period),
            known: BTreeMap::new(),
            round: 0,
            page_bytes: u64::try_from(rustix::param::page_size()).expect("a page is small"),
            most,
        }
    }

    /// All processes since the last call.
    pub(super) fn read(&mut self, now: Moment) -> Result<ProcessReading, Fault> {
        let entries = fs::read_dir(&self.proc).map_err(|error| Fault::unreadable(&self.proc, &error))?;
        let lap = self.stopwatch.lap(now);
        self.round += 1;
        let mut counts = ProcessCounts::default();
        let mut seen = Vec::with_capacity(self.known.len());
        let mut path = self.proc.clone();
        for entry in entries.flatten() {
            let file_name = entry.file_name();
            let pid = number(file_name.as_encoded_bytes()).and_then(|pid| u32::try_from(pid).ok());
            let Some(pid) = pid else { continue };
            path.push(&file_name);
            // A process that ended since the directory was read is left out.
            let mut buffer = [0; STAT_BYTES];
            let stat = read_some(&path.join("stat"), &mut buffer).and_then(Stat::parse);
            if let Some(stat) = stat {
                count(&mut counts, &stat);
                seen.push(self.process(pid, &stat, &path, lap.map(|lap| lap.seconds)));
            }
            path.pop();
        }
        let round = self.round;
        self.known.retain(|_, known| known.round == round);
        let mut reading = top(seen, counts, self.most);
        for process in &mut reading.processes {
            process.open_files = open_files(&self.proc, process.pid);
        }
        Ok(reading)
    }

    fn process(&mut self, pid: u32, stat: &Stat<'_>, path: &Path, seconds: Option<f64>) -> Seen {
        let known = self.known.get(&pid).filter(|known| known.started == stat.started);
        let may_read_io = known.is_none_or(|known| known.may_read_io) && !stat.is_kernel_s;
        let io = if may_read_io { read_io(path) } else { None };
        // What a process spent that was not there at the last reading it spent since then.
        let cpu_before = known.map_or(0, |known| known.cpu_ticks);
        let io_before = known.map_or(Some(Io { read: 0, written: 0 }), |known| known.io);
        let since = |before: u64, after: u64| Some(float(after.checked_sub(before)?) / seconds?);
        let cpu = since(cpu_before, stat.cpu_ticks);
        let (read, written) = io_before.zip(io).map_or((None, None), |(before, now)| {
            (since(before.read, now.read), since(before.written, now.written))
        });
        let known = Known {
            started: stat.started,
            cpu_ticks: stat.cpu_ticks,
            io,
            may_read_io: io.is_some(),
            round: self.round,
        };
        self.known.insert(pid, known);
        const USER_HZ: f64 = 100.0;
        let name = printable(stat.name);
        Seen {
            // The kernel has a thread of one name for each processor: `kworker/0:1`.
            group: if stat.is_kernel_s {
                name.split('/').next().unwrap_or_default().to_owned()
            } else {
                name.clone()
            },
            process: Process {
                pid,
                name,
                cpu_of_core_ratio: cpu.map(|ticks| ticks / USER_HZ),
                memory_bytes: stat.resident_pages.saturating_mul(self.page_bytes),
                read_bytes_per_second: read,
                written_bytes_per_second: written,
                threads: u32::try_from(stat.threads).ok(),
                ..Process::default()
            },
        }
    }
}

/// A name of at most 64 bytes and 52 numbers.
const STAT_BYTES: usize = 2_048;

fn read_some<'b>(path: &Path, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let length = File::open(path).ok()?.read(buffer).ok()?;
    Some(&buffer[..length])
}

/// Bytes that really went to and came from disks, page cache left out.
fn read_io(process: &Path) -> Option<Io> {
    let mut buffer = [0; 512];
    let text = read_some(&process.join("io"), &mut buffer)?;
    Some(Io { read: value(text, b"read_bytes:")?, written: value(text, b"write_bytes:")? })
}

fn open_files(proc: &Path, pid: u32) -> Option<u32> {
    let entries = fs::read_dir(proc.join(pid.to_string()).join("fd")).ok()?;
    u32::try_from(entries.count()).ok()
}

fn count(counts: &mut ProcessCounts, stat: &Stat<'_>) {
    counts.total = counts.total.saturating_add(1);
    counts.threads = counts.threads.saturating_add(u32::try_from(stat.threads).unwrap_or(0));
    match stat.state {
        b'R' => counts.running += 1,
        b'D' => counts.uninterruptible += 1,
        b'Z' => counts.zombies += 1,
        _ => {}
    }
}

/// What `/proc/<pid>/stat` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat<'a> {
    name: &'a [u8],
    state: u8,
    is_kernel_s: bool,
    pub(super) cpu_ticks: u64,
    pub(super) threads: u64,
    started: u64,
    pub(super) resident_pages: u64,
}

impl<'a> Stat<'a> {
    /// `4711 (name) S 1 …`. Whoever starts a process chooses its name, `) S 0` and line breaks included: it ends at the
    /// last bracket, for no other field can hold one.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let open = text.iter().position(|&byte| byte == b'(')?;
        let close = text.iter().rposition(|&byte| byte == b')')?;
        let name = text.get(open + 1..close)?;
        let mut rest = words(&text[close + 1..]);
        let state = *rest.next()?.first()?;
        // Numbered as in proc(5), where the state is field 3.
        const FLAGS: usize = 9;
        let flags = next(&mut rest.by_ref().skip(FLAGS - 4))?;
        const USER_TIME: usize = 14;
        let mut rest = rest.skip(USER_TIME - FLAGS - 1);
        let (user, system) = (next(&mut rest)?, next(&mut rest)?);
        const THREADS: usize = 20;
        let mut rest = rest.skip(THREADS - USER_TIME - 2);
        let threads = next(&mut rest)?;
        let started = next(&mut rest.by_ref().skip(1))?;
        let resident_pages = next(&mut rest.by_ref().skip(1))?;
        const KERNEL_THREAD: u64 = 0x0020_0000;
        Some(Self {
            name,
            state,
            is_kernel_s: flags & KERNEL_THREAD != 0,
            cpu_ticks: user.saturating_add(system),
            threads,
            started,
            resident_pages,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    fn stat(pid: u32, name: &[u8], user: u64, started: u64) -> Vec<u8> {
        let rest = format!(
            ") S 1 {pid} {pid} 0 -1 4194304 9 0 0 0 {user} 50 0 0 20 0 7 0 {started} 9999 25 184467 1 1"
        );
        [format!("{pid} (").as_bytes(), name, rest.as_bytes()].concat()
    }

    fn reader(tree: &Tree) -> ProcessReader {
        ProcessReader::new(&tree.root(), Duration::from_secs(5), 10)
    }

    #[test]
    fn hostile_names_do_not_move_the_fields() {
        let long = [b'x'; 64];
        for name in [&b") S 0"[..], b"a) R 1 2 3 (b", b"\n1 (x) R", b"\x1b[31mred\xff", b"", &long] {
            let text = stat(7, name, 100, 5);
            let parsed = Stat::parse(&text).unwrap();
            assert_eq!((parsed.name, parsed.state, parsed.cpu_ticks), (name, b'S', 150));
            assert_eq!((parsed.threads, parsed.started, parsed.resident_pages), (7, 5, 25));
        }
    }

    #[test]
    fn use_is_of_the_time_between_two_readings() {
        let tree = Tree::new();
        let mut reader = reader(&tree);
        tree.write("/proc/12/stat", stat(12, b"worker", 100, 5));
        tree.write("/proc/12/io", "rchar: 1\nread_bytes: 1000\nwrite_bytes: 0\n");
        tree.write("/proc/12/fd/0", "").write("/proc/12/fd/1", "");
        tree.write("/proc/self/stat", "").write("/proc/meminfo", "");
        let first = reader.read(seconds(0)).unwrap();
        assert_eq!((first.processes.len(), first.processes[0].cpu_of_core_ratio), (1, None));
        assert_eq!((first.processes[0].threads, first.processes[0].open_files), (Some(7), Some(2)));
        tree.write("/proc/12/stat", stat(12, b"worker", 850, 5));
        tree.write("/proc/12/io", "rchar: 1\nread_bytes: 6000\nwrite_bytes: 0\n");
        let second = reader.read(seconds(5)).unwrap();
        let process = &second.processes[0];
        assert_eq!((process.cpu_of_core_ratio, process.read_bytes_per_second), (Some(1.5), Some(1_000.0)));
        assert_eq!(process.memory_bytes, 25 * reader.page_bytes);
        assert_eq!(second.counts.as_ref().map(|counts| (counts.total, counts.threads)), Some((1, 7)));
    }

    /// Else a build of many short processes would look idle.
    #[test]
    fn a_process_that_is_new_spent_all_since_the_last_reading() {
        let tree = Tree::new();
        let mut reader = reader(&tree);
        tree.write("/proc/12/stat", stat(12, b"a", 100, 5));
        reader.read(seconds(0)).unwrap();
        tree.write("/proc/12/stat", stat(12, b"b", 200, 6)).write("/proc/13/stat", stat(13, b"c", 50, 6));
        let reading = reader.read(seconds(5)).unwrap();
        let cpu: Vec<_> =
            reading.processes.iter().map(|process| (&*process.name, process.cpu_of_core_ratio)).collect();
        assert_eq!(cpu, [("b", Some(0.5)), ("c", Some(0.2))]);
    }

    #[test]
    fn a_process_that_vanishes_while_it_is_read_is_left_out() {
        let tree = Tree::new();
        tree.write("/proc/12/status", "")
            .write("/proc/13/stat", "")
            .write("/proc/14/stat", stat(14, b"x", 1, 1));
        let reading = reader(&tree).read(seconds(0)).unwrap();
        assert_eq!(reading.processes.iter().map(|process| process.pid).collect::<Vec<_>>(), [14]);
    }

    #[test]
    fn what_may_not_be_read_is_absent() {
        let tree = Tree::new();
        let mut reader = reader(&tree);
        tree.write("/proc/12/stat", stat(12, b"x", 1, 1));
        for at in [0, 5] {
            let process = &reader.read(seconds(at)).unwrap().processes[0];
            assert_eq!((process.read_bytes_per_second, process.open_files), (None, None));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            before in vec(any::<u8>(), 0..64), name in vec(any::<u8>(), 0..64), numbers in vec(any::<u64>(), 0..52)
        ) {
            Stat::parse(&before);
            let numbers: String = numbers.iter().map(|number| format!(" {number}")).collect();
            Stat::parse(&[b"1 (", &name[..], b") S", numbers.as_bytes()].concat());
        }
    }
}
