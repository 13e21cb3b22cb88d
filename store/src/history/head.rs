//! The newest values, in memory until they are written.

use std::collections::BTreeMap;

use quillwork_core::telemetry::Sketch;

use super::aggregate::Aggregate;
use super::points::Points;
use crate::series::{SeriesId, SeriesKind};

/// A minute or so of all series that had values in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) series: BTreeMap<SeriesId, HeadPoints>,
    /// Whether it holds what is not on the medium.
    pub(super) is_changed: bool,
    /// Whether it holds all that the medium has of this window.
    pub(super) is_whole: bool,
}

/// Of one series. A window has 64 steps at most, so a bit for each fits into a word.
#[derive(Clone, Debug)]
pub(super) enum HeadPoints {
    Numbers { present: u64, values: Box<[i64]> },
    Sketches(BTreeMap<u32, Sketch>),
}

impl HeadPoints {
    pub(super) fn empty(kind: SeriesKind, steps: u32) -> Self {
        match kind {
            SeriesKind::Gauge | SeriesKind::Counter => {
                Self::Numbers { present: 0, values: vec![0; steps as usize].into() }
            }
            SeriesKind::Sketch => Self::Sketches(BTreeMap::new()),
        }
    }

    pub(super) fn set(&mut self, place: u32, value: i64) {
        if let Self::Numbers { present, values } = self {
            *present |= 1 << place;
            values[place as usize] = value;
        }
    }

    pub(super) fn set_sketch(&mut self, place: u32, sketch: Sketch) {
        if let Self::Sketches(sketches) = self {
            sketches.insert(place, sketch);
        }
    }

    /// Takes away all places from this one on.
    pub(super) fn cut_from(&mut self, place: u32) {
        match self {
            Self::Numbers { present, .. } => *present &= (1_u64 << place) - 1,
            Self::Sketches(sketches) => drop(sketches.split_off(&place)),
        }
    }

    pub(super) fn points(&self) -> Points {
        self.points_from(0)
    }

    /// Those of this place and later.
    pub(super) fn points_from(&self, first: u32) -> Points {
        match self {
            Self::Numbers { present, values } => {
                let values = (0_u32..).zip(values.iter()).skip(first as usize);
                let values = values.filter(|(place, _)| present & (1 << place) != 0);
                Points::Numbers(values.map(|(place, &value)| (place, Aggregate::of(value))).collect())
            }
            Self::Sketches(sketches) => {
                let later = sketches.range(first..).map(|(&place, sketch)| (place, sketch.clone()));
                Points::Sketches(later.collect())
            }
        }
    }

    /// Puts points over these; those of another kind, or beyond the window, are left out.
    pub(super) fn overlay(&mut self, points: Points) {
        match (self, points) {
            (Self::Numbers { present, values }, Points::Numbers(points)) => {
                for (place, point) in points {
                    if let Some(value) = values.get_mut(place as usize) {
                        *value = point.last;
                        *present |= 1 << place;
                    }
                }
            }
            (Self::Sketches(sketches), Points::Sketches(points)) => sketches.extend(points),
            _ => {}
        }
    }
}
