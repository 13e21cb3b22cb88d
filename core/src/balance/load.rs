//! The unit in which tasks weigh on workers.

use core::fmt;
use core::ops::{Add, Sub};

/// An amount of work, in load units of the app's own choosing: what a task weighs, what a worker can hold at once.
///
/// Sums saturate and differences stop at zero.
///
/// ```
/// use quillwork_core::balance::Load;
///
/// assert_eq!(Load::new(3) + Load::ONE, Load::new(4));
/// assert_eq!(Load::ONE - Load::new(3), Load::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Load(u32);

impl Load {
    /// No load.
    pub const ZERO: Self = Self(0);
    /// What a plain task weighs.
    pub const ONE: Self = Self(1);
    /// The largest amount.
    pub const MAX: Self = Self(u32::MAX);

    /// So many units.
    #[must_use]
    pub const fn new(units: u32) -> Self {
        Self(units)
    }

    /// The units.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Add for Load {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Load {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
