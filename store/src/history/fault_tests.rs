//! History on a medium that fails.

use super::{History, HistoryError, HistoryOptions};
use crate::backend::{Backend, BackendError, Changes, Faults, Faulty, Memory, SetAside};
use crate::record::Damage;
use crate::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};

const OPTIONS: HistoryOptions =
    HistoryOptions { step_millis: 1_000, chunk_steps: 10, retention_millis: 60_000, max_series: 50 };

fn key(name: &str) -> SeriesKey {
    SeriesKey::plain(name).unwrap()
}

fn spec(name: &str) -> SeriesSpec {
    SeriesSpec { key: key(name), kind: SeriesKind::Gauge, unit: "ratio".into(), resolution: 0.001 }
}

fn faulty(seed: u64) -> (History<Faulty<Memory>>, SeriesId) {
    let mut history = History::open(Faulty::new(Memory::new(), seed), OPTIONS).unwrap().history;
    let id = history.add_series(spec("a")).unwrap();
    history.commit().unwrap();
    (history, id)
}

/// A value for each second, none of them like its neighbours.
fn value(second: u64) -> f64 {
    (second * 37 % 1_000) as f64 / 1_000.0
}

fn append<B: Backend>(history: &mut History<B>, id: SeriesId, seconds: std::ops::Range<u64>) {
    for second in seconds {
        let now = second * 1_000;
        history.append(now, now, &[(id, Some(value(second)))]).unwrap();
    }
}

fn values<B: Backend>(history: &mut History<B>, id: SeriesId, from: u64, to: u64) -> Vec<Option<f64>> {
    history.query(id, from * 1_000, to * 1_000, usize::MAX).unwrap().values
}

fn expected(from: u64, to: u64) -> Vec<Option<f64>> {
    (from..to).map(|second| Some(value(second))).collect()
}

impl History<Faulty<Memory>> {
    fn set_faults(&mut self, faults: Faults) {
        self.records_mut().backend_mut().set_faults(faults);
    }
}

#[test]
fn a_full_disk_loses_nothing_and_recovers_when_there_is_room() {
    let (mut history, id) = faulty(1);
    history.set_faults(Faults { no_space: 1.0, ..Faults::default() });
    for second in 100..145 {
        append(&mut history, id, second..second + 1);
        let full_chunk_waits = second >= 110;
        assert_eq!(history.commit(), if full_chunk_waits { Err(BackendError::NoSpace) } else { Ok(()) });
    }
    assert_eq!(values(&mut history, id, 100, 145), expected(100, 145));

    history.set_faults(Faults::default());
    history.flush().unwrap();
    let mut reopened = History::open(history.into_backend().into_inner(), OPTIONS).unwrap().history;
    let id = reopened.find(&key("a")).unwrap();
    assert_eq!(values(&mut reopened, id, 100, 145), expected(100, 145));
}

#[test]
fn what_waits_for_a_full_disk_stays_within_the_retention() {
    let (mut history, id) = faulty(2);
    history.set_faults(Faults { no_space: 1.0, ..Faults::default() });
    for second in 100..2_000 {
        append(&mut history, id, second..second + 1);
        let _full = history.commit();
    }
    // Sixty seconds are in seven chunks at most, one of them open.
    assert!(history.waiting().iter().count() <= 7, "{}", history.waiting().iter().count());
    assert_eq!(values(&mut history, id, 1_940, 2_000), expected(1_940, 2_000));
}

#[test]
fn series_that_come_and_go_while_the_disk_is_full_leave_nothing_behind() {
    let (mut history, _) = faulty(8);
    history.set_faults(Faults { no_space: 1.0, ..Faults::default() });
    for second in 100..1_100 {
        let id = history.add_series(spec("page")).unwrap();
        append(&mut history, id, second..second + 1);
        let _full = history.flush();
        assert!(history.remove_series(id));
    }
    assert_eq!(history.waiting().iter().count(), 0);
}

#[test]
fn commits_that_fail_after_taking_effect_are_simply_made_again() {
    let (mut history, id) = faulty(3);
    history.set_faults(Faults { commit_error: 0.7, ..Faults::default() });
    for second in 100..400 {
        append(&mut history, id, second..second + 1);
        let _failed = history.commit();
    }
    history.set_faults(Faults::default());
    history.flush().unwrap();
    let mut reopened = History::open(history.into_backend().into_inner(), OPTIONS).unwrap().history;
    let id = reopened.find(&key("a")).unwrap();
    reopened.append(399_000, 399_000, &[]).unwrap();
    assert_eq!(values(&mut reopened, id, 340, 400), expected(340, 400));
}

#[test]
fn a_damaged_chunk_is_a_gap_that_is_named_never_data() {
    let (mut history, id) = faulty(4);
    append(&mut history, id, 100..145);
    history.commit().unwrap();
    history.set_faults(Faults { bit_flip: 0.5, ..Faults::default() });
    let mut damaged_in_all = 0;
    for _ in 0..50 {
        let slice = history.query(id, 100_000, 145_000, usize::MAX).unwrap();
        damaged_in_all += slice.damaged.len();
        assert!(slice.damaged.iter().all(|record| record.damage == Damage::Checksum));
        let gaps = slice.values.iter().filter(|value| value.is_none()).count();
        assert_eq!(gaps, slice.damaged.len() * 10);
        for (value, expected) in slice.values.iter().zip(expected(100, 145)) {
            assert!(value.is_none() || *value == expected);
        }
    }
    assert!(damaged_in_all > 50);
}

#[test]
fn a_late_value_into_a_damaged_chunk_begins_it_anew_and_says_so() {
    let (mut history, id) = faulty(5);
    append(&mut history, id, 100..125);
    history.commit().unwrap();
    history.set_faults(Faults { bit_flip: 1.0, ..Faults::default() });
    let appended = history.append(125_000, 105_000, &[(id, Some(0.5))]).unwrap();
    assert_eq!((appended.stored, appended.damaged.len()), (1, 1));
    history.set_faults(Faults::default());
    let read = values(&mut history, id, 100, 110);
    assert_eq!((read[5], read.iter().flatten().count()), (Some(0.5), 1));
}

#[test]
fn a_read_that_fails_is_an_error_and_works_again_later() {
    let (mut history, id) = faulty(6);
    append(&mut history, id, 100..125);
    history.commit().unwrap();
    history.set_faults(Faults { read_error: 1.0, ..Faults::default() });
    assert!(matches!(
        history.query(id, 100_000, 125_000, 10),
        Err(HistoryError::Backend(BackendError::Io(_)))
    ));
    history.set_faults(Faults::default());
    assert_eq!(values(&mut history, id, 100, 125), expected(100, 125));
}

/// Breaks when told to: what it held is gone, and it begins anew, as a file that is set aside.
#[derive(Debug, Default)]
struct Breaking {
    inner: Memory,
    breaks: bool,
}

impl Breaking {
    fn check(&mut self) -> Result<(), BackendError> {
        if std::mem::take(&mut self.breaks) {
            self.inner = Memory::new();
            let set_aside = SetAside { path: "history.broken-1".into(), reason: "a test broke it".into() };
            return Err(BackendError::SetAside(set_aside));
        }
        Ok(())
    }
}

impl Backend for Breaking {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.check()?;
        self.inner.get(key)
    }

    fn scan(&mut self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), BackendError> {
        self.check()?;
        self.inner.scan(prefix, visit)
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), BackendError> {
        self.check()?;
        self.inner.commit(changes)
    }
}

#[test]
fn after_its_file_was_set_aside_a_history_goes_on_with_what_is_in_memory() {
    for broken_by_reading in [false, true] {
        let mut history = History::open(Breaking::default(), OPTIONS).unwrap().history;
        let id = history.add_series(spec("a")).unwrap();
        append(&mut history, id, 100..125);
        history.commit().unwrap();

        append(&mut history, id, 125..135);
        history.records_mut().backend_mut().breaks = true;
        if broken_by_reading {
            assert!(history.query(id, 100_000, 110_000, 10).is_err());
        } else {
            assert!(matches!(history.commit(), Err(BackendError::SetAside(_))));
        }
        append(&mut history, id, 135..140);
        history.flush().unwrap();

        let mut reopened = History::open(history.into_backend(), OPTIONS).unwrap().history;
        let id = reopened.find(&key("a")).expect("the series was stored again");
        let kept = values(&mut reopened, id, 100, 140);
        // The chunks of 100 to 119 were on the broken medium only.
        assert_eq!(kept[kept.len() - 20..], expected(120, 140));
        assert_eq!(kept.iter().flatten().count(), 20);
    }
}

#[test]
fn a_series_whose_record_is_damaged_is_gone_and_named_and_the_others_stay() {
    let (mut history, a) = faulty(7);
    let b = history.add_series(spec("b")).unwrap();
    append(&mut history, a, 100..125);
    append(&mut history, b, 100..125);
    history.flush().unwrap();
    let mut backend = history.into_backend().into_inner();
    let record_key = super::keys::series(a);
    let mut broken = Changes::new();
    let mut record = backend.get(&record_key).unwrap().unwrap();
    record[9] ^= 4;
    broken.put(&record_key, &record);
    backend.commit(&broken).unwrap();

    let opened = History::open(backend, OPTIONS).unwrap();
    let mut history = opened.history;
    assert_eq!(opened.damaged.len(), 1);
    assert_eq!((opened.damaged[0].key.as_slice(), history.find(&key("a"))), (record_key.as_slice(), None));
    assert_eq!(values(&mut history, b, 100, 125), expected(100, 125));
    // A new series of the name starts empty: what was left of the old one is not taken for its own.
    let again = history.add_series(spec("a")).unwrap();
    history.commit().unwrap();
    assert!(values(&mut history, again, 100, 125).iter().all(Option::is_none));
}

/// What the module's documentation says a series takes.
#[test]
fn bytes_of_a_series_that_changes_a_little_at_each_step() {
    let mut history = History::open(Memory::new(), HistoryOptions::default()).unwrap().history;
    let id = history.add_series(spec("host.cpu.total")).unwrap();
    let mut rng = quillwork_core::rng::Rng::from_seed(1);
    let mut busy = 0.4;
    for second in 0..7_200 {
        busy = (busy + (rng.unit_f64() - 0.5) * 0.1).clamp(0.0, 1.0);
        history.append(second * 1_000, second * 1_000, &[(id, Some(busy))]).unwrap();
        history.commit().unwrap();
    }
    let stored = history.into_backend().content_bytes();
    let open = 600 * 8 + 600 / 8;
    println!("{stored} bytes stored, {open} for the open chunk");
    assert!(stored + open < 10_000, "{stored} + {open}");
}
