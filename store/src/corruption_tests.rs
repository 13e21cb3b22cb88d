//! Whatever happens to the bytes, what is served is what was written.

use crate::backend::{Changes, Faults, Faulty, Memory};
use crate::{Records, StoreError};

fn key(number: u32) -> Vec<u8> {
    format!("record-{number:03}").into_bytes()
}

fn payload(number: u32) -> Vec<u8> {
    (0..40).map(|at| (number * 31 + at * 7).to_le_bytes()[0]).collect()
}

fn all(count: u32) -> Changes {
    let mut changes = Changes::new();
    for number in 0..count {
        changes.put(&key(number), &payload(number));
    }
    changes
}

/// The same records with other contents, which are never to be seen again.
#[cfg(feature = "file")]
fn outdated(count: u32) -> Changes {
    let mut changes = Changes::new();
    for number in 0..count {
        changes.put(&key(number), b"outdated");
    }
    changes
}

#[test]
fn a_medium_that_flips_bits_serves_errors_that_name_the_record() {
    let mut backend = Faulty::new(Memory::new(), 5);
    backend.set_faults(Faults { bit_flip: 0.5, ..Faults::default() });
    let mut records = Records::new(backend);
    records.commit(&all(50)).unwrap();
    let (mut sound, mut damaged) = (0, 0);
    for number in (0..50).cycle().take(1_000) {
        match records.get(&key(number)) {
            Ok(content) => {
                assert_eq!(content, Some(payload(number)));
                sound += 1;
            }
            Err(StoreError::Damaged(record)) => {
                assert_eq!(record.key, key(number));
                damaged += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(sound > 400 && damaged > 400, "{sound} sound, {damaged} damaged");
}

#[test]
fn a_scan_shows_the_others_where_one_is_damaged() {
    let mut backend = Faulty::new(Memory::new(), 6);
    backend.set_faults(Faults { bit_flip: 0.3, ..Faults::default() });
    let mut records = Records::new(backend);
    records.commit(&all(50)).unwrap();
    let mut seen = Vec::new();
    records.scan(b"record-", |key, content| seen.push((key.to_vec(), content.map(<[u8]>::to_vec)))).unwrap();
    assert_eq!(seen.len(), 50);
    assert!(seen.iter().any(|(_, content)| content.is_err()));
    for (number, (seen_key, content)) in (0..50).zip(seen) {
        assert_eq!(seen_key, key(number));
        assert!(content.is_err() || content == Ok(payload(number)));
    }
}

#[cfg(feature = "file")]
mod file {
    use std::fs;

    use quillwork_core::rng::Rng;

    use super::*;
    use crate::backend::{BackendError, FileBackend};

    const RECORDS: u32 = 40;

    /// Reads everything; gives whether anything was found to be wrong, and how many records were not found.
    fn read_all(records: &mut Records<FileBackend>, note: &str) -> (bool, u32) {
        let (mut noticed, mut missing) = (false, 0);
        for number in 0..RECORDS {
            match records.get(&key(number)) {
                Ok(Some(content)) => assert_eq!(content, payload(number), "{note}: wrong data was served"),
                Ok(None) => missing += 1,
                Err(StoreError::Damaged(record)) => {
                    assert_eq!(record.key, key(number), "{note}");
                    noticed = true;
                }
                Err(StoreError::Backend(BackendError::SetAside(_))) => return (true, 0),
                Err(StoreError::Backend(BackendError::Io(_))) => noticed = true,
                Err(error) => panic!("{note}: {error}"),
            }
        }
        let mut served = Vec::new();
        let scanned =
            records.scan(b"", |key, content| served.push((key.to_vec(), content.map(<[u8]>::to_vec))));
        for (served_key, content) in served {
            if let Ok(content) = content {
                let number = (0..RECORDS).find(|&number| key(number) == served_key);
                assert_eq!(Some(content), number.map(payload), "{note}: wrong data was served");
            }
        }
        (noticed || scanned.is_err(), missing)
    }

    #[test]
    fn a_file_with_a_flipped_bit_never_serves_wrong_data() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records");
        let mut records = Records::new(FileBackend::open(&path).unwrap().backend);
        records.commit(&outdated(RECORDS)).unwrap();
        records.commit(&all(RECORDS)).unwrap();
        drop(records);
        let sound = fs::read(&path).unwrap();

        // Most of a small file is empty pages and free lists: flip where the header and the records are, and elsewhere
        // now and then.
        let mut rng = Rng::from_seed(11);
        let page_of = |at: usize| at / PAGE * PAGE..(at / PAGE + 1) * PAGE;
        let records_at =
            sound.windows(10).rposition(|bytes| bytes == key(0)).expect("the records are in the file");
        let first_bytes = (0..FIRST_BYTES).flat_map(|at| (0..8).map(move |bit| (at, bit)));
        let mut places: Vec<(usize, u64)> = first_bytes.collect();
        for area in [0..PAGE, page_of(records_at), 0..sound.len()] {
            let mut written: Vec<usize> = area.filter(|&at| sound[at] != 0).collect();
            rng.shuffle(&mut written);
            places.extend(written.into_iter().take(FLIPS_PER_AREA).map(|at| (at, rng.below(8))));
        }

        let mut noticed_in_all = 0;
        for (number, (at, bit)) in places.into_iter().enumerate() {
            let note = format!("bit {bit} of byte {at}");
            let path = directory.path().join(format!("flipped-{number}"));
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << bit;
            fs::write(&path, &flipped).unwrap();
            match FileBackend::open(&path) {
                Ok(opened) if opened.set_aside.is_some() => noticed_in_all += 1,
                Ok(opened) => {
                    let mut records = Records::new(opened.backend);
                    let (noticed, missing) = read_all(&mut records, &note);
                    noticed_in_all += u32::from(noticed);
                    if missing > 0 && !noticed {
                        let verified = records.backend_mut().verify();
                        assert!(verified.is_err(), "{note}: {missing} records are gone and nothing tells");
                    }
                }
                // A changed version byte.
                Err(BackendError::Unsupported { .. } | BackendError::Io(_)) => noticed_in_all += 1,
                Err(error) => panic!("{note}: {error}"),
            }
            let _kept = fs::remove_file(&path);
        }
        assert!(noticed_in_all > 50, "the sweep hit hardly anything: {noticed_in_all}");
    }

    /// Each costs an opening of the file.
    const FLIPS_PER_AREA: usize = 90;
    /// With redb's byte that says which of its two roots counts.
    const FIRST_BYTES: usize = 12;
    const PAGE: usize = 4_096;

    #[test]
    fn a_truncated_file_never_serves_wrong_data() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records");
        let mut records = Records::new(FileBackend::open(&path).unwrap().backend);
        records.commit(&all(RECORDS)).unwrap();
        drop(records);
        let sound = fs::read(&path).unwrap();
        for percent in [0, 1, 10, 50, 90, 99] {
            fs::write(&path, &sound[..sound.len() * percent / 100]).unwrap();
            if let Ok(opened) = FileBackend::open(&path) {
                read_all(&mut Records::new(opened.backend), &format!("{percent} % left"));
            }
        }
    }

    #[test]
    fn a_sound_file_passes_its_verification_and_keeps_its_records() {
        let directory = tempfile::tempdir().unwrap();
        let mut records = Records::new(FileBackend::open(directory.path().join("records")).unwrap().backend);
        records.commit(&outdated(RECORDS)).unwrap();
        records.commit(&all(RECORDS)).unwrap();
        assert_eq!(records.backend_mut().verify(), Ok(()));
        assert_eq!(read_all(&mut records, "sound"), (false, 0));
    }

    #[test]
    fn a_file_that_breaks_in_use_is_set_aside_and_a_new_one_takes_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("records");
        let mut records = Records::new(FileBackend::open(&path).unwrap().backend);
        records.commit(&all(RECORDS)).unwrap();
        drop(records);
        let mut content = fs::read(&path).unwrap();
        let key_at =
            content.windows(10).rposition(|bytes| bytes == key(0)).expect("the records are in the file");
        content[key_at] ^= 1;
        fs::write(&path, &content).unwrap();

        let mut backend = FileBackend::open(&path).unwrap().backend;
        let Err(BackendError::SetAside(set_aside)) = backend.verify() else {
            panic!("the damage was not found")
        };
        assert_eq!(set_aside.path, directory.path().join("records.broken-1"));
        assert!(set_aside.path.exists());

        let mut records = Records::new(backend);
        assert_eq!(records.get(&key(1)), Ok(None));
        records.commit(&all(RECORDS)).unwrap();
        drop(records);
        let opened = FileBackend::open(&path).unwrap();
        assert_eq!(opened.set_aside, None);
        assert_eq!(read_all(&mut Records::new(opened.backend), "new"), (false, 0));
    }
}
