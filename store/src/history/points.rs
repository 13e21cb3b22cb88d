//! What a window holds of one series, and its bytes.

use std::collections::BTreeMap;

use quillwork_core::telemetry::{DEFAULT_MAX_BUCKETS, Sketch, SketchParts};

use super::aggregate::Aggregate;
use super::column::{
    fold, put_column, put_number, put_places, take_column, take_number, take_places, unfold,
};
use crate::series::SeriesKind;

/// What a window holds of one series: by place in the window, steps that nobody observed left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Points {
    /// Of gauges and counters.
    Numbers(BTreeMap<u32, Aggregate>),
    /// Of sketches.
    Sketches(BTreeMap<u32, Sketch>),
}

/// How points are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) kind: SeriesKind,
    /// Whether each step holds one value, and not what several come to.
    pub(super) is_raw: bool,
    /// Steps in the window.
    pub(super) steps: u32,
}

impl Points {
    pub(super) const fn empty(kind: SeriesKind) -> Self {
        match kind {
            SeriesKind::Gauge | SeriesKind::Counter => Self::Numbers(BTreeMap::new()),
            SeriesKind::Sketch => Self::Sketches(BTreeMap::new()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Numbers(points) => points.is_empty(),
            Self::Sketches(points) => points.is_empty(),
        }
    }

    /// Where there are points, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = u32> {
        let (numbers, sketches) = match self {
            Self::Numbers(points) => (Some(points.keys()), None),
            Self::Sketches(points) => (None, Some(points.keys())),
        };
        numbers.into_iter().flatten().chain(sketches.into_iter().flatten()).copied()
    }

    /// Puts other points over these, `offset` places on: where both have one the other's counts.
    pub(super) fn overlay(&mut self, over: Self, offset: u32) {
        match (self, over) {
            (Self::Numbers(points), Self::Numbers(over)) => {
                points.extend(over.into_iter().map(|(place, point)| (place + offset, point)));
            }
            (Self::Sketches(points), Self::Sketches(over)) => {
                points.extend(over.into_iter().map(|(place, point)| (place + offset, point)));
            }
            // A series keeps its kind: other points are not its own.
            (Self::Numbers(_), Self::Sketches(_)) | (Self::Sketches(_), Self::Numbers(_)) => {}
        }
    }

    /// Takes away all places from this one on. Says whether there were any.
    pub(super) fn cut_from(&mut self, place: u32) -> bool {
        match self {
            Self::Numbers(points) => !points.split_off(&place).is_empty(),
            Self::Sketches(points) => !points.split_off(&place).is_empty(),
        }
    }

    /// The same in steps that are `factor` times as long.
    pub(super) fn coarser(self, factor: u32) -> Self {
        match self {
            Self::Numbers(points) => {
                let mut coarse: BTreeMap<u32, Aggregate> = BTreeMap::new();
                for (place, point) in points {
                    coarse.entry(place / factor).and_modify(|all| *all = all.then(&point)).or_insert(point);
                }
                Self::Numbers(coarse)
            }
            Self::Sketches(points) => {
                let mut coarse: BTreeMap<u32, Sketch> = BTreeMap::new();
                for (place, point) in points {
                    match coarse.get_mut(&(place / factor)) {
                        None => drop(coarse.insert(place / factor, point)),
                        Some(all) => join(all, point),
                    }
                }
                Self::Sketches(coarse)
            }
        }
    }

    pub(super) fn encode(&self, form: Form, dense: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Numbers(points) => {
                put_places(&mut bytes, points.keys().copied());
                if points.is_empty() {
                    return bytes;
                }
                for column in columns(form) {
                    let numbers: Vec<i64> = points.values().map(column.take).collect();
                    put_column(&mut bytes, &numbers, dense);
                }
            }
            Self::Sketches(points) => {
                put_places(&mut bytes, points.keys().copied());
                points.values().for_each(|sketch| put_sketch(&mut bytes, sketch));
            }
        }
        bytes
    }

    /// `None` where the bytes are no points of this form.
    pub(super) fn decode(form: Form, mut bytes: &[u8]) -> Option<Self> {
        let places = take_places(&mut bytes, form.steps)?;
        let points = match form.kind {
            SeriesKind::Sketch => {
                let sketches = places.into_iter().map(|place| Some((place, take_sketch(&mut bytes)?)));
                Self::Sketches(sketches.collect::<Option<_>>()?)
            }
            SeriesKind::Gauge | SeriesKind::Counter => {
                let mut numbers = vec![Aggregate::of(0); places.len()];
                if !places.is_empty() {
                    for column in columns(form) {
                        let values = take_column(&mut bytes, places.len())?;
                        numbers
                            .iter_mut()
                            .zip(values)
                            .for_each(|(number, value)| (column.put)(number, value));
                    }
                }
                Self::Numbers(places.into_iter().zip(numbers).collect())
            }
        };
        bytes.is_empty().then_some(points)
    }
}

/// Merges sketches; one of another accuracy, which a series doesn't have, is left out.
pub(super) fn join(all: &mut Sketch, other: Sketch) {
    if all.merge(&other).is_err() {
        debug_assert!(false, "sketches of one series have one accuracy");
    }
}

struct Column {
    take: fn(&Aggregate) -> i64,
    /// Columns are read in the order in which they are written: one may build on those before.
    put: fn(&mut Aggregate, i64),
}

/// What is written of each step. Differences to the last value are small, so they take few bytes.
fn columns(form: Form) -> &'static [Column] {
    const VALUE: Column =
        Column { take: |point| point.last, put: |point, value| *point = Aggregate::of(value) };
    const COUNT: Column = Column {
        take: |point| point.count.cast_signed(),
        put: |point, count| point.count = count.cast_unsigned(),
    };
    const LEVELS: &[Column] = &[
        VALUE,
        COUNT,
        Column {
            take: |point| point.last.wrapping_sub(point.min),
            put: |point, below| point.min = point.last.wrapping_sub(below),
        },
        Column {
            take: |point| point.max.wrapping_sub(point.last),
            put: |point, above| point.max = point.last.wrapping_add(above),
        },
        Column {
            take: |point| point.sum.wrapping_sub(point.last.wrapping_mul(point.count.cast_signed())),
            put: |point, rest| {
                point.sum = point.last.wrapping_mul(point.count.cast_signed()).wrapping_add(rest);
            },
        },
    ];
    const COUNTERS: &[Column] = &[
        VALUE,
        COUNT,
        Column {
            take: |point| point.last.wrapping_sub(point.first),
            put: |point, grown| point.first = point.last.wrapping_sub(grown),
        },
        Column {
            take: |point| point.increase.wrapping_sub(point.last.wrapping_sub(point.first)),
            put: |point, reset| {
                point.increase = point.last.wrapping_sub(point.first).wrapping_add(reset);
            },
        },
    ];
    match (form.is_raw, form.kind) {
        (true, _) => &[VALUE],
        (false, SeriesKind::Counter) => COUNTERS,
        (false, SeriesKind::Gauge | SeriesKind::Sketch) => LEVELS,
    }
}

fn put_sketch(bytes: &mut Vec<u8>, sketch: &Sketch) {
    let parts = sketch.to_parts();
    for number in [parts.sum, parts.min, parts.max, parts.relative_accuracy] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    put_number(bytes, parts.zeros);
    put_number(bytes, parts.buckets.len() as u64);
    let mut before = 0;
    for (index, count) in parts.buckets {
        put_number(bytes, fold(i64::from(index) - before));
        put_number(bytes, count);
        before = i64::from(index);
    }
}

fn take_sketch(bytes: &mut &[u8]) -> Option<Sketch> {
    let mut float = || {
        let (float, rest) = bytes.split_first_chunk::<8>()?;
        *bytes = rest;
        Some(f64::from_le_bytes(*float))
    };
    let (sum, min, max, relative_accuracy) = (float()?, float()?, float()?, float()?);
    let zeros = take_number(bytes)?;
    let mut count = zeros;
    let mut before = 0_i64;
    let mut buckets = Vec::new();
    for _ in 0..take_number(bytes)? {
        before = before.checked_add(unfold(take_number(bytes)?))?;
        let times = take_number(bytes)?;
        count = count.checked_add(times)?;
        buckets.push((i32::try_from(before).ok()?, times));
    }
    let parts = SketchParts { count, sum, min, max, relative_accuracy, zeros, buckets };
    Sketch::from_parts(&parts, DEFAULT_MAX_BUCKETS).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quillwork_core::telemetry::RelativeAccuracy;

    use super::*;

    const STEPS: u32 = 60;

    fn form(kind: SeriesKind, is_raw: bool) -> Form {
        Form { kind, is_raw, steps: STEPS }
    }

    fn raw(values: &BTreeMap<u32, i64>) -> Points {
        Points::Numbers(values.iter().map(|(&place, &value)| (place, Aggregate::of(value))).collect())
    }

    proptest! {
        #[test]
        fn any_points_come_back(
            values in prop::collection::btree_map(0..STEPS, -100_000_i64..100_000, 0..60),
            factor in 1_u32..12, dense: bool,
        ) {
            let raw = raw(&values);
            for kind in [SeriesKind::Gauge, SeriesKind::Counter] {
                let back = Points::decode(form(kind, true), &raw.encode(form(kind, true), dense));
                prop_assert_eq!(back.as_ref(), Some(&raw));
                let coarse = raw.clone().coarser(factor);
                let back = Points::decode(form(kind, false), &coarse.encode(form(kind, false), dense)).unwrap();
                let (Points::Numbers(coarse), Points::Numbers(back)) = (coarse, back) else { unreachable!() };
                prop_assert!(coarse.keys().eq(back.keys()));
                for (wrote, read) in coarse.values().zip(back.values()) {
                    prop_assert_eq!((wrote.count, wrote.last), (read.count, read.last));
                    if kind == SeriesKind::Gauge {
                        prop_assert_eq!((wrote.sum, wrote.min, wrote.max), (read.sum, read.min, read.max));
                    } else {
                        prop_assert_eq!((wrote.first, wrote.increase), (read.first, read.increase));
                    }
                }
            }
        }

        #[test]
        fn any_sketches_come_back(values in prop::collection::btree_map(0..STEPS, prop::collection::vec(0.0_f64..1e6, 0..9), 0..9)) {
            let sketches = values.into_iter().map(|(place, values)| {
                let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
                values.into_iter().for_each(|value| sketch.record(value).unwrap());
                (place, sketch)
            });
            let points = Points::Sketches(sketches.collect());
            let form = form(SeriesKind::Sketch, true);
            prop_assert_eq!(Points::decode(form, &points.encode(form, true)), Some(points));
        }

        #[test]
        fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..80), raw: bool, kind in 0_usize..3) {
            let kind = [SeriesKind::Gauge, SeriesKind::Counter, SeriesKind::Sketch][kind];
            let _points = Points::decode(form(kind, raw), &bytes);
        }
    }
}
