//! Graphics processors of all vendors: NVIDIA's through NVML, the rest through `/sys/class/drm`.

mod client;
mod sysfs;

use std::time::Duration;

use quillwork_protocol::host::Gpu;

use self::client::ClientReader;
use self::sysfs::SysfsReader;
use crate::sampler::gpu::NvidiaReader;
use crate::sampler::names::make_unique;
use crate::sampler::rate::Moment;
use crate::sampler::root::SystemRoot;

/// Reads graphics processors. Runs in a probe.
#[derive(Debug)]
pub(super) struct GpuReader {
    nvidia: NvidiaReader,
    sysfs: SysfsReader,
    clients: ClientReader,
}

impl GpuReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self {
            nvidia: NvidiaReader::new(),
            sysfs: SysfsReader::new(root, period),
            clients: ClientReader::new(root, period),
        }
    }

    /// All graphics processors now.
    pub(super) fn read(&mut self, now: Moment) -> Vec<Gpu> {
        let mut gpus = self.nvidia.read();
        let nvidia_is_shown = !gpus.is_empty();
        gpus.extend(self.sysfs.read(now, nvidia_is_shown));
        // Drivers that don't tell how busy a device is tell it of each client.
        if gpus.iter().any(|gpu| gpu.used_ratio.is_none() && !gpu.device.is_empty()) {
            let busy = self.clients.read(now);
            for gpu in gpus.iter_mut().filter(|gpu| gpu.used_ratio.is_none()) {
                gpu.used_ratio = busy.get(&gpu.device).copied();
            }
        }
        for gpu in gpus.iter_mut().filter(|gpu| gpu.device.is_empty()) {
            gpu.device.clone_from(&gpu.name);
        }
        make_unique(&mut gpus, |gpu| &mut gpu.device);
        gpus
    }
}
