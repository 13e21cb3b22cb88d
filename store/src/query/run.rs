//! Answering.

use std::collections::BTreeMap;

use quillwork_core::telemetry::Sketch;

use super::decimate::decimate;
use super::join::{Joined, Pool};
use super::value::{LOOK_BACK_MILLIS, mean, values};
use super::{Answer, Function, Line, MAX_ANSWERED, MAX_POINTS, MAX_READ, Query, QueryError, Reader, Shape};
use crate::history::{Steps, Stretch};
use crate::series::{SeriesKind, SeriesSpec};
use crate::volume::Volume;

/// The step in which is read, the one that is answered, and the range.
#[derive(Clone, Copy, Debug)]
struct Plan {
    from: u64,
    to: u64,
    read_millis: u64,
    step_millis: u64,
}

/// Name and labels.
type LineKey = (String, Vec<(String, String)>);

/// Values of a line: step, lowest, highest.
type Values = Vec<(u64, f64, f64)>;

impl Query {
    /// Answers from what a reader of [`ids`](Self::ids) reads. Takes a bounded time and a bounded room, a few series at a time.
    ///
    /// # Errors
    ///
    /// Where the question makes no sense or asks for more than is allowed, and where reading fails; [`ReadError::Rearranged`](crate::history::ReadError::Rearranged) says that another
    /// reader will do.
    pub fn run<V: Volume>(&self, reader: &Reader<V>) -> Result<Answer, QueryError> {
        let plan = self.plan(reader)?;
        let ids = reader.ids().to_vec();
        let mut damaged = Vec::new();
        let mut lines: BTreeMap<LineKey, Gathered> = BTreeMap::new();
        let steps = (plan.to - plan.from) / plan.read_millis + 1;
        let at_once = usize::try_from(MOST_AT_ONCE / steps).unwrap_or(usize::MAX).max(1);
        for some in ids.chunks(at_once) {
            let back = if self.function.looks_back() { LOOK_BACK_MILLIS.max(plan.read_millis) } else { 0 };
            let read =
                reader.narrowed(some).read(plan.from.saturating_sub(back), plan.to, plan.read_millis)?;
            damaged.extend(read.damaged);
            for (_, stretch) in read.series {
                self.gather(&stretch, plan, &mut lines)?;
            }
        }
        let mut finished: Vec<Line> = lines
            .into_iter()
            .map(|((name, labels), gathered)| {
                let values = gathered.values(self);
                Line {
                    name,
                    labels,
                    unit: self.function.unit(&gathered.unit),
                    shape: self.shape(plan, values),
                }
            })
            .collect();
        if let Some(top) = self.top {
            finished.sort_by(|a, b| b.shape.mean().total_cmp(&a.shape.mean()));
            finished.truncate(top);
        }
        let start = plan.from / plan.step_millis * plan.step_millis;
        Ok(Answer { step_millis: plan.step_millis, start_unix_millis: start, lines: finished, damaged })
    }

    fn plan<V: Volume>(&self, reader: &Reader<V>) -> Result<Plan, QueryError> {
        if self.step_millis == Some(0) || self.max_points == 0 || self.top == Some(0) {
            return Err(QueryError::Nothing);
        }
        if self.from_unix_millis >= self.to_unix_millis {
            return Err(QueryError::Range);
        }
        if let Function::Quantile(quantile) = self.function
            && !(0.0..=1.0).contains(&quantile)
        {
            return Err(QueryError::Quantile(quantile));
        }
        let to = self.to_unix_millis.min(reader.now_unix_millis() + 1);
        let from = self.from_unix_millis.max(reader.first_unix_millis().unwrap_or(to)).min(to);
        let finest = reader.finest_step_millis(from);
        let most = u64::from(self.max_points).min(MAX_POINTS);
        let fitting =
            |points: u64| reader.step_millis_for(from, to, u32::try_from(points).unwrap_or(u32::MAX));
        let step_millis = match self.step_millis {
            None if self.keeps_spikes => fitting((most / 2).max(1)),
            None => fitting(most),
            Some(step) => reader.step_millis_from(from, step),
        };
        // Spikes and quantiles are sought in what lies below a step.
        let looks_below = self.keeps_spikes || self.quantile_of_gauges(reader);
        let read_millis = if looks_below { below(step_millis, finest) } else { step_millis };
        let points = (to - from) / step_millis + 1;
        if points > MAX_POINTS {
            return Err(QueryError::TooManyPoints { points, limit: MAX_POINTS });
        }
        let series = reader.ids().len() as u64;
        let read = ((to - from) / read_millis + 1).saturating_mul(series);
        if read > MAX_READ {
            return Err(QueryError::TooMuch { points: read, limit: MAX_READ });
        }
        let lines =
            if self.group.is_some() { 1 } else { series.min(self.top.map_or(series, |top| top as u64)) };
        let answered = points.saturating_mul(lines);
        // Of the top lines all are made, and dropped one by one only at the end.
        if answered > MAX_ANSWERED || points.saturating_mul(series) > MAX_GATHERED && self.group.is_none() {
            return Err(QueryError::TooMuch { points: points.saturating_mul(series), limit: MAX_ANSWERED });
        }
        Ok(Plan { from, to, read_millis, step_millis })
    }

    fn quantile_of_gauges<V: Volume>(&self, reader: &Reader<V>) -> bool {
        matches!(self.function, Function::Quantile(_))
            && reader.specs().any(|spec| spec.kind == SeriesKind::Gauge)
    }

    fn gather(
        &self,
        stretch: &Stretch,
        plan: Plan,
        lines: &mut BTreeMap<LineKey, Gathered>,
    ) -> Result<(), QueryError> {
        let spec = &stretch.spec;
        self.function.check(spec.kind)?;
        let labels: Vec<(String, String)> = match &self.group {
            None => spec.key.labels().to_vec(),
            Some(group) => {
                let value = |label: &String| Some((label.clone(), spec.key.label(label)?.to_owned()));
                group.by.iter().filter_map(value).collect()
            }
        };
        let name = spec.key.name().to_owned();
        let gathered = lines.entry((name, labels)).or_insert_with(|| Gathered::new(&spec.unit));
        match (&stretch.steps, self.function) {
            (Steps::Numbers(steps), Function::Quantile(_)) => {
                for (step, all) in steps {
                    let pool = gathered
                        .pool(step * plan.read_millis / plan.step_millis, || Pool::Values(Vec::new()));
                    pool.add_value(mean(spec, all));
                }
            }
            (Steps::Sketches(steps), Function::Quantile(_)) => {
                for (step, sketch) in steps {
                    let empty = || Pool::Sketch(Sketch::new(sketch.accuracy()));
                    gathered.pool(step * plan.read_millis / plan.step_millis, empty).add_sketch(sketch);
                }
            }
            (steps, function) => {
                // Lines that are joined have no extremes of their own: they may not have been at the same instant.
                let keeps_extremes = self.keeps_spikes && self.group.is_none();
                let mut values = if keeps_extremes || function != Function::Avg {
                    values(spec, steps, function, plan.read_millis)
                } else {
                    means(spec, steps)
                };
                // What was read for looking back is not asked for.
                values.retain(|(step, ..)| {
                    step * plan.read_millis >= plan.from / plan.read_millis * plan.read_millis
                });
                gathered.add(values, self.group.is_some());
            }
        }
        Ok(())
    }

    fn shape(&self, plan: Plan, values: Values) -> Shape {
        if self.keeps_spikes {
            let is_pooled = matches!(self.function, Function::Quantile(_));
            let step = if is_pooled { plan.step_millis } else { plan.read_millis };
            return Shape::Spikes(decimate(&values, step, plan.step_millis));
        }
        let first = plan.from / plan.step_millis;
        let count = if plan.from < plan.to { plan.to.div_ceil(plan.step_millis) - first } else { 0 };
        let mut steps = vec![None; usize::try_from(count).unwrap_or(0)];
        for (step, value, _) in values {
            let place = step.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            if let Some(slot) = place.and_then(|place| steps.get_mut(place)) {
                *slot = Some(value);
            }
        }
        Shape::Steps(steps)
    }
}

/// A finer step within this one, of which a few hundred go into it at most.
fn below(step_millis: u64, finest: u64) -> u64 {
    let ratio = step_millis / finest;
    let parts = (1..=ratio.min(MOST_PARTS)).rev().find(|parts| ratio.is_multiple_of(*parts)).unwrap_or(1);
    step_millis / parts
}

/// Means, without the extremes.
fn means(spec: &SeriesSpec, steps: &Steps) -> Values {
    match steps {
        Steps::Numbers(steps) => {
            steps.iter().map(|(step, all)| (*step, mean(spec, all), mean(spec, all))).collect()
        }
        Steps::Sketches(steps) => {
            steps.iter().filter_map(|(step, all)| all.mean().map(|mean| (*step, mean, mean))).collect()
        }
    }
}

/// What there is of a line until all of it is there.
struct Gathered {
    unit: String,
    single: Values,
    joined: Joined,
    pools: BTreeMap<u64, Pool>,
}

impl Gathered {
    fn new(unit: &str) -> Self {
        Self { unit: unit.to_owned(), single: Vec::new(), joined: Joined::default(), pools: BTreeMap::new() }
    }

    fn add(&mut self, values: Values, is_joined: bool) {
        if is_joined {
            values.into_iter().for_each(|(step, value, _)| self.joined.add(step, value));
        } else {
            self.single = values;
        }
    }

    fn pool(&mut self, step: u64, empty: impl FnOnce() -> Pool) -> &mut Pool {
        self.pools.entry(step).or_insert_with(empty)
    }

    fn values(&self, query: &Query) -> Values {
        if let Function::Quantile(quantile) = query.function {
            let value = |(step, pool): (&u64, &Pool)| {
                pool.clone().quantile(quantile).map(|value| (*step, value, value))
            };
            return self.pools.iter().filter_map(value).collect();
        }
        match &query.group {
            Some(group) => self.joined.values(group.with),
            None => self.single.clone(),
        }
    }
}

impl Shape {
    /// The mean of the values; below all numbers where there are none.
    fn mean(&self) -> f64 {
        let (sum, count) = match self {
            Self::Steps(steps) => {
                steps.iter().flatten().fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1))
            }
            Self::Spikes(points) => {
                points.iter().fold((0.0, 0_u32), |(sum, count), (_, value)| (sum + value, count + 1))
            }
        };
        if count == 0 { f64::NEG_INFINITY } else { sum / f64::from(count) }
    }
}

/// Steps in memory at a time while they are read.
const MOST_AT_ONCE: u64 = 100_000;
/// Values in memory at a time while the largest lines are sought.
const MAX_GATHERED: u64 = 2_000_000;
/// Finer steps in one that is answered.
const MOST_PARTS: u64 = 400;
