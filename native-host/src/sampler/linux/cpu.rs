//! Processor use, from `/proc/stat` and `/proc/loadavg` (proc(5)).

use std::time::Duration;

use quillwork_protocol::host::{Cpu, CpuModes};

use super::file::KeptFile;
use super::text::{float, lines, next, number, words};
use crate::sampler::fault::Fault;
use crate::sampler::rate::{Moment, Stopwatch, float as as_float};
use crate::sampler::root::SystemRoot;

/// Reads processor use between two ticks.
#[derive(Debug)]
pub(super) struct CpuReader {
    stat: KeptFile,
    load: KeptFile,
    stopwatch: Stopwatch,
    before: Stat,
    now: Stat,
}

impl CpuReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self {
            stat: KeptFile::new(root.path("/proc/stat")),
            load: KeptFile::new(root.path("/proc/loadavg")),
            stopwatch: Stopwatch::new(period),
            before: Stat::default(),
            now: Stat::default(),
        }
    }

    /// Use since the last call. The first call has nothing to compare with, and after a gap the average over it is no
    /// reading of this second: both are "no data".
    pub(super) fn read(&mut self, now: Moment, buffer: &mut Vec<u8>) -> Result<Cpu, Fault> {
        let text = self.stat.require(buffer)?;
        std::mem::swap(&mut self.before, &mut self.now);
        if let Err(fault) = self.now.parse(text) {
            // What could not be read is nothing to compare with.
            self.now = Stat::default();
            return Err(fault);
        }
        let lap = self.stopwatch.lap(now);
        let (before, stat) = (&self.before, &self.now);
        let shares = lap.and_then(|_| before.total?.until(stat.total?));
        let rate = |before: Option<u64>, now: Option<u64>| lap?.per_second(before?, now?);
        let core = |(index, now): (usize, &Option<Times>)| {
            lap?;
            Some((*before.cores.get(index)?)?.until((*now)?)?.busy_ratio)
        };
        Ok(Cpu {
            total_ratio: shares.map(|shares| shares.busy_ratio),
            core_ratios: stat.cores.iter().enumerate().map(core).collect(),
            load_averages: self.load.read(buffer).ok().and_then(load_averages),
            modes: shares.map(|shares| shares.modes),
            mode_seconds_total: stat.total.map(Times::seconds),
            core_hertz: Vec::new(),
            context_switches_total: stat.context_switches,
            context_switches_per_second: rate(before.context_switches, stat.context_switches),
            interrupts_total: stat.interrupts,
            interrupts_per_second: rate(before.interrupts, stat.interrupts),
            forks_total: stat.forks,
            forks_per_second: rate(before.forks, stat.forks),
            runnable: stat.runnable,
            blocked: stat.blocked,
        })
    }
}

/// What `/proc/stat` says.
#[derive(Debug, Default)]
struct Stat {
    total: Option<Times>,
    /// By number; absent where the core is switched off.
    cores: Vec<Option<Times>>,
    context_switches: Option<u64>,
    interrupts: Option<u64>,
    forks: Option<u64>,
    runnable: Option<u64>,
    blocked: Option<u64>,
}

impl Stat {
    fn parse(&mut self, text: &[u8]) -> Result<(), Fault> {
        let mut cores = std::mem::take(&mut self.cores);
        cores.clear();
        *self = Self { cores, ..Self::default() };
        for line in lines(text) {
            // The line of interrupts goes on with thousands of numbers: no more than needed is looked at.
            let mut words = words(line);
            let Some(key) = words.next() else { continue };
            match key {
                b"cpu" => self.total = Times::parse(words),
                b"ctxt" => self.context_switches = next(&mut words),
                b"intr" => self.interrupts = next(&mut words),
                b"processes" => self.forks = next(&mut words),
                b"procs_running" => self.runnable = next(&mut words),
                b"procs_blocked" => self.blocked = next(&mut words),
                _ => {
                    let Some(core) = key.strip_prefix(b"cpu").and_then(number) else { continue };
                    let Some(core) = usize::try_from(core).ok().filter(|&core| core < MOST_CORES) else {
                        continue;
                    };
                    if self.cores.len() <= core {
                        self.cores.resize(core + 1, None);
                    }
                    self.cores[core] = Times::parse(words);
                }
            }
        }
        if self.total.is_none() {
            return Err(Fault("/proc/stat has no line of all processors".to_owned()));
        }
        Ok(())
    }
}

/// Linux is built for no more.
const MOST_CORES: usize = 8_192;

/// Time in each mode, in hundredths of a second: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice.
/// Older kernels have fewer columns.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Times([u64; 10]);

/// What part of a tick went where.
#[derive(Clone, Copy, Debug)]
struct Shares {
    busy_ratio: f64,
    modes: CpuModes,
}

impl Times {
    fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut times = [0; 10];
        let mut columns = 0;
        for (time, word) in times.iter_mut().zip(words) {
            *time = number(word)?;
            columns += 1;
        }
        const FIRST_COLUMNS: i32 = 4;
        (columns >= FIRST_COLUMNS).then_some(Self(times))
    }

    /// Seconds in each mode. `/proc/stat` counts in `USER_HZ`, which is 100 on every architecture that Rust knows.
    fn seconds(self) -> CpuModes {
        const USER_HZ: f64 = 100.0;
        self.modes(USER_HZ)
    }

    /// Each mode by `unit`, with guests taken out of what they are counted in too.
    fn modes(self, unit: f64) -> CpuModes {
        let [user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice] = self.0;
        let part = |time: u64| as_float(time) / unit;
        CpuModes {
            user: part(user.saturating_sub(guest)),
            nice: part(nice.saturating_sub(guest_nice)),
            system: part(system),
            idle: part(idle),
            iowait: part(iowait),
            irq: part(irq),
            softirq: part(softirq),
            steal: part(steal),
            guest: part(guest.saturating_add(guest_nice)),
        }
    }

    /// What happened between two readings; `None` where no time passed, or the counters started anew.
    fn until(self, later: Self) -> Option<Shares> {
        const USER: usize = 0;
        const SYSTEM: usize = 2;
        // Waiting and idling may go back by a little, as proc(5) says of them; work does not.
        if later.0[USER] < self.0[USER] || later.0[SYSTEM] < self.0[SYSTEM] {
            return None;
        }
        let passed = Self(std::array::from_fn(|mode| later.0[mode].saturating_sub(self.0[mode])));
        let [user, nice, system, idle, iowait, irq, softirq, steal, _, _] = passed.0;
        let busy = [user, nice, system, irq, softirq, steal].into_iter().fold(0, u64::saturating_add);
        let all = busy.saturating_add(idle).saturating_add(iowait);
        (all > 0).then(|| Shares {
            busy_ratio: as_float(busy) / as_float(all),
            modes: passed.modes(as_float(all)),
        })
    }
}

fn load_averages(text: &[u8]) -> Option<[f64; 3]> {
    let mut words = words(text);
    Some([float(words.next()?)?, float(words.next()?)?, float(words.next()?)?])
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    fn reader(tree: &Tree) -> CpuReader {
        CpuReader::new(&tree.root(), Duration::from_secs(1))
    }

    #[test]
    fn modes_are_of_the_last_tick_and_guests_count_once() {
        let tree = Tree::new();
        let mut cpu = reader(&tree);
        let mut buffer = Vec::new();
        tree.write(
            "/proc/stat",
            "cpu  100 0 50 800 50 0 0 0 40 0\ncpu0 100 0 50 800 50 0 0 0 40 0\nctxt 10\n",
        );
        tree.write("/proc/loadavg", "0.50 1.25 2.00 3/412 9999\n");
        let first = cpu.read(seconds(0), &mut buffer).unwrap();
        assert_eq!((first.total_ratio, first.modes.as_ref()), (None, None));
        assert_eq!(first.core_ratios, [None]);
        assert_eq!(first.load_averages, Some([0.5, 1.25, 2.0]));
        let total = first.mode_seconds_total.unwrap();
        assert_eq!((total.user, total.guest, total.idle), (0.6, 0.4, 8.0));

        tree.write(
            "/proc/stat",
            "cpu  130 0 60 840 60 0 0 10 50 0\ncpu0 130 0 60 840 60 0 0 10 50 0\nctxt 510\n",
        );
        let second = cpu.read(seconds(1), &mut buffer).unwrap();
        assert_eq!((second.total_ratio, second.core_ratios[0]), (Some(0.5), Some(0.5)));
        let modes = second.modes.unwrap();
        assert_eq!((modes.user, modes.guest, modes.steal, modes.iowait), (0.2, 0.1, 0.1, 0.1));
        let all: f64 = modes.by_name().iter().map(|(_, share)| share).sum();
        assert!((all - 1.0).abs() < 1e-12, "{all}");
        assert_eq!(second.context_switches_per_second, Some(500.0));
    }

    #[test]
    fn a_reset_and_a_gap_are_no_data_and_a_core_may_go() {
        let tree = Tree::new();
        let mut cpu = reader(&tree);
        let mut buffer = Vec::new();
        for (at, text, expected) in [
            (0, "cpu 10 0 0 10\ncpu0 10 0 0 10\ncpu2 1 0 0 1\n", [None, None, None]),
            (1, "cpu 20 0 0 10\ncpu0 15 0 0 10\ncpu2 1 0 0 2\n", [Some(1.0), None, Some(0.0)]),
            (2, "cpu 5 0 0 4\ncpu0 3 0 0 2\ncpu2 2 0 0 2\n", [None, None, Some(1.0)]),
            (60, "cpu 50 0 0 40\ncpu0 30 0 0 20\ncpu2 9 0 0 9\n", [None, None, None]),
        ] {
            tree.write("/proc/stat", text);
            assert_eq!(cpu.read(seconds(at), &mut buffer).unwrap().core_ratios, expected, "at {at} s");
        }
        assert!(cpu.read(seconds(61), &mut buffer).unwrap().total_ratio.is_none(), "no time passed");
    }

    #[test]
    fn a_text_without_processors_is_an_error_and_nothing_to_compare_with() {
        let tree = Tree::new();
        let mut cpu = reader(&tree);
        let mut buffer = Vec::new();
        tree.write("/proc/stat", "cpu 1 2 3 4\n");
        cpu.read(seconds(0), &mut buffer).unwrap();
        tree.write("/proc/stat", "");
        assert!(cpu.read(seconds(1), &mut buffer).unwrap_err().to_string().contains("/proc/stat"));
        tree.write("/proc/stat", "cpu 2 2 3 4\n");
        assert_eq!(cpu.read(seconds(2), &mut buffer).unwrap().total_ratio, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..128), words in vec(0_u64.., 0..12)) {
            let mut stat = Stat::default();
            stat.parse(&bytes).ok();
            load_averages(&bytes);
            let line: String = words.iter().map(|word| format!(" {word}")).collect();
            let mut later = Stat::default();
            later.parse(format!("cpu{line}\ncpu9{line}").as_bytes()).ok();
            if let (Some(now), Some(later)) = (stat.total.or(later.total), later.total) {
                now.until(later);
                later.seconds();
            }
        }
    }
}
