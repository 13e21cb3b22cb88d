//! The last hour of each series.

use std::collections::BTreeMap;

use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::series::{SeriesAnswer, SeriesCatalogue, SeriesData, SeriesInfo, SeriesKind as Kind};
use quillwork_store::history::{self, AddSeriesError, HistoryOptions, OpenError};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};

use super::alerts::HOST;
use super::medium::Medium;
use super::series::SeriesValue;
use crate::clock::Now;

/// Values kept of every series, through the store.
#[derive(Debug)]
pub(super) struct History {
    store: history::History<Medium>,
    /// Those that have series.
    sources: BTreeMap<String, Source>,
    flushed_at: Instant,
    is_full: bool,
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
    /// The medium fails.
    #[error("history can't be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// Series of twice as many pages as may report, or of a machine with many devices. Memory is used by those that have
/// values.
const MOST_SERIES: usize = 4_096;

/// The label that names the page of a series; the machine's have none.
const SOURCE: &str = "source";

/// Distance of two values.
const STEP_MILLIS: u64 = 1_000;

/// What is not on the disk after this long is lost when the process is killed.
const FLUSH_PERIOD: Duration = Duration::from_secs(60);

/// A series without a value for as long as values are kept is gone.
const KEPT: Duration = Duration::from_secs(3_600);

/// A page without a value for this long makes room for a new one, where there are too many series.
const RESTING: Duration = Duration::from_secs(10);

/// No instant is later: the largest whole number that JavaScript can count to. The store counts on from it without
/// overflow.
const LATEST_UNIX_MILLIS: u64 = 1 << 53;

impl History {
    pub(super) fn open(now: Now, medium: Medium) -> Result<Self, OpenError> {
        let options = HistoryOptions { max_series: MOST_SERIES, ..HistoryOptions::default() };
        let opened = history::History::open(medium, options)?;
        for damaged in &opened.damaged {
            tracing::warn!("a stored series was damaged and is begun anew: {damaged}");
        }
        let store = opened.history;
        let mut sources = BTreeMap::new();
        for (id, spec) in store.catalogue() {
            let name = spec.key.label(SOURCE).unwrap_or(HOST).to_owned();
            let source: &mut Source = sources.entry(name).or_insert_with(|| Source::new(now));
            source.series.insert(spec.key.clone(), Known { id, last_value_at: now.monotonic });
        }
        Ok(Self { store, sources, flushed_at: now.monotonic, is_full: false })
    }

    /// Notes the values of one source at one instant. What is absent stays a gap.
    pub(super) fn record(&mut self, now: Now, name: &str, at_unix_millis: u64, values: Vec<SeriesValue>) {
        // Taken out while it is worked on, so that it doesn't make room for itself.
        let mut source = self.sources.remove(name).unwrap_or_else(|| Source::new(now));
        let at_unix_millis = source.place(at_unix_millis);
        let mut present = Vec::with_capacity(values.len());
        for SeriesValue { key, measure, value } in values {
            let Some(value) = value else { continue };
            let known = match source.series.get_mut(&key) {
                Some(known) => known,
                None => {
                    let spec = SeriesSpec {
                        key: key.clone(),
                        kind: SeriesKind::Gauge,
                        unit: measure.unit.to_owned(),
                        resolution: measure.resolution,
                    };
                    let Some(id) = self.add(now, spec) else { continue };
                    source.series.entry(key).or_insert(Known { id, last_value_at: now.monotonic })
                }
            };
            known.last_value_at = now.monotonic;
            source.last_value_at = now.monotonic;
            present.push((known.id, Some(value)));
        }
        if !source.series.is_empty() {
            self.sources.insert(name.to_owned(), source);
        }
        match self.store.append(now.unix_millis, at_unix_millis, &present) {
            Ok(appended) => {
                for damaged in appended.damaged {
                    tracing::warn!("a stored piece of history was damaged and is a gap now: {damaged}");
                }
            }
            Err(error) => tracing::warn!("values could not be noted: {error}"),
        }
    }

    fn add(&mut self, now: Now, spec: SeriesSpec) -> Option<SeriesId> {
        let key = spec.key.clone();
        let mut added = self.store.add_series(spec.clone());
        if matches!(added, Err(AddSeriesError::TooManySeries { .. })) && self.make_room(now) {
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

    pub(super) fn answer(&mut self, now: Now, query: &SeriesQuery) -> Result<SeriesAnswer, SeriesRefusal> {
        let from = query.from_unix_millis.min(LATEST_UNIX_MILLIS);
        let to = query.to_unix_millis.min(LATEST_UNIX_MILLIS);
        let max_points = usize::try_from(query.max_points).unwrap_or(usize::MAX);
        let mut series = Vec::with_capacity(query.series.len());
        for key in &query.series {
            let unknown = || SeriesRefusal::Unknown { series: key.clone() };
            let id = self.store.find(key).ok_or_else(unknown)?;
            let spec = self.store.series(id).ok_or_else(unknown)?.clone();
            let slice = self
                .store
                .query(id, from, to, max_points)
                .map_err(|error| SeriesRefusal::Unreadable { reason: error.to_string() })?;
            for damaged in &slice.damaged {
                tracing::warn!("a stored piece of {key} is damaged and answered as a gap: {damaged}");
            }
            series.push(SeriesData {
                info: info(&spec, slice.step_millis),
                start_unix_millis: slice.start_unix_millis,
                values: slice.values,
            });
        }
        Ok(SeriesAnswer { server_unix_millis: now.unix_millis, series })
    }

    /// Writes what waits, and once a minute what is still growing; forgets series that have had no value for an hour.
    pub(super) fn maintain(&mut self, now: Now) {
        if now.monotonic.duration_since(self.flushed_at) < FLUSH_PERIOD {
            report(self.store.commit());
            return;
        }
        self.flushed_at = now.monotonic;
        let store = &mut self.store;
        self.sources.retain(|_, source| {
            source.series.retain(|_, known| {
                let is_kept = now.monotonic.duration_since(known.last_value_at) < KEPT;
                if !is_kept {
                    store.remove_series(known.id);
                }
                is_kept
            });
            !source.series.is_empty()
        });
        self.is_full = false;
        self.flush();
    }

    /// Writes everything.
    pub(super) fn flush(&mut self) {
        report(self.store.flush());
    }
}

impl Source {
    fn new(now: Now) -> Self {
        Self { series: BTreeMap::new(), last_value_at: now.monotonic, placed: None }
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

/// What could not be written goes on waiting.
fn report(written: Result<(), quillwork_store::backend::BackendError>) {
    if let Err(error) = written {
        tracing::warn!("history could not be written and is tried again: {error}");
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
        },
        unit: spec.unit.clone(),
        step_millis: u32::try_from(step_millis).unwrap_or(u32::MAX),
        resolution: spec.resolution,
    }
}
