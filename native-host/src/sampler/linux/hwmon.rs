//! Temperatures, fans, voltages and power, from `/sys/class/hwmon` (Documentation/hwmon/sysfs-interface.rst) and, where
//! that has no temperature, `/sys/class/thermal`.

use std::path::{Path, PathBuf};

use quillwork_protocol::host::{Fan, PowerSensor, Temperature, Voltage};

use super::file::{attribute, label, micro, milli, names, number};
use crate::sampler::names::{make_unique, printable};
use crate::sampler::rate::float;
use crate::sampler::root::SystemRoot;

/// All sensors at one reading. Devices keep their labels over restarts and when others come and go: the number in
/// `hwmon3` is given out in the order of discovery and is not used.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sensors {
    pub(super) temperatures: Vec<Temperature>,
    pub(super) fans: Vec<Fan>,
    pub(super) voltages: Vec<Voltage>,
    pub(super) powers: Vec<PowerSensor>,
}

/// Reads all sensors. A broken driver can block for seconds, so this runs in a probe.
pub(super) fn read(root: &SystemRoot) -> Sensors {
    let mut sensors = Sensors::default();
    let class = root.path("/sys/class/hwmon");
    for name in names(&class) {
        chip(&class.join(name), &mut sensors);
    }
    if sensors.temperatures.is_empty() {
        zones(&root.path("/sys/class/thermal"), &mut sensors);
    }
    finish(&mut sensors.temperatures, |sensor| &sensor.device, |sensor| &mut sensor.label);
    finish(&mut sensors.fans, |sensor| &sensor.device, |sensor| &mut sensor.label);
    finish(&mut sensors.voltages, |sensor| &sensor.device, |sensor| &mut sensor.label);
    finish(&mut sensors.powers, |sensor| &sensor.device, |sensor| &mut sensor.label);
    sensors
}

/// A chip of thousands of channels would be one that lies.
const MOST_CHANNELS: usize = 256;

fn chip(directory: &Path, sensors: &mut Sensors) {
    let Some(chip) = label(&directory.join("name")) else { return };
    let device = device_name(&directory.join("device"));
    // Some drivers put their attributes beside the device rather than below the class.
    let mut files = names(directory);
    let nested = directory.join("device");
    let mut base = directory.to_owned();
    if !files.iter().any(|file| file.ends_with("_input")) {
        files = names(&nested);
        base = nested;
    }
    for file in files.iter().take(MOST_CHANNELS) {
        let Some(channel) = file.strip_suffix("_input").or_else(|| file.strip_suffix("_average")) else {
            continue;
        };
        let at = |suffix: &str| base.join(format!("{channel}{suffix}"));
        // A chip that knows its sensor to be broken says so.
        let reading = |value: Option<f64>| value.filter(|_| number(&at("_fault")) != Some(1));
        let name = || {
            let name = label(&at("_label")).unwrap_or_else(|| channel.to_owned());
            format!("{chip} {name}")
        };
        let device = || device.clone();
        let input = base.join(file);
        match channel.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "temp" => sensors.temperatures.push(Temperature {
                label: name(),
                device: device(),
                celsius: plausible(reading(milli(&input))),
                high_celsius: plausible(milli(&at("_max"))),
                critical_celsius: plausible(milli(&at("_crit"))),
            }),
            "fan" => sensors.fans.push(Fan {
                label: name(),
                device: device(),
                rpm: reading(number(&input).map(float)),
            }),
            "in" => sensors.voltages.push(Voltage {
                label: name(),
                device: device(),
                volts: reading(milli(&input)),
            }),
            // A channel with both is read once, by its average.
            "power" if file.ends_with("_average") || !at("_average").exists() => {
                sensors.powers.push(PowerSensor {
                    label: name(),
                    device: device(),
                    watts: reading(micro(&input)),
                });
            }
            _ => {}
        }
    }
}

/// The last part of the path that `device` leads to: the address on the bus.
pub(super) fn device_name(link: &Path) -> String {
    let target = std::fs::read_link(link).unwrap_or_default();
    target.file_name().map(|name| printable(std::os::unix::ffi::OsStrExt::as_bytes(name))).unwrap_or_default()
}

fn zones(class: &Path, sensors: &mut Sensors) {
    for zone in names(class).into_iter().filter(|name| name.starts_with("thermal_zone")) {
        let directory: PathBuf = class.join(&zone);
        let Some(kind) = label(&directory.join("type")) else { continue };
        let celsius = plausible(milli(&directory.join("temp")));
        let critical = (0..MOST_TRIPS)
            .take_while(|trip| directory.join(format!("trip_point_{trip}_type")).exists())
            .find(|trip| {
                attribute(&directory.join(format!("trip_point_{trip}_type"))).as_deref() == Some(b"critical")
            })
            .and_then(|trip| milli(&directory.join(format!("trip_point_{trip}_temp"))));
        sensors.temperatures.push(Temperature {
            label: kind,
            device: String::new(),
            celsius,
            high_celsius: None,
            critical_celsius: plausible(critical),
        });
    }
}

/// Thresholds of a thermal zone.
const MOST_TRIPS: u32 = 16;

/// Unplugged sensors read as absolute zero or the top of their register.
fn plausible(celsius: Option<f64>) -> Option<f64> {
    celsius.filter(|value| (-100.0..=250.0).contains(value))
}

/// Sorts by device, and numbers the sensors of one device that have the same label.
fn finish<T>(sensors: &mut [T], device: fn(&T) -> &str, label: fn(&mut T) -> &mut String) {
    sensors.sort_by(|a, b| device(a).cmp(device(b)));
    for of_one in sensors.chunk_by_mut(|a, b| device(a) == device(b)) {
        make_unique(of_one, label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::linux::tree::Tree;

    fn labels<T>(sensors: &[T], of: impl Fn(&T) -> (&str, &str)) -> Vec<String> {
        sensors.iter().map(|sensor| format!("{} @ {}", of(sensor).0, of(sensor).1)).collect()
    }

    #[test]
    fn every_kind_is_read_in_its_unit() {
        let tree = Tree::new();
        let files = [
            ("name", "nct6798"),
            ("temp1_input", "41500"),
            ("temp1_label", "SYSTIN"),
            ("temp1_max", "80000"),
            ("temp1_crit", "95000"),
            ("temp2_input", "-128000"),
            ("temp3_input", "30000"),
            ("temp3_fault", "1"),
            ("fan1_input", "1180"),
            ("fan2_input", "0"),
            ("in0_input", "1016"),
            ("in0_label", "Vcore"),
            ("power1_input", "1"),
            ("power1_average", "15500000"),
        ];
        tree.write_all("/sys/class/hwmon/hwmon2", &files);
        tree.link("/sys/class/hwmon/hwmon2/device", "../../../nct6775.656");
        let sensors = read(&tree.root());
        let warm = &sensors.temperatures[0];
        assert_eq!((warm.label.as_str(), warm.device.as_str()), ("nct6798 SYSTIN", "nct6775.656"));
        assert_eq!(
            (warm.celsius, warm.high_celsius, warm.critical_celsius),
            (Some(41.5), Some(80.0), Some(95.0))
        );
        let rest: Vec<_> = sensors.temperatures[1..].iter().map(|sensor| sensor.celsius).collect();
        assert_eq!(rest, [None, None], "below absolute zero, and broken");
        assert_eq!([sensors.fans[0].rpm, sensors.fans[1].rpm], [Some(1_180.0), Some(0.0)]);
        assert_eq!(
            (sensors.voltages[0].label.as_str(), sensors.voltages[0].volts),
            ("nct6798 Vcore", Some(1.016))
        );
        assert_eq!((sensors.powers.len(), sensors.powers[0].watts), (1, Some(15.5)));
    }

    #[test]
    fn labels_do_not_depend_on_the_order_of_discovery() {
        let chip = |tree: &Tree, number: u32, device: &str| {
            let directory = format!("/sys/class/hwmon/hwmon{number}");
            tree.write_all(
                &directory,
                &[("name", "nvme"), ("temp1_input", "1"), ("temp1_label", "Composite")],
            );
            tree.link(&format!("{directory}/device"), &format!("../../{device}"));
        };
        let (one, other) = (Tree::new(), Tree::new());
        chip(&one, 0, "nvme0");
        chip(&one, 1, "nvme1");
        chip(&other, 0, "nvme1");
        chip(&other, 5, "nvme0");
        let of = |tree: &Tree| labels(&read(&tree.root()).temperatures, |t| (&t.label, &t.device));
        assert_eq!(of(&one), ["nvme Composite @ nvme0", "nvme Composite @ nvme1"]);
        assert_eq!(of(&one), of(&other));
    }

    #[test]
    fn two_chips_without_a_device_and_hostile_labels_stay_apart() {
        let tree = Tree::new();
        for number in 0..2 {
            let files = [("name", "x"), ("temp1_input", "20000"), ("temp1_label", "a\u{1b}[2J")];
            tree.write_all(&format!("/sys/class/hwmon/hwmon{number}"), &files);
        }
        let found = labels(&read(&tree.root()).temperatures, |t| (&t.label, &t.device));
        assert_eq!(found, ["x a\u{fffd}[2J @ ", "x a\u{fffd}[2J 2 @ "]);
    }

    #[test]
    fn thermal_zones_stand_in_where_no_chip_has_a_temperature() {
        let tree = Tree::new();
        let files = [
            ("type", "cpu-thermal"),
            ("temp", "48312"),
            ("trip_point_0_type", "passive"),
            ("trip_point_0_temp", "75000"),
            ("trip_point_1_type", "critical"),
            ("trip_point_1_temp", "110000"),
        ];
        tree.write_all("/sys/class/thermal/thermal_zone0", &files);
        let sensors = read(&tree.root());
        assert_eq!(sensors.temperatures[0].celsius, Some(48.312));
        assert_eq!(sensors.temperatures[0].critical_celsius, Some(110.0));
        tree.write_all("/sys/class/hwmon/hwmon0", &[("name", "k10temp"), ("temp1_input", "50000")]);
        let found = labels(&read(&tree.root()).temperatures, |t| (&t.label, &t.device));
        assert_eq!(found, ["k10temp temp1 @ "]);
    }

    #[test]
    fn a_machine_without_sensors_has_none() {
        assert_eq!(read(&Tree::new().root()), Sensors::default());
    }
}
