//! NVIDIA's graphics processors, through NVML, which is loaded at run time where it is installed.

use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};
use quillwork_protocol::host::Gpu;

use crate::sampler::names::printable;
use crate::sampler::rate::float;

/// Reads them. A driver that is being reset blocks for as long as it takes, so this runs in a probe.
#[derive(Debug)]
pub(crate) struct NvidiaReader {
    state: State,
}

#[derive(Debug)]
enum State {
    /// The library isn't installed, or there is nothing for it: not tried again.
    Absent,
    /// To be opened, at first or after an error.
    Closed,
    Open(Box<Nvml>),
}

impl NvidiaReader {
    /// Nothing has been read yet.
    pub(crate) fn new() -> Self {
        Self { state: State::Closed }
    }

    /// All of them now.
    pub(crate) fn read(&mut self) -> Vec<Gpu> {
        if let State::Closed = self.state {
            self.state = match Nvml::init() {
                Ok(nvml) => State::Open(Box::new(nvml)),
                Err(
                    NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded,
                ) => State::Absent,
                Err(error) => {
                    tracing::debug!("NVML does not start: {error}");
                    State::Closed
                }
            };
        }
        let State::Open(nvml) = &self.state else { return Vec::new() };
        match all(nvml) {
            Ok(gpus) => gpus,
            Err(error) => {
                // After a driver reset the old handle stays broken; a new one works.
                tracing::warn!("NVML failed and will be opened again: {error}");
                self.state = State::Closed;
                Vec::new()
            }
        }
    }
}

fn all(nvml: &Nvml) -> Result<Vec<Gpu>, NvmlError> {
    (0..nvml.device_count()?).map(|index| gpu(&nvml.device_by_index(index)?)).collect()
}

/// A device in MIG mode, or a virtual one, tells less: what it does not tell is absent.
fn gpu(device: &Device<'_>) -> Result<Gpu, NvmlError> {
    let memory = device.memory_info().ok();
    let watts = |milliwatts: u32| f64::from(milliwatts) / 1_000.0;
    let hertz = |clock| device.clock_info(clock).ok().map(|mega| f64::from(mega) * 1e6);
    Ok(Gpu {
        name: printable(device.name()?.as_bytes()),
        // NVML writes the domain with eight digits, sysfs with four.
        device: device
            .pci_info()
            .map(|pci| {
                let address = pci.bus_id.to_lowercase();
                address
                    .strip_prefix("0000")
                    .filter(|short| short.len() == "0000:00:00.0".len())
                    .map_or_else(|| printable(address.as_bytes()), |short| printable(short.as_bytes()))
            })
            .unwrap_or_default(),
        vendor: Some("NVIDIA".to_owned()),
        used_ratio: device.utilization_rates().ok().map(|rates| (f64::from(rates.gpu) / 100.0).min(1.0)),
        memory_total_bytes: memory.as_ref().map(|memory| memory.total),
        memory_used_bytes: memory.as_ref().map(|memory| memory.used),
        celsius: device.temperature(TemperatureSensor::Gpu).ok().map(|celsius| float(celsius.into())),
        watts: device.power_usage().ok().map(watts),
        limit_watts: device.enforced_power_limit().ok().map(watts),
        core_hertz: hertz(Clock::Graphics),
        memory_hertz: hertz(Clock::Memory),
        // NVML tells a fan's share of its speed, no turns.
        fan_rpm: None,
    })
}
