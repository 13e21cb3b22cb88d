//! A small history for tests, and ways to read it.

use std::collections::BTreeMap;

use super::{Aggregate, History, HistoryOptions, Steps, TierOptions};
use crate::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use crate::volume::Volume;

pub(super) const STEP: u64 = 100;
/// When the clock starts: a multiple of every window.
pub(super) const START: u64 = 12_800 * 100_000;

/// Steps of 0.1, 0.4 and 0.8 seconds, kept for 6.4, 25.6 and 102.4 seconds.
pub(super) fn options() -> HistoryOptions {
    let tier = |step_millis, window_steps, retention_millis| TierOptions {
        step_millis,
        window_steps,
        retention_millis,
    };
    HistoryOptions {
        head_steps: 4,
        settle_millis: 200,
        tiers: vec![tier(STEP, 8, 6_400), tier(400, 2, 25_600), tier(800, 8, 102_400)],
        max_bytes: 64 << 20,
        max_series: 4,
    }
}

pub(super) fn key(name: &str) -> SeriesKey {
    SeriesKey::plain(name).unwrap()
}

pub(super) fn spec(name: &str, kind: SeriesKind) -> SeriesSpec {
    SeriesSpec { key: key(name), kind, unit: "count".into(), resolution: 1.0 }
}

pub(super) fn open<V: Volume>(volume: V, now: u64) -> History<V> {
    History::open(volume, options(), now).unwrap()
}

/// What `[from, to)` came to; panics where something is damaged.
pub(super) fn read<V: Volume>(
    history: &History<V>,
    id: SeriesId,
    from: u64,
    to: u64,
    step: u64,
) -> BTreeMap<u64, Aggregate> {
    let read = history.reader([id]).read(from, to, step).unwrap();
    assert_eq!(read.damaged, []);
    let Steps::Numbers(steps) = &read.series[0].1.steps else { panic!("numbers were expected") };
    steps.iter().copied().collect()
}

/// The single values of `[from, to)`.
pub(super) fn values<V: Volume>(
    history: &History<V>,
    id: SeriesId,
    from: u64,
    to: u64,
) -> BTreeMap<u64, i64> {
    read(history, id, from, to, STEP).into_iter().map(|(step, point)| (step, point.last)).collect()
}

/// Lets everything be sealed and rolled up that can be.
pub(super) fn settle<V: Volume>(history: &mut History<V>) {
    history.commit().unwrap();
    while !history.is_idle() {
        history.commit().unwrap();
    }
}
