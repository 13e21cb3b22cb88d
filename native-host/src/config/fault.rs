//! What is wrong with a configuration.

use std::fmt;

use super::layers::SetBy;
use crate::printable::shortened;

/// One thing that is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it was given.
    pub set_by: SetBy,
    /// The option, as `section.option`; empty where the fault is not about one.
    pub key: String,
    /// What is wrong and what to do; as it is shown, of a long one the middle is left out.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.set_by != SetBy::Default {
            write!(f, "{}: ", self.set_by)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&shortened(self.message.clone()))
    }
}

/// A configuration that can't be used: everything that is wrong with it, not only the first. Its text names the first
/// faults and counts the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Fault>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().take(MOST_TOLD).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        match self.0.len().saturating_sub(MOST_TOLD) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Faults that are told: a file of another kind has one in each line.
const MOST_TOLD: usize = 50;

/// The name among `known` that `unknown` was probably meant to be.
pub(super) fn meant<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(unknown, name), name));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 > ALIKE).then_some(best.1)
}

/// Less alike than this and the hint would mislead.
const ALIKE: f64 = 0.85;
