//! Why a collector gives nothing.

use std::fmt;
use std::io;
use std::path::Path;

/// Why a collector gives nothing, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) String);

impl Fault {
    /// A file that must be there can't be read.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self(format!("{} can't be read: {error}", path.display()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
