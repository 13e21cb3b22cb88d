//! Appending, keeping and dropping.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::backend::{Backend, BackendError, Changes};
use crate::record::{Damage, DamagedRecord};
use crate::records::{Records, StoreError};

use super::chunk::Chunk;
use super::errors::{AddSeriesError, HistoryError};
use super::keys;
use super::options::HistoryOptions;
use crate::series::{SeriesId, SeriesKey, SeriesSpec};

/// Values of many series. See the [module](super).
#[derive(Debug)]
pub struct History<B> {
    pub(super) records: Records<B>,
    pub(super) options: HistoryOptions,
    pub(super) series: BTreeMap<SeriesId, Series>,
    pub(super) by_key: BTreeMap<SeriesKey, SeriesId>,
    pub(super) next_id: u32,
    /// The step of the last `now`.
    pub(super) now_step: Option<u64>,
    /// What the next commit writes.
    pub(super) waiting: Changes,
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) spec: SeriesSpec,
    /// Whether its record is on the medium, and not only waiting to be.
    pub(super) stored: bool,
    /// The chunk that was last written to.
    pub(super) open: Option<Open>,
    /// The chunks that are stored or waiting to be, by index.
    pub(super) chunks: BTreeMap<u64, Kept>,
}

#[derive(Debug)]
pub(super) struct Open {
    chunk: Chunk,
    /// Whether it holds what is neither stored nor waiting.
    pub(super) changed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Waiting to be stored for the first time.
    Waiting,
    /// On the medium, perhaps in an earlier form.
    Stored,
}

/// What became of values that were appended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// How many were taken, gaps included.
    pub stored: usize,
    /// How many were not: of a series that is not there, or of a time that lies in the future or is no longer kept.
    pub refused: usize,
    /// Chunks that were to be added to and could not be trusted. They were begun anew.
    pub damaged: Vec<DamagedRecord>,
}

impl<B: Backend> History<B> {
    /// Adds a series, or finds the one that is there.
    ///
    /// # Errors
    ///
    /// Where it makes no sense, one of its name is there and differs, or there are as many as there may be.
    pub fn add_series(&mut self, spec: SeriesSpec) -> Result<SeriesId, AddSeriesError> {
        spec.check()?;
        if let Some(&id) = self.by_key.get(&spec.key) {
            return if self.series[&id].spec == spec { Ok(id) } else { Err(AddSeriesError::Differs) };
        }
        if self.series.len() >= self.options.max_series {
            return Err(AddSeriesError::TooManySeries { limit: self.options.max_series });
        }
        let id = SeriesId(self.next_id);
        self.next_id += 1;
        self.waiting.put(&keys::series(id), &spec.encode());
        self.by_key.insert(spec.key.clone(), id);
        self.series.insert(id, Series { spec, stored: false, open: None, chunks: BTreeMap::new() });
        Ok(id)
    }

    /// Removes a series and all its values. Says whether there was one.
    pub fn remove_series(&mut self, id: SeriesId) -> bool {
        let Some(series) = self.series.remove(&id) else { return false };
        self.by_key.remove(&series.spec.key);
        if series.stored {
            self.waiting.delete(&keys::series(id));
        } else {
            self.waiting.forget(&keys::series(id));
        }
        for (index, kept) in series.chunks {
            drop_chunk(&mut self.waiting, id, index, kept);
        }
        true
    }

    /// What a series is.
    #[must_use]
    pub fn series(&self, id: SeriesId) -> Option<&SeriesSpec> {
        self.series.get(&id).map(|series| &series.spec)
    }

    /// The series of this name and these labels.
    #[must_use]
    pub fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.by_key.get(key).copied()
    }

    /// All series, by name and labels.
    pub fn catalogue(&self) -> impl Iterator<Item = (SeriesId, &SeriesSpec)> {
        self.by_key.values().map(|id| (*id, &self.series[id].spec))
    }

    /// Notes values of the instant `at`, of several series. A value that is not finite, or far beyond what the resolution
    /// can count, is a gap.
    ///
    /// `now` moves the clock, with all that follows; see the [module](super).
    ///
    /// # Errors
    ///
    /// Where an earlier chunk is needed and the medium fails to read it; the values before were taken.
    pub fn append(
        &mut self,
        now_unix_millis: u64,
        at_unix_millis: u64,
        values: &[(SeriesId, Option<f64>)],
    ) -> Result<Appended, HistoryError> {
        let mut appended = Appended::default();
        self.set_clock(now_unix_millis, &mut appended.damaged)?;
        let step = self.options.step_of(at_unix_millis);
        let (oldest, end) = self.kept_steps();
        if !(oldest..end).contains(&step) {
            appended.refused = values.len();
            return Ok(appended);
        }
        let place = self.options.place_of(step);
        for &(id, value) in values {
            let Some(spec) = self.series.get(&id).map(|series| &series.spec) else {
                appended.refused += 1;
                continue;
            };
            let units = value.and_then(|value| spec.units_of(value));
            let open = self.open_chunk(id, self.options.chunk_of(step), &mut appended.damaged)?;
            open.chunk.set(place, units);
            open.changed = true;
            appended.stored += 1;
        }
        Ok(appended)
    }

    /// Writes full chunks and changes of the catalogue. Cheap where there are none.
    ///
    /// # Errors
    ///
    /// Where the medium fails. What was to be written goes on waiting for the next call.
    pub fn commit(&mut self) -> Result<(), BackendError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.records.commit(&self.waiting).map_err(|error| self.after_failure(error))?;
        self.waiting = Changes::new();
        for series in self.series.values_mut() {
            series.stored = true;
            series.chunks.values_mut().for_each(|kept| *kept = Kept::Stored);
        }
        Ok(())
    }

    /// Writes the open chunks too, as they are now: what a process does before it ends.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn flush(&mut self) -> Result<(), BackendError> {
        for (&id, series) in &mut self.series {
            store_open(&mut self.waiting, id, series);
        }
        self.commit()
    }

    /// What the history was made with.
    #[must_use]
    pub const fn options(&self) -> &HistoryOptions {
        &self.options
    }

    /// Gives the back end back. What was not committed is lost.
    pub fn into_backend(self) -> B {
        self.records.into_backend()
    }

    #[cfg(test)]
    pub(super) fn records_mut(&mut self) -> &mut Records<B> {
        &mut self.records
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> &Changes {
        &self.waiting
    }

    /// The steps that are kept: from the oldest to the one after now.
    pub(super) fn kept_steps(&self) -> (u64, u64) {
        match self.now_step {
            Some(now) => (self.options.oldest_step(now), now + 1),
            // Opened and not yet told the time: everything stored may be asked for.
            None => (self.first_stored_step(), self.end_of_stored_steps()),
        }
    }

    /// Splits a range of steps where chunks end.
    pub(super) fn chunks_of(&self, steps: Range<u64>) -> Vec<Range<u64>> {
        let length = u64::from(self.options.chunk_steps);
        let mut ranges = Vec::new();
        let mut start = steps.start;
        while start < steps.end {
            let end = ((start / length + 1) * length).min(steps.end);
            ranges.push(start..end);
            start = end;
        }
        ranges
    }

    /// The chunk that a step lies in; `None` where there is none, or it could not be trusted and was noted.
    pub(super) fn load(
        &mut self,
        id: SeriesId,
        step: u64,
        damaged: &mut Vec<DamagedRecord>,
    ) -> Result<Option<Chunk>, HistoryError> {
        let index = self.options.chunk_of(step);
        let Some(series) = self.series.get(&id) else { return Ok(None) };
        match &series.open {
            Some(open) if open.chunk.index == index => Ok(Some(open.chunk.clone())),
            Some(_) | None if series.chunks.contains_key(&index) => self.read_chunk(id, index, damaged),
            Some(_) | None => Ok(None),
        }
    }

    fn read_chunk(
        &mut self,
        id: SeriesId,
        index: u64,
        damaged: &mut Vec<DamagedRecord>,
    ) -> Result<Option<Chunk>, HistoryError> {
        let key = keys::chunk(id, index);
        let bytes = match self.waiting.change_of(&key) {
            Some(waiting) => waiting.map(<[u8]>::to_vec),
            None => match self.records.get(&key) {
                Ok(bytes) => bytes,
                Err(StoreError::Damaged(record)) => {
                    damaged.push(record);
                    return Ok(None);
                }
                Err(StoreError::Backend(error)) => return Err(self.after_failure(error).into()),
            },
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let chunk = Chunk::decode(index, usize::from(self.options.chunk_steps), &bytes);
        if chunk.is_none() {
            damaged.push(DamagedRecord { key, damage: Damage::Content });
        }
        Ok(chunk)
    }

    /// The chunk of this index, to be written to. The one that was open before waits for the next commit.
    fn open_chunk(
        &mut self,
        id: SeriesId,
        index: u64,
        damaged: &mut Vec<DamagedRecord>,
    ) -> Result<&mut Open, HistoryError> {
        let is_open = |series: &Series| series.open.as_ref().is_some_and(|open| open.chunk.index == index);
        if !self.series.get(&id).is_some_and(is_open) {
            let length = usize::from(self.options.chunk_steps);
            let stored = self.series.get(&id).is_some_and(|series| series.chunks.contains_key(&index));
            let chunk = if stored { self.read_chunk(id, index, damaged)? } else { None };
            let series = self.series.get_mut(&id).ok_or(HistoryError::UnknownSeries)?;
            store_open(&mut self.waiting, id, series);
            series.open =
                Some(Open { chunk: chunk.unwrap_or_else(|| Chunk::empty(index, length)), changed: false });
        }
        let series = self.series.get_mut(&id).ok_or(HistoryError::UnknownSeries)?;
        series.open.as_mut().ok_or(HistoryError::UnknownSeries)
    }

    fn set_clock(
        &mut self,
        now_unix_millis: u64,
        damaged: &mut Vec<DamagedRecord>,
    ) -> Result<(), HistoryError> {
        let step = self.options.step_of(now_unix_millis);
        if self.now_step == Some(step) {
            return Ok(());
        }
        if self.now_step.is_none_or(|before| before > step) {
            self.forget_after(step, damaged)?;
        }
        self.now_step = Some(step);
        let oldest = self.options.chunk_of(self.options.oldest_step(step));
        for (&id, series) in &mut self.series {
            series.open.take_if(|open| open.chunk.index < oldest);
            while let Some((index, kept)) =
                series.chunks.first_key_value().map(|(&index, &kept)| (index, kept))
            {
                if index >= oldest {
                    break;
                }
                series.chunks.remove(&index);
                drop_chunk(&mut self.waiting, id, index, kept);
            }
        }
        Ok(())
    }

    /// Forgets what was recorded for later than a step.
    fn forget_after(&mut self, step: u64, damaged: &mut Vec<DamagedRecord>) -> Result<(), HistoryError> {
        let (last_chunk, first_place) = (self.options.chunk_of(step), self.options.place_of(step) + 1);
        let ids: Vec<SeriesId> = self.series.keys().copied().collect();
        for id in ids {
            let Some(series) = self.series.get_mut(&id) else { continue };
            series.open.take_if(|open| open.chunk.index > last_chunk);
            for (index, kept) in series.chunks.split_off(&(last_chunk + 1)) {
                drop_chunk(&mut self.waiting, id, index, kept);
            }
            let holds_it = series.chunks.contains_key(&last_chunk)
                || series.open.as_ref().is_some_and(|open| open.chunk.index == last_chunk);
            if holds_it {
                let open = self.open_chunk(id, last_chunk, damaged)?;
                open.changed |= open.chunk.clear_from(first_place);
            }
        }
        Ok(())
    }
}

/// Lets the open chunk wait for the next commit, if it has changed. It stays open.
fn store_open(waiting: &mut Changes, id: SeriesId, series: &mut Series) {
    let Some(open) = series.open.as_mut().filter(|open| open.changed) else { return };
    open.changed = false;
    let index = open.chunk.index;
    if open.chunk.is_empty() {
        if let Some(kept) = series.chunks.remove(&index) {
            drop_chunk(waiting, id, index, kept);
        }
    } else {
        waiting.put(&keys::chunk(id, index), &open.chunk.encode());
        series.chunks.entry(index).or_insert(Kept::Waiting);
    }
}

fn drop_chunk(waiting: &mut Changes, id: SeriesId, index: u64, kept: Kept) {
    match kept {
        Kept::Waiting => waiting.forget(&keys::chunk(id, index)),
        Kept::Stored => waiting.delete(&keys::chunk(id, index)),
    }
}
