//! What series came to in a stretch of time, as it is sent on.

use std::collections::BTreeMap;

use quillwork_core::telemetry::Sketch;
use quillwork_store::history::{Read, ReadError, Reader, Steps, Stretch};
use quillwork_store::series::{SeriesKey, SeriesKind};
use quillwork_store::volume::Volume;

/// A value to send on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// Which series.
    pub(crate) key: SeriesKey,
    /// Its unit, in the words of the catalogue.
    pub(crate) unit: String,
    /// When it was so.
    pub(crate) at_unix_millis: u64,
    /// What it is.
    pub(crate) value: Value,
}

/// What a series came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Of a gauge, where it stood last.
    Level(f64),
    /// Of a counter, and since when it counts.
    Total {
        /// How many.
        total: f64,
        /// Since when.
        start_unix_millis: u64,
    },
    /// Of many values: all since the start, and those of the stretch alone.
    Spread {
        /// All that this has seen.
        total: Box<Sketch>,
        /// Of the stretch.
        recent: Box<Sketch>,
        /// Since when `total` counts.
        start_unix_millis: u64,
    },
    /// A series of this kind has had no value for a while, and is not expected to have one soon.
    Gone(SeriesKind),
}

/// What later stretches are measured against.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    seen: BTreeMap<SeriesKey, Seen>,
}

#[derive(Debug)]
struct Seen {
    kind: SeriesKind,
    unit: String,
    start_unix_millis: u64,
    at_unix_millis: u64,
    last: f64,
    total: Option<Sketch>,
    is_gone: bool,
}

/// Without a value for this long a series is gone.
const GONE_MILLIS: u64 = 60_000;
/// Without one for this long nothing is known of it any more: what it counts begins anew.
const FORGOTTEN_MILLIS: u64 = 3_600_000;

/// Steps that are in memory at once.
const MOST_AT_ONCE: u64 = 1_000_000;

/// What `[from, to)`, which lies within an interval, came to: one step of each series. Values from before `from` are left out where an interval doesn't
/// begin there.
pub(super) fn read(
    reader: &Reader<impl Volume>,
    (from, to): (u64, u64),
    interval: u64,
) -> Result<Read, ReadError> {
    let step = if from.is_multiple_of(interval) { interval } else { reader.finest_step_millis(from) };
    let steps = (to - from) / step + 2;
    let at_once = usize::try_from(MOST_AT_ONCE / steps).unwrap_or(usize::MAX).max(1);
    let mut all = Read { series: Vec::new(), damaged: Vec::new() };
    for some in reader.ids().chunks(at_once) {
        let read = reader.narrowed(some).read(from, to, step)?;
        all.damaged.extend(read.damaged);
        let whole = |(id, stretch): (_, Stretch)| (id, Stretch { steps: whole(stretch.steps), ..stretch });
        all.series.extend(read.series.into_iter().map(whole));
    }
    Ok(all)
}

/// Of numbers the last step, of sketches all in one.
fn whole(steps: Steps) -> Steps {
    match steps {
        Steps::Numbers(steps) => Steps::Numbers(steps.last().copied().into_iter().collect()),
        Steps::Sketches(steps) => {
            let merged = steps.into_iter().reduce(|(_, mut all), (last, sketch)| {
                merge(&mut all, &sketch);
                (last, all)
            });
            Steps::Sketches(merged.into_iter().collect())
        }
    }
}

impl Collector {
    /// What was [`read`] of `[from, to)`.
    pub(crate) fn take(&mut self, read: Read, from_unix_millis: u64, to_unix_millis: u64) -> Vec<Reading> {
        let mut readings = Vec::with_capacity(read.series.len());
        for (_, stretch) in read.series {
            let spec = stretch.spec;
            let new = || Seen {
                kind: spec.kind,
                unit: spec.unit.clone(),
                start_unix_millis: from_unix_millis,
                at_unix_millis: to_unix_millis,
                last: f64::NEG_INFINITY,
                total: None,
                is_gone: false,
            };
            let value = match stretch.steps {
                Steps::Numbers(steps) => {
                    let Some((_, all)) = steps.first() else { continue };
                    #[expect(clippy::cast_precision_loss, reason = "history keeps doubles' worth of digits")]
                    let last = spec.value_of(all.last as f64);
                    let seen = self.seen.entry(spec.key.clone()).or_insert_with(new);
                    seen.touch(to_unix_millis);
                    if spec.kind == SeriesKind::Counter {
                        if last < seen.last {
                            // What it counts was started again.
                            seen.start_unix_millis = from_unix_millis;
                        }
                        seen.last = last;
                        Value::Total { total: last, start_unix_millis: seen.start_unix_millis }
                    } else {
                        Value::Level(last)
                    }
                }
                Steps::Sketches(steps) => {
                    let Some((_, recent)) = steps.into_iter().next() else { continue };
                    let seen = self.seen.entry(spec.key.clone()).or_insert_with(new);
                    seen.touch(to_unix_millis);
                    match &mut seen.total {
                        Some(total) => merge(total, &recent),
                        None => seen.total = Some(recent.clone()),
                    }
                    let total = Box::new(seen.total.clone().unwrap_or_else(|| recent.clone()));
                    let start_unix_millis = seen.start_unix_millis;
                    Value::Spread { total, recent: Box::new(recent), start_unix_millis }
                }
            };
            readings.push(Reading { key: spec.key, unit: spec.unit, at_unix_millis: to_unix_millis, value });
        }
        self.seen.retain(|key, seen| {
            let silent = to_unix_millis.saturating_sub(seen.at_unix_millis);
            if silent >= GONE_MILLIS && !seen.is_gone {
                seen.is_gone = true;
                readings.push(Reading {
                    key: key.clone(),
                    unit: seen.unit.clone(),
                    at_unix_millis: to_unix_millis,
                    value: Value::Gone(seen.kind),
                });
            }
            silent < FORGOTTEN_MILLIS
        });
        readings.sort_by(|a, b| a.key.cmp(&b.key));
        readings
    }
}

impl Seen {
    fn touch(&mut self, at_unix_millis: u64) {
        (self.at_unix_millis, self.is_gone) = (at_unix_millis, false);
    }
}

/// Sketches of one series have one accuracy; of another one there is nothing to add to.
fn merge(into: &mut Sketch, sketch: &Sketch) {
    if into.merge(sketch).is_err() {
        into.clone_from(sketch);
    }
}

#[cfg(test)]
mod tests {
    use quillwork_core::telemetry::RelativeAccuracy;
    use quillwork_store::history::{Aggregate, History, HistoryOptions};
    use quillwork_store::series::{SeriesId, SeriesSpec};
    use quillwork_store::volume::Memory;

    use super::*;

    /// Of a history that has one series.
    fn id() -> SeriesId {
        let mut history = History::open(Memory::new(), HistoryOptions::default(), 0).unwrap();
        history.add_series(spec("a", SeriesKind::Gauge)).unwrap()
    }

    fn spec(name: &str, kind: SeriesKind) -> SeriesSpec {
        SeriesSpec { key: name.parse().unwrap(), kind, unit: "count".into(), resolution: 0.5 }
    }

    fn numbers(name: &str, kind: SeriesKind, last: Option<i64>) -> (SeriesId, Stretch) {
        let steps = last.map(|last| (7, Aggregate::of(last))).into_iter().collect();
        (id(), Stretch { spec: spec(name, kind), steps: Steps::Numbers(steps) })
    }

    fn read(series: Vec<(SeriesId, Stretch)>) -> Read {
        Read { series, damaged: Vec::new() }
    }

    fn values(readings: Vec<Reading>) -> Vec<Value> {
        readings.into_iter().map(|reading| reading.value).collect()
    }

    #[test]
    fn a_counter_says_since_when_it_counts_and_begins_anew_where_it_falls() {
        let mut collector = Collector::default();
        let mut total = |at: u64, last| {
            let read = read(vec![numbers("a", SeriesKind::Counter, Some(last))]);
            values(collector.take(read, at, at + 10_000))
        };
        let expected = |total, start_unix_millis| vec![Value::Total { total, start_unix_millis }];
        assert_eq!(total(10_000, 8), expected(4.0, 10_000));
        assert_eq!(total(20_000, 8), expected(4.0, 10_000));
        assert_eq!(total(30_000, 2), expected(1.0, 30_000));
        assert_eq!(total(40_000, 6), expected(3.0, 30_000));
    }

    #[test]
    fn a_spread_is_told_whole_and_in_part() {
        let mut collector = Collector::default();
        let mut spread = |at: u64, values_of: &[f64]| {
            let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
            values_of.iter().for_each(|value| sketch.record(*value).unwrap());
            let stretch =
                Stretch { spec: spec("s", SeriesKind::Sketch), steps: Steps::Sketches(vec![(1, sketch)]) };
            let readings = collector.take(read(vec![(id(), stretch)]), at, at + 10_000);
            match values(readings).remove(0) {
                Value::Spread { total, recent, start_unix_millis } => {
                    (total.count(), recent.count(), start_unix_millis)
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(spread(10_000, &[1.0, 2.0]), (2, 2, 10_000));
        assert_eq!(spread(20_000, &[3.0]), (3, 1, 10_000));
    }

    #[test]
    fn what_ends_is_told_once_and_a_pause_is_no_end() {
        let mut collector = Collector::default();
        let mut take = |at: u64, last| {
            let series = vec![numbers("a", SeriesKind::Gauge, last)];
            values(collector.take(read(series), at, at + 20_000))
        };
        assert_eq!(take(0, Some(4)), [Value::Level(2.0)]);
        assert_eq!(take(20_000, None), []);
        assert_eq!(take(40_000, None), []);
        assert_eq!(take(60_000, None), [Value::Gone(SeriesKind::Gauge)]);
        assert_eq!(take(80_000, None), []);
        assert_eq!(take(100_000, Some(2)), [Value::Level(1.0)]);
    }

    #[test]
    fn an_interval_that_is_not_whole_has_what_was_measured_in_its_part_alone() {
        const BEGIN: u64 = 1_700_000_000_000;
        let mut history = History::open(Memory::new(), HistoryOptions::default(), BEGIN).unwrap();
        let gauge = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
        let sketches = history.add_series(spec("s", SeriesKind::Sketch)).unwrap();
        for second in 0..50_u32 {
            let at = BEGIN + u64::from(second) * 1_000;
            let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
            sketch.record(1.0).unwrap();
            history.append(at, at, &[(gauge, 0.5 * f64::from(second))]);
            history.append_sketch(at, at, sketches, &sketch);
        }
        let reader = history.reader([gauge, sketches]);
        let of = |from: u64, to: u64| {
            let read = super::read(&reader, (BEGIN + from, BEGIN + to), 60_000).unwrap();
            let mut collector = Collector::default();
            let values = values(collector.take(read, BEGIN + from, BEGIN + to));
            let [Value::Level(level), Value::Spread { recent, .. }] = &values[..] else {
                panic!("{values:?}")
            };
            (*level, recent.count())
        };
        // 1 700 000 000 is 20 seconds into a minute.
        assert_eq!(of(0, 30_000), (14.5, 30));
        assert_eq!(of(25_500, 40_000), (19.5, 15));
        assert_eq!(of(40_000, 50_000), (24.5, 10));
    }
}
