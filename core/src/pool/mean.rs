//! Means that follow what is measured.

/// Moves the mean of so many values, of which this is the last, or of more, where it is weighted as if they were so many.
///
/// Differences and not products, which could overflow; and no division where nothing changes: of the answers that come in one message all
/// but the first took no time.
#[inline]
pub(super) fn approach(mean: &mut u64, value: u64, count: u64) {
    let apart = value.abs_diff(*mean);
    if apart < count {
        return;
    }
    // Means over many values are over a power of two of them, and a shift costs a tenth of a division.
    let step = if count.is_power_of_two() { apart >> count.trailing_zeros() } else { apart / count };
    if value > *mean {
        *mean += step;
    } else {
        *mean -= step;
    }
}
