//! What is known of the hardware.

use alloc::vec::Vec;
use core::fmt;

/// What the shell could find out about the hardware. Everything is optional, and absent means unknown, never zero: a
/// browser tells little, and tells less where it protects privacy.
///
/// A value that can't be (no cores, more physical cores than logical ones) is taken as unknown; [`implausible`] lists
/// such values, for a diagnosis.
///
/// [`implausible`]: HardwareProfile::implausible
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HardwareProfile {
    /// Hardware threads: `navigator.hardwareConcurrency`, or what the operating system's scheduler may use.
    pub logical_cores: Option<u32>,
    /// Cores without counting their threads twice. Browsers don't tell.
    pub physical_cores: Option<u32>,
    /// The machine's memory, or the limit of the control group it is in.
    pub memory_bytes: Option<u64>,
    /// `navigator.deviceMemory` in bytes: rounded to a power of two and capped by the browser. Used where
    /// `memory_bytes` is unknown.
    pub memory_hint_bytes: Option<u64>,
    /// The graphics processor that computing could use.
    pub gpu: Option<Gpu>,
    /// Whether the page is cross-origin isolated, so that memory can be shared with its workers.
    pub cross_origin_isolated: Option<bool>,
    /// Where the energy comes from.
    pub power: Option<Power>,
}

/// A graphics processor, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gpu {
    /// No adapter was offered.
    Absent,
    /// An adapter that computes on the CPU. It is slower than the CPU's own kernels.
    Software,
    /// A real one.
    Hardware {
        /// The largest buffer that a kernel may bind, where known.
        max_buffer_bytes: Option<u64>,
    },
}

/// Where the energy comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Power {
    /// The mains, or a battery that is charging.
    Mains,
    /// A battery that is not charging.
    Battery {
        /// How full it is, 0 to 1, where known.
        level_ratio: Option<f64>,
    },
}

/// A value of a [`HardwareProfile`] that can't be. It is taken as unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Implausible {
    /// No logical core.
    NoLogicalCores,
    /// No physical core.
    NoPhysicalCores,
    /// More physical cores than logical ones. The physical ones are taken as unknown.
    MorePhysicalThanLogical {
        /// Physical cores.
        physical: u32,
        /// Logical cores.
        logical: u32,
    },
    /// Less memory than anything runs in: it was told in another unit.
    TooLittleMemory {
        /// What was told.
        bytes: u64,
    },
    /// A memory hint of less than anything runs in: it was told in another unit.
    TooSmallHint {
        /// What was told.
        bytes: u64,
    },
    /// A battery level that is not between 0 and 1.
    BatteryLevel {
        /// What was told.
        level_ratio: f64,
    },
}

impl HardwareProfile {
    /// Values that can't be. Empty for a sound profile.
    #[must_use]
    pub fn implausible(&self) -> Vec<Implausible> {
        let mut found = Vec::new();
        if self.logical_cores == Some(0) {
            found.push(Implausible::NoLogicalCores);
        }
        if self.physical_cores == Some(0) {
            found.push(Implausible::NoPhysicalCores);
        }
        if let (Some(physical), Some(logical)) = (self.physical_cores, self.logical_cores)
            && physical > logical
            && logical > 0
        {
            found.push(Implausible::MorePhysicalThanLogical { physical, logical });
        }
        if let Some(bytes) = self.memory_bytes.filter(|&bytes| bytes < LEAST_MEMORY) {
            found.push(Implausible::TooLittleMemory { bytes });
        }
        if let Some(bytes) = self.memory_hint_bytes.filter(|&bytes| bytes < LEAST_MEMORY) {
            found.push(Implausible::TooSmallHint { bytes });
        }
        if let Some(Power::Battery { level_ratio: Some(level_ratio) }) = self.power
            && !(0.0..=1.0).contains(&level_ratio)
        {
            found.push(Implausible::BatteryLevel { level_ratio });
        }
        found
    }

    /// The logical cores, where they are known and can be.
    pub(super) fn plausible_logical_cores(&self) -> Option<u32> {
        self.logical_cores.filter(|&cores| cores > 0)
    }

    /// The physical cores, where they are known and can be.
    pub(super) fn plausible_physical_cores(&self) -> Option<u32> {
        let logical = self.plausible_logical_cores().unwrap_or(u32::MAX);
        self.physical_cores.filter(|&cores| cores > 0 && cores <= logical)
    }

    /// The memory, where it is known and can be.
    pub(super) fn plausible_memory(&self) -> Option<u64> {
        self.memory_bytes.filter(|&bytes| bytes >= LEAST_MEMORY)
    }

    /// The hint at the memory, where it is there and can be.
    pub(super) fn plausible_memory_hint(&self) -> Option<u64> {
        self.memory_hint_bytes.filter(|&bytes| bytes >= LEAST_MEMORY)
    }

    /// The charge of a battery that is not charging; `None` on mains, and where the charge is unknown.
    pub(super) fn battery_level(&self) -> Option<f64> {
        match self.power {
            Some(Power::Battery { level_ratio }) => level_ratio.filter(|level| (0.0..=1.0).contains(level)),
            Some(Power::Mains) | None => None,
        }
    }

    pub(super) fn is_on_battery(&self) -> bool {
        matches!(self.power, Some(Power::Battery { .. }))
    }
}

impl fmt::Display for Implausible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLogicalCores => f.write_str("0 logical cores: taken as unknown"),
            Self::NoPhysicalCores => f.write_str("0 physical cores: taken as unknown"),
            Self::MorePhysicalThanLogical { physical, logical } => write!(
                f,
                "{physical} physical cores but only {logical} logical ones: the physical ones are taken as unknown"
            ),
            Self::TooLittleMemory { bytes } => {
                write!(f, "{bytes} bytes of memory: taken as unknown; is it in another unit?")
            }
            Self::TooSmallHint { bytes } => {
                write!(f, "a memory hint of {bytes} bytes: taken as unknown; is it in another unit?")
            }
            Self::BatteryLevel { level_ratio } => {
                write!(f, "a battery level of {level_ratio} is not between 0 and 1: taken as unknown")
            }
        }
    }
}

/// Nothing that runs this has less. `navigator.deviceMemory` passed on as it is, in GiB, is far below.
const LEAST_MEMORY: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn what_cannot_be_is_named_and_taken_as_unknown() {
        let profile = HardwareProfile {
            logical_cores: Some(4),
            physical_cores: Some(8),
            memory_bytes: Some(8),
            power: Some(Power::Battery { level_ratio: Some(-1.0) }),
            ..HardwareProfile::default()
        };
        let found = profile.implausible();
        assert_eq!(found.len(), 3);
        assert_eq!(
            found[0].to_string(),
            "8 physical cores but only 4 logical ones: the physical ones are taken as unknown"
        );
        assert_eq!(profile.plausible_physical_cores(), None);
        assert_eq!(profile.battery_level(), None);
        assert!(HardwareProfile::default().implausible().is_empty());
    }
}
