//! A series: what it is, and how its values become whole numbers.

use super::errors::AddSeriesError;

/// A series of one history. While the history is open it is not given to another series, even after this one was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub(super) u32);

/// What a series is.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesSpec {
    /// Name, unique within the history.
    pub name: String,
    /// Unit of the values.
    pub unit: String,
    /// Where they come from.
    pub source: String,
    /// Values are kept to the nearest multiple of this.
    pub resolution: f64,
}

impl SeriesSpec {
    pub(super) fn check(&self) -> Result<(), AddSeriesError> {
        if !(self.resolution.is_finite() && self.resolution > 0.0) {
            return Err(AddSeriesError::Resolution(self.resolution));
        }
        let too_long = [&self.name, &self.unit, &self.source].iter().any(|text| text.len() > MAX_TEXT_BYTES);
        if self.name.is_empty() || too_long {
            return Err(AddSeriesError::Text { limit: MAX_TEXT_BYTES });
        }
        Ok(())
    }

    /// How many times the resolution a value is; `None` where it is not finite, or so large that a float no longer tells neighbours
    /// apart: such a value is a gap.
    pub(super) fn units_of(&self, value: f64) -> Option<i64> {
        let units = (value / self.resolution).round();
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        (units.abs() <= MAX_UNITS).then_some(units as i64)
    }

    /// The value of so many times the resolution, or of a mean of such.
    pub(super) fn value_of(&self, units: f64) -> f64 {
        // Dividing by 1000 gives the float that is nearest to a decimal; multiplying by 0.001 often its neighbour.
        let per_unit = (1.0 / self.resolution).round();
        let is_whole_fraction = per_unit > 1.0 && (per_unit * self.resolution - 1.0).abs() < 1e-12;
        if is_whole_fraction { units / per_unit } else { units * self.resolution }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.resolution.to_le_bytes().to_vec();
        for text in [&self.name, &self.unit, &self.source] {
            let length = u16::try_from(text.len()).expect("checked when the series was added");
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// `None` where the bytes are no series.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (resolution, mut rest) = bytes.split_first_chunk::<8>()?;
        let mut text = || {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        let (name, unit, source) = (text()?, text()?, text()?);
        let spec = Self { name, unit, source, resolution: f64::from_le_bytes(*resolution) };
        (rest.is_empty() && spec.check().is_ok()).then_some(spec)
    }
}

/// Whole numbers that a float holds exactly.
const MAX_UNITS: f64 = 9_007_199_254_740_992.0;
const MAX_TEXT_BYTES: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(resolution: f64) -> SeriesSpec {
        SeriesSpec { name: "n".into(), unit: "u".into(), source: "s".into(), resolution }
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
            name in ".{1,20}", unit in ".{0,9}", source in ".{0,9}", resolution in 1e-9_f64..1e9,
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let spec = SeriesSpec { name, unit, source, resolution };
            prop_assert_eq!(SeriesSpec::decode(&spec.encode()), Some(spec));
            let _decoded = SeriesSpec::decode(&bytes);
        }
    }
}
