//! Numbers in queries.

use std::ops::RangeInclusive;

/// Any whole number.
pub(super) const ANY: RangeInclusive<u64> = 0..=u64::MAX;

/// Any but zero.
pub(super) const SOME: RangeInclusive<u64> = 1..=u64::MAX;

/// The whole number that a parameter is, within what the parameter's description says. The error says it, too.
pub(super) fn number<T: TryFrom<u64>>(
    parameter: &str,
    value: &str,
    range: RangeInclusive<u64>,
) -> Result<T, String> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| match (range.start(), range.end()) {
        (least, &u64::MAX) => {
            format!("`{parameter}` must be a whole number, {least} or more, not {value:?}")
        }
        (least, most) => {
            format!("`{parameter}` must be a whole number from {least} to {most}, not {value:?}")
        }
    })
}
