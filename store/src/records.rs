//! Records over a back end: framed when written, checked when read.

use crate::backend::{Backend, BackendError, Changes};
use crate::record::{DamagedRecord, frame, unframe};

/// Records with checksums.
#[derive(Debug)]
pub struct Records<B> {
    backend: B,
}

/// A record that could not be had, or changes that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The medium failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The record is there and can't be trusted.
    #[error(transparent)]
    Damaged(#[from] DamagedRecord),
}

impl<B: Backend> Records<B> {
    /// Records in this back end.
    #[must_use]
    pub fn new(backend: B) -> Self {
        Self { backend }
    }

    /// A record's content; `None` where there is no such record.
    ///
    /// # Errors
    ///
    /// Where the medium fails, or the record is damaged.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(framed) = self.backend.get(key)? else { return Ok(None) };
        Ok(Some(unframe(key, &framed)?.to_vec()))
    }

    /// Shows all records whose keys start with `prefix`, in ascending order. A damaged one is shown as such, and the others
    /// still follow.
    ///
    /// # Errors
    ///
    /// Where the medium fails.
    pub fn scan(
        &mut self,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], Result<&[u8], DamagedRecord>),
    ) -> Result<(), BackendError> {
        self.backend.scan(prefix, &mut |key, framed| visit(key, unframe(key, framed)))
    }

    /// Makes all the changes, or none of them.
    ///
    /// # Errors
    ///
    /// Where the medium fails; see [`Backend::commit`].
    pub fn commit(&mut self, changes: &Changes) -> Result<(), BackendError> {
        let mut framed = Changes::new();
        for (key, payload) in changes.iter() {
            match payload {
                Some(payload) => framed.put(key, &frame(key, payload)),
                None => framed.delete(key),
            }
        }
        self.backend.commit(&framed)
    }

    /// The back end.
    pub fn backend_mut(&mut self) -> &mut B {
        &mut self.backend
    }

    /// Gives the back end back.
    pub fn into_backend(self) -> B {
        self.backend
    }
}
