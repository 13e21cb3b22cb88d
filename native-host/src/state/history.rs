//! History of every series: what is kept of what is measured, and what is asked of it.
//!
//! Reading may take long, so it isn't done here: a query is answered by a [`SeriesReading`], which the API carries to another thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use quillwork_core::telemetry::Sketch;
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::series::{SeriesAnswer, SeriesCatalogue, SeriesData, SeriesInfo, SeriesKind as Kind};
use quillwork_store::history::{
    self, AddSeriesError, Aggregate, HistoryOptions, OpenError, ReadError, Reader, Steps,
};
use quillwork_store::query::{MAX_SERIES, Query, QueryError};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::VolumeError;

use super::alerts::HOST;
use super::custom;
use super::medium::Medium;
use super::series::{self, SeriesValue};
use super::validate::MOST_TASK_TYPES;
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
    /// Of a host that follows, or took over: up to when it has the other's values, by the other's clock.
    followed_to: u64,
}

/// The machine, or a page.
#[derive(Debug)]
struct Source {
    series: BTreeMap<SeriesKey, Known>,
    last_value_at: Instant,
    /// Instant and step of its last values.
    placed: Option<(u64, u64)>,
}

#[derive(Debug)]
struct Known {
    id: SeriesId,
    last_value_at: Instant,
    /// Of a sketch, its newest step and what came for it.
    newest: Option<Box<(u64, Sketch)>>,
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

/// Clocks of two hosts may differ by so many milliseconds.
const LITTLE: u64 = 60_000;

/// Why a history is set aside.
const DAMAGED: &str = "the history is damaged beyond reading and set aside";

/// A page without a value for this long makes room for a new one, where there are too many series.
const RESTING: Duration = Duration::from_secs(10);

impl History {
    pub(super) fn open(now: Now, medium: Medium, options: HistoryOptions) -> Result<Self, OpenError> {
        let opened = history::History::open(medium.clone(), options.clone(), now.unix_millis);
        let store = match opened {
            Err(OpenError::Catalogue) => {
                let medium = medium.set_aside(DAMAGED)?;
                history::History::open(medium, options, now.unix_millis)?
            }
            opened => opened?,
        };
        Ok(Self::of(now, store))
    }

    /// To follow another host: nothing is written but what comes from there.
    pub(super) fn open_following(
        now: Now,
        medium: Medium,
        options: HistoryOptions,
    ) -> Result<Self, OpenError> {
        let opened = history::History::open_following(medium.clone(), options.clone());
        let store = match opened {
            Err(OpenError::Catalogue) => {
                history::History::open_following(medium.set_aside(DAMAGED)?, options)?
            }
            opened => opened?,
        };
        Ok(Self::of(now, store))
    }

    fn of(now: Now, store: history::History<Medium>) -> Self {
        let sources = known(now, &store);
        Self { store, sources, tidied_at: now.monotonic, is_full: false, failing: None, followed_to: 0 }
    }

    /// What follows another history does so by itself.
    pub(super) fn store(&mut self) -> &mut history::History<Medium> {
        &mut self.store
    }

    pub(super) fn options(&self) -> HistoryOptions {
        self.store.options().clone()
    }

    pub(super) fn edition(&self) -> u64 {
        self.store.edition()
    }

    pub(super) fn tail(&self, from_unix_millis: u64) -> Vec<u8> {
        self.store.tail(from_unix_millis)
    }

    /// A tail up to this instant was taken. A clock that went back begins anew: what lay ahead is forgotten there.
    pub(super) fn followed(&mut self, to_unix_millis: u64) {
        self.followed_to = if to_unix_millis < self.followed_to { 0 } else { to_unix_millis };
    }

    pub(super) fn followed_to(&self) -> u64 {
        self.followed_to
    }

    /// Goes on with what was followed as its own.
    pub(super) fn take_over(&mut self, now: Now) -> Result<(), OpenError> {
        let wall = self.wall(now);
        self.store.take_over(wall)?;
        self.sources = known(now, &self.store);
        Ok(())
    }

    /// Writes what came from the host that is followed.
    pub(super) fn flush_following(&mut self) {
        if let Err(error) = self.store.flush_following() {
            tracing::error!("the newest minute of the copy could not be written: {error}");
        }
    }

    /// The wall clock for what is kept. One that is a little behind the clock of the host that was followed waits where that stood: set back it would forget the
    /// last seconds.
    fn wall(&self, now: Now) -> u64 {
        let ahead = self.followed_to.saturating_sub(now.unix_millis);
        if ahead <= LITTLE { now.unix_millis + ahead } else { now.unix_millis }
    }

    /// Notes the values of one source at one instant. What is absent stays a gap.
    pub(super) fn record(&mut self, now: Now, name: &str, at_unix_millis: u64, values: Vec<SeriesValue>) {
        let mut present = Vec::with_capacity(values.len());
        let at_unix_millis = self.of_source(now, name, |history, source| {
            for SeriesValue { key, kind, measure, value } in values {
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
        self.store.append(self.wall(now), at_unix_millis, &present);
    }

    /// Notes the spread of many values of one source in the second that ended at an instant. What came before for the newest second is
    /// kept with it: who reports twice in a second reports other values.
    pub(super) fn record_sketch(
        &mut self,
        now: Now,
        name: &str,
        at_unix_millis: u64,
        spec: SeriesSpec,
        sketch: &Sketch,
    ) {
        let merged = self.of_source(now, name, |history, source| {
            let key = spec.key.clone();
            let id = source.series(now, key.clone(), |_| history.add(now, spec))?;
            let at_unix_millis = source.place(at_unix_millis);
            Some((id, at_unix_millis, source.series.get_mut(&key)?.merged(at_unix_millis, sketch)))
        });
        if let Some((id, at_unix_millis, sketch)) = merged {
            self.store.append_sketch(self.wall(now), at_unix_millis, id, &sketch);
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
        let mut series: Vec<_> = self.store.catalogue().map(|(_, spec)| info(spec, STEP_MILLIS)).collect();
        series.sort_by(|a, b| a.series.cmp(&b.series));
        SeriesCatalogue { series }
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

    /// A reader of the series of which this holds, those of the machine and the newest first; of as many as one question may have.
    pub(super) fn reader(&self, is_meant: impl Fn(&SeriesKey) -> bool) -> Reader<Medium> {
        let mut meant: Vec<_> = self.store.catalogue().filter(|(_, spec)| is_meant(&spec.key)).collect();
        meant.sort_by_key(|(id, spec)| (spec.key.label(SOURCE).is_some(), std::cmp::Reverse(*id)));
        self.store.reader(meant.into_iter().take(MAX_SERIES).map(|(id, _)| id))
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

/// Who has series.
fn known(now: Now, store: &history::History<Medium>) -> BTreeMap<String, Source> {
    let mut sources = BTreeMap::new();
    for (id, spec) in store.catalogue() {
        let name = spec.key.label(SOURCE).unwrap_or(HOST).to_owned();
        let source: &mut Source = sources.entry(name).or_insert_with(|| Source::new(now));
        source.series.insert(spec.key.clone(), Known::new(now, id));
    }
    sources
}

/// A query for values with all that is needed to answer it.
#[derive(Debug)]
pub struct SeriesReading {
    reader: Reader<Medium>,
    ids: Vec<SeriesId>,
    query: SeriesQuery,
}

impl SeriesReading {
    /// Ends the reading before its next file once the flag is set.
    #[must_use]
    pub fn cancelled_by(self, is_cancelled: Arc<AtomicBool>) -> Self {
        Self { reader: self.reader.cancelled_by(is_cancelled), ..self }
    }

    /// Reads the values. May take long: not for the driver's thread.
    ///
    /// # Errors
    ///
    /// If the medium fails, a file was just being replaced, or it was cancelled.
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

impl Known {
    fn new(now: Now, id: SeriesId) -> Self {
        Self { id, last_value_at: now.monotonic, newest: None }
    }

    /// All that came for a step until now.
    fn merged(&mut self, at_unix_millis: u64, sketch: &Sketch) -> Sketch {
        let mut all = sketch.clone();
        if let Some((_, before)) = self.newest.as_deref().filter(|(at, _)| *at == at_unix_millis) {
            // A series has one accuracy; of another, which it can't have, the newer sketch would be kept.
            let _other_accuracy = all.merge(before);
        }
        self.newest = Some(Box::new((at_unix_millis, all.clone())));
        all
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
        let room = |is_such: fn(&SeriesKey) -> bool, most| {
            !is_such(&key) || self.series.keys().filter(|key| is_such(key)).count() < most
        };
        // What a page makes up without end can't take the place of others.
        if !room(custom::is_custom, custom::MOST) || !room(series::is_runs, MOST_TASK_TYPES) {
            return None;
        }
        let id = add(key.clone())?;
        self.series.insert(key, Known::new(now, id));
        Some(id)
    }

    /// Where values of an instant belong. A source that measures once a second, just about when a second turns, is now
    /// a little early and now a little late: without this every other step would be a gap.
    fn place(&mut self, at_unix_millis: u64) -> u64 {
        const LATE: u64 = STEP_MILLIS / 4;
        // Values of one instant lie together, in however many pieces they come.
        if let Some((last_at, last_step)) = self.placed
            && last_at == at_unix_millis
        {
            return last_step * STEP_MILLIS;
        }
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
