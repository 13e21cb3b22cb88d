//! Where `/proc` and `/sys` are.

use std::path::{Path, PathBuf};

/// The directory that stands for `/`: another one where the host's file systems are mounted elsewhere (in a container,
/// at `/host`), or in a test.
#[derive(Clone, Debug)]
pub struct SystemRoot(PathBuf);

impl SystemRoot {
    /// `directory` stands for `/`.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// Where an absolute path is.
    #[must_use]
    pub fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.0.join(absolute.strip_prefix("/").unwrap_or(absolute))
    }
}

impl Default for SystemRoot {
    /// `/` itself.
    fn default() -> Self {
        Self::new("/")
    }
}
