//! How a file gets into a directory in one step: written beside its place, synced, renamed into it, and the directory synced.

use std::collections::BTreeMap;

use super::{Volume, VolumeError};

/// The steps that a file system can do. Each may be lost in a cut of power until it is synced.
pub(crate) trait Disk: Clone {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError>;
    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError>;
    /// Makes a file of this content, or overwrites one.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), VolumeError>;
    /// What was written to the file lasts.
    fn sync(&self, name: &str) -> Result<(), VolumeError>;
    fn rename(&self, from: &str, to: &str) -> Result<(), VolumeError>;
    fn remove(&self, name: &str) -> Result<(), VolumeError>;
    /// What was made, renamed and removed lasts.
    fn sync_directory(&self) -> Result<(), VolumeError>;
}

/// A volume of the steps of a disk.
#[derive(Clone, Debug)]
pub(crate) struct Atomic<D> {
    disk: D,
}

impl<D: Disk> Atomic<D> {
    pub(crate) fn new(disk: D) -> Self {
        Self { disk }
    }

    pub(crate) fn disk(&self) -> &D {
        &self.disk
    }
}

impl<D: Disk> Volume for Atomic<D> {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
        let mut files = self.disk.list()?;
        files.retain(|name, _| name != BESIDE);
        Ok(files)
    }

    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
        self.disk.read(name, from, length)
    }

    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
        let put = || {
            self.disk.write(BESIDE, content)?;
            self.disk.sync(BESIDE)?;
            self.disk.rename(BESIDE, name)?;
            self.disk.sync_directory()
        };
        put().inspect_err(|_| {
            // It may be what fills the disk. Where it can't be removed the next one overwrites it.
            let _left_behind = self.disk.remove(BESIDE);
        })
    }

    fn remove(&mut self, name: &str) -> Result<(), VolumeError> {
        self.disk.remove(name)
    }
}

/// The one file that may be incomplete.
const BESIDE: &str = "unfinished";
