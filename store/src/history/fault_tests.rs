//! History on a volume that fails.

use std::collections::BTreeMap;

use super::test_support::{START, STEP, open, options, read, settle, spec, values};
use super::{Damage, History, HistoryOptions, OpenError, check, copy, repair};
use crate::series::{SeriesId, SeriesKind};
use crate::volume::{Faults, Faulty, Memory, Volume, VolumeError};

/// A value for each step, none of them like its neighbours.
fn value(step: u64) -> i64 {
    (step * 37 % 1_000).cast_signed()
}

fn append<V: Volume>(history: &mut History<V>, id: SeriesId, steps: std::ops::Range<u64>) {
    for step in steps {
        let now = START + step * STEP;
        #[expect(clippy::cast_precision_loss, reason = "less than a thousand")]
        let value = value(step) as f64;
        assert_eq!(history.append(now, now, &[(id, value)]).stored, 1);
        let _may_fail = history.commit();
    }
}

fn expected(steps: std::ops::Range<u64>) -> BTreeMap<u64, i64> {
    steps.map(|step| (START / STEP + step, value(step))).collect()
}

fn kept<V: Volume>(history: &History<V>, id: SeriesId, steps: std::ops::Range<u64>) -> BTreeMap<u64, i64> {
    values(history, id, START + steps.start * STEP, START + steps.end * STEP)
}

fn faulty(seed: u64) -> (History<Faulty<Memory>>, SeriesId) {
    let mut history = open(Faulty::new(Memory::new(), seed), START);
    let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    history.commit().unwrap();
    (history, id)
}

fn reopened(history: &History<Faulty<Memory>>, step: u64) -> History<Faulty<Memory>> {
    history.volume.set_faults(Faults::default());
    open(history.volume.clone(), START + step * STEP)
}

#[test]
fn a_full_or_read_only_disk_loses_nothing_and_recovers_when_there_is_room() {
    let faults = [
        (Faults { no_space: 1.0, ..Faults::default() }, VolumeError::NoSpace),
        (
            Faults { read_only: true, ..Faults::default() },
            VolumeError::ReadOnly { path: "head-000003200000".into() },
        ),
    ];
    for (seed, (faults, error)) in (1..).zip(faults) {
        let (mut history, id) = faulty(seed);
        history.volume.set_faults(faults);
        append(&mut history, id, 0..40);
        assert_eq!(history.commit(), Err(error));
        assert_eq!(kept(&history, id, 0..40), expected(0..40));
        history.volume.set_faults(Faults::default());
        settle(&mut history);
        history.flush().unwrap();
        assert_eq!(kept(&reopened(&history, 39), id, 0..40), expected(0..40));
    }
}

#[test]
fn what_waits_for_a_full_disk_is_bounded_and_the_newest_stays() {
    let (mut history, id) = faulty(2);
    let others: Vec<SeriesId> =
        ["b", "c", "d"].map(|name| history.add_series(spec(name, SeriesKind::Gauge)).unwrap()).into();
    history.volume.set_faults(Faults { no_space: 1.0, ..Faults::default() });
    let steps = 18_000;
    for step in 0..steps {
        let now = START + step * STEP;
        #[expect(clippy::cast_precision_loss, reason = "less than a thousand")]
        let all: Vec<(SeriesId, f64)> =
            [id].iter().chain(&others).map(|&id| (id, value(step) as f64)).collect();
        history.append(now, now, &all);
    }
    let waiting: usize = history.heads.values().map(|head| head.series.len()).sum();
    assert!(waiting <= 16_384 + 4, "{waiting}");
    assert_eq!(kept(&history, id, steps - 60..steps), expected(steps - 60..steps));
}

#[test]
fn writes_that_fail_after_taking_effect_are_simply_made_again() {
    let (mut history, id) = faulty(3);
    history.volume.set_faults(Faults { write_error: 0.4, ..Faults::default() });
    append(&mut history, id, 0..300);
    history.volume.set_faults(Faults::default());
    history.flush().unwrap();
    settle(&mut history);
    let history = reopened(&history, 299);
    assert_eq!(kept(&history, id, 240..300), expected(240..300));
    let rolled = read(&history, id, START + 6_400, START + 29_900, 400);
    assert!(rolled.values().all(|all| all.count == 4) && rolled.len() >= 58, "{}", rolled.len());
}

#[test]
fn a_read_that_fails_is_an_error_and_works_again_later() {
    let (mut history, id) = faulty(6);
    append(&mut history, id, 0..30);
    history.volume.set_faults(Faults { read_error: 1.0, ..Faults::default() });
    assert!(history.reader([id]).read(START, START + 3_000, STEP).is_err());
    history.volume.set_faults(Faults::default());
    assert_eq!(kept(&history, id, 0..30), expected(0..30));
}

#[test]
fn damaged_pieces_are_named_gaps_and_never_data() {
    let (mut history, id) = faulty(4);
    append(&mut history, id, 0..60);
    settle(&mut history);
    history.volume.set_faults(Faults { bit_flip: 0.05, ..Faults::default() });
    let (mut damaged, mut whole) = (0, 0);
    for _ in 0..200 {
        let read = history.reader([id]).read(START, START + 6_000, STEP).unwrap();
        let super::Steps::Numbers(steps) = &read.series[0].1.steps else { unreachable!() };
        assert!(steps.iter().all(|(step, all)| all.last == expected(0..60)[step]));
        assert_eq!(steps.len() == 60, read.damaged.is_empty(), "what is missing is named");
        damaged += usize::from(!read.damaged.is_empty());
        whole += usize::from(read.damaged.is_empty());
    }
    assert!(damaged > 50 && whole > 5, "{damaged} damaged, {whole} whole");
}

#[test]
fn a_damaged_head_costs_itself_when_its_window_is_sealed() {
    let (mut history, id) = faulty(5);
    append(&mut history, id, 0..7);
    history.flush().unwrap();
    let name = "head-000003200000";
    let mut bytes = history.volume.read(name, 0, usize::MAX).unwrap().expect("the first head is there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    history.volume.put(name, &bytes).unwrap();
    append(&mut history, id, 7..20);
    settle(&mut history);
    assert_eq!(
        history.take_damaged().iter().map(|damaged| damaged.what).collect::<Vec<_>>(),
        [Damage::Part(id)]
    );
    assert_eq!(kept(&history, id, 0..20), expected(4..20));
}

#[test]
fn a_damaged_piece_is_named_once_however_long_its_window_takes() {
    let options = HistoryOptions { max_series: 40, ..options() };
    let mut history = History::open(Memory::new(), options, START).unwrap();
    let ids: Vec<SeriesId> = (0..40)
        .map(|number| history.add_series(spec(&format!("s{number}"), SeriesKind::Gauge)).unwrap())
        .collect();
    let append = |history: &mut History<Memory>, steps: std::ops::Range<u64>| {
        for now in steps.map(|step| START + step * STEP) {
            ids.iter().for_each(|&id| assert_eq!(history.append(now, now, &[(id, 5.0)]).stored, 1));
        }
    };
    append(&mut history, 0..7);
    history.flush().unwrap();
    let name = "head-000003200000";
    let mut bytes = history.volume.read(name, 0, usize::MAX).unwrap().expect("the first head is there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    history.volume.put(name, &bytes).unwrap();
    append(&mut history, 7..20);
    let mut named = 0;
    history.commit().unwrap();
    while !history.is_idle() {
        named += history.take_damaged().len();
        history.commit().unwrap();
    }
    assert_eq!(named + history.take_damaged().len(), 1);
}

#[test]
fn one_damaged_copy_of_the_catalogue_costs_nothing_and_two_are_said() {
    let (mut history, id) = faulty(7);
    append(&mut history, id, 0..20);
    history.flush().unwrap();
    let damage = |history: &mut History<Faulty<Memory>>, name: &str| {
        let mut bytes = history.volume.read(name, 0, usize::MAX).unwrap().unwrap();
        bytes[9] ^= 4;
        history.volume.put(name, &bytes).unwrap();
    };
    damage(&mut history, "catalogue");
    let mut again = reopened(&history, 20);
    assert_eq!(kept(&again, id, 0..20), expected(0..20));
    let other = again.add_series(spec("b", SeriesKind::Gauge)).unwrap();
    assert!(other > SeriesId(1_000), "a number that the damaged copy may have given out is not given again");
    again.flush().unwrap();
    damage(&mut again, "catalogue");
    damage(&mut again, "catalogue-copy");
    let error = History::open(again.volume.clone(), options(), START).unwrap_err();
    assert_eq!(error, OpenError::Catalogue);
}

#[test]
fn a_repair_keeps_what_is_sound_and_a_copy_is_a_backup() {
    let (mut history, id) = faulty(8);
    append(&mut history, id, 0..60);
    settle(&mut history);
    history.flush().unwrap();
    let mut volume = history.volume.clone();
    let sound = check(&volume, &options(), |_, _| {}).unwrap();
    assert!(sound.is_sound() && sound.files > 5 && sound.series == 1, "{sound:?}");
    assert_eq!(sound.bytes, open(volume.clone(), START + 59 * STEP).used_bytes());

    let mut backup = Memory::new();
    let mut told = 0;
    assert_eq!(copy(&volume, &mut backup, |done, _| told = done), Ok(told));
    let restored = open(backup.clone(), START + 59 * STEP);
    assert_eq!(kept(&restored, id, 0..60), expected(0..60));

    for name in ["tier0-000001600001", "catalogue-copy"] {
        let mut bytes = volume.read(name, 0, usize::MAX).unwrap().unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        volume.put(name, &bytes).unwrap();
    }
    let found = check(&volume, &options(), |_, _| {}).unwrap();
    assert_eq!((found.damaged.len(), found.catalogues_lost), (1, 1));
    let mut aside = Vec::new();
    let keep = |name: &str, _: &[u8]| {
        aside.push(name.to_owned());
        Ok(())
    };
    assert_eq!(repair(&mut volume, &options(), keep).unwrap(), found);
    assert_eq!(aside, ["tier0-000001600001"]);
    assert!(check(&volume, &options(), |_, _| {}).unwrap().is_sound());
    assert_eq!(
        kept(&open(volume, START + 59 * STEP), id, 0..60).len(),
        52,
        "eight steps were in the damaged file"
    );
}

/// All bytes of a sealed window, of a head and of the catalogue, flipped in turn.
#[test]
fn whichever_byte_is_flipped_what_is_read_is_what_was_written() {
    let mut history = open(Memory::new(), START);
    let ids = ["a", "b", "c"].map(|name| history.add_series(spec(name, SeriesKind::Gauge)).unwrap());
    for step in 0..30_u64 {
        let now = START + step * STEP;
        #[expect(clippy::cast_precision_loss, reason = "less than a thousand")]
        history.append(now, now, &ids.map(|id| (id, value(step + u64::from(id.0)) as f64)));
        history.commit().unwrap();
    }
    settle(&mut history);
    history.flush().unwrap();
    let now = START + 29 * STEP;
    let files = history.volume.list().unwrap();
    for prefix in ["tier0", "tier1", "head", "catalogue"] {
        let name = files.keys().find(|name| name.starts_with(prefix)).expect("there is one of each");
        let sound = history.volume.read(name, 0, usize::MAX).unwrap().unwrap();
        for at in 0..sound.len() {
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << (at % 8);
            history.volume.put(name, &flipped).unwrap();
            let opened = open(history.volume.clone(), now);
            for (series, id) in (0_u64..).zip(ids) {
                for step in [STEP, 400] {
                    let read = opened.reader([id]).read(START, now + 1, step).unwrap();
                    let super::Steps::Numbers(steps) = &read.series[0].1.steps else { unreachable!() };
                    let right = steps.iter().all(|(found, all)| {
                        let first = found * step / STEP - START / STEP;
                        let values = (first..first + step / STEP).map(|step| value(step + series));
                        values.clone().any(|value| value == all.last) && all.max <= values.max().unwrap_or(0)
                    });
                    assert!(right, "byte {at} of {name}: {steps:?}");
                    let whole = steps.len() as u64 == (30 * STEP).div_ceil(step);
                    assert!(
                        whole || !read.damaged.is_empty(),
                        "byte {at} of {name}: a gap that nobody names"
                    );
                }
            }
        }
        history.volume.put(name, &sound).unwrap();
    }
}

#[test]
fn the_bound_on_bytes_is_never_exceeded_and_every_tier_keeps_its_share() {
    let most = 400 << 10;
    let bounded = HistoryOptions { max_bytes: most, ..options() };
    let mut history = History::open(Memory::new(), bounded.clone(), START).unwrap();
    let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
    let mut rng = quillwork_core::rng::Rng::from_seed(9);
    for step in 0..2_000_u64 {
        let now = START + step * STEP;
        #[expect(clippy::cast_precision_loss, reason = "any number will do")]
        history.append(now, now, &[(id, rng.below(1 << 40) as f64)]);
        history.commit().unwrap();
        let files = history.volume.list().unwrap();
        let taken: u64 = files.values().map(|bytes| bytes.div_ceil(4_096) * 4_096).sum();
        assert!(taken <= most, "{taken} bytes at step {step}");
        assert!(taken <= history.used_bytes(), "what is counted is what is there");
    }
    let now = START + 1_999 * STEP;
    assert!(kept(&history, id, 1_980..2_000).len() == 20, "the newest stays");
    let tiers: Vec<usize> = [STEP, 400, 800].map(|step| read(&history, id, 0, now, step).len()).into();
    assert!(
        tiers[2] * 8 > tiers[0] && history.reader([id]).first_unix_millis().unwrap() + 15_000 < now,
        "{tiers:?}"
    );
}

#[cfg(feature = "file")]
mod power {
    use super::*;
    use crate::history::test_support::key;
    use crate::volume::Directory;
    use crate::volume::power_cut::{Fragile, fragile_volume};

    /// The power goes before each step of a short history in turn, and each state in which that may leave the disk is opened: what was acknowledged is there, nothing is
    /// wrong, and the history goes on.
    #[test]
    fn whenever_the_power_goes_what_was_written_is_there() {
        const STEPS: u64 = 26;
        for cut in 0.. {
            let disk = Fragile::cut_at(cut);
            let mut acknowledged = 0;
            let mut id = None;
            if let Ok(mut history) = History::open(fragile_volume(&disk), options(), START) {
                let series = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
                id = Some(series);
                for step in 0..STEPS {
                    let now = START + step * STEP;
                    #[expect(clippy::cast_precision_loss, reason = "less than a thousand")]
                    history.append(now, now, &[(series, value(step) as f64)]);
                    let written = if step % 10 == 9 { history.flush() } else { history.commit() };
                    if written.is_ok() {
                        // Heads of four steps settle two steps after their end.
                        let settled = (step.saturating_sub(2) / 4 * 4).max(acknowledged);
                        acknowledged = if step % 10 == 9 { step + 1 } else { settled };
                    }
                }
            }
            let is_whole = disk.steps() < cut;
            for after in disk.after_the_cut() {
                let now = START + STEPS * STEP;
                let mut history = History::open(fragile_volume(&after), options(), now).unwrap();
                let Some(id) = id.filter(|_| history.find(&key("a")).is_some()) else {
                    assert_eq!(acknowledged, 0, "cut before step {cut}");
                    continue;
                };
                for settled in [false, true] {
                    let kept = kept(&history, id, 0..STEPS);
                    let whole = expected(0..STEPS);
                    assert!(
                        kept.iter().all(|(step, value)| whole.get(step) == Some(value)),
                        "cut before step {cut}"
                    );
                    let first = expected(0..acknowledged);
                    assert!(
                        first.keys().all(|step| kept.contains_key(step)),
                        "cut before step {cut}: {acknowledged} were acknowledged"
                    );
                    if !settled {
                        settle(&mut history);
                        assert_eq!(history.take_damaged(), []);
                    }
                }
            }
            if is_whole {
                assert!(cut > 40, "{cut} steps are hardly a history");
                return;
            }
        }
    }

    /// Two thousand bits spread over a store of real files.
    #[test]
    fn flips_all_over_a_directory_are_found_or_harmless() {
        let directory = tempfile::tempdir().unwrap();
        let mut history = open(Directory::open(directory.path()).unwrap(), START);
        let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
        append(&mut history, id, 0..200);
        settle(&mut history);
        history.flush().unwrap();
        let now = START + 199 * STEP;
        drop(history);
        let files: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let files: Vec<_> = files
            .iter()
            .map(|path| (path, std::fs::read(path).unwrap()))
            .filter(|(_, bytes)| !bytes.is_empty())
            .collect();
        let total: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        let mut found = 0;
        for flip in 0..2_000 {
            let mut at = flip * total / 2_000;
            let (path, bytes) = files
                .iter()
                .find(|(_, bytes)| {
                    let here = at < bytes.len();
                    if !here {
                        at -= bytes.len();
                    }
                    here
                })
                .unwrap();
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (flip % 8);
            std::fs::write(path, &flipped).unwrap();
            let history = open(Directory::open(directory.path()).unwrap(), now);
            let mut is_named = false;
            for step in [STEP, 400, 800] {
                let read = history.reader([id]).read(START, now + 1, step).unwrap();
                let super::super::Steps::Numbers(steps) = &read.series[0].1.steps else { unreachable!() };
                let right = |(found, all): &(u64, super::super::Aggregate)| {
                    let first = found * step / STEP - START / STEP;
                    (first..first + step / STEP).any(|step| value(step) == all.last)
                };
                assert!(steps.iter().all(right), "byte {at} of {}", path.display());
                is_named |= !read.damaged.is_empty();
            }
            found += usize::from(is_named);
            std::fs::write(path, bytes).unwrap();
        }
        assert!(found > 500, "the sweep hit hardly anything: {found}");
    }
}
