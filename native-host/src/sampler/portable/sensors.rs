//! Temperatures. Containers and most virtual machines show none, which is an empty list and not zero degrees.

use quillwork_protocol::host::Temperature;
use sysinfo::Components;

use crate::sampler::fault::Fault;
use crate::sampler::names::{make_unique, printable};

/// Reads sensors. A broken driver can block for seconds, so this runs in a probe.
#[derive(Debug)]
pub(super) struct SensorReader {
    components: Option<Components>,
}

impl SensorReader {
    /// Nothing has been read yet.
    pub(super) fn new() -> Self {
        Self { components: Components::new().ok() }
    }

    /// All sensors now, by label; the second of two with the same label gets its number.
    pub(super) fn read(&mut self) -> Result<Vec<Temperature>, Fault> {
        let components = self
            .components
            .as_mut()
            .ok_or_else(|| Fault("this system does not tell of sensors".to_owned()))?;
        components.refresh(true);
        let mut sensors: Vec<Temperature> = components
            .iter()
            .map(|component| Temperature {
                label: printable(component.label().trim().as_bytes()),
                celsius: plausible(component.temperature()),
                critical_celsius: plausible(component.critical()),
                ..Temperature::default()
            })
            .collect();
        sensors.sort_by(|a, b| a.label.cmp(&b.label));
        make_unique(&mut sensors, |sensor| &mut sensor.label);
        Ok(sensors)
    }
}

/// Unplugged sensors read as NaN, absolute zero or the top of their register.
fn plausible(celsius: Option<f32>) -> Option<f64> {
    celsius.map(f64::from).filter(|value| (-100.0..=250.0).contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_sensor_is_no_temperature() {
        assert_eq!(plausible(Some(f32::NAN)), None);
        assert_eq!(plausible(Some(-273.0)), None);
        assert_eq!(plausible(Some(41.5)), Some(41.5));
    }
}
