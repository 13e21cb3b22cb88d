//! Temperatures. Containers and most virtual machines show none, which is an empty list and not zero degrees.

use quillwork_protocol::host::Temperature;
use sysinfo::Components;

/// Reads sensors. A broken driver can block for seconds, so this runs in a probe.
#[derive(Debug)]
pub(crate) struct SensorReader {
    components: Option<Components>,
}

impl SensorReader {
    /// Nothing has been read yet.
    pub(crate) fn new() -> Self {
        let components =
            Components::new().inspect_err(|error| tracing::debug!("sensors can't be read: {error}")).ok();
        Self { components }
    }

    /// All sensors now, by label; the second of two with the same label gets its number.
    pub(crate) fn read(&mut self) -> Vec<Temperature> {
        let Some(components) = &mut self.components else { return Vec::new() };
        components.refresh(true);
        let mut sensors: Vec<Temperature> = components
            .iter()
            .map(|component| Temperature {
                label: component.label().trim().to_owned(),
                celsius: plausible(component.temperature()),
                critical_celsius: plausible(component.critical()),
            })
            .collect();
        sensors.sort_by(|a, b| a.label.cmp(&b.label));
        number_duplicates(&mut sensors);
        sensors
    }
}

/// Unplugged sensors read as NaN, absolute zero or the top of their register.
fn plausible(celsius: Option<f32>) -> Option<f64> {
    celsius.map(f64::from).filter(|value| (-100.0..=250.0).contains(value))
}

fn number_duplicates(sensors: &mut [Temperature]) {
    let mut number = 1;
    for index in 1..sensors.len() {
        let (before, rest) = sensors.split_at_mut(index);
        let first = &before[index - number].label;
        if rest[0].label == *first {
            number += 1;
            rest[0].label = format!("{first} {number}");
        } else {
            number = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_unique() {
        let mut sensors: Vec<_> = ["Core", "Core", "Core", "nvme", "tz", "tz"]
            .map(|label| Temperature { label: label.into(), ..Temperature::default() })
            .into();
        number_duplicates(&mut sensors);
        let labels: Vec<_> = sensors.iter().map(|sensor| sensor.label.as_str()).collect();
        assert_eq!(labels, ["Core", "Core 2", "Core 3", "nvme", "tz", "tz 2"]);
    }

    #[test]
    fn a_missing_sensor_is_no_temperature() {
        assert_eq!(plausible(Some(f32::NAN)), None);
        assert_eq!(plausible(Some(-273.0)), None);
        assert_eq!(plausible(Some(41.5)), Some(41.5));
    }
}
