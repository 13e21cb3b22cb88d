//! A medium that fails on purpose, from a seed.

use quillwork_core::rng::Rng;

use super::{Backend, BackendError, Changes};

/// How often a [`Faulty`] back end fails: probabilities from 0 (never) to 1 (always).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// A read fails with [`BackendError::Io`].
    pub read_error: f64,
    /// A value read has one bit flipped.
    pub bit_flip: f64,
    /// A commit fails with [`BackendError::Io`], every other time after it took effect: a disk that fails to confirm may
    /// have written.
    pub commit_error: f64,
    /// A commit fails with [`BackendError::NoSpace`].
    pub no_space: f64,
}

/// A back end that passes everything on to another and fails now and then. The same seed and the same calls fail alike.
#[derive(Clone, Debug)]
pub struct Faulty<B> {
    inner: B,
    faults: Faults,
    rng: Rng,
}

impl<B: Backend> Faulty<B> {
    /// A back end that does not fail until [`set_faults`](Self::set_faults).
    #[must_use]
    pub fn new(inner: B, seed: u64) -> Self {
        Self { inner, faults: Faults::default(), rng: Rng::from_seed(seed) }
    }

    /// How often it fails from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// The back end within.
    pub fn into_inner(self) -> B {
        self.inner
    }
}

impl<B: Backend> Backend for Faulty<B> {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        if self.rng.chance(self.faults.read_error) {
            return Err(input_output_error());
        }
        let mut value = self.inner.get(key)?;
        if let Some(value) = &mut value {
            flip_a_bit(&mut self.rng, self.faults.bit_flip, value);
        }
        Ok(value)
    }

    fn scan(&mut self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), BackendError> {
        if self.rng.chance(self.faults.read_error) {
            return Err(input_output_error());
        }
        let (rng, bit_flip) = (&mut self.rng, self.faults.bit_flip);
        self.inner.scan(prefix, &mut |key, value| {
            let mut value = value.to_vec();
            flip_a_bit(rng, bit_flip, &mut value);
            visit(key, &value);
        })
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), BackendError> {
        if self.rng.chance(self.faults.no_space) {
            return Err(BackendError::NoSpace);
        }
        if self.rng.chance(self.faults.commit_error) {
            if self.rng.chance(0.5) {
                self.inner.commit(changes)?;
            }
            return Err(input_output_error());
        }
        self.inner.commit(changes)
    }
}

fn flip_a_bit(rng: &mut Rng, probability: f64, value: &mut [u8]) {
    if rng.chance(probability) && !value.is_empty() {
        let at = rng.index(value.len());
        value[at] ^= 1 << rng.below(8);
    }
}

fn input_output_error() -> BackendError {
    BackendError::Io("an input/output error was injected".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Memory;

    fn faulty(faults: Faults) -> Faulty<Memory> {
        let mut backend = Faulty::new(Memory::new(), 1);
        let mut changes = Changes::new();
        changes.put(b"key", b"value");
        backend.commit(&changes).unwrap();
        backend.set_faults(faults);
        backend
    }

    #[test]
    fn each_fault_is_what_it_says() {
        let mut changes = Changes::new();
        changes.delete(b"key");

        let mut full = faulty(Faults { no_space: 1.0, ..Faults::default() });
        assert_eq!(full.commit(&changes), Err(BackendError::NoSpace));
        assert_eq!(full.get(b"key").unwrap().as_deref(), Some(b"value".as_slice()));

        let mut unreadable = faulty(Faults { read_error: 1.0, ..Faults::default() });
        assert!(matches!(unreadable.get(b"key"), Err(BackendError::Io(_))));
        assert!(matches!(unreadable.scan(b"", &mut |_, _| {}), Err(BackendError::Io(_))));

        let mut flipping = faulty(Faults { bit_flip: 1.0, ..Faults::default() });
        let flipped = flipping.get(b"key").unwrap().unwrap();
        let bits: u32 =
            flipped.iter().zip(b"value").map(|(read, written)| (read ^ written).count_ones()).sum();
        assert_eq!(bits, 1);
    }

    #[test]
    fn a_failed_commit_takes_effect_every_other_time() {
        let mut took_effect = 0;
        let mut backend = Faulty::new(Memory::new(), 7);
        backend.set_faults(Faults { commit_error: 1.0, ..Faults::default() });
        for number in 0..100_u8 {
            let mut changes = Changes::new();
            changes.put(&[number], b"");
            assert!(backend.commit(&changes).is_err());
            took_effect += u32::from(backend.get(&[number]).unwrap().is_some());
        }
        assert!((30..70).contains(&took_effect), "{took_effect}");
    }
}
