//! Systems other than Linux, through `sysinfo`. What it does not tell is absent.

mod cpu;
mod disks;
mod machine;
mod memory;
mod network;
mod processes;
mod sensors;

use std::io;
use std::time::Duration;

use quillwork_protocol::host::{Disk, Gpu, HostSnapshot, Machine, Sampler as SamplerFacts, Temperature};
use sysinfo::System;

use super::gpu::NvidiaReader;
use super::probe::Probe;
use super::rate::{Moment, Stopwatch};
use super::top::ProcessReading;
use super::{Options, PERIOD, SLOW_PERIOD};

/// Everything a tick reads.
pub(super) struct Readings {
    system: System,
    machine: Machine,
    stopwatch: Stopwatch,
    network: network::NetworkReader,
    disks: Probe<Vec<Disk>>,
    temperatures: Probe<Vec<Temperature>>,
    gpus: Probe<Vec<Gpu>>,
    processes: Probe<ProcessReading>,
    ticks: u64,
}

impl Readings {
    pub(super) fn new(options: &Options) -> io::Result<Self> {
        let mut system = System::new().map_err(io::Error::other)?;
        let machine = machine::read(&mut system);
        let mut disks = disks::DiskReader::new(SLOW_PERIOD);
        let mut sensors = sensors::SensorReader::new();
        let mut gpus = NvidiaReader::new();
        let mut processes = processes::ProcessReader::new(options.top);
        Ok(Self {
            system,
            machine,
            stopwatch: Stopwatch::new(PERIOD),
            network: network::NetworkReader::new(PERIOD),
            disks: Probe::spawn("file systems", SLOW_PERIOD, PATIENCE, move |now| disks.read(now))?,
            temperatures: Probe::spawn("sensors", SLOW_PERIOD, PATIENCE, move |_| sensors.read())?,
            gpus: Probe::spawn("gpus", SLOW_PERIOD, PATIENCE, move |_| Ok(gpus.read()))?,
            processes: Probe::spawn("processes", options.process_period, PATIENCE, move |_| {
                processes.read()
            })?,
            ticks: 0,
        })
    }

    /// Whether all that may take long has been read once.
    pub(super) fn have_answered(&self) -> bool {
        self.disks.has_answered()
            && self.temperatures.has_answered()
            && self.gpus.has_answered()
            && self.processes.has_answered()
    }

    pub(super) fn tick(&mut self, now: Moment, missed_ticks: u64) -> HostSnapshot {
        self.ticks += 1;
        let at = now.monotonic;
        let comparable = self.stopwatch.lap(now).is_some();
        let mut processes = self.processes.latest(at).unwrap_or_default();
        let cores = f64::from(self.machine.logical_cores.max(1));
        for process in &mut processes.processes {
            process.cpu_of_machine_ratio = process.cpu_of_core_ratio.map(|ratio| (ratio / cores).min(1.0));
        }
        HostSnapshot {
            at_unix_millis: now.unix_millis,
            cpu: cpu::read(&mut self.system, comparable),
            memory: memory::read(&mut self.system),
            networks: self.network.read(now),
            disks: self.disks.latest(at).unwrap_or_default(),
            temperatures: self.temperatures.latest(at).unwrap_or_default(),
            gpus: self.gpus.latest(at).unwrap_or_default(),
            processes: processes.processes,
            process_groups: processes.groups,
            process_counts: processes.counts,
            machine: self.machine.clone(),
            sampler: SamplerFacts {
                ticks: self.ticks,
                missed_ticks,
                collectors: vec![
                    self.disks.status(at),
                    self.temperatures.status(at),
                    self.gpus.status(at),
                    self.processes.status(at),
                ],
                process: None,
                tick_millis: at.elapsed().as_secs_f64() * 1_000.0,
            },
            ..HostSnapshot::default()
        }
    }
}

/// After this long without an answer a reading counts as stuck.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sysinfo_tells_of_this_machine_is_plausible() {
        let mut readings = Readings::new(&Options::default()).unwrap();
        let first = readings.tick(Moment::now(), 0);
        assert!(first.cpu.total_ratio.is_none(), "a first reading is no data");
        assert!(first.memory.total_bytes > 0 && first.machine.logical_cores > 0);
        while !readings.have_answered() {
            std::thread::yield_now();
        }
        let second = readings.tick(Moment::now(), 0);
        assert!(second.process_counts.unwrap().total > 0 && !second.process_groups.is_empty());
        assert!(second.cpu.total_ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio)));
    }
}
