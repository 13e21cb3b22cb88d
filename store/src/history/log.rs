//! Appending and writing.

use std::collections::BTreeMap;
use std::sync::Arc;

use quillwork_core::telemetry::Sketch;

use super::block::{Block, BlockId, Opened, Table, build};
use super::catalogue::Catalogue;
use super::errors::{AddSeriesError, Damaged, OpenError};
use super::head::{Head, HeadPoints};
use super::options::HistoryOptions;
use super::points::{Form, Points};
use super::rollup::Job;
use crate::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use crate::volume::{Volume, VolumeError};

/// Values of many series. See the [module](super).
#[derive(Debug)]
pub struct History<V> {
    pub(super) volume: V,
    pub(super) options: Arc<HistoryOptions>,
    pub(super) catalogue: Catalogue,
    /// The files that there are, and their lengths. Readers hold on to the list as it was.
    pub(super) files: Arc<BTreeMap<BlockId, u64>>,
    pub(super) catalogue_bytes: u64,
    pub(super) heads: BTreeMap<u64, Head>,
    pub(super) now_millis: u64,
    /// After a leap of the clock nothing is dropped for its age before this instant.
    pub(super) expires_from: u64,
    /// Where the clock was set back: from when on what is stored is still to be forgotten.
    pub(super) forget_from: Option<u64>,
    /// Windows before these were dropped for want of room, by tier.
    pub(super) floors: Vec<u64>,
    pub(super) job: Option<Job>,
    pub(super) may_have_work: bool,
    pub(super) damaged: Vec<Damaged>,
    /// Counts changes of `files`.
    pub(super) edition: u64,
}

/// What became of values that were appended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// How many were taken.
    pub stored: usize,
    /// How many were not: not finite or beyond what the resolution can count, of a series that is not there or of another kind, or of a time that lies in the future
    /// or is no longer kept step by step.
    pub refused: usize,
}

impl<V: Volume> History<V> {
    /// Opens what a volume holds, or begins. Reads the catalogue and the list of files, and none of the values. `now` is the wall clock's.
    ///
    /// # Errors
    ///
    /// Where the options make no sense or are not those it was made with, both copies of the catalogue are damaged, or the medium fails.
    pub fn open(volume: V, options: HistoryOptions, now_unix_millis: u64) -> Result<Self, OpenError> {
        options.check()?;
        let mut history = Self::open_without_clock(volume, options)?;
        // A beginning is no leap of the clock.
        let is_new = history.files.is_empty();
        history.floors[0] = history.first_raw();
        history.now_millis = if is_new { now_unix_millis } else { history.newest_stored() };
        history.set_clock(now_unix_millis);
        Ok(history)
    }

    /// The catalogue and the list of files.
    pub(super) fn open_without_clock(volume: V, options: HistoryOptions) -> Result<Self, OpenError> {
        let listed = volume.list()?;
        let files: BTreeMap<BlockId, u64> =
            listed.iter().filter_map(|(name, bytes)| Some((BlockId::parse(name)?, *bytes))).collect();
        let catalogue = match Catalogue::open(&volume, &options)? {
            Some(catalogue) => catalogue,
            // Values without a catalogue belong to nobody.
            None if files.is_empty() => Catalogue::new(),
            None => return Err(OpenError::Catalogue),
        };
        let catalogue_bytes = listed.get(super::catalogue::COPIES[0]).copied().unwrap_or(0);
        let floors = vec![0; options.tiers.len()];
        Ok(Self {
            volume,
            options: Arc::new(options),
            catalogue,
            files: Arc::new(files),
            catalogue_bytes,
            heads: BTreeMap::new(),
            now_millis: 0,
            expires_from: 0,
            forget_from: None,
            floors,
            job: None,
            may_have_work: true,
            damaged: Vec::new(),
            edition: 0,
        })
    }

    /// Adds a series, or finds the one that is there.
    ///
    /// # Errors
    ///
    /// Where it makes no sense, one of its name and labels is there and differs, or there are as many as there may be.
    pub fn add_series(&mut self, spec: SeriesSpec) -> Result<SeriesId, AddSeriesError> {
        self.catalogue.add(spec, self.options.max_series)
    }

    /// Removes a series: its values can no longer be asked for, and go when their files do. Says whether there was one.
    pub fn remove_series(&mut self, id: SeriesId) -> bool {
        self.heads.values_mut().for_each(|head| drop(head.series.remove(&id)));
        self.catalogue.remove(id)
    }

    /// What a series is.
    #[must_use]
    pub fn series(&self, id: SeriesId) -> Option<&SeriesSpec> {
        self.catalogue.get(id)
    }

    /// The series of this name and these labels.
    #[must_use]
    pub fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.catalogue.find(key)
    }

    /// All series, by name and labels.
    pub fn catalogue(&self) -> impl Iterator<Item = (SeriesId, &SeriesSpec)> {
        self.catalogue.iter()
    }

    /// How many series there are.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.catalogue.len()
    }

    /// Notes values of the instant `at`, of gauges and counters. `now` moves the clock, with all that follows; see the [module](super).
    pub fn append(
        &mut self,
        now_unix_millis: u64,
        at_unix_millis: u64,
        values: &[(SeriesId, f64)],
    ) -> Appended {
        self.set_clock(now_unix_millis);
        let Some((window, place)) = self.place_of(at_unix_millis) else {
            return Appended { stored: 0, refused: values.len() };
        };
        let steps = self.options.head_steps;
        let head = self.heads.entry(window).or_default();
        let mut appended = Appended::default();
        for &(id, value) in values {
            let spec = self.catalogue.get(id).filter(|spec| spec.kind != SeriesKind::Sketch);
            let Some((spec, units)) = spec.and_then(|spec| Some((spec, spec.units_of(value)?))) else {
                appended.refused += 1;
                continue;
            };
            head.series.entry(id).or_insert_with(|| HeadPoints::empty(spec.kind, steps)).set(place, units);
            appended.stored += 1;
        }
        head.is_changed |= appended.stored > 0;
        self.bound_heads();
        appended
    }

    /// Notes the values of one step of a sketch, of which an earlier one for the step is forgotten. As [`append`](Self::append) otherwise. An empty
    /// sketch is none.
    pub fn append_sketch(
        &mut self,
        now_unix_millis: u64,
        at_unix_millis: u64,
        id: SeriesId,
        sketch: &Sketch,
    ) -> Appended {
        const REFUSED: Appended = Appended { stored: 0, refused: 1 };
        self.set_clock(now_unix_millis);
        let is_sketch = self.catalogue.get(id).is_some_and(|spec| spec.kind == SeriesKind::Sketch);
        if !is_sketch || sketch.is_empty() {
            return REFUSED;
        }
        let Some((window, place)) = self.place_of(at_unix_millis) else { return REFUSED };
        let head = self.heads.entry(window).or_default();
        head.series
            .entry(id)
            .or_insert_with(|| HeadPoints::empty(SeriesKind::Sketch, 0))
            .set_sketch(place, sketch.clone());
        head.is_changed = true;
        self.bound_heads();
        Appended { stored: 1, refused: 0 }
    }

    /// Writes what has settled, drops what is too old, and does a bounded piece of what is to be sealed and rolled up: what a host calls
    /// after each tick.
    ///
    /// # Errors
    ///
    /// Where the medium fails. What was to be written waits in memory for the next call, up to some 8 MB, and then the oldest of
    /// it is lost.
    pub fn commit(&mut self) -> Result<(), VolumeError> {
        self.write_catalogue()?;
        self.forget_what_lies_ahead()?;
        self.write_heads(|history, window| {
            history.has_settled((window + 1) * history.options.head_millis())
        })?;
        let worked = self.work();
        self.expire()?;
        worked
    }

    /// Writes everything as it is now: what a process does before it ends.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub fn flush(&mut self) -> Result<(), VolumeError> {
        self.write_catalogue()?;
        self.forget_what_lies_ahead()?;
        self.write_heads(|_, _| true)
    }

    /// Files, or pieces of files, that turned out to be damaged since this was asked last. What they held is a gap.
    pub fn take_damaged(&mut self) -> Vec<Damaged> {
        std::mem::take(&mut self.damaged)
    }

    /// What the history was made with.
    #[must_use]
    pub fn options(&self) -> &HistoryOptions {
        &self.options
    }

    pub(super) fn has_settled(&self, end_millis: u64) -> bool {
        end_millis + self.options.settle_millis <= self.now_millis
    }

    /// The head and the place in it of an instant; `None` where it is not taken.
    fn place_of(&self, at_unix_millis: u64) -> Option<(u64, u32)> {
        let tier = &self.options.tiers[0];
        let step = self.options.step_of(at_unix_millis);
        let sealed = at_unix_millis / tier.window_millis();
        let oldest = self.now_millis.saturating_sub(tier.retention_millis).div_ceil(tier.window_millis());
        // What is measured now is taken in any case.
        let is_past = sealed < self.now_millis / tier.window_millis();
        let is_dropped = is_past && (sealed < self.floors[0] || self.is_only_rolled_up(sealed));
        if step > self.options.step_of(self.now_millis) || sealed < oldest || is_dropped {
            return None;
        }
        let place = step % u64::from(self.options.head_steps);
        Some((step / u64::from(self.options.head_steps), u32::try_from(place).ok()?))
    }

    /// Whether single values of a window were dropped, of which what they came to is left.
    fn is_only_rolled_up(&self, window: u64) -> bool {
        // Windows of the first two tiers are equally long.
        let exists = |tier| self.files.contains_key(&BlockId::new(Table::Tier(tier), window));
        exists(1) && !exists(0)
    }

    /// Before this window only coarser tiers are left. A late value there would stand for all that it was one of.
    fn first_raw(&self) -> u64 {
        let first = |table| {
            let ids = BlockId::new(table, 0)..=BlockId::new(table, u64::MAX);
            self.files.range(ids).next().map(|(id, _)| id.window)
        };
        let Some(coarse) = self.options.tiers.get(1) else { return 0 };
        let raw = self.options.tiers[0].window_millis();
        let rolled = first(Table::Tier(1)).map(|window| window * coarse.window_millis() / raw);
        first(Table::Tier(0)).filter(|raw| rolled.is_some_and(|rolled| rolled < *raw)).unwrap_or(0)
    }

    /// Late values are written at once where there are many, and the oldest are lost where they can't be.
    fn bound_heads(&mut self) {
        let most = MOST_WAITING.max(4 * self.catalogue.len());
        let waiting =
            |heads: &BTreeMap<u64, Head>| heads.values().map(|head| head.series.len()).sum::<usize>();
        if self.heads.len() < 3 || waiting(&self.heads) <= most {
            return;
        }
        let newest = self.options.step_of(self.now_millis) / u64::from(self.options.head_steps);
        let written = self.write_catalogue().and_then(|()| self.write_heads(|_, window| window + 1 < newest));
        if written.is_err() {
            while waiting(&self.heads) > most && self.heads.len() > 2 {
                self.heads.pop_first();
            }
        }
    }

    fn write_catalogue(&mut self) -> Result<(), VolumeError> {
        if !self.catalogue.is_changed {
            return Ok(());
        }
        let options = Arc::clone(&self.options);
        let bytes = self.catalogue.encode(&options).len() as u64;
        // Two copies, and room for the one that is being written.
        self.make_room(bytes + 2 * bytes.saturating_sub(self.catalogue_bytes))?;
        let volume = &mut self.volume;
        self.catalogue.write(&options, |name, content| volume.put(name, content))?;
        self.catalogue_bytes = bytes;
        Ok(())
    }

    /// Writes heads that have changed. Those that have settled leave the memory.
    pub(super) fn write_heads(&mut self, is_due: impl Fn(&Self, u64) -> bool) -> Result<(), VolumeError> {
        let due: Vec<u64> = self.heads.keys().copied().filter(|&window| is_due(self, window)).collect();
        for window in due {
            self.write_head(window)?;
            if self.has_settled((window + 1) * self.options.head_millis()) {
                self.heads.remove(&window);
            }
        }
        Ok(())
    }

    pub(super) fn write_head(&mut self, window: u64) -> Result<(), VolumeError> {
        let id = BlockId::new(Table::Head, window);
        let Some(head) = self.heads.get(&window).filter(|head| head.is_changed) else { return Ok(()) };
        let mut encoded = BTreeMap::new();
        if !head.is_whole && self.files.contains_key(&id) {
            encoded = self.read_changed(id, |history, series, points| {
                if let Some(newer) = history.heads.get(&window).and_then(|head| head.series.get(&series)) {
                    points.overlay(newer.points(), 0);
                }
            })?;
        }
        let Some(head) = self.heads.get(&window) else { return Ok(()) };
        let is_whole = encoded.keys().all(|series| head.series.contains_key(series));
        for (&series, newer) in &head.series {
            if let (false, Some(form)) = (encoded.contains_key(&series), self.form(series, id.table)) {
                encoded.insert(series, newer.points().encode(form, false));
            }
        }
        let encoded: Vec<(SeriesId, Vec<u8>)> = encoded.into_iter().collect();
        self.put(id, &build(id, &encoded))?;
        if let Some(head) = self.heads.get_mut(&window) {
            head.is_changed = false;
            head.is_whole |= is_whole;
        }
        let sealed = window * self.options.head_millis() / self.options.tiers[0].window_millis();
        // What was being sealed has changed under the work.
        self.job.take_if(|job| job.seals(sealed));
        Ok(())
    }

    /// How the points of a series are written in a table; `None` for one that is no longer there.
    pub(super) fn form(&self, series: SeriesId, table: Table) -> Option<Form> {
        form(&self.options, self.catalogue.get(series)?.kind, table)
    }

    /// All that a file holds, changed and written again. Points are large, so those of one series at a time are there.
    pub(super) fn read_changed(
        &mut self,
        id: BlockId,
        mut change: impl FnMut(&Self, SeriesId, &mut Points),
    ) -> Result<BTreeMap<SeriesId, Vec<u8>>, VolumeError> {
        let mut encoded = BTreeMap::new();
        match Block::open(&self.volume, id)? {
            Opened::Gone => {}
            Opened::Damaged(damaged) => self.note_damage([damaged]),
            Opened::Sound(block) => {
                let ids: Vec<SeriesId> = self.catalogue.ids_after(None).collect();
                let mut damaged = Vec::new();
                block.visit(&self.volume, &ids, &mut damaged, |series, bytes| {
                    let form = self.form(series, id.table);
                    let decoded = form.and_then(|form| Some((form, Points::decode(form, bytes)?)));
                    let Some((form, mut points)) = decoded else { return false };
                    change(self, series, &mut points);
                    encoded.insert(series, points.encode(form, id.table != Table::Head));
                    true
                })?;
                self.note_damage(damaged);
            }
        }
        Ok(encoded)
    }

    pub(super) fn note_damage(&mut self, damaged: impl IntoIterator<Item = Damaged>) {
        const MOST: usize = 64;
        for damaged in damaged {
            if self.damaged.len() < MOST && !self.damaged.contains(&damaged) {
                self.damaged.push(damaged);
            }
        }
    }
}

/// How points of this kind are written in a table.
pub(super) fn form(options: &HistoryOptions, kind: SeriesKind, table: Table) -> Option<Form> {
    match table {
        Table::Head => Some(Form { kind, is_raw: true, steps: options.head_steps }),
        Table::Tier(tier) => {
            let steps = options.tiers.get(usize::from(tier))?.window_steps;
            Some(Form { kind, is_raw: tier == 0, steps })
        }
        Table::Stale(_) => None,
    }
}

/// Minutes of a series that wait for the medium, each of half a kilobyte.
const MOST_WAITING: usize = 16_384;
