//! Where history is kept.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use quillwork_store::volume::{Directory, Memory, Volume, VolumeError};

use crate::writable::{self, make_directory};

/// A volume of the store, chosen when the host starts. Copies see the same files.
#[derive(Clone, Debug)]
pub enum Medium {
    /// Gone when the process ends.
    Memory(Memory),
    /// A directory of its own in the data directory.
    Directory {
        /// Where it is.
        path: PathBuf,
        /// Its files.
        files: Directory,
    },
}

impl Medium {
    /// In memory.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Memory::new())
    }

    /// In the directory `history` of a data directory, which is made if there is none. Where it is there and can't be written to the host reads it, and
    /// says so: what is measured then waits in memory.
    ///
    /// # Errors
    ///
    /// If the directory can't be made, or another process uses it.
    pub fn directory(data: &Path) -> Result<Self, MediumError> {
        let unusable = |source| MediumError::Directory { path: data.to_owned(), source };
        make_directory(data).map_err(unusable)?;
        set_earlier_format_aside(data);
        let path = data.join("history");
        let files = match Directory::open(&path) {
            Ok(files) => files,
            Err(error @ VolumeError::InUse { .. }) => return Err(error.into()),
            Err(error) => {
                let files = Directory::open_later(&path).map_err(|_| error.clone())?;
                tracing::error!("history can be read and not written: {error}");
                files
            }
        };
        Ok(Self::Directory { path, files })
    }

    /// Whether [`directory`](Self::directory) could write to it. Makes nothing, and doesn't mind that another process uses it.
    ///
    /// # Errors
    ///
    /// If not, even where it could be read.
    pub fn check(data: &Path) -> Result<(), MediumError> {
        for path in [data.to_owned(), data.join("history")] {
            writable::directory(&path).map_err(|source| MediumError::Directory { path, source })?;
        }
        Ok(())
    }

    /// Moves a history out of the way, and gives a new and empty one. `why` goes to the log.
    pub(super) fn set_aside(self, why: &str) -> Result<Self, VolumeError> {
        let Self::Directory { path, files } = self else { return Ok(Self::memory()) };
        // Nobody writes to what is moved.
        drop(files);
        let aside = free_name(&path);
        std::fs::rename(&path, &aside).map_err(|error| VolumeError::Io {
            path: path.display().to_string(),
            reason: format!("it can't be set aside: {error}"),
        })?;
        tracing::error!("{why} as {}; a new one is begun, delete the old one when you like", aside.display());
        Ok(Self::Directory { files: Directory::open(&path)?, path })
    }
}

/// The one file of an earlier format held an hour at most. It is kept, and no longer read.
fn set_earlier_format_aside(data: &Path) {
    let earlier = data.join("history.redb");
    if !earlier.exists() {
        return;
    }
    let aside = free_name(&earlier);
    match std::fs::rename(&earlier, &aside) {
        Ok(()) => tracing::warn!(
            "{} is of an earlier format, which held the last hour and isn't read any more; it is set aside as {}, delete it when you like",
            earlier.display(),
            aside.display()
        ),
        Err(error) => {
            tracing::warn!("{} is of an earlier format and can't be set aside: {error}", earlier.display())
        }
    }
}

fn free_name(path: &Path) -> PathBuf {
    let numbered = |number: u32| {
        let mut name = path.to_owned().into_os_string();
        name.push(format!(".aside-{number}"));
        PathBuf::from(name)
    };
    (1..).map(numbered).find(|name| !name.exists()).unwrap_or_else(|| path.with_extension("aside"))
}

impl Volume for Medium {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
        match self {
            Self::Memory(memory) => memory.list(),
            Self::Directory { files, .. } => files.list(),
        }
    }

    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
        match self {
            Self::Memory(memory) => memory.read(name, from, length),
            Self::Directory { files, .. } => files.read(name, from, length),
        }
    }

    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
        match self {
            Self::Memory(memory) => memory.put(name, content),
            Self::Directory { files, .. } => files.put(name, content),
        }
    }

    fn remove(&mut self, name: &str) -> Result<(), VolumeError> {
        match self {
            Self::Memory(memory) => memory.remove(name),
            Self::Directory { files, .. } => files.remove(name),
        }
    }
}

/// A data directory that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediumError {
    /// It isn't there and can't be made.
    #[error("--data-dir {}: {source}; name a directory that this user may write to", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it can't be used.
    #[error("--data-dir: {0}")]
    Volume(#[from] VolumeError),
}
