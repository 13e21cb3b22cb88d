//! A series: what it is, and how its values become whole numbers.

use super::key::SeriesKey;

/// A series of one history. While the history is open it is not given to another series, even after this one was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub(crate) u32);

/// What the values of a series mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeriesKind {
    /// A level that goes up and down: a share, a temperature, a rate that was measured as one.
    #[default]
    Gauge,
    /// A count that only grows, and begins anew when whoever counts does. What is asked of it is its increase.
    Counter,
    /// The spread of many values, each step a mergeable sketch of its own. What is asked of it are quantiles.
    Sketch,
}

impl SeriesKind {
    /// Its name in texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Sketch => "sketch",
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Gauge => 0,
            Self::Counter => 1,
            Self::Sketch => 2,
        }
    }

    const fn of_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Gauge),
            1 => Some(Self::Counter),
            2 => Some(Self::Sketch),
            _ => None,
        }
    }
}

/// What a series is.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSpec {
    /// Its identity, unique within the history.
    pub key: SeriesKey,
    /// What its values mean.
    pub kind: SeriesKind,
    /// Unit of the values.
    pub unit: String,
    /// Values are kept to the nearest multiple of this.
    pub resolution: f64,
}

/// A series that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSpec {
    /// The resolution is not a finite number above zero.
    #[error("the resolution must be a finite number above zero, not {0}")]
    Resolution(f64),
    /// The unit is too long.
    #[error("the unit may have up to {MAX_UNIT_BYTES} bytes, and has {0}")]
    Unit(usize),
}

impl SeriesSpec {
    pub(crate) fn check(&self) -> Result<(), InvalidSpec> {
        if !(self.resolution.is_finite() && self.resolution > 0.0) {
            return Err(InvalidSpec::Resolution(self.resolution));
        }
        if self.unit.len() > MAX_UNIT_BYTES {
            return Err(InvalidSpec::Unit(self.unit.len()));
        }
        Ok(())
    }

    /// How many times the resolution a value is; `None` where it is not finite, or so large that a float no longer tells neighbours
    /// apart: such a value is a gap.
    #[must_use]
    pub fn units_of(&self, value: f64) -> Option<i64> {
        let units = (value / self.resolution).round();
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        (units.abs() <= MAX_UNITS).then_some(units as i64)
    }

    /// The value of so many times the resolution, or of a mean of such.
    #[must_use]
    pub fn value_of(&self, units: f64) -> f64 {
        // Dividing by 1000 gives the float that is nearest to a decimal; multiplying by 0.001 often its neighbour.
        let per_unit = (1.0 / self.resolution).round();
        let is_whole_fraction = per_unit > 1.0 && (per_unit * self.resolution - 1.0).abs() < 1e-12;
        if is_whole_fraction { units / per_unit } else { units * self.resolution }
    }

    /// Resolution, kind, unit and key.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.resolution.to_le_bytes().to_vec();
        bytes.push(self.kind.code());
        bytes.push(u8::try_from(self.unit.len()).expect("checked when the series was added"));
        bytes.extend_from_slice(self.unit.as_bytes());
        bytes.extend_from_slice(self.key.to_string().as_bytes());
        bytes
    }

    /// `None` where the bytes are no series.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (resolution, rest) = bytes.split_first_chunk::<8>()?;
        let ([kind, unit_length], rest) = rest.split_first_chunk::<2>()?;
        let (unit, key) = rest.split_at_checked(usize::from(*unit_length))?;
        let spec = Self {
            key: str::from_utf8(key).ok()?.parse().ok()?,
            kind: SeriesKind::of_code(*kind)?,
            unit: String::from_utf8(unit.to_vec()).ok()?,
            resolution: f64::from_le_bytes(*resolution),
        };
        spec.check().is_ok().then_some(spec)
    }
}

/// Whole numbers that a float holds exactly.
const MAX_UNITS: f64 = 9_007_199_254_740_992.0;
const MAX_UNIT_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(resolution: f64) -> SeriesSpec {
        SeriesSpec {
            key: SeriesKey::plain("n").unwrap(),
            kind: SeriesKind::Gauge,
            unit: "u".into(),
            resolution,
        }
    }

    #[test]
    fn decimals_come_back_as_they_are_written() {
        let spec = spec(0.001);
        for thousandths in -2_000..2_000 {
            let value = f64::from(thousandths) / 1_000.0;
            let units = spec.units_of(value).unwrap();
            assert_eq!(spec.value_of(units as f64).to_bits(), (value + 0.0).to_bits());
        }
    }

    #[test]
    fn what_is_no_number_is_a_gap() {
        let spec = spec(1.0);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e17] {
            assert_eq!(spec.units_of(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_off_by_half_the_resolution_at_most(
            value in -1e9_f64..1e9,
            resolution in prop::sample::select(vec![0.001, 0.1, 1.0, 4_096.0, 0.3]),
        ) {
            let spec = spec(resolution);
            let back = spec.value_of(spec.units_of(value).unwrap() as f64);
            prop_assert!((back - value).abs() <= resolution * 0.5 + value.abs() * 1e-12);
        }

        #[test]
        fn any_series_comes_back_and_any_bytes_are_safe(
            name in "[a-z]{1,20}", unit in ".{0,9}", value in ".{0,9}", resolution in 1e-9_f64..1e9,
            is_counter: bool, bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let key = SeriesKey::new(name, [("label", value)]).unwrap();
            let kind = if is_counter { SeriesKind::Counter } else { SeriesKind::Gauge };
            let spec = SeriesSpec { key, kind, unit, resolution };
            prop_assert_eq!(SeriesSpec::decode(&spec.encode()), Some(spec));
            let _decoded = SeriesSpec::decode(&bytes);
        }
    }
}
