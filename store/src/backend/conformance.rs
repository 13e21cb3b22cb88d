//! What every back end must keep to: random transactions against a map, and what outlives a reopening.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Backend, Changes, Faulty, Memory};

/// A batch of changes: key, and new value or removal.
type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let key = prop::collection::vec(prop::sample::select(vec![0_u8, 1, 0x7f, 0xff]), 0..4);
    let value = prop::option::weighted(0.7, prop::collection::vec(any::<u8>(), 0..40));
    prop::collection::vec(prop::collection::vec((key, value), 0..12), 1..8)
}

/// `make` gives an empty back end; `reopen` what is there after a restart of the process.
fn conforms<B: Backend>(cases: u32, make: impl Fn() -> B, reopen: impl Fn(B) -> B) {
    let mut runner = TestRunner::new(Config::with_cases(cases));
    let outcome = runner.run(&batches(), |batches| {
        let mut backend = make();
        let mut model = BTreeMap::new();
        for batch in batches {
            let mut changes = Changes::new();
            for (key, value) in batch {
                match value {
                    Some(value) => {
                        changes.put(&key, &value);
                        model.insert(key, value);
                    }
                    None => {
                        changes.delete(&key);
                        model.remove(&key);
                    }
                }
            }
            backend.commit(&changes).unwrap();
            check(&mut backend, &model);
        }
        backend = reopen(backend);
        check(&mut backend, &model);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

fn check<B: Backend>(backend: &mut B, model: &BTreeMap<Vec<u8>, Vec<u8>>) {
    for prefix in [&[][..], &[0], &[0xff], &[0xff, 0xff], &[0x7f, 1], &[2]] {
        let mut seen = Vec::new();
        backend.scan(prefix, &mut |key, value| seen.push((key.to_vec(), value.to_vec()))).unwrap();
        let expected: Vec<_> = model.iter().filter(|(key, _)| key.starts_with(prefix)).collect();
        assert!(seen.iter().map(|(key, value)| (key, value)).eq(expected), "prefix {prefix:?}: {seen:?}");
    }
    for (key, value) in model {
        assert_eq!(backend.get(key).unwrap().as_ref(), Some(value));
    }
    assert_eq!(backend.get(b"never written").unwrap(), None);
}

#[test]
fn memory_conforms() {
    conforms(256, Memory::new, |backend| backend);
}

#[test]
fn a_faulty_back_end_without_faults_conforms() {
    conforms(64, || Faulty::new(Memory::new(), 3), |backend| backend);
}

#[cfg(feature = "file")]
mod file {
    use super::*;
    use crate::backend::{BackendError, FileBackend};

    fn open(directory: &std::path::Path) -> FileBackend {
        let opened = FileBackend::open(directory.join("records")).unwrap();
        assert_eq!(opened.set_aside, None);
        opened.backend
    }

    #[test]
    fn a_file_conforms() {
        let counter = std::cell::Cell::new(0);
        let directory = tempfile::tempdir().unwrap();
        let make = || {
            counter.set(counter.get() + 1);
            FileBackend::open(directory.path().join(format!("{}", counter.get()))).unwrap().backend
        };
        let reopen = |backend: FileBackend| {
            let path = backend.path().to_owned();
            drop(backend);
            FileBackend::open(path).unwrap().backend
        };
        conforms(12, make, reopen);
    }

    #[test]
    fn a_scan_goes_on_over_many_pages() {
        let directory = tempfile::tempdir().unwrap();
        let mut backend = open(directory.path());
        let mut changes = Changes::new();
        for number in 0..1_000_u16 {
            changes.put(&number.to_be_bytes(), b"x");
        }
        backend.commit(&changes).unwrap();
        let mut seen = Vec::new();
        backend.scan(b"", &mut |key, _| seen.push(key.to_vec())).unwrap();
        assert!(seen.into_iter().eq((0..1_000_u16).map(|number| number.to_be_bytes().to_vec())));
    }

    /// What a killed process leaves: the bytes as they lie on the disk, never closed.
    #[test]
    fn a_killed_process_loses_nothing_that_was_committed() {
        let directory = tempfile::tempdir().unwrap();
        let mut backend = open(directory.path());
        for number in 0..20_u8 {
            let mut changes = Changes::new();
            changes.put(&[number], &[number; 100]);
            backend.commit(&changes).unwrap();
            let left = directory.path().join(format!("killed-{number}"));
            std::fs::copy(backend.path(), &left).unwrap();
            let opened = FileBackend::open(&left).unwrap();
            assert_eq!(opened.set_aside, None);
            let mut survivor = opened.backend;
            for earlier in 0..=number {
                assert_eq!(survivor.get(&[earlier]).unwrap(), Some(vec![earlier; 100]));
            }
        }
    }

    #[test]
    fn a_file_in_use_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut backend = open(directory.path());
        let error = FileBackend::open(backend.path()).unwrap_err();
        assert_eq!(error, BackendError::InUse { path: backend.path().to_owned() });
        let mut changes = Changes::new();
        changes.put(b"key", b"value");
        backend.commit(&changes).unwrap();
    }

    #[test]
    fn a_file_that_is_no_database_is_set_aside_unharmed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records");
        let content = b"a letter to a friend".repeat(500);
        std::fs::write(&path, &content).unwrap();
        let opened = FileBackend::open(&path).unwrap();
        let set_aside = opened.set_aside.expect("it was no database");
        assert_eq!(std::fs::read(set_aside.path).unwrap(), content);
        check(&mut { opened.backend }, &BTreeMap::new());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let error = FileBackend::open(directory.path().join("missing/records")).unwrap_err();
        assert!(matches!(error, BackendError::Io(_)), "{error:?}");
    }
}
