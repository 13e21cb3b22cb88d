//! Files in memory: for tests, and for a history that needn't outlive the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Volume, VolumeError};

/// A volume in memory. It never fails.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    files: Arc<Mutex<BTreeMap<String, Arc<[u8]>>>>,
}

impl Memory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Arc<[u8]>>> {
        // Nothing that holds the lock can leave a file half written.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Volume for Memory {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
        Ok(self.files().iter().map(|(name, content)| (name.clone(), content.len() as u64)).collect())
    }

    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
        let Some(content) = self.files().get(name).map(Arc::clone) else { return Ok(None) };
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(content.len());
        let end = from.saturating_add(length).min(content.len());
        Ok(Some(content[from..end].to_vec()))
    }

    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
        self.files().insert(name.to_owned(), Arc::from(content));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), VolumeError> {
        self.files().remove(name);
        Ok(())
    }
}
