//! Where records lie: ordered keys and values with transactions.
//!
//! A [`Backend`] is as small as can be, so that a new one is quickly written and fully tested: all pass one conformance
//! suite. It knows nothing of what it keeps; checksums are the business of [`Records`](crate::Records).
//!
//! ```
//! use quillwork_store::backend::{Backend, Changes, Memory};
//!
//! let mut backend = Memory::new();
//! let mut changes = Changes::new();
//! changes.put(b"a", b"1");
//! changes.put(b"b", b"2");
//! changes.delete(b"a");
//! backend.commit(&changes)?;
//! assert_eq!(backend.get(b"a")?, None);
//! assert_eq!(backend.get(b"b")?, Some(b"2".to_vec()));
//! # Ok::<(), quillwork_store::backend::BackendError>(())
//! ```

mod faulty;
#[cfg(feature = "file")]
mod file;
mod memory;

#[cfg(test)]
mod conformance;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use faulty::{Faults, Faulty};
#[cfg(feature = "file")]
pub use file::{FileBackend, OpenedFile};
pub use memory::Memory;

/// Ordered keys and values with transactions.
///
/// One owner at a time: all methods take `&mut self`, so that a back end may repair itself in any of them.
pub trait Backend {
    /// The value of a key.
    ///
    /// # Errors
    ///
    /// Where the medium fails.
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// Shows all keys that start with `prefix`, and their values, in ascending order.
    ///
    /// # Errors
    ///
    /// Where the medium fails; some may have been shown by then.
    fn scan(&mut self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), BackendError>;

    /// Makes all the changes, or none of them. When this returns they last as long as the medium does.
    ///
    /// # Errors
    ///
    /// Where the medium fails. Then none were made, with one exception: after [`BackendError::Io`] nobody knows whether
    /// the last step took effect. Committing the same changes again is always right.
    fn commit(&mut self, changes: &Changes) -> Result<(), BackendError>;
}

/// Changes that are to be made together. Of several to one key the last counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    by_key: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Changes {
    /// No changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.by_key.insert(key.to_vec(), Some(value.to_vec()));
    }

    /// Removes a key, if it is there.
    pub fn delete(&mut self, key: &[u8]) {
        self.by_key.insert(key.to_vec(), None);
    }

    /// Takes a change back. The key stays as it is stored.
    pub fn forget(&mut self, key: &[u8]) {
        self.by_key.remove(key);
    }

    /// What is to become of a key: its value, or `Some(None)` where it is to be removed; `None` where it is not
    /// to change.
    #[must_use]
    pub fn change_of(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.by_key.get(key).map(Option::as_deref)
    }

    /// All changes by key; `None` removes the key.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.by_key.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

/// A medium that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No space is left. Nothing was changed; try again when there is.
    #[error("no space is left on the device: free some, the changes are kept in memory until then")]
    NoSpace,
    /// Reading or writing failed. The back end tries to recover at its next use.
    #[error("reading or writing failed: {0}")]
    Io(String),
    /// Another process has the file open.
    #[error("{} is in use by another process: stop it, or name another file", path.display())]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// The file can't be used by this version.
    #[error("{} can't be used: {reason}", path.display())]
    Unsupported {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file was broken. It was set aside, and a new and empty one is in its place from the next use on.
    #[error("{0}")]
    SetAside(SetAside),
}

/// A broken file that was moved out of the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file was broken ({reason}) and set aside as {}; a new and empty one is in its place", path.display())]
pub struct SetAside {
    /// Where it lies now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}
