//! Values such as programs send: a walk, a level that seldom changes, a count that grows.

use quillwork_core::rng::Rng;
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};

/// One series' course, the same from the same seed.
pub(crate) struct Course {
    rng: Rng,
    kind: Kind,
    /// In thousandths.
    value: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Walk,
    Steady,
    Count,
}

impl Course {
    /// Of three in a row one of each kind.
    pub(crate) fn new(number: u64) -> Self {
        let kind = [Kind::Walk, Kind::Steady, Kind::Count][(number % 3) as usize];
        Self { rng: Rng::from_seed(number), kind, value: 500_000.0 }
    }

    pub(crate) fn is_count(&self) -> bool {
        self.kind == Kind::Count
    }

    /// The value of the next second.
    pub(crate) fn next(&mut self) -> f64 {
        match self.kind {
            Kind::Walk => self.value += self.rng.below(2_001) as f64 - 1_000.0,
            Kind::Steady if self.rng.below(30) == 0 => self.value = self.rng.below(1_000_000) as f64,
            Kind::Steady => {}
            Kind::Count => self.value += self.rng.below(50) as f64 * 1_000.0,
        }
        self.value / 1_000.0
    }

    /// The series in a store.
    pub(crate) fn spec(&self, number: usize) -> SeriesSpec {
        SeriesSpec {
            key: SeriesKey::new("bench.value", [("number", number.to_string())]).expect("the name is sound"),
            kind: if self.is_count() { SeriesKind::Counter } else { SeriesKind::Gauge },
            unit: "count".into(),
            resolution: 0.001,
        }
    }
}

/// The next second of each series.
pub(crate) fn second(courses: &mut [Course], ids: &[SeriesId]) -> Vec<(SeriesId, f64)> {
    ids.iter().zip(courses).map(|(id, course)| (*id, course.next())).collect()
}
