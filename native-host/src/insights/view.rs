//! Series of a history as they were at one time, asked one thing after the other.

use quillwork_core::telemetry::Sketch;
use quillwork_store::history::{Aggregate, ReadError, Reader, Steps};
use quillwork_store::query::{Function, Query, QueryError, Shape};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::Volume;

use super::SOURCE;

/// A stretch of time in whole steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) step_millis: u64,
}

impl Span {
    /// Steps in it.
    pub(crate) fn len(self) -> usize {
        usize::try_from((self.to - self.from) / self.step_millis).unwrap_or(usize::MAX)
    }

    fn place(self, step: u64) -> Option<usize> {
        let at = step.checked_mul(self.step_millis)?.checked_sub(self.from)?;
        usize::try_from(at / self.step_millis).ok().filter(|place| *place < self.len())
    }

    /// The start of a step.
    pub(crate) fn at(self, place: usize) -> u64 {
        self.from + self.step_millis * place as u64
    }
}

/// One value a step: of a gauge its mean, of a counter its rate, of a sketch its mean.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) key: SeriesKey,
    pub(crate) values: Vec<Option<f64>>,
}

/// Mean, lowest and highest value of each step of a gauge.
#[derive(Clone, Debug)]
pub(crate) struct Band {
    pub(crate) key: SeriesKey,
    pub(crate) unit: String,
    pub(crate) steps: Vec<Option<[f64; 3]>>,
}

/// One sketch a step.
#[derive(Clone, Debug)]
pub(crate) struct SketchLine {
    pub(crate) key: SeriesKey,
    pub(crate) sketches: Vec<Option<Sketch>>,
}

/// A reader, and what of it was found to be damaged.
#[derive(Debug)]
pub(crate) struct View<V> {
    reader: Reader<V>,
    damaged: Vec<String>,
}

impl<V: Volume> View<V> {
    pub(crate) fn new(reader: Reader<V>) -> Self {
        Self { reader, damaged: Vec::new() }
    }

    /// Pieces that could not be trusted, each once.
    pub(crate) fn damaged(mut self) -> Vec<String> {
        self.damaged.sort_unstable();
        self.damaged.dedup();
        self.damaged
    }

    /// What there is, by number.
    pub(crate) fn series(&self) -> impl Iterator<Item = (SeriesId, &SeriesSpec)> {
        self.reader.ids().iter().copied().zip(self.reader.specs())
    }

    /// Sources that have a series of which this holds: those that came last, at most so many.
    pub(crate) fn newest_sources(&self, most: usize, is_meant: impl Fn(&SeriesKey) -> bool) -> Vec<String> {
        let mut meant: Vec<(SeriesId, &str)> = self
            .series()
            .filter(|(_, spec)| is_meant(&spec.key))
            .filter_map(|(id, spec)| Some((id, spec.key.label(SOURCE)?)))
            .collect();
        meant.sort_unstable_by(|a, b| b.cmp(a));
        let mut sources: Vec<String> = Vec::new();
        for (_, source) in meant {
            if sources.len() == most {
                break;
            }
            if !sources.iter().any(|known| known == source) {
                sources.push(source.to_owned());
            }
        }
        sources
    }

    /// The first instant of which there may be anything, where that is within the range.
    pub(crate) fn first_within(&self, from: u64, to: u64) -> u64 {
        self.reader.first_unix_millis().map_or(to, |first| first.clamp(from, to))
    }

    /// `[from, to)` in steps of at least this length, as fine as is kept of that time; from the first whole step on, and not beyond
    /// the history's clock.
    pub(crate) fn span(&self, from: u64, to: u64, step_millis: u64) -> Span {
        let finest = self.reader.finest_step_millis(from);
        let step_millis = step_millis.max(finest).div_ceil(finest) * finest;
        let to = to.min(self.reader.now_unix_millis() + 1).div_ceil(step_millis) * step_millis;
        let from = from.div_ceil(step_millis) * step_millis;
        Span { from: from.min(to), to, step_millis }
    }

    /// Values of all series that are meant, by name and labels.
    pub(crate) fn lines(
        &mut self,
        span: Span,
        is_meant: impl Fn(&SeriesKey) -> bool,
    ) -> Result<Vec<Line>, ReadError> {
        let mut lines = self.stretches(
            span,
            &is_meant,
            |spec| spec.kind == SeriesKind::Gauge,
            |spec, steps| {
                let mut values = vec![None; span.len()];
                if let Steps::Numbers(steps) = steps {
                    for (step, all) in steps {
                        if let Some(place) = span.place(step) {
                            values[place] = Some(mean(spec, &all));
                        }
                    }
                }
                Line { key: spec.key.clone(), values }
            },
        )?;
        lines.extend(self.rates(span, &is_meant)?);
        lines.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(lines)
    }

    /// Values of all gauges that are meant, with what lies below a step.
    pub(crate) fn bands(
        &mut self,
        span: Span,
        is_meant: impl Fn(&SeriesKey) -> bool,
    ) -> Result<Vec<Band>, ReadError> {
        self.stretches(
            span,
            &is_meant,
            |spec| spec.kind == SeriesKind::Gauge,
            |spec, steps| {
                let mut of_steps = vec![None; span.len()];
                if let Steps::Numbers(steps) = steps {
                    for (step, all) in steps {
                        if let Some(place) = span.place(step) {
                            of_steps[place] =
                                Some([mean(spec, &all), units(spec, all.min), units(spec, all.max)]);
                        }
                    }
                }
                Band { key: spec.key.clone(), unit: spec.unit.clone(), steps: of_steps }
            },
        )
    }

    /// Sketches of all series that are meant.
    pub(crate) fn sketches(
        &mut self,
        span: Span,
        is_meant: impl Fn(&SeriesKey) -> bool,
    ) -> Result<Vec<SketchLine>, ReadError> {
        self.stretches(
            span,
            &is_meant,
            |spec| spec.kind == SeriesKind::Sketch,
            |spec, steps| {
                let mut sketches = vec![None; span.len()];
                if let Steps::Sketches(steps) = steps {
                    for (step, all) in steps {
                        if let Some(place) = span.place(step) {
                            sketches[place] = Some(all);
                        }
                    }
                }
                SketchLine { key: spec.key.clone(), sketches }
            },
        )
    }

    fn stretches<T>(
        &mut self,
        span: Span,
        is_meant: &impl Fn(&SeriesKey) -> bool,
        is_of_kind: impl Fn(&SeriesSpec) -> bool,
        mut make: impl FnMut(&SeriesSpec, Steps) -> T,
    ) -> Result<Vec<T>, ReadError> {
        let ids: Vec<SeriesId> = self
            .series()
            .filter(|(_, spec)| is_meant(&spec.key) && is_of_kind(spec))
            .map(|(id, _)| id)
            .collect();
        if ids.is_empty() || span.len() == 0 {
            return Ok(Vec::new());
        }
        let read = self.reader.narrowed(&ids).read(span.from, span.to, span.step_millis)?;
        self.damaged.extend(read.damaged.iter().map(ToString::to_string));
        let mut made: Vec<(SeriesKey, T)> = read
            .series
            .into_iter()
            .map(|(_, stretch)| (stretch.spec.key.clone(), make(&stretch.spec, stretch.steps)))
            .collect();
        made.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(made.into_iter().map(|(_, made)| made).collect())
    }

    /// By how much counters grew a second; only the store's queries know how they begin anew.
    fn rates(&mut self, span: Span, is_meant: &impl Fn(&SeriesKey) -> bool) -> Result<Vec<Line>, ReadError> {
        let is_counter = |spec: &SeriesSpec| spec.kind == SeriesKind::Counter && is_meant(&spec.key);
        let counters: Vec<(SeriesId, SeriesKey)> = self
            .series()
            .filter(|(_, spec)| is_counter(spec))
            .map(|(id, spec)| (id, spec.key.clone()))
            .collect();
        let mut lines = Vec::new();
        for (id, key) in counters {
            let selector = key.name().parse().expect("a series' name is a selector");
            let query = Query {
                function: Function::Rate,
                step_millis: Some(span.step_millis),
                ..Query::new(selector, span.from, span.to)
            };
            let answer = match query.run(&self.reader.narrowed(&[id])) {
                Ok(answer) => answer,
                Err(QueryError::Read(error)) => return Err(error),
                // More steps than a line may have: who asks for that many reads gauges only.
                Err(_) => continue,
            };
            self.damaged.extend(answer.damaged.iter().map(ToString::to_string));
            let mut values = vec![None; span.len()];
            for line in answer.lines {
                let Shape::Steps(steps) = line.shape else { continue };
                for (step, value) in (answer.start_unix_millis / answer.step_millis..).zip(steps) {
                    if answer.step_millis == span.step_millis
                        && let Some(place) = span.place(step)
                    {
                        values[place] = value;
                    }
                }
            }
            lines.push(Line { key, values });
        }
        Ok(lines)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean needs no more than 53 bits")]
fn mean(spec: &SeriesSpec, all: &Aggregate) -> f64 {
    spec.value_of(all.sum as f64 / all.count as f64)
}

#[expect(clippy::cast_precision_loss, reason = "units are within 2^53")]
fn units(spec: &SeriesSpec, units: i64) -> f64 {
    spec.value_of(units as f64)
}

/// The line of a name without labels, or with one.
pub(crate) fn find<'a>(lines: &'a [Line], name: &str, label: Option<(&str, &str)>) -> &'a [Option<f64>] {
    let is_it = |line: &&Line| {
        line.key.name() == name && label.is_none_or(|(label, value)| line.key.label(label) == Some(value))
    };
    lines.iter().find(is_it).map_or(&[], |line| &line.values)
}
