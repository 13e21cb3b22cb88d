//! What the host measures of its own machine, once a second.
//!
//! Every rate is over the last tick of its collector and `null` where there is none: on the first reading, where the
//! counter went back, and over a gap (the machine slept). Counters end in `Total` and only grow, until what is counted
//! starts anew. Ratios are 0 to 1, but for processor time "of a core", which may exceed 1.
//!
//! Names of processes, mounts, interfaces and sensors are chosen by others: control characters are taken out of them, but
//! they are never to be trusted as markup, as a formula or as a part of a command.

mod battery;
mod container;
mod cpu;
mod disk;
mod gpu;
mod memory;
mod network;
mod process;
mod sampler;
mod sensor;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use battery::{Battery, EnergyZone, PowerSource};
pub use container::Container;
pub use cpu::{Cpu, CpuModes, Pressure, Pressures, Stall};
pub use disk::{BlockDevice, Disk};
pub use gpu::Gpu;
pub use memory::{Memory, MemoryLimit};
pub use network::{Network, Sockets};
pub use process::{Process, ProcessCounts, ProcessGroup, ProcessList};
pub use sampler::{Collector, HostProcess, Sampler};
pub use sensor::{Fan, PowerSensor, Temperature, Voltage};

/// The machine at one tick of the sampler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct HostSnapshot {
    /// When the sample was taken.
    pub at_unix_millis: u64,
    /// Processor use.
    pub cpu: Cpu,
    /// How long work waited for a resource; `null` where the kernel doesn't tell (Linux before 4.20, other systems, or
    /// switched off by `psi=0`).
    pub pressure: Option<Pressures>,
    /// Memory and swap.
    pub memory: Memory,
    /// Mounted file systems that hold data of their own (no bind mounts, no pseudo file systems).
    pub disks: Vec<Disk>,
    /// Block devices: whole disks, and what is stacked on them. Empty where the system doesn't tell.
    pub block_devices: Vec<BlockDevice>,
    /// Network interfaces without the loopback and without the host's ends of containers' links.
    pub networks: Vec<Network>,
    /// Sockets in use; `null` where the system doesn't tell.
    pub sockets: Option<Sockets>,
    /// Sensors; empty where the machine shows none (containers and most virtual machines).
    pub temperatures: Vec<Temperature>,
    /// Fans.
    pub fans: Vec<Fan>,
    /// Voltages.
    pub voltages: Vec<Voltage>,
    /// Sensors of electrical power.
    pub powers: Vec<PowerSensor>,
    /// Batteries that the machine runs on (those of mice and keyboards are left out).
    pub batteries: Vec<Battery>,
    /// Power supplies other than batteries.
    pub power_sources: Vec<PowerSource>,
    /// Parts of the machine whose energy is counted (RAPL). Empty without the right to read it.
    pub energy_zones: Vec<EnergyZone>,
    /// Graphics processors; empty where none was found.
    pub gpus: Vec<Gpu>,
    /// The processes that use most processor time, memory or input and output, the busiest first. Refreshed more slowly
    /// than the rest.
    pub processes: Vec<Process>,
    /// The same by name: all processes of one name together.
    pub process_groups: Vec<ProcessGroup>,
    /// How many there are.
    pub process_counts: Option<ProcessCounts>,
    /// Containers, by name.
    pub containers: Vec<Container>,
    /// Static facts.
    pub machine: Machine,
    /// What sampling itself costs.
    pub sampler: Sampler,
}

impl HostSnapshot {
    /// Bytes read a second by all disks, each byte counted once: whole disks where the system tells of them, else file
    /// systems. `None` where nothing is known.
    #[must_use]
    pub fn read_bytes_per_second(&self) -> Option<f64> {
        self.disk_sum(|device| device.read_bytes_per_second, |disk| disk.read_bytes_per_second)
    }

    /// Bytes written a second by all disks, as [`read_bytes_per_second`](Self::read_bytes_per_second).
    #[must_use]
    pub fn written_bytes_per_second(&self) -> Option<f64> {
        self.disk_sum(|device| device.written_bytes_per_second, |disk| disk.written_bytes_per_second)
    }

    /// Bytes received a second by all interfaces that count in the total.
    #[must_use]
    pub fn received_bytes_per_second(&self) -> Option<f64> {
        sum(self.counted_networks().map(|network| network.received_bytes_per_second))
    }

    /// Bytes sent a second by all interfaces that count in the total.
    #[must_use]
    pub fn sent_bytes_per_second(&self) -> Option<f64> {
        sum(self.counted_networks().map(|network| network.sent_bytes_per_second))
    }

    fn counted_networks(&self) -> impl Iterator<Item = &Network> {
        self.networks.iter().filter(|network| !network.is_stacked)
    }

    fn disk_sum(
        &self,
        of_device: impl Fn(&BlockDevice) -> Option<f64>,
        of_disk: impl Fn(&Disk) -> Option<f64>,
    ) -> Option<f64> {
        if self.block_devices.is_empty() {
            return sum(self.disks.iter().map(of_disk));
        }
        sum(self.block_devices.iter().filter(|device| !device.is_stacked).map(of_device))
    }
}

fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(|sum, value| sum + value)
}

/// Facts that don't change while the host runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Machine {
    /// Host name.
    pub name: String,
    /// Operating system and version.
    pub system: String,
    /// Kernel version.
    pub kernel: String,
    /// Processor model.
    pub cpu_model: String,
    /// Logical processors.
    pub logical_cores: u32,
    /// Cores without counting their threads twice; `null` where the system doesn't tell.
    pub physical_cores: Option<u32>,
    /// Processors that the control group's quota allows, in cores; `null` without one.
    pub cpu_limit_cores: Option<f64>,
    /// When the machine started.
    pub booted_at_unix_millis: Option<u64>,
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn what_is_stacked_is_not_counted_twice() {
        let network = |is_stacked, received| Network {
            is_stacked,
            received_bytes_per_second: received,
            ..Network::default()
        };
        let device = |is_stacked| BlockDevice {
            is_stacked,
            read_bytes_per_second: Some(5.0),
            ..BlockDevice::default()
        };
        let mut host = HostSnapshot {
            networks: vec![network(false, Some(1.0)), network(false, None), network(true, Some(1.0))],
            disks: vec![Disk { read_bytes_per_second: Some(3.0), ..Disk::default() }],
            ..HostSnapshot::default()
        };
        assert_eq!((host.received_bytes_per_second(), host.sent_bytes_per_second()), (Some(1.0), None));
        assert_eq!(host.read_bytes_per_second(), Some(3.0), "no device is known, so file systems are");
        host.block_devices = vec![device(false), device(true)];
        assert_eq!(host.read_bytes_per_second(), Some(5.0));
    }
}
