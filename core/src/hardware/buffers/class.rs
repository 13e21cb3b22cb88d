//! Size classes: four steps to a doubling.

/// Number of a size class, ascending with the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SizeClass(u8);

impl SizeClass {
    /// The smallest class that holds so many bytes; `None` past [`MAX_BYTES`].
    pub(super) fn holding(bytes: u64) -> Option<Self> {
        if bytes > MAX_BYTES {
            return None;
        }
        if bytes <= MIN_BYTES {
            return Some(Self(0));
        }
        let last = bytes - 1;
        let exponent = last.ilog2();
        let step = (last >> (exponent - 2)) & 3;
        let number = u64::from(exponent - MIN_BYTES.ilog2()) * 4 + step + 1;
        Some(Self(u8::try_from(number).expect("there are 121 classes up to the largest")))
    }

    /// The largest class that is no larger than so many bytes; `None` where even the smallest is.
    pub(super) fn within(bytes: u64) -> Option<Self> {
        let holding = Self::holding(bytes.min(MAX_BYTES))?;
        if holding.bytes() <= bytes { Some(holding) } else { holding.0.checked_sub(1).map(Self) }
    }

    pub(super) const fn bytes(self) -> u64 {
        let Some(number) = self.0.checked_sub(1) else { return MIN_BYTES };
        let step = (number % 4) as u64;
        ((MIN_BYTES >> 2) * (5 + step)) << (number / 4)
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    /// All classes up to this one, ascending.
    pub(super) fn up_to(self) -> impl Iterator<Item = Self> {
        (0..=self.0).map(Self)
    }
}

/// Size of the smallest class. A quarter of it is the alignment of everything.
const MIN_BYTES: u64 = 1_024;
/// Size of the largest class: a tebibyte.
pub(super) const MAX_BYTES: u64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_least_that_hold_and_waste_a_fifth_at_most() {
        let largest = SizeClass::holding(MAX_BYTES).unwrap();
        assert_eq!(largest.bytes(), MAX_BYTES);
        let sizes: alloc::vec::Vec<u64> = largest.up_to().map(SizeClass::bytes).collect();
        assert_eq!(sizes[..6], [1_024, 1_280, 1_536, 1_792, 2_048, 2_560]);
        for (index, &size) in sizes.iter().enumerate() {
            assert_eq!(size % 256, 0);
            assert_eq!(SizeClass::holding(size).unwrap().index(), index);
            assert_eq!(SizeClass::within(size).unwrap().index(), index);
            if let Some(next) = SizeClass::holding(size + 1) {
                assert_eq!(next.index(), index + 1);
                assert!(next.bytes() * 4 <= size * 5, "{size} is followed by {}", next.bytes());
                assert_eq!(SizeClass::within(size + 1).unwrap().index(), index);
            }
        }
        assert_eq!(SizeClass::holding(MAX_BYTES + 1), None);
        assert_eq!(SizeClass::within(1_023), None);
    }
}
