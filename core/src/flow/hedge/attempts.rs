//! The attempts of one hedged call.

/// One attempt of a hedged call: 0 is the first, later ones are hedges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HedgeAttempt(pub(super) u8);

impl HedgeAttempt {
    /// The attempt that every call starts with.
    pub const FIRST: Self = Self(0);

    /// Attempt of this number, for a shell that keeps numbers.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Its number, from 0.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether it was started beside another.
    #[must_use]
    pub const fn is_hedge(self) -> bool {
        self.0 > 0
    }
}

/// A set of attempts, such as those to cancel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HedgeAttempts(u32);

impl HedgeAttempts {
    /// No attempt.
    pub const NONE: Self = Self(0);

    /// Whether it holds this attempt.
    #[must_use]
    pub const fn contains(self, attempt: HedgeAttempt) -> bool {
        attempt.0 < 32 && self.0 & (1 << attempt.0) != 0
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many it holds.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The attempts, in the order in which they were started.
    #[must_use]
    pub const fn iter(self) -> HedgeAttemptsIter {
        HedgeAttemptsIter(self)
    }

    pub(super) const fn insert(&mut self, attempt: HedgeAttempt) {
        self.0 |= 1 << attempt.0;
    }

    /// Takes an attempt out, and tells whether it was in.
    pub(super) const fn remove(&mut self, attempt: HedgeAttempt) -> bool {
        let held = self.contains(attempt);
        if held {
            self.0 &= !(1 << attempt.0);
        }
        held
    }
}

impl IntoIterator for HedgeAttempts {
    type Item = HedgeAttempt;
    type IntoIter = HedgeAttemptsIter;

    fn into_iter(self) -> HedgeAttemptsIter {
        self.iter()
    }
}

/// Goes through [`HedgeAttempts`].
#[derive(Clone, Debug)]
pub struct HedgeAttemptsIter(HedgeAttempts);

impl Iterator for HedgeAttemptsIter {
    type Item = HedgeAttempt;

    fn next(&mut self) -> Option<HedgeAttempt> {
        let number = u8::try_from(self.0.0.trailing_zeros()).expect("at most 32");
        let attempt = HedgeAttempt(number);
        self.0.remove(attempt).then_some(attempt)
    }
}
