//! What workers can do and tasks need.

use core::fmt;

/// A set of up to 64 capabilities. The shell gives each name a bit and keeps the names.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capabilities(u64);

impl Capabilities {
    /// The empty set: what a plain worker has and most tasks need.
    pub const NONE: Self = Self(0);

    /// From a bit set.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As a bit set.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The set of this one bit, or `None` past bit 63.
    #[must_use]
    pub const fn single(bit: u32) -> Option<Self> {
        match 1_u64.checked_shl(bit) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// Whether all of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// What is in this set or the other.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many capabilities are in the set.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The bits that are in the set, ascending.
    pub(crate) fn bit_indices(self) -> impl Iterator<Item = usize> {
        (0..64).filter(move |bit| self.0 >> bit & 1 == 1)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.bit_indices()).finish()
    }
}
