//! How often noise may pass for a finding.

use core::fmt::{self, Write};

use crate::say::{Say, displayed, say};

/// The share of series of mere noise that may pass for a finding, between 0 and one half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance(f64);

/// The share isn't between 0 and one half.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidChance(pub f64);

impl Chance {
    /// One in a hundred.
    pub const ONE_PER_CENT: Self = Self(0.01);

    /// A share of its own: 0.001 is one in a thousand.
    ///
    /// # Errors
    ///
    /// Where it isn't above 0 and below one half.
    pub fn new(share: f64) -> Result<Self, InvalidChance> {
        if share > 0.0 && share < 0.5 { Ok(Self(share)) } else { Err(InvalidChance(share)) }
    }

    /// As a ratio.
    #[must_use]
    pub const fn as_ratio(self) -> f64 {
        self.0
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::ONE_PER_CENT
    }
}

impl Say for InvalidChance {
    fn say(&self, to: &mut dyn Write) -> fmt::Result {
        say!(
            to,
            *"the chance of a false finding is ",
            self.0,
            *": give a share above 0 and below 0.5, such as 0.01"
        )
    }
}

displayed!(InvalidChance);

impl core::error::Error for InvalidChance {}
