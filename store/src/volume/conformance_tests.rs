//! What every volume does.

use super::atomic::Atomic;
use super::power_cut::Fragile;
use super::{Directory, Faulty, Memory, Volume, VolumeError};

fn keeps_what_it_is_given(mut volume: impl Volume) {
    assert!(volume.list().unwrap().is_empty());
    volume.put("b", b"first").unwrap();
    volume.put("a", b"").unwrap();
    volume.put("b", b"second").unwrap();
    assert!(volume.list().unwrap().into_iter().eq([("a".to_owned(), 0), ("b".to_owned(), 6)]));
    assert_eq!(volume.read("b", 2, 3).unwrap().as_deref(), Some(b"con".as_slice()));
    assert_eq!(volume.read("b", 4, 100).unwrap().as_deref(), Some(b"nd".as_slice()), "as far as it goes");
    for beyond in [40, u64::MAX] {
        assert_eq!(volume.read("b", beyond, 1).unwrap().as_deref(), Some(b"".as_slice()));
    }
    assert_eq!(volume.read("c", 0, 1).unwrap(), None);
    let copy = volume.clone();
    volume.remove("b").unwrap();
    volume.remove("b").unwrap();
    assert_eq!(copy.read("b", 0, 1).unwrap(), None, "a copy sees the same files");
    assert_eq!(volume.list().unwrap().len(), 1);
}

#[test]
fn every_volume_keeps_what_it_is_given() {
    let directory = tempfile::tempdir().unwrap();
    keeps_what_it_is_given(Memory::new());
    keeps_what_it_is_given(Faulty::new(Memory::new(), 1));
    keeps_what_it_is_given(Atomic::new(Fragile::cut_at(usize::MAX)));
    keeps_what_it_is_given(Directory::open(directory.path().join("a/b")).unwrap());
}

#[test]
fn one_process_at_a_time_writes_to_a_directory_and_others_may_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = Directory::open(directory.path()).unwrap();
    assert!(matches!(Directory::open(directory.path()), Err(VolumeError::InUse { .. })));
    first.put("a", b"content").unwrap();
    let reader = Directory::read_only(directory.path()).unwrap();
    assert_eq!(reader.read("a", 0, 7).unwrap().as_deref(), Some(b"content".as_slice()));
    drop(first);
    Directory::open(directory.path()).unwrap();
    assert!(matches!(Directory::read_only(directory.path().join("none")), Err(VolumeError::Io { .. })));
}

#[test]
fn a_directory_that_becomes_writable_is_written_to_again() {
    let directory = tempfile::tempdir().unwrap();
    Directory::open(directory.path()).unwrap().put("a", b"before").unwrap();
    let in_the_way = directory.path().join("lock");
    std::fs::remove_file(&in_the_way).unwrap();
    std::fs::create_dir(&in_the_way).unwrap();
    assert!(Directory::open(directory.path()).is_err());

    let mut later = Directory::open_later(directory.path()).unwrap();
    let copy = later.clone();
    assert!(later.put("a", b"now").is_err());
    assert_eq!(later.read("a", 0, 9).unwrap().as_deref(), Some(b"before".as_slice()));

    std::fs::remove_dir(&in_the_way).unwrap();
    later.put("a", b"now").unwrap();
    copy.clone().put("b", b"").unwrap();
    assert!(matches!(Directory::open(directory.path()), Err(VolumeError::InUse { .. })));
    drop((later, copy));
    Directory::open(directory.path()).unwrap();
}

#[test]
fn what_another_process_has_changed_meanwhile_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    Directory::open(directory.path()).unwrap().put("a", b"before").unwrap();
    let mut later = Directory::open_later(directory.path()).unwrap();
    Directory::open(directory.path()).unwrap().put("a", b"meanwhile").unwrap();
    let refused = later.put("a", b"now").unwrap_err();
    assert!(refused.to_string().contains("start this one again"), "{refused}");
    assert_eq!(later.read("a", 0, 9).unwrap().as_deref(), Some(b"meanwhile".as_slice()));
}

#[test]
fn a_cut_of_power_leaves_the_old_file_or_the_new_one() {
    for step in 0.. {
        let disk = Fragile::cut_at(step);
        let mut volume = Atomic::new(disk.clone());
        let acknowledged = [b"first".as_slice(), b"second"]
            .into_iter()
            .take_while(|content| volume.put("a", content).is_ok())
            .last()
            .map(<[u8]>::to_vec);
        let is_whole = disk.steps() < step;
        for after in disk.after_the_cut() {
            let found = Atomic::new(after).read("a", 0, 10).unwrap();
            let possible = [None, Some(b"first".to_vec()), Some(b"second".to_vec())];
            assert!(possible.contains(&found), "{found:?} after {step} steps");
            assert!(found >= acknowledged, "{acknowledged:?} was acknowledged, {found:?} is there");
        }
        if is_whole {
            return;
        }
    }
}
