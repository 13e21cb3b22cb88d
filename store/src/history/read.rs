//! Reading a stretch of time, from whichever tiers have it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quillwork_core::telemetry::Sketch;

use super::aggregate::Aggregate;
use super::block::{Block, BlockId, Opened, Table};
use super::errors::{Damaged, ReadError};
use super::log::{History, form};
use super::options::{HistoryOptions, TierOptions};
use super::points::{Points, join};
use crate::series::{SeriesId, SeriesKind, SeriesSpec};
use crate::volume::Volume;

/// Some series of a history as they were when it was made. It reads the files itself, so that another thread can do it while the
/// history goes on.
#[derive(Clone, Debug)]
pub struct Reader<V> {
    volume: V,
    options: Arc<HistoryOptions>,
    files: Arc<BTreeMap<BlockId, u64>>,
    /// Ascending.
    ids: Vec<SeriesId>,
    series: BTreeMap<SeriesId, SeriesSpec>,
    /// What is in memory, by window.
    heads: BTreeMap<u64, BTreeMap<SeriesId, Points>>,
    now_millis: u64,
    is_cancelled: Arc<AtomicBool>,
}

/// What a stretch of time came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// What the series is.
    pub spec: SeriesSpec,
    /// Steps in which there was something, in order.
    pub steps: Steps,
}

/// By number of the step since 1970.
#[derive(Clone, Debug, PartialEq)]
pub enum Steps {
    /// Of gauges and counters, in whole multiples of the resolution.
    Numbers(Vec<(u64, Aggregate)>),
    /// Of sketches.
    Sketches(Vec<(u64, Sketch)>),
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// In ascending order of their numbers.
    pub series: Vec<(SeriesId, Stretch)>,
    /// Pieces that could not be trusted. What they held is missing.
    pub damaged: Vec<Damaged>,
}

impl<V: Volume> History<V> {
    /// Series to be read, as they are now.
    #[must_use]
    pub fn reader(&self, ids: impl IntoIterator<Item = SeriesId>) -> Reader<V> {
        let series: BTreeMap<SeriesId, SeriesSpec> =
            ids.into_iter().filter_map(|id| Some((id, self.catalogue.get(id)?.clone()))).collect();
        let of_head = |head: &super::head::Head| {
            series.keys().filter_map(|id| Some((*id, head.series.get(id)?.points()))).collect()
        };
        let heads = self.heads.iter().map(|(&window, head)| (window, of_head(head))).collect();
        Reader {
            volume: self.volume.clone(),
            options: Arc::clone(&self.options),
            files: Arc::clone(&self.files),
            ids: series.keys().copied().collect(),
            series,
            heads,
            now_millis: self.now_millis,
            is_cancelled: Arc::default(),
        }
    }
}

impl<V: Volume> Reader<V> {
    /// The series that it reads, ascending.
    #[must_use]
    pub fn ids(&self) -> &[SeriesId] {
        &self.ids
    }

    /// What they are.
    pub fn specs(&self) -> impl Iterator<Item = &SeriesSpec> {
        self.series.values()
    }

    /// Ends every reading of this reader, and of those [narrowed](Self::narrowed) from it, before its next file once the flag is set: nobody waits for the answer
    /// any more, or it takes too long.
    #[must_use]
    pub fn cancelled_by(self, is_cancelled: Arc<AtomicBool>) -> Self {
        Self { is_cancelled, ..self }
    }

    /// A reader of some of these series.
    #[must_use]
    pub fn narrowed(&self, ids: &[SeriesId]) -> Self {
        let series: BTreeMap<SeriesId, SeriesSpec> =
            ids.iter().filter_map(|id| Some((*id, self.series.get(id)?.clone()))).collect();
        let of_head = |points: &BTreeMap<SeriesId, Points>| {
            series.keys().filter_map(|id| Some((*id, points.get(id)?.clone()))).collect()
        };
        Self {
            volume: self.volume.clone(),
            options: Arc::clone(&self.options),
            files: Arc::clone(&self.files),
            ids: series.keys().copied().collect(),
            heads: self.heads.iter().map(|(&window, points)| (window, of_head(points))).collect(),
            series,
            now_millis: self.now_millis,
            is_cancelled: Arc::clone(&self.is_cancelled),
        }
    }

    /// The history's clock when this was made.
    #[must_use]
    pub const fn now_unix_millis(&self) -> u64 {
        self.now_millis
    }

    /// The finest step in which there are values from this instant on, or from the first one on where that is later.
    #[must_use]
    pub fn finest_step_millis(&self, from_unix_millis: u64) -> u64 {
        let starts = self.starts();
        let from = starts.iter().map(|(_, start)| *start).min().unwrap_or(0).max(from_unix_millis);
        let reaches = |&&(tier, start): &&(u8, u64)| {
            let coarser = starts.iter().map(|(coarser, _)| *coarser).filter(|coarser| *coarser > tier);
            start <= from || !coarser.into_iter().any(|coarser| self.has_points(coarser, from, start))
        };
        let tier = starts.iter().find(reaches).map_or(0, |(tier, _)| *tier);
        self.options.tiers[usize::from(tier)].step_millis
    }

    /// Whether a tier has values of the series that are over by `to`, and not by `from`. A file that can't be read counts as full.
    fn has_points(&self, tier: u8, from: u64, to: u64) -> bool {
        let options = self.options.tiers[usize::from(tier)];
        let (window, step) = (options.window_millis(), options.step_millis);
        let files = BlockId::new(Table::Tier(tier), from / window)
            ..BlockId::new(Table::Tier(tier), to.div_ceil(window));
        let is_within = |id: &BlockId| from <= id.window * window && (id.window + 1) * window <= to;
        let mut files = self.files.range(files).map(|(id, _)| *id);
        if files.clone().any(|id| is_within(&id)) {
            return true;
        }
        // Of a file that begins before them, its name doesn't tell whether what is missing was dropped or was never there.
        files.any(|id| {
            let is_over = |place: u32| {
                let end = id.window * window + (u64::from(place) + 1) * step;
                from < end && end <= to
            };
            let found = self.points(id, &mut Vec::new());
            found.map_or(true, |points| points.values().any(|points| points.places().any(is_over)))
        })
    }

    /// The shortest step of values from this instant on that is no shorter than this one: a multiple of the
    /// [finest](Self::finest_step_millis).
    #[must_use]
    pub fn step_millis_from(&self, from_unix_millis: u64, least_millis: u64) -> u64 {
        let finest = self.finest_step_millis(from_unix_millis);
        least_millis.max(finest).div_ceil(finest).min(u64::MAX / finest) * finest
    }

    /// The tiers that have something, and the beginning of the first file of each.
    fn starts(&self) -> Vec<(u8, u64)> {
        let head = self.options.head_millis();
        let in_memory = self.heads.keys().next().copied();
        let first_head =
            [self.first(Table::Head), in_memory].into_iter().flatten().min().map(|window| window * head);
        let tiers = (0_u8..).zip(&self.options.tiers);
        tiers
            .filter_map(|(tier, options)| {
                let sealed = self.first(Table::Tier(tier)).map(|window| window * options.window_millis());
                let start = [sealed, first_head.filter(|_| tier == 0)].into_iter().flatten().min()?;
                Some((tier, start))
            })
            .collect()
    }

    /// The instant of the first value that there may be.
    #[must_use]
    pub fn first_unix_millis(&self) -> Option<u64> {
        self.starts().into_iter().map(|(_, start)| start).min()
    }

    /// The shortest step in which `[from, to)` has at most so many points and that a tier tells at once: a multiple of the finest step that
    /// reaches back to `from`, and of the longest tier's step that it holds. The points are aligned to multiples since 1970, so that a chart that
    /// moves on does not change what it has shown.
    #[must_use]
    pub fn step_millis_for(&self, from_unix_millis: u64, to_unix_millis: u64, max_points: u32) -> u64 {
        let span = to_unix_millis.saturating_sub(from_unix_millis);
        let wanted =
            span.div_ceil(u64::from(max_points.max(1))).max(self.finest_step_millis(from_unix_millis));
        let tiers = self.options.tiers.iter().map(|tier| tier.step_millis);
        let unit = tiers.rev().find(|step| *step <= wanted).unwrap_or(self.options.tiers[0].step_millis);
        let mut step = wanted.div_ceil(unit) * unit;
        let points = |step: u64| to_unix_millis.div_ceil(step) - from_unix_millis / step;
        // Alignment may cost a point.
        while span > 0 && points(step) > u64::from(max_points.max(1)) {
            step += unit;
        }
        step
    }

    fn first(&self, table: Table) -> Option<u64> {
        let ids = BlockId::new(table, 0)..=BlockId::new(table, u64::MAX);
        self.files.range(ids).next().map(|(id, _)| id.window)
    }

    /// What `[from, to)` came to in steps of this length, from the coarsest tiers that say it. Both ends are moved outwards to whole
    /// steps, and nothing is later than now.
    ///
    /// # Errors
    ///
    /// Where the step is not a multiple of the finest one, a file has gone since this was made, it was cancelled, or the medium fails.
    pub fn read(
        &self,
        from_unix_millis: u64,
        to_unix_millis: u64,
        step_millis: u64,
    ) -> Result<Read, ReadError> {
        let finest_millis = self.options.tiers[0].step_millis;
        if step_millis == 0 || !step_millis.is_multiple_of(finest_millis) {
            return Err(ReadError::Step { finest_millis });
        }
        let tiers = (0_u8..).zip(&self.options.tiers);
        let tier = tiers
            .filter(|(_, tier)| step_millis.is_multiple_of(tier.step_millis))
            .map(|(tier, _)| tier)
            .last();
        let end = to_unix_millis.min(self.now_millis + 1);
        let (first, last) = (from_unix_millis / step_millis, end.div_ceil(step_millis));
        let mut reading = Reading::new(&self.series, first * step_millis, last * step_millis, step_millis);
        if from_unix_millis < end {
            // Whole steps may be far longer than the time of which there is something.
            let longest = self.options.tiers.last().map_or(finest_millis, TierOptions::window_millis);
            let first = self.first_unix_millis().unwrap_or(0) / longest * longest;
            let last = (self.now_millis / longest + 1) * longest;
            self.walk(tier.unwrap_or(0), reading.from.max(first), reading.to.min(last), &mut reading)?;
        }
        let Reading { steps, damaged, .. } = reading;
        let series = steps
            .into_iter()
            .map(|(id, steps)| (id, Stretch { spec: self.series[&id].clone(), steps }))
            .collect();
        Ok(Read { series, damaged })
    }

    /// Reads `[from, to)` from a tier, and where it has no file yet or any more from the next finer one.
    fn walk(&self, tier: u8, from: u64, to: u64, reading: &mut Reading) -> Result<(), ReadError> {
        let window_millis = self.options.tiers[usize::from(tier)].window_millis();
        let end = to.div_ceil(window_millis);
        let mut window = from / window_millis;
        while window < end {
            let exists = |table| self.files.contains_key(&BlockId::new(table, window));
            if tier == 0 {
                self.read_raw(window, reading)?;
            } else if exists(Table::Tier(tier))
                && !exists(Table::Stale(tier))
                && !self.has_heads(window * window_millis, window_millis)
            {
                let points = self.points(BlockId::new(Table::Tier(tier), window), &mut reading.damaged)?;
                let step = self.options.tiers[usize::from(tier)].step_millis;
                reading.add(points, window * window_millis, step, self.now_millis);
            } else {
                let start = window * window_millis;
                let (from, to) = (start.max(from), (start + window_millis).min(to));
                if exists(Table::Tier(tier)) {
                    self.walk_over(BlockId::new(Table::Tier(tier), window), from, to, reading)?;
                } else {
                    self.walk(tier - 1, from, to, reading)?;
                }
            }
            window += 1;
            if tier == 0 {
                // Years of nothing are passed over in one step.
                window = window.max(self.next_raw(window).unwrap_or(end).min(end));
            }
        }
        Ok(())
    }

    /// Reads `[from, to)` of a window that is to be made again: the finer tiers have what is newer, and may have dropped what was in it.
    fn walk_over(&self, id: BlockId, from: u64, to: u64, reading: &mut Reading) -> Result<(), ReadError> {
        let Table::Tier(tier) = id.table else { return Ok(()) };
        let options = self.options.tiers[usize::from(tier)];
        let start = id.window * options.window_millis();
        let mut finer = Reading::new(&self.series, from, to, options.step_millis);
        self.walk(tier - 1, from, to, &mut finer)?;
        let mut points = self.points(id, &mut reading.damaged)?;
        for (series, steps) in finer.steps {
            let under = points.entry(series).or_insert_with(|| Points::empty(self.series[&series].kind));
            under.overlay(steps.into_points(start / options.step_millis), 0);
        }
        reading.damaged.extend(finer.damaged);
        reading.add(points, start, options.step_millis, self.now_millis);
        Ok(())
    }

    /// Whether there are values of a stretch that are in no tier yet.
    fn has_heads(&self, start: u64, length: u64) -> bool {
        let head = self.options.head_millis();
        let (first, end) = (start / head, (start + length) / head);
        let stored = BlockId::new(Table::Head, first)..BlockId::new(Table::Head, end);
        self.heads.range(first..end).next().is_some() || self.files.range(stored).next().is_some()
    }

    /// The next window of the finest tier of which there is something.
    fn next_raw(&self, window: u64) -> Option<u64> {
        let (raw, head) = (self.options.tiers[0].window_millis(), self.options.head_millis());
        let first = BlockId::new(Table::Tier(0), window)..=BlockId::new(Table::Tier(0), u64::MAX);
        let sealed = self.files.range(first).next().map(|(id, _)| id.window);
        let first_head = window.saturating_mul(raw) / head;
        let heads = BlockId::new(Table::Head, first_head)..=BlockId::new(Table::Head, u64::MAX);
        let stored = self.files.range(heads).next().map(|(id, _)| id.window * head / raw);
        let held = self.heads.range(first_head..).next().map(|(&held, _)| held * head / raw);
        [sealed, stored, held].into_iter().flatten().min()
    }

    /// A window of the finest tier: what is sealed, under the heads on the medium, under those in memory.
    fn read_raw(&self, window: u64, reading: &mut Reading) -> Result<(), ReadError> {
        let raw = self.options.tiers[0];
        let count = u64::from(raw.window_steps / self.options.head_steps);
        let (first, end) = (window * count, (window + 1) * count);
        let mut points = BTreeMap::new();
        let sealed = BlockId::new(Table::Tier(0), window);
        if self.files.contains_key(&sealed) {
            points = self.points(sealed, &mut reading.damaged)?;
        }
        let mut overlay = |head: u64, over: BTreeMap<SeriesId, Points>| {
            let offset = u32::try_from(head - first).unwrap_or(u32::MAX) * self.options.head_steps;
            for (series, over) in over {
                let under = points.entry(series).or_insert_with(|| Points::empty(self.series[&series].kind));
                under.overlay(over, offset);
            }
        };
        let heads = BlockId::new(Table::Head, first)..BlockId::new(Table::Head, end);
        for (&id, _) in self.files.range(heads) {
            // What is outside the stretch needn't be read.
            let start = id.window * self.options.head_millis();
            if start < reading.to && start + self.options.head_millis() > reading.from {
                overlay(id.window, self.points(id, &mut reading.damaged)?);
            }
        }
        for (&head, over) in self.heads.range(first..end) {
            overlay(head, over.clone());
        }
        reading.add(points, window * raw.window_millis(), raw.step_millis, self.now_millis);
        Ok(())
    }

    fn points(
        &self,
        id: BlockId,
        damaged: &mut Vec<Damaged>,
    ) -> Result<BTreeMap<SeriesId, Points>, ReadError> {
        if self.is_cancelled.load(Ordering::Relaxed) {
            return Err(ReadError::Cancelled);
        }
        let mut points = BTreeMap::new();
        match Block::open(&self.volume, id)? {
            Opened::Gone => return Err(ReadError::Rearranged),
            Opened::Damaged(found) => damaged.push(found),
            Opened::Sound(block) => {
                let is_there = block.visit(&self.volume, &self.ids, damaged, |series, bytes| {
                    let form = form(&self.options, self.series[&series].kind, id.table);
                    let decoded = form.and_then(|form| Points::decode(form, bytes));
                    decoded.map(|decoded| points.insert(series, decoded)).is_some()
                })?;
                if !is_there {
                    return Err(ReadError::Rearranged);
                }
            }
        }
        Ok(points)
    }
}

impl Steps {
    fn empty(spec: &SeriesSpec) -> Self {
        match spec.kind {
            SeriesKind::Gauge | SeriesKind::Counter => Self::Numbers(Vec::new()),
            SeriesKind::Sketch => Self::Sketches(Vec::new()),
        }
    }

    /// By place in a window that begins with this step.
    fn into_points(self, first: u64) -> Points {
        let place = |step: u64| u32::try_from(step - first).unwrap_or(u32::MAX);
        match self {
            Self::Numbers(steps) => {
                Points::Numbers(steps.into_iter().map(|(step, point)| (place(step), point)).collect())
            }
            Self::Sketches(steps) => {
                Points::Sketches(steps.into_iter().map(|(step, point)| (place(step), point)).collect())
            }
        }
    }
}

struct Reading {
    from: u64,
    to: u64,
    step_millis: u64,
    steps: BTreeMap<SeriesId, Steps>,
    damaged: Vec<Damaged>,
}

impl Reading {
    fn new(series: &BTreeMap<SeriesId, SeriesSpec>, from: u64, to: u64, step_millis: u64) -> Self {
        let steps = series.iter().map(|(&id, spec)| (id, Steps::empty(spec))).collect();
        Self { from, to, step_millis, steps, damaged: Vec::new() }
    }

    /// Adds points that begin at an instant, in the order of time.
    fn add(&mut self, points: BTreeMap<SeriesId, Points>, start: u64, step_millis: u64, now: u64) {
        let bounds = self.from..self.to.min(now.saturating_add(1));
        let step_of = |place: u32| {
            let at = start + u64::from(place) * step_millis;
            bounds.contains(&at).then_some(at / self.step_millis)
        };
        for (series, points) in points {
            match (self.steps.get_mut(&series), points) {
                (Some(Steps::Numbers(steps)), Points::Numbers(points)) => {
                    for (place, point) in points {
                        let Some(step) = step_of(place) else { continue };
                        match steps.last_mut() {
                            Some((last, all)) if *last == step => *all = all.then(&point),
                            _ => steps.push((step, point)),
                        }
                    }
                }
                (Some(Steps::Sketches(steps)), Points::Sketches(points)) => {
                    for (place, point) in points {
                        let Some(step) = step_of(place) else { continue };
                        match steps.last_mut() {
                            Some((last, all)) if *last == step => join(all, point),
                            _ => steps.push((step, point)),
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::super::test_support::{START, STEP, open, settle, spec};
    use super::*;
    use crate::volume::{Memory, VolumeError};

    /// Nobody waits any more once it has been read from.
    #[derive(Clone, Debug, Default)]
    struct Impatient {
        files: Memory,
        is_cancelled: Arc<AtomicBool>,
        reads: Arc<AtomicUsize>,
    }

    impl Volume for Impatient {
        fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
            self.files.list()
        }

        fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
            self.is_cancelled.store(true, Ordering::Relaxed);
            self.reads.fetch_add(1, Ordering::Relaxed);
            self.files.read(name, from, length)
        }

        fn put(&mut self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
            self.files.put(name, content)
        }

        fn remove(&mut self, name: &str) -> Result<(), VolumeError> {
            self.files.remove(name)
        }
    }

    #[test]
    fn a_reading_that_is_cancelled_ends_before_its_next_file() {
        let volume = Impatient::default();
        let mut history = open(volume.clone(), START);
        let id = history.add_series(spec("a", SeriesKind::Gauge)).unwrap();
        for now in (START..START + 6_000).step_by(100) {
            history.append(now, now, &[(id, 1.0)]);
            history.commit().unwrap();
        }
        settle(&mut history);
        volume.is_cancelled.store(false, Ordering::Relaxed);
        volume.reads.store(0, Ordering::Relaxed);
        let reader = history.reader([id]).cancelled_by(Arc::clone(&volume.is_cancelled));
        let cancelled = reader.narrowed(&[id]).read(START, START + 6_000, STEP);
        assert_eq!(cancelled, Err(ReadError::Cancelled));
        let of_one_file = volume.reads.load(Ordering::Relaxed);
        history.reader([id]).read(START, START + 6_000, STEP).unwrap();
        assert!(volume.reads.load(Ordering::Relaxed) > 3 * of_one_file, "there were more files");
    }
}
