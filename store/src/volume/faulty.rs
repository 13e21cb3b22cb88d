//! A volume that fails on purpose, from a seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quillwork_core::rng::Rng;

use super::{Volume, VolumeError};

/// How often a [`Faulty`] volume fails: probabilities from 0 (never) to 1 (always).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// A read fails with [`VolumeError::Io`].
    pub read_error: f64,
    /// What is read has one bit flipped.
    pub bit_flip: f64,
    /// A file is not put, or put and said not to be.
    pub write_error: f64,
    /// A file is not put: [`VolumeError::NoSpace`].
    pub no_space: f64,
    /// Nothing can be put or removed: [`VolumeError::ReadOnly`].
    pub read_only: bool,
}

/// A volume that passes everything on to another and fails now and then. The same seed and the same calls fail alike.
#[derive(Clone, Debug)]
pub struct Faulty<V> {
    inner: V,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug)]
struct Plan {
    faults: Faults,
    rng: Rng,
}

impl<V: Volume> Faulty<V> {
    /// A volume that does not fail until [`set_faults`](Self::set_faults).
    #[must_use]
    pub fn new(inner: V, seed: u64) -> Self {
        let plan = Plan { faults: Faults::default(), rng: Rng::from_seed(seed) };
        Self { inner, plan: Arc::new(Mutex::new(plan)) }
    }

    /// How often it and its copies fail from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.plan().faults = faults;
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chance(&self, of: impl Fn(&Faults) -> f64) -> bool {
        let mut plan = self.plan();
        let probability = of(&plan.faults);
        plan.rng.chance(probability)
    }
}

impl<V: Volume> Volume for Faulty<V> {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
        if self.chance(|faults| faults.read_error) { Err(injected()) } else { self.inner.list() }
    }

    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
        if self.chance(|faults| faults.read_error) {
            return Err(injected());
        }
        let mut bytes = self.inner.read(name, from, length)?;
        if let Some(bytes) = bytes.as_mut().filter(|bytes| !bytes.is_empty())
            && self.chance(|faults| faults.bit_flip)
        {
            let mut plan = self.plan();
            let at = plan.rng.index(bytes.len());
            bytes[at] ^= 1 << plan.rng.below(8);
        }
        Ok(bytes)
    }

    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
        if self.plan().faults.read_only {
            return Err(VolumeError::ReadOnly { path: name.to_owned() });
        }
        if self.chance(|faults| faults.no_space) {
            return Err(VolumeError::NoSpace);
        }
        if self.chance(|faults| faults.write_error) {
            if self.chance(|_| 0.5) {
                self.inner.put(name, content)?;
            }
            return Err(injected());
        }
        self.inner.put(name, content)
    }

    fn remove(&mut self, name: &str) -> Result<(), VolumeError> {
        if self.plan().faults.read_only {
            return Err(VolumeError::ReadOnly { path: name.to_owned() });
        }
        if self.chance(|faults| faults.write_error) {
            return Err(injected());
        }
        self.inner.remove(name)
    }
}

fn injected() -> VolumeError {
    VolumeError::Io { path: "a test".into(), reason: "an input/output error was injected".into() }
}
