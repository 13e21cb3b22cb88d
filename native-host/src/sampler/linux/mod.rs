//! Linux: `/proc` and `/sys`, read by hand. Files of `/proc` that are read each tick stay open and are read into one
//! buffer; what may hang, or costs much, is read by probes on threads of their own, each at its own pace.

mod block;
mod cgroup;
mod containers;
mod cpu;
mod file;
mod file_systems;
mod gpu;
mod hwmon;
mod itself;
mod machine;
mod memory;
mod mounts;
mod network;
mod power;
mod pressure;
mod processes;
mod sockets;
mod text;
#[cfg(test)]
pub(crate) mod tree;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use quillwork_protocol::host::{
    Collector, Container, Cpu, Disk, Gpu, HostSnapshot, Machine, Memory, Sampler as SamplerFacts,
};

use self::block::{BlockReader, BlockReading, DeviceRates};
use self::file_systems::{FileSystem, FileSystemReader};
use self::hwmon::Sensors;
use self::network::Link;
use self::power::Energy;
use super::probe::{Direct, Probe};
use super::rate::{Moment, float};
use super::top::ProcessReading;
use super::{Options, PERIOD, SLOW_PERIOD};

/// Everything a tick reads.
pub(super) struct Readings {
    machine: Machine,
    buffer: Vec<u8>,
    cpu: (Direct, cpu::CpuReader),
    pressure: pressure::PressureReader,
    memory: (Direct, memory::MemoryReader),
    block: (Direct, BlockReader),
    network: (Direct, network::NetworkReader),
    sockets: sockets::SocketReader,
    itself: itself::SelfReader,
    file_systems: Probe<Vec<FileSystem>>,
    hardware: Probe<Hardware>,
    sensors: Probe<(Sensors, Energy)>,
    gpus: Probe<Vec<Gpu>>,
    processes: Probe<ProcessReading>,
    containers: Probe<Vec<Container>>,
    ticks: u64,
}

/// What changes seldom and may take a lock that a driver holds.
#[derive(Clone, Debug, Default)]
struct Hardware {
    links: BTreeMap<String, Link>,
    core_hertz: Vec<Option<f64>>,
}

impl Readings {
    pub(super) fn new(options: &Options) -> io::Result<Self> {
        let root = &options.root;
        let machine = machine::read(root);
        let mut file_systems = FileSystemReader::new(root, options.network_mounts);
        let mut power = power::PowerReader::new(root, SLOW_PERIOD);
        let mut gpus = gpu::GpuReader::new(root, SLOW_PERIOD);
        let mut processes = processes::ProcessReader::new(root, options.process_period, options.top);
        let mut containers = containers::ContainerReader::new(root, options.process_period);
        let (for_hardware, for_sensors) = (root.clone(), root.clone());
        Ok(Self {
            machine,
            buffer: Vec::new(),
            cpu: (Direct::new("cpu"), cpu::CpuReader::new(root, PERIOD)),
            pressure: pressure::PressureReader::new(root, PERIOD),
            memory: (Direct::new("memory"), memory::MemoryReader::new(root, PERIOD)),
            block: (Direct::new("block devices"), BlockReader::new(root, PERIOD)),
            network: (Direct::new("network"), network::NetworkReader::new(root, PERIOD)),
            sockets: sockets::SocketReader::new(root),
            itself: itself::SelfReader::new(root, PERIOD),
            file_systems: Probe::spawn("file systems", SLOW_PERIOD, FILE_SYSTEM_PATIENCE, move |_| {
                file_systems.read()
            })?,
            hardware: Probe::spawn("links", LINK_PERIOD, PATIENCE, move |_| {
                Ok(Hardware {
                    links: network::links(&for_hardware),
                    core_hertz: machine::clocks(&for_hardware),
                })
            })?,
            sensors: Probe::spawn("sensors", SLOW_PERIOD, PATIENCE, move |now| {
                Ok((hwmon::read(&for_sensors), power.read(now)))
            })?,
            gpus: Probe::spawn("gpus", SLOW_PERIOD, PATIENCE, move |now| Ok(gpus.read(now)))?,
            processes: Probe::spawn("processes", options.process_period, PATIENCE, move |now| {
                processes.read(now)
            })?,
            containers: Probe::spawn("containers", options.process_period, PATIENCE, move |now| {
                Ok(containers.read(now))
            })?,
            ticks: 0,
        })
    }

    /// Whether all that may take long has been read once.
    pub(super) fn have_answered(&self) -> bool {
        self.file_systems.has_answered()
            && self.hardware.has_answered()
            && self.sensors.has_answered()
            && self.gpus.has_answered()
            && self.processes.has_answered()
            && self.containers.has_answered()
    }

    pub(super) fn tick(&mut self, now: Moment, missed_ticks: u64) -> HostSnapshot {
        self.ticks += 1;
        let (at, buffer) = (now.monotonic, &mut self.buffer);
        let hardware = self.hardware.latest(at).unwrap_or_default();
        let cpu: Cpu = self.cpu.0.read(|| self.cpu.1.read(now, buffer)).unwrap_or_default();
        let memory: Memory = self.memory.0.read(|| self.memory.1.read(now, buffer)).unwrap_or_default();
        let block: BlockReading = self.block.0.read(|| self.block.1.read(now, buffer)).unwrap_or_default();
        let networks = self.network.0.read(|| self.network.1.read(now, &hardware.links, buffer));
        let pressure = self.pressure.read(now, buffer);
        let sockets = self.sockets.read(buffer);
        let (sensors, energy) = self.sensors.latest(at).unwrap_or_default();
        let mut processes = self.processes.latest(at).unwrap_or_default();
        let cores = float(self.machine.logical_cores.max(1).into());
        for process in &mut processes.processes {
            process.cpu_of_machine_ratio = process.cpu_of_core_ratio.map(|ratio| (ratio / cores).min(1.0));
        }
        let file_systems = self.file_systems.latest(at).unwrap_or_default();
        HostSnapshot {
            at_unix_millis: now.unix_millis,
            cpu: Cpu { core_hertz: hardware.core_hertz, ..cpu },
            pressure,
            memory,
            disks: file_systems.into_iter().map(|found| with_rates(found, &block.rates)).collect(),
            block_devices: block.devices,
            networks: networks.unwrap_or_default(),
            sockets,
            temperatures: sensors.temperatures,
            fans: sensors.fans,
            voltages: sensors.voltages,
            powers: sensors.powers,
            batteries: energy.batteries,
            power_sources: energy.sources,
            energy_zones: energy.zones,
            gpus: self.gpus.latest(at).unwrap_or_default(),
            processes: processes.processes,
            process_groups: processes.groups,
            process_counts: processes.counts,
            containers: self.containers.latest(at).unwrap_or_default(),
            machine: self.machine.clone(),
            sampler: SamplerFacts {
                ticks: self.ticks,
                missed_ticks,
                process: self.itself.read(now, buffer),
                collectors: self.collectors(),
                tick_millis: at.elapsed().as_secs_f64() * 1_000.0,
            },
        }
    }

    fn collectors(&self) -> Vec<Collector> {
        let now = Instant::now();
        vec![
            self.cpu.0.status(now),
            self.memory.0.status(now),
            self.block.0.status(now),
            self.network.0.status(now),
            self.file_systems.status(now),
            self.hardware.status(now),
            self.sensors.status(now),
            self.gpus.status(now),
            self.processes.status(now),
            self.containers.status(now),
        ]
    }
}

/// Distance of two readings of what changes seldom.
const LINK_PERIOD: Duration = Duration::from_secs(5);

/// After this long without an answer a reading counts as stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// The collector of file systems leaves a mount alone that doesn't answer; that takes some seconds for each.
const FILE_SYSTEM_PATIENCE: Duration = Duration::from_secs(30);

/// A file system with what its device did.
fn with_rates(found: FileSystem, rates: &[DeviceRates]) -> Disk {
    let FileSystem { disk, device } = found;
    let by_number = rates.iter().find(|rates| rates.device == device);
    // btrfs has numbers of its own, and names its device.
    let rates = by_number.or_else(|| {
        let name = disk.name.strip_prefix("/dev/")?;
        rates.iter().find(|rates| rates.name == name)
    });
    Disk {
        read_bytes_per_second: rates.and_then(|rates| rates.read),
        written_bytes_per_second: rates.and_then(|rates| rates.written),
        ..disk
    }
}
