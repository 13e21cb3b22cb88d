//! Ratios as whole numbers.

use core::fmt;

use crate::say::{Say, displayed, say};

/// A ratio in thousandths, so that settings and inputs that carry one can be compared, hashed and recorded exactly.
///
/// It may exceed the whole: a page may hold more memory than its budget, a task may take ten times what was expected.
///
/// ```
/// use quillwork_core::pool::PerMille;
///
/// assert_eq!(PerMille::from_ratio(0.8), Some(PerMille::new(800)));
/// assert_eq!(PerMille::of(3, 4), Some(PerMille::new(750)));
/// assert_eq!(PerMille::from_ratio(f64::NAN), None);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerMille(u32);

impl PerMille {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole.
    pub const ONE: Self = Self(1_000);

    /// So many thousandths.
    #[must_use]
    pub const fn new(per_mille: u32) -> Self {
        Self(per_mille)
    }

    /// So many hundredths.
    #[must_use]
    pub const fn per_cent(per_cent: u32) -> Self {
        Self(per_cent.saturating_mul(10))
    }

    /// From a ratio, rounded to the nearest. `None` where it is negative or not a number: a reading that failed is
    /// unknown, not zero.
    #[must_use]
    pub fn from_ratio(ratio: f64) -> Option<Self> {
        if ratio.is_nan() || ratio < 0.0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and the cast saturates above"
        )]
        let per_mille = (ratio * 1_000.0 + 0.5) as u32;
        Some(Self(per_mille))
    }

    /// The part as a ratio of the whole, rounded down. `None` where the whole is nothing.
    #[must_use]
    pub const fn of(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        // Compared and not multiplied with a check, which WebAssembly does with 128 bits.
        let per_mille = match part {
            0 => 0,
            1..=PARTS => (part * 1_000 / whole) as u128,
            _ => part as u128 * 1_000 / whole as u128,
        };
        if per_mille > u32::MAX as u128 {
            return Some(Self(u32::MAX));
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
        let per_mille = per_mille as u32;
        Some(Self(per_mille))
    }

    /// In thousandths.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// As a ratio.
    #[must_use]
    pub fn as_ratio(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }

    /// This share of a number, rounded down.
    #[must_use]
    pub const fn share_of(self, whole: u64) -> u64 {
        if whole <= u32::MAX as u64 {
            return whole * self.0 as u64 / 1_000;
        }
        let share = whole as u128 * self.0 as u128 / 1_000;
        if share > u64::MAX as u128 {
            return u64::MAX;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
        let share = share as u64;
        share
    }

    /// This much less, at least nothing.
    #[must_use]
    pub const fn minus(self, less: Self) -> Self {
        Self(self.0.saturating_sub(less.0))
    }
}

/// As many are a thousand times as many in 64 bits.
const PARTS: u64 = u64::MAX / 1_000;

impl fmt::Debug for PerMille {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Say for PerMille {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        say!(to, self.0 / 10, ".", self.0 % 10, " %")
    }
}

displayed!(PerMille);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_largest_numbers_saturate() {
        assert_eq!(PerMille::of(u64::MAX, 1), Some(PerMille::new(u32::MAX)));
        assert_eq!(PerMille::new(u32::MAX).share_of(u64::MAX), u64::MAX);
        assert_eq!(PerMille::from_ratio(f64::INFINITY), Some(PerMille::new(u32::MAX)));
        assert_eq!(PerMille::per_cent(u32::MAX).get(), u32::MAX);
    }

    #[test]
    fn ratios_and_shares_are_exact_on_both_sides_of_what_fits_into_a_word() {
        let exact = |number: u128| u64::try_from(number).expect("a small share");
        for whole in [u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 32, PARTS, PARTS + 1, u64::MAX] {
            let share = exact(u128::from(whole) * 805 / 1_000);
            assert_eq!(PerMille::new(805).share_of(whole), share);
            let ratio = exact(u128::from(share) * 1_000 / u128::from(whole));
            assert_eq!(PerMille::of(share, whole).map(|ratio| u64::from(ratio.get())), Some(ratio));
        }
        assert_eq!(PerMille::of(0, u64::MAX), Some(PerMille::ZERO));
    }

    #[test]
    fn it_reads_as_per_cent() {
        assert_eq!(PerMille::new(805).to_string(), "80.5 %");
        assert_eq!(PerMille::of(1, 0), None);
    }
}
