//! History of every series: what is kept of what is measured, and what is asked of it.
//!
//! Reading may take long, so it isn't done here: a query is answered by a [`SeriesReading`], which the API carries to another thread.

use std::collections::BTreeMap;

use quillwork_core::telemetry::Sketch;
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::series::{SeriesAnswer, SeriesCatalogue, SeriesData, SeriesInfo, SeriesKind as Kind};
use quillwork_store::history::{
    self, AddSeriesError, Aggregate, HistoryOptions, OpenError, ReadError, Reader, Steps,
};
use quillwork_store::query::{Query, QueryError};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::VolumeError;

use super::alerts::HOST;
use super::custom;
use super::medium::Medium;
use super::series::SeriesValue;
use crate::clock::Now;

/// Values kept of every series, through the store.
#[derive(Debug)]
pub(super) struct History {
    store: history::History<Medium>,
    /// Those that have series.
    sources: BTreeMap<String, Source>,
    tidied_at: Instant,
    is_full: bool,
    /// Why history could not be written last, and when that was said.
    failing: Option<(String, Instant)>,
}

/// The machine, or a page.
#[derive(Debug)]
struct Source {
    series: BTreeMap<SeriesKey, Known>,
    last_value_at: Instant,
    /// Instant and step of its last values.
    placed: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    id: SeriesId,
    last_value_at: Instant,
}

/// A query for values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesQuery {
    /// The series.
    pub series: Vec<SeriesKey>,
    /// First instant.
    pub from_unix_millis: u64,
    /// Instant after the last.
    pub to_unix_millis: u64,
    /// At most this many values of each series.
    pub max_points: u32,
}

/// A query that can't be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesRefusal {
    /// There is no such series.
    #[error("there is no series {series}; without parameters /api/v1/series lists what there is")]
    Unknown {
        /// What was asked for.
        series: SeriesKey,
    },
    /// A file was just being replaced by another.
    #[error("the history was rearranged meanwhile; ask again")]
    Rearranged,
    /// The medium fails.
    #[error("history can't be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// The label that names the page of a series; the machine's have none.
const SOURCE: &str = "source";

/// Distance of two values.
const STEP_MILLIS: u64 = 1_000;

/// How often series are looked through for those that are gone.
const TIDY_PERIOD: Duration = Duration::from_secs(3_600);

/// A series of a page without a value for this long is gone.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// A medium that goes on failing is spoken of this often.
const REMINDER: Duration = Duration::from_secs(600);

/// A page without a value for this long makes room for a new one, where there are too many series.
const RESTING: Duration = Duration::from_secs(10);

impl History {
    pub(super) fn open(now: Now, medium: Medium, options: HistoryOptions) -> Result<Self, OpenError> {
        let opened = history::History::open(medium.clone(), options.clone(), now.unix_millis);
        let store = match opened {
            Err(OpenError::Catalogue) => {
                history::History::open(medium.set_aside()?, options, now.unix_millis)?
            }
            opened => opened?,
        };
        let mut sources = BTreeMap::new();
        for (id, spec) in store.catalogue() {
            let name = spec.key.label(SOURCE).unwrap_or(HOST).to_owned();
            let source: &mut Source = sources.entry(name).or_insert_with(|| Source::new(now));
            source.series.insert(spec.key.clone(), Known { id, last_value_at: now.monotonic });
        }
        Ok(Self { store, sources, tidied_at: now.monotonic, is_full: false, failing: None })
    }

    /// Notes the values of one source at one instant. What is absent stays a gap.
    pub(super) fn record(&mut self, now: Now, name: &str, at_unix_millis: u64, values: Vec<SeriesValue>) {
        self.record_as(now, name, at_unix_millis, SeriesKind::Gauge, values);
    }

    /// As [`record`](Self::record), of series of this kind.
    pub(super) fn record_as(
        &mut self,
        now: Now,
        name: &str,
        at_unix_millis: u64,
        kind: SeriesKind,
        values: Vec<SeriesValue>,
    ) {
        let mut present = Vec::with_capacity(values.len());
        let at_unix_millis = self.of_source(now, name, |history, source| {
            for SeriesValue { key, measure, value } in values {
                let Some(value) = value else { continue };
                let id = source.series(now, key, |key| {
                    history.add(
                        now,
                        SeriesSpec {
                            key,
                            kind,
                            unit: measure.unit.to_owned(),
                            resolution: measure.resolution,
                        },
                    )
                });
                present.extend(id.map(|id| (id, value)));
            }
            source.place(at_unix_millis)
        });
        self.store.append(now.unix_millis, at_unix_millis, &present);
    }

    /// Notes the spread of many values of one source in the second that ended at an instant. After [`record`](Self::record) of the same
    /// instant it lands in the same step.
    pub(super) fn record_sketch(
        &mut self,
        now: Now,
        name: &str,
        at_unix_millis: u64,
        spec: SeriesSpec,
        sketch: &Sketch,
    ) {
        let (at_unix_millis, id) = self.of_source(now, name, |history, source| {
            let id = source.series(now, spec.key.clone(), |_| history.add(now, spec));
            (source.placed.map_or(at_unix_millis, |(_, step)| step * STEP_MILLIS), id)
        });
        if let Some(id) = id {
            self.store.append_sketch(now.unix_millis, at_unix_millis, id, sketch);
        }
    }

    /// A source is taken out while it is worked on, so that it doesn't make room for itself.
    fn of_source<T>(&mut self, now: Now, name: &str, act: impl FnOnce(&mut Self, &mut Source) -> T) -> T {
        let mut source = self.sources.remove(name).unwrap_or_else(|| Source::new(now));
        let outcome = act(self, &mut source);
        if !source.series.is_empty() {
            self.sources.insert(name.to_owned(), source);
        }
        outcome
    }

    fn add(&mut self, now: Now, spec: SeriesSpec) -> Option<SeriesId> {
        let key = spec.key.clone();
        let mut added = self.store.add_series(spec.clone());
        if matches!(added, Err(AddSeriesError::TooManySeries { .. })) && self.make_room(now) {
            added = self.store.add_series(spec.clone());
        }
        if added == Err(AddSeriesError::Differs) {
            // A later version measures it otherwise: what was kept of it until now can't be told together with that.
            tracing::warn!("series {key} has another kind, unit or resolution from now on and is begun anew");
            self.store.find(&key).map(|earlier| self.store.remove_series(earlier));
            added = self.store.add_series(spec);
        }
        let error = match added {
            Ok(id) => return Some(id),
            Err(error) => error,
        };
        // One that is full refuses every new series at every tick: once is enough for the log.
        let is_news = !matches!(error, AddSeriesError::TooManySeries { .. })
            || !std::mem::replace(&mut self.is_full, true);
        if is_news {
            tracing::warn!("series {key} is not kept: {error}");
        }
        None
    }

    /// Forgets the page that has had no value for longest: page loads come and go without end, and each has series of
    /// its own. Whether there was one to forget.
    fn make_room(&mut self, now: Now) -> bool {
        let rests = |source: &Source| now.monotonic.duration_since(source.last_value_at) >= RESTING;
        let longest = self
            .sources
            .iter()
            .filter(|(name, source)| *name != HOST && rests(source))
            .min_by_key(|(_, source)| source.last_value_at)
            .map(|(name, _)| name.clone());
        let Some(source) = longest.and_then(|name| self.sources.remove(&name)) else { return false };
        for known in source.series.values() {
            self.store.remove_series(known.id);
        }
        true
    }

    pub(super) fn catalogue(&self) -> SeriesCatalogue {
        SeriesCatalogue { series: self.store.catalogue().map(|(_, spec)| info(spec, STEP_MILLIS)).collect() }
    }

    pub(super) fn reading(&self, query: SeriesQuery) -> Result<SeriesReading, SeriesRefusal> {
        let find = |key: &SeriesKey| {
            self.store.find(key).ok_or_else(|| SeriesRefusal::Unknown { series: key.clone() })
        };
        let ids = query.series.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        Ok(SeriesReading { reader: self.store.reader(ids.iter().copied()), ids, query })
    }

    pub(super) fn select(&self, query: &Query) -> Result<Reader<Medium>, QueryError> {
        Ok(self.store.reader(query.ids(&self.store)?))
    }

    /// Writes what waits; now and then forgets series of pages that have been gone for a month.
    pub(super) fn maintain(&mut self, now: Now) {
        let written = self.store.commit();
        self.report(now, written);
        if now.monotonic.duration_since(self.tidied_at) < TIDY_PERIOD {
            return;
        }
        self.tidied_at = now.monotonic;
        let store = &mut self.store;
        self.sources.retain(|name, source| {
            source.series.retain(|_, known| {
                let is_kept = name == HOST || now.monotonic.duration_since(known.last_value_at) < KEPT;
                if !is_kept {
                    store.remove_series(known.id);
                }
                is_kept
            });
            !source.series.is_empty()
        });
        self.is_full = false;
    }

    /// Writes everything.
    pub(super) fn flush(&mut self) {
        if let Err(error) = self.store.flush() {
            tracing::error!("the newest minutes of history could not be written: {error}");
        }
    }

    /// Says what goes wrong when it begins, now and then while it goes on, and when it is over.
    fn report(&mut self, now: Now, written: Result<(), VolumeError>) {
        for damaged in self.store.take_damaged() {
            tracing::warn!("a piece of history is damaged and a gap now: {damaged}");
        }
        let Err(error) = written else {
            if self.failing.take().is_some() {
                tracing::info!("history is written again");
            }
            return;
        };
        let error = error.to_string();
        let is_known = self.failing.as_ref().is_some_and(|(known, said_at)| {
            *known == error && now.monotonic.duration_since(*said_at) < REMINDER
        });
        if !is_known {
            tracing::error!("history can't be written and is tried again: {error}");
            self.failing = Some((error, now.monotonic));
        }
    }
}

/// A query for values with all that is needed to answer it.
#[derive(Debug)]
pub struct SeriesReading {
    reader: Reader<Medium>,
    ids: Vec<SeriesId>,
    query: SeriesQuery,
}

impl SeriesReading {
    /// Reads the values. May take long: not for the driver's thread.
    ///
    /// # Errors
    ///
    /// If the medium fails, or a file was just being replaced.
    pub fn answer(&self) -> Result<SeriesAnswer, SeriesRefusal> {
        let SeriesQuery { from_unix_millis, to_unix_millis, max_points, .. } = self.query;
        let now = self.reader.now_unix_millis();
        let to = to_unix_millis.min(now + 1);
        let from = from_unix_millis.max(self.reader.first_unix_millis().unwrap_or(to)).min(to);
        let step_millis = self.reader.step_millis_for(from, to, max_points);
        let read = self.reader.read(from, to, step_millis).map_err(|error| match error {
            ReadError::Rearranged => SeriesRefusal::Rearranged,
            other => SeriesRefusal::Unreadable { reason: other.to_string() },
        })?;
        for damaged in &read.damaged {
            tracing::warn!("a piece of history is damaged and answered as a gap: {damaged}");
        }
        let start_unix_millis = from / step_millis * step_millis;
        let place_of = |step: u64| usize::try_from(step - from / step_millis).unwrap_or(usize::MAX);
        let length = if from < to { place_of(to.div_ceil(step_millis)) } else { 0 };
        let mut by_id: BTreeMap<SeriesId, SeriesData> = BTreeMap::new();
        for (id, stretch) in read.series {
            let mut values = vec![None; length];
            let mut place = |step: u64, value: Option<f64>| {
                if let Some(place) = values.get_mut(place_of(step)) {
                    *place = value;
                }
            };
            match &stretch.steps {
                Steps::Numbers(steps) => {
                    steps.iter().for_each(|(step, all)| place(*step, Some(stands_for(&stretch.spec, all))));
                }
                Steps::Sketches(steps) => steps.iter().for_each(|(step, all)| place(*step, all.mean())),
            }
            by_id
                .insert(id, SeriesData { info: info(&stretch.spec, step_millis), start_unix_millis, values });
        }
        let series = self.ids.iter().filter_map(|id| by_id.get(id).cloned()).collect();
        Ok(SeriesAnswer { server_unix_millis: now, series })
    }
}

/// One value for a stretch of time: of a level the mean, of a count where it stood at the end.
fn stands_for(spec: &SeriesSpec, all: &Aggregate) -> f64 {
    match spec.kind {
        SeriesKind::Counter => spec.value_of(all.last as f64),
        SeriesKind::Gauge | SeriesKind::Sketch => spec.value_of(all.sum as f64 / all.count as f64),
    }
}

impl Source {
    fn new(now: Now) -> Self {
        Self { series: BTreeMap::new(), last_value_at: now.monotonic, placed: None }
    }

    /// The series of this key, which has a value now.
    fn series(
        &mut self,
        now: Now,
        key: SeriesKey,
        add: impl FnOnce(SeriesKey) -> Option<SeriesId>,
    ) -> Option<SeriesId> {
        self.last_value_at = now.monotonic;
        if let Some(known) = self.series.get_mut(&key) {
            known.last_value_at = now.monotonic;
            return Some(known.id);
        }
        if custom::is_custom(&key) && self.is_full() {
            return None;
        }
        let id = add(key.clone())?;
        self.series.insert(key, Known { id, last_value_at: now.monotonic });
        Some(id)
    }

    /// Whether it has as many metrics of its own as it may.
    fn is_full(&self) -> bool {
        self.series.keys().filter(|key| custom::is_custom(key)).count() >= custom::MOST
    }

    /// Where values of an instant belong. A source that measures once a second, just about when a second turns, is now
    /// a little early and now a little late: without this every other step would be a gap.
    fn place(&mut self, at_unix_millis: u64) -> u64 {
        const LATE: u64 = STEP_MILLIS / 4;
        let step = at_unix_millis / STEP_MILLIS;
        let is_late = self.placed.is_some_and(|(last_at, last_step)| {
            step == last_step + 2
                && at_unix_millis % STEP_MILLIS < LATE
                && at_unix_millis.saturating_sub(last_at) < STEP_MILLIS + LATE
        });
        let step = if is_late { step - 1 } else { step };
        self.placed = Some((at_unix_millis, step));
        step * STEP_MILLIS
    }
}

fn info(spec: &SeriesSpec, step_millis: u64) -> SeriesInfo {
    SeriesInfo {
        series: spec.key.to_string(),
        name: spec.key.name().to_owned(),
        labels: spec.key.labels().iter().cloned().collect(),
        kind: match spec.kind {
            SeriesKind::Gauge => Kind::Gauge,
            SeriesKind::Counter => Kind::Counter,
            SeriesKind::Sketch => Kind::Sketch,
        },
        unit: spec.unit.clone(),
        step_millis: u32::try_from(step_millis).unwrap_or(u32::MAX),
        resolution: spec.resolution,
    }
}
