//! A follower against the history that it follows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quillwork_core::telemetry::{RelativeAccuracy, Sketch};

use super::test_support::{START, STEP, key, open, options, settle, spec, values};
use super::*;
use crate::series::{SeriesId, SeriesKind};
use crate::volume::{Memory, Volume};

/// One round of a follower: files that differ, then the tail, then what is gone.
fn follow(from: &History<Memory>, source: &Memory, to: &mut History<Memory>, copy: &Memory, back: u64) {
    let tail = from.tail(back);
    let there = versions(source).unwrap();
    let catalogue = source.read("catalogue", 0, usize::MAX).unwrap();
    if let Some(catalogue) = catalogue {
        to.follow_catalogue(&catalogue).unwrap();
    }
    let here = versions(copy).unwrap();
    for file in there.iter().filter(|file| !here.contains(file)) {
        to.follow_file(&file.name, &source.read(&file.name, 0, usize::MAX).unwrap().unwrap()).unwrap();
    }
    let tail = to.follow_tail(&tail).unwrap();
    for file in here.iter().filter(|file| !there.iter().any(|there| there.name == file.name)) {
        to.follow_removal(&file.name).unwrap();
    }
    to.follow_settled(&tail);
    assert_eq!(versions(copy).unwrap(), there, "the copy has the same files");
}

fn follower() -> (History<Memory>, Memory) {
    let copy = Memory::new();
    (History::open_following(copy.clone(), options()).unwrap(), copy)
}

#[test]
fn a_follower_reads_what_the_other_has_in_memory_and_in_files() {
    let source = Memory::new();
    let mut primary = open(source.clone(), START);
    let id = primary.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    let (mut standby, copy) = follower();
    for step in 0..300_u64 {
        let now = START + step * STEP;
        primary.append(now, now, &[(id, step as f64)]);
        primary.commit().unwrap();
        if step % 7 == 0 {
            follow(&primary, &source, &mut standby, &copy, now.saturating_sub(1_200));
            assert_eq!(
                values(&standby, id, now - 2_000, now + STEP),
                values(&primary, id, now - 2_000, now + STEP),
                "step {step}"
            );
        }
    }
    for step in [STEP, 400, 800] {
        let of = |history: &History<Memory>| history.reader([id]).read(START, START + 30_000, step).unwrap();
        follow(&primary, &source, &mut standby, &copy, 0);
        assert_eq!(of(&standby), of(&primary));
    }
}

#[test]
fn who_takes_over_has_the_tail_and_writes_it() {
    let source = Memory::new();
    let mut primary = open(source.clone(), START);
    let id = primary.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    let (mut standby, copy) = follower();
    for step in 0..30_u64 {
        let now = START + step * STEP;
        primary.append(now, now, &[(id, step as f64)]);
        primary.commit().unwrap();
    }
    let now = START + 29 * STEP;
    follow(&primary, &source, &mut standby, &copy, 0);
    let before = values(&primary, id, START, now + STEP);
    assert_eq!(before.len(), 30);
    standby.take_over(now).unwrap();
    let mut taken = standby;
    assert_eq!(values(&taken, id, START, now + STEP), before);
    let next = now + STEP;
    taken.append(next, next, &[(id, 30.0)]);
    taken.flush().unwrap();
    drop(taken);
    let again = open(copy, next);
    assert_eq!(values(&again, id, START, next + STEP).len(), 31, "what came in tails was written");
}

#[test]
fn what_a_follower_has_in_memory_outlives_it() {
    let source = Memory::new();
    let mut primary = open(source.clone(), START);
    let id = primary.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    primary.append(START, START, &[(id, 7.0)]);
    primary.commit().unwrap();
    let (mut standby, copy) = follower();
    follow(&primary, &source, &mut standby, &copy, 0);
    standby.flush_following().unwrap();
    let again = History::open_following(copy, options()).unwrap();
    assert_eq!(values(&again, id, START, START + STEP), BTreeMap::from([(START / STEP, 7)]));
}

#[test]
fn late_values_and_sketches_and_new_series_arrive() {
    let source = Memory::new();
    let mut primary = open(source.clone(), START);
    let id = primary.add_series(spec("a", SeriesKind::Counter)).unwrap();
    let (mut standby, copy) = follower();
    primary.append(START + 1_000, START + 1_000, &[(id, 1.0)]);
    settle(&mut primary);
    follow(&primary, &source, &mut standby, &copy, 0);
    let spread = primary.add_series(spec("b", SeriesKind::Sketch)).unwrap();
    let mut sketch = Sketch::new(RelativeAccuracy::default());
    sketch.record(3.0).unwrap();
    primary.append_sketch(START + 1_100, START + 1_000, spread, &sketch);
    primary.append(START + 1_100, START + 900, &[(id, 5.0)]);
    primary.commit().unwrap();
    follow(&primary, &source, &mut standby, &copy, START + 800);
    assert_eq!(values(&standby, id, START, START + 1_200).len(), 2);
    let read = standby.reader([spread]).read(START, START + 1_200, STEP).unwrap();
    let Steps::Sketches(steps) = &read.series[0].1.steps else { panic!("a sketch has sketches") };
    assert_eq!(steps.len(), 1);
}

#[test]
fn a_clock_that_is_set_back_takes_what_lay_ahead_out_of_the_copy() {
    let source = Memory::new();
    let mut primary = open(source.clone(), START);
    let id = primary.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    let (mut standby, copy) = follower();
    primary.append(START + 300, START + 300, &[(id, 1.0)]);
    primary.commit().unwrap();
    follow(&primary, &source, &mut standby, &copy, 0);
    primary.append(START, START, &[(id, 2.0)]);
    primary.commit().unwrap();
    follow(&primary, &source, &mut standby, &copy, 0);
    primary.append(START + 400, START + 400, &[(id, 3.0)]);
    primary.commit().unwrap();
    follow(&primary, &source, &mut standby, &copy, 0);
    assert_eq!(values(&standby, id, START, START + 500), values(&primary, id, START, START + 500));
}

#[test]
fn damaged_and_foreign_content_is_refused_and_changes_nothing() {
    let source = Memory::new();
    let mut primary = open(source.clone(), START);
    let id = primary.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    for step in 0..40_u64 {
        let now = START + step * STEP;
        primary.append(now, now, &[(id, step as f64)]);
        primary.commit().unwrap();
    }
    let (mut standby, copy) = follower();
    let all = versions(&source).unwrap();
    let file = all.iter().find(|file| file.bytes > 0).unwrap();
    let content = source.read(&file.name, 0, usize::MAX).unwrap().unwrap();
    for at in 0..content.len() {
        let mut flipped = content.clone();
        flipped[at] ^= 1 << (at % 8);
        let refused = standby.follow_file(&file.name, &flipped);
        assert!(matches!(refused, Err(FollowError::Damaged { .. })), "byte {at}: {refused:?}");
    }
    let tail = primary.tail(0);
    for at in 0..tail.len() {
        let mut flipped = tail.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(standby.follow_tail(&flipped).is_err(), "byte {at}");
    }
    for name in ["catalogue", "../secret", "head-7", ""] {
        assert!(matches!(standby.follow_file(name, &content), Err(FollowError::Name { .. })), "{name}");
    }
    assert!(standby.follow_file("tier0-000000000001", &content).is_err(), "under another name");
    let catalogue = source.read("catalogue", 0, usize::MAX).unwrap().unwrap();
    assert!(standby.follow_catalogue(&catalogue[1..]).is_err());
    assert_eq!(copy.list().unwrap(), BTreeMap::new());
}

#[test]
fn a_follower_never_exceeds_its_own_bound() {
    let source = Memory::new();
    let mut primary = open(source.clone(), START);
    let id = primary.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    for step in 0..100_u64 {
        let now = START + step * STEP;
        primary.append(now, now, &[(id, step as f64)]);
        primary.commit().unwrap();
    }
    let small = HistoryOptions { max_bytes: 20 << 10, ..options() };
    let mut standby = History::open_following(Memory::new(), small).unwrap();
    let mut refused = 0;
    for file in versions(&source).unwrap() {
        let content = source.read(&file.name, 0, usize::MAX).unwrap().unwrap();
        match standby.follow_file(&file.name, &content) {
            Ok(()) => {}
            Err(FollowError::Room { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        assert!(standby.used_bytes() <= 20 << 10);
    }
    assert!(refused > 0);
}

proptest! {
    /// Whatever happens to the primary, and however rarely it is asked: a complete round makes the copy equal, and taking over keeps it.
    #[test]
    fn a_round_makes_the_copy_equal(steps in prop::collection::vec((0_u64..900, 0_u64..2_000, 0_usize..3, any::<bool>()), 1..60)) {
        let source = Memory::new();
        let mut primary = open(source.clone(), START);
        let ids: Vec<SeriesId> =
            ["a", "b", "c"].iter().map(|name| primary.add_series(spec(name, SeriesKind::Gauge)).unwrap()).collect();
        let (mut standby, copy) = follower();
        let mut now = START;
        let mut asked = 0;
        for (number, (forward, late, series, asks)) in steps.into_iter().enumerate() {
            now += forward;
            primary.append(now, now.saturating_sub(late).max(START), &[(ids[series], number as f64)]);
            primary.commit().unwrap();
            if asks {
                follow(&primary, &source, &mut standby, &copy, asked);
                // Values that come later than this before the last round come with the files.
                asked = now.saturating_sub(2_000);
            }
        }
        follow(&primary, &source, &mut standby, &copy, 0);
        let of = |history: &History<Memory>, step| history.reader(ids.iter().copied()).read(START, now + STEP, step).unwrap();
        for step in [STEP, 400, 800] {
            prop_assert_eq!(of(&standby, step), of(&primary, step));
        }
        standby.take_over(now).unwrap();
        let taken = standby;
        prop_assert!(taken.find(&key("a")).is_some());
        for step in [STEP, 400, 800] {
            prop_assert_eq!(of(&taken, step), of(&primary, step));
        }
    }
}
