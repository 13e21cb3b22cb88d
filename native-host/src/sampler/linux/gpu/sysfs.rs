//! What drivers tell through `/sys/class/drm`: amdgpu (Documentation/gpu/amdgpu), i915 and xe (Documentation/ABI/testing:
//! sysfs-driver-intel-i915-hwmon, sysfs-driver-intel-xe-hwmon), and the presence of all others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use quillwork_protocol::host::Gpu;

use super::super::file::{attribute, label, micro, milli, names, number};
use super::super::hwmon::device_name;
use super::super::text::{lines, number as parse_number, words};
use crate::sampler::rate::{Kept, Lap, Moment, Stopwatch, float};
use crate::sampler::root::SystemRoot;

/// Reads the cards of `/sys/class/drm`.
#[derive(Debug)]
pub(super) struct SysfsReader {
    class: PathBuf,
    stopwatch: Stopwatch,
    /// Energy counters in microjoules, by device.
    energy: Kept<u64>,
}

impl SysfsReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self { class: root.path("/sys/class/drm"), stopwatch: Stopwatch::new(period), energy: Kept::new() }
    }

    /// All cards now, those of NVIDIA only on request.
    pub(super) fn read(&mut self, now: Moment, skip_nvidia: bool) -> Vec<Gpu> {
        let lap = self.stopwatch.lap(now);
        self.energy.begin();
        let is_card = |name: &str| {
            // `card0` is a device, `card0-HDMI-A-1` one of its connectors.
            let number = name.strip_prefix("card");
            number
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let cards = names(&self.class).into_iter().filter(|name| is_card(name));
        let cards: Vec<PathBuf> = cards.map(|name| self.class.join(name)).collect();
        cards.iter().filter_map(|card| self.card(card, lap, skip_nvidia)).collect()
    }

    fn card(&mut self, card: &Path, lap: Option<Lap>, skip_nvidia: bool) -> Option<Gpu> {
        let device = card.join("device");
        // Class 03 is "display controller"; virtual cards have no class.
        if !attribute(&device.join("class"))?.starts_with(b"0x03") {
            return None;
        }
        let id = label(&device.join("vendor"))?;
        let vendor = match id.as_str() {
            "0x10de" if skip_nvidia => return None,
            "0x10de" => "NVIDIA",
            "0x1002" => "AMD",
            "0x8086" => "Intel",
            "0x1af4" => "virtio",
            _ => &id,
        };
        let address = device_name(&device);
        let model = || format!("{vendor} {}", label(&device.join("device")).unwrap_or_default());
        let chip = first_chip(&device.join("hwmon"));
        let sensor = |file: &str| chip.as_ref().map(|chip| chip.join(file));
        let hertz = |file: &str| number(&sensor(file)?).map(float);
        let watts = ["power1_average", "power1_input"].iter().find_map(|file| micro(&sensor(file)?));
        let watts = watts.or_else(|| {
            let micros = number(&sensor("energy1_input")?)?;
            let before = self.energy.replace(&address, micros)?;
            Some(lap?.per_second(before, micros)? / 1e6)
        });
        let limit = ["power1_cap", "power1_max"].iter().find_map(|file| micro(&sensor(file)?));
        Some(Gpu {
            name: label(&device.join("product_name")).unwrap_or_else(model),
            vendor: Some(vendor.to_owned()),
            used_ratio: number(&device.join("gpu_busy_percent")).map(|busy| (float(busy) / 100.0).min(1.0)),
            memory_total_bytes: number(&device.join("mem_info_vram_total")),
            memory_used_bytes: number(&device.join("mem_info_vram_used")),
            celsius: sensor("temp1_input").and_then(|file| milli(&file)),
            watts,
            limit_watts: limit.filter(|&limit| limit > 0.0),
            core_hertz: hertz("freq1_input")
                .or_else(|| current_clock(&attribute(&device.join("pp_dpm_sclk"))?))
                .or_else(|| intel_clock(card)),
            memory_hertz: hertz("freq2_input")
                .or_else(|| current_clock(&attribute(&device.join("pp_dpm_mclk"))?)),
            fan_rpm: sensor("fan1_input").and_then(|file| number(&file)).map(float),
            device: address,
        })
    }
}

fn first_chip(directory: &Path) -> Option<PathBuf> {
    names(directory).into_iter().find(|name| name.starts_with("hwmon")).map(|name| directory.join(name))
}

/// The line of amdgpu's table that is marked: `1: 1850Mhz *`.
fn current_clock(table: &[u8]) -> Option<f64> {
    let marked = lines(table).find(|line| line.trim_ascii_end().ends_with(b"*"))?;
    let clock = words(marked).nth(1)?;
    let digits = clock.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(clock.len());
    Some(float(parse_number(&clock[..digits])?) * 1e6)
}

/// The clock that i915 (of the card or of its first tile) or xe acts on. A device that sleeps says 0.
fn intel_clock(card: &Path) -> Option<f64> {
    const FILES: [&str; 3] =
        ["gt/gt0/rps_act_freq_mhz", "gt_act_freq_mhz", "device/tile0/gt0/freq0/act_freq"];
    FILES.iter().find_map(|file| number(&card.join(file))).map(|mega| float(mega) * 1e6)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    fn reader(tree: &Tree) -> SysfsReader {
        SysfsReader::new(&tree.root(), Duration::from_secs(2))
    }

    /// A card with its device behind a link, as in sysfs.
    fn card(tree: &Tree, name: &str, address: &str, files: &[(&str, &str)]) {
        tree.write_all(&format!("/sys/devices/pci/{address}"), files);
        tree.link(&format!("/sys/class/drm/{name}/device"), &format!("../../../devices/pci/{address}"));
    }

    #[test]
    fn amdgpu_tells_use_memory_temperature_power_and_clocks() {
        let tree = Tree::new();
        let files = [
            ("class", "0x030000"),
            ("vendor", "0x1002"),
            ("device", "0x744c"),
            ("gpu_busy_percent", "37"),
            ("mem_info_vram_total", "25753026560"),
            ("mem_info_vram_used", "1073741824"),
            ("pp_dpm_mclk", "0: 96Mhz\n1: 1249Mhz *"),
            ("hwmon/hwmon4/temp1_input", "54000"),
            ("hwmon/hwmon4/power1_average", "123000000"),
            ("hwmon/hwmon4/power1_cap", "303000000"),
            ("hwmon/hwmon4/freq1_input", "2304000000"),
            ("hwmon/hwmon4/fan1_input", "1523"),
        ];
        card(&tree, "card1", "0000:03:00.0", &files);
        tree.write("/sys/class/drm/card1-HDMI-A-1/status", "connected\n");
        let gpus = reader(&tree).read(seconds(0), false);
        let expected = Gpu {
            name: "AMD 0x744c".to_owned(),
            device: "0000:03:00.0".to_owned(),
            vendor: Some("AMD".to_owned()),
            used_ratio: Some(0.37),
            memory_total_bytes: Some(25_753_026_560),
            memory_used_bytes: Some(1 << 30),
            celsius: Some(54.0),
            watts: Some(123.0),
            limit_watts: Some(303.0),
            core_hertz: Some(2_304e6),
            memory_hertz: Some(1_249e6),
            fan_rpm: Some(1_523.0),
        };
        assert_eq!(gpus, [expected]);
    }

    #[test]
    fn i915_counts_energy_and_tells_its_clock() {
        let tree = Tree::new();
        let files = [
            ("class", "0x030000"),
            ("vendor", "0x8086"),
            ("device", "0x56a0"),
            ("hwmon/hwmon2/energy1_input", "1000000"),
        ];
        card(&tree, "card0", "0000:00:02.0", &files);
        tree.write("/sys/class/drm/card0/gt/gt0/rps_act_freq_mhz", "1300\n");
        let mut reader = reader(&tree);
        let first = &reader.read(seconds(0), false)[0];
        assert_eq!((first.watts, first.core_hertz, first.used_ratio), (None, Some(1.3e9), None));
        tree.write("/sys/class/drm/card0/device/hwmon/hwmon2/energy1_input", "61000000\n");
        assert_eq!(reader.read(seconds(2), false)[0].watts, Some(30.0));
    }

    #[test]
    fn xe_and_strangers_show_what_there_is() {
        let tree = Tree::new();
        let xe = [
            ("class", "0x038000"),
            ("vendor", "0x8086"),
            ("device", "0xe20b"),
            ("tile0/gt0/freq0/act_freq", "2850"),
        ];
        card(&tree, "card0", "0000:04:00.0", &xe);
        card(
            &tree,
            "card1",
            "0000:05:00.0",
            &[("class", "0x030200"), ("vendor", "0x10de"), ("device", "0x2330")],
        );
        card(
            &tree,
            "card2",
            "0000:06:00.0",
            &[("class", "0x030000"), ("vendor", "0x1a03"), ("device", "0x2000")],
        );
        card(&tree, "card3", "platform", &[("vendor", "0x1002")]);
        let gpus = reader(&tree).read(seconds(0), true);
        assert_eq!(
            gpus.iter().map(|gpu| gpu.name.as_str()).collect::<Vec<_>>(),
            ["Intel 0xe20b", "0x1a03 0x2000"]
        );
        assert_eq!(gpus[0].core_hertz, Some(2.85e9));
        assert_eq!(
            reader(&tree).read(seconds(0), false).len(),
            3,
            "without NVML its devices are shown by sysfs"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
            current_clock(&bytes);
            current_clock(&[&bytes[..], b" *"].concat());
        }
    }
}
