//! Graphics processors: NVIDIA's through NVML, loaded at run time where it is installed; the rest through Linux's sysfs.

use std::fs;
use std::path::Path;
use std::str::FromStr;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use quillwork_protocol::host::Gpu;

/// Reads graphics processors. A driver that is being reset blocks for as long as it takes, so this runs in a probe.
#[derive(Debug)]
pub(crate) struct GpuReader {
    nvml: NvmlState,
}

#[derive(Debug)]
enum NvmlState {
    /// The library isn't installed, or there is nothing for it: not tried again.
    Absent,
    /// To be opened, at first or after an error.
    Closed,
    Open(Box<Nvml>),
}

impl GpuReader {
    /// Nothing has been read yet.
    pub(crate) fn new() -> Self {
        Self { nvml: NvmlState::Closed }
    }

    /// All graphics processors now.
    pub(crate) fn read(&mut self) -> Vec<Gpu> {
        let mut gpus = self.read_nvidia();
        let nvidia_is_shown = !gpus.is_empty();
        gpus.extend(read_sysfs(Path::new("/sys/class/drm"), nvidia_is_shown));
        gpus
    }

    fn read_nvidia(&mut self) -> Vec<Gpu> {
        if let NvmlState::Closed = self.nvml {
            self.nvml = match Nvml::init() {
                Ok(nvml) => NvmlState::Open(Box::new(nvml)),
                Err(
                    NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound | NvmlError::DriverNotLoaded,
                ) => NvmlState::Absent,
                Err(error) => {
                    tracing::debug!("NVML does not start: {error}");
                    NvmlState::Closed
                }
            };
        }
        let NvmlState::Open(nvml) = &self.nvml else { return Vec::new() };
        match nvidia_gpus(nvml) {
            Ok(gpus) => gpus,
            Err(error) => {
                // After a driver reset the old handle stays broken; a new one works.
                tracing::warn!("NVML failed and will be opened again: {error}");
                self.nvml = NvmlState::Closed;
                Vec::new()
            }
        }
    }
}

fn nvidia_gpus(nvml: &Nvml) -> Result<Vec<Gpu>, NvmlError> {
    (0..nvml.device_count()?)
        .map(|index| {
            let device = nvml.device_by_index(index)?;
            // A device in MIG mode, or a virtual one, tells less: what it does not tell is absent.
            let memory = device.memory_info().ok();
            Ok(Gpu {
                name: device.name()?,
                vendor: Some("NVIDIA".to_owned()),
                used_ratio: device.utilization_rates().ok().map(|rates| f64::from(rates.gpu) / 100.0),
                memory_total_bytes: memory.as_ref().map(|memory| memory.total),
                memory_used_bytes: memory.as_ref().map(|memory| memory.used),
            })
        })
        .collect()
}

/// The display devices of Linux. Use and memory are there for amdgpu; other drivers show their presence only.
fn read_sysfs(class: &Path, skip_nvidia: bool) -> Vec<Gpu> {
    let Ok(entries) = fs::read_dir(class) else { return Vec::new() };
    let mut cards: Vec<_> = entries
        .flatten()
        .filter(|entry| {
            // `card0` is a device, `card0-HDMI-A-1` one of its connectors.
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("card"));
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .map(|entry| entry.path().join("device"))
        .collect();
    cards.sort();
    cards.iter().filter_map(|device| sysfs_gpu(device, skip_nvidia)).collect()
}

fn sysfs_gpu(device: &Path, skip_nvidia: bool) -> Option<Gpu> {
    // Class 03 is "display controller"; virtual cards have no class.
    if !text(device, "class")?.starts_with("0x03") {
        return None;
    }
    let vendor = text(device, "vendor")?;
    let vendor = match vendor.as_str() {
        "0x10de" if skip_nvidia => return None,
        "0x10de" => "NVIDIA".to_owned(),
        "0x1002" => "AMD".to_owned(),
        "0x8086" => "Intel".to_owned(),
        "0x1af4" => "virtio".to_owned(),
        _ => vendor,
    };
    let name = text(device, "product_name")
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("{vendor} {}", text(device, "device").unwrap_or_default()));
    Some(Gpu {
        name,
        vendor: Some(vendor),
        used_ratio: number::<f64>(device, "gpu_busy_percent").map(|busy| (busy / 100.0).clamp(0.0, 1.0)),
        memory_total_bytes: number(device, "mem_info_vram_total"),
        memory_used_bytes: number(device, "mem_info_vram_used"),
    })
}

fn text(device: &Path, file: &str) -> Option<String> {
    fs::read_to_string(device.join(file)).ok().map(|text| text.trim().to_owned())
}

fn number<T: FromStr>(device: &Path, file: &str) -> Option<T> {
    text(device, file)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(class: &Path, name: &str, files: &[(&str, &str)]) {
        let device = class.join(name).join("device");
        fs::create_dir_all(&device).unwrap();
        for (file, content) in files {
            fs::write(device.join(file), content).unwrap();
        }
    }

    #[test]
    fn sysfs_tells_what_the_driver_tells() {
        let directory = tempfile::tempdir().unwrap();
        let class = directory.path();
        let amd = [
            ("class", "0x030000\n"),
            ("vendor", "0x1002\n"),
            ("device", "0x744c\n"),
            ("gpu_busy_percent", "37\n"),
            ("mem_info_vram_total", "25753026560\n"),
            ("mem_info_vram_used", "1073741824\n"),
        ];
        card(class, "card1", &amd);
        card(class, "card1-HDMI-A-1", &amd);
        card(class, "card0", &[("class", "0x030000"), ("vendor", "0x8086"), ("device", "0x9a49")]);
        card(class, "card2", &[("class", "0x030200"), ("vendor", "0x10de"), ("device", "0x2330")]);
        let gpus = read_sysfs(class, true);

        assert_eq!(gpus.len(), 2);
        assert_eq!((gpus[0].name.as_str(), gpus[0].used_ratio), ("Intel 0x9a49", None));
        assert_eq!(gpus[1].used_ratio, Some(0.37));
        assert_eq!(gpus[1].memory_used_bytes, Some(1 << 30));
    }
}
