//! Means that follow what is measured.

/// Moves the mean of so many values, of which this is the last, or of more, where it is weighted as if they were so many.
///
/// Differences and not products, which could overflow; and no division where nothing changes: of the answers that come in one message all
/// but the first took no time.
pub(super) fn approach(mean: &mut u64, value: u64, count: u64) {
    let apart = value.abs_diff(*mean);
    if apart < count {
        return;
    }
    if value > *mean {
        *mean += apart / count;
    } else {
        *mean -= apart / count;
    }
}
