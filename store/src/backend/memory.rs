//! Records in memory: for tests, and for what needn't outlive the process.

use std::collections::BTreeMap;

use super::{Backend, BackendError, Changes};

/// A back end in memory. It never fails.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Memory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of all keys and values together, without what the map itself takes.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        self.records.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

impl Backend for Memory {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.records.get(key).cloned())
    }

    fn scan(&mut self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), BackendError> {
        let from_prefix = self.records.range(prefix.to_vec()..);
        for (key, value) in from_prefix.take_while(|(key, _)| key.starts_with(prefix)) {
            visit(key, value);
        }
        Ok(())
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), BackendError> {
        for (key, value) in changes.iter() {
            match value {
                Some(value) => self.records.insert(key.to_vec(), value.to_vec()),
                None => self.records.remove(key),
            };
        }
        Ok(())
    }
}
