//! Where the history lies: named files whose content never changes.
//!
//! A [`Volume`] can do four things: list its files, read a piece of one, put a whole one in place, and remove one. A file is
//! there in full or not at all, whatever happens in between, and when [`put`](Volume::put) returns it outlives a cut of
//! power. That is little enough to be tested exhaustively, and so a history needs no other transactions:
//! its order of steps is such that each is harmless without the next.
//!
//! Copies of a volume see the same files, so that a query can read them on another thread.
//!
//! ```
//! use quillwork_store::volume::{Memory, Volume};
//!
//! let mut volume = Memory::new();
//! volume.put("greeting", b"hello")?;
//! assert_eq!(volume.read("greeting", 1, 3)?.as_deref(), Some(b"ell".as_slice()));
//! volume.remove("greeting")?;
//! assert_eq!(volume.read("greeting", 0, 5)?, None);
//! # Ok::<(), quillwork_store::volume::VolumeError>(())
//! ```

#[cfg(feature = "file")]
mod atomic;
#[cfg(feature = "file")]
mod directory;
mod faulty;
mod memory;

#[cfg(test)]
#[cfg(feature = "file")]
mod conformance_tests;
#[cfg(test)]
#[cfg(feature = "file")]
pub(crate) mod power_cut;

use std::collections::BTreeMap;

#[cfg(feature = "file")]
pub use directory::Directory;
pub use faulty::{Faults, Faulty};
pub use memory::Memory;

/// Named files that are there in full or not at all.
pub trait Volume: Clone {
    /// All files and their lengths in bytes.
    ///
    /// # Errors
    ///
    /// Where the medium fails.
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError>;

    /// Bytes of a file, fewer where it ends before; `None` where there is no such file.
    ///
    /// # Errors
    ///
    /// Where the medium fails.
    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError>;

    /// Puts a file in place, of which an earlier one of its name is gone then. It lasts when this returns.
    ///
    /// # Errors
    ///
    /// Where the medium fails. Then there is the earlier file or the new one; putting it again is always right.
    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), VolumeError>;

    /// Removes a file if it is there. After a cut of power it may be there again.
    ///
    /// # Errors
    ///
    /// Where the medium fails.
    fn remove(&mut self, name: &str) -> Result<(), VolumeError>;
}

/// A medium that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeError {
    /// No space is left.
    #[error("no space is left on the device: free some; until then the newest values are kept in memory")]
    NoSpace,
    /// It may only be read.
    #[error("{path} can't be written to: make it writable; until then the newest values are kept in memory")]
    ReadOnly {
        /// What can't be written to.
        path: String,
    },
    /// Another process has it.
    #[error("{path} is in use by another process: stop it, or name another directory")]
    InUse {
        /// What is in use.
        path: String,
    },
    /// Reading or writing failed otherwise.
    #[error("{path}: {reason}")]
    Io {
        /// What was read or written.
        path: String,
        /// What the system says.
        reason: String,
    },
}
