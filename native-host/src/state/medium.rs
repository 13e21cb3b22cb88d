//! Where history is kept.

use std::io;
use std::path::Path;

use quillwork_store::backend::{Backend, BackendError, Changes, FileBackend, Memory};

/// A back end of the store, chosen when the host starts.
#[derive(Debug)]
pub enum Medium {
    /// Gone when the process ends.
    Memory(Memory),
    /// A file in the data directory.
    File(Box<FileBackend>),
}

impl Medium {
    /// In memory.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Memory::new())
    }

    /// In `history.redb` of a directory, which is made if there is none.
    ///
    /// # Errors
    ///
    /// If the directory can't be made, or the file is in use or can't be opened.
    pub fn directory(path: &Path) -> Result<Self, MediumError> {
        let unusable = |source| MediumError::Directory { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(unusable)?;
        let opened = FileBackend::open(path.join("history.redb"))?;
        if let Some(set_aside) = opened.set_aside {
            tracing::warn!("the history file was broken and is begun anew: {set_aside:?}");
        }
        Ok(Self::File(Box::new(opened.backend)))
    }
}

impl Backend for Medium {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        match self {
            Self::Memory(memory) => memory.get(key),
            Self::File(file) => file.get(key),
        }
    }

    fn scan(&mut self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), BackendError> {
        match self {
            Self::Memory(memory) => memory.scan(prefix, visit),
            Self::File(file) => file.scan(prefix, visit),
        }
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), BackendError> {
        match self {
            Self::Memory(memory) => memory.commit(changes),
            Self::File(file) => file.commit(changes),
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
        path: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file in it can't be used.
    #[error("--data-dir: {0}")]
    Backend(#[from] BackendError),
}
