//! Sealing heads, and making coarser tiers from finer ones, a few series at a time.

use std::collections::BTreeMap;

use super::block::{Block, BlockId, Builder, Opened, Table};
use super::errors::Damaged;
use super::log::History;
use super::points::Points;
use crate::series::SeriesId;
use crate::volume::{Volume, VolumeError};

/// A file in the making.
#[derive(Debug)]
pub(super) struct Job {
    id: BlockId,
    /// In this order one over the other.
    sources: Vec<Source>,
    made: Builder,
    /// The last series that is in it.
    done: Option<SeriesId>,
    /// What was named of the sources, which are read again for each few series.
    damaged: Vec<Damaged>,
}

#[derive(Debug)]
struct Source {
    table: Table,
    block: Block,
    /// Steps of the source in one of the file's.
    factor: u32,
    /// The place in the file of the source's first step.
    offset: u32,
}

impl Job {
    /// Whether it seals this window of the finest tier.
    pub(super) fn seals(&self, window: u64) -> bool {
        self.id == BlockId::new(Table::Tier(0), window)
    }
}

impl<V: Volume> History<V> {
    /// Does a piece of what is to be sealed and rolled up, if there is any.
    pub(super) fn work(&mut self) -> Result<(), VolumeError> {
        if self.job.is_none() && self.may_have_work {
            self.job = self.find_work()?;
            self.may_have_work = self.job.is_some();
        }
        let Some(mut job) = self.job.take() else { return Ok(()) };
        // Where it fails it is begun anew.
        self.may_have_work = true;
        if self.work_on(&mut job)? {
            self.job = Some(job);
            Ok(())
        } else {
            self.finish(job)
        }
    }

    /// Whether everything that can be sealed and rolled up is.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.job.is_none() && !self.may_have_work
    }

    /// The next few series. False where there are no more.
    fn work_on(&mut self, job: &mut Job) -> Result<bool, VolumeError> {
        let ids: Vec<SeriesId> = self.catalogue.ids_after(job.done).take(SERIES_AT_ONCE).collect();
        let Some(&last) = ids.last() else { return Ok(false) };
        let mut points: BTreeMap<SeriesId, Points> = BTreeMap::new();
        let mut damaged = Vec::new();
        for source in &job.sources {
            source.block.visit(&self.volume, &ids, &mut damaged, |series, bytes| {
                let form = self.form(series, source.table);
                let Some((form, read)) = form.and_then(|form| Some((form, Points::decode(form, bytes)?)))
                else {
                    return false;
                };
                let read = if source.factor > 1 { read.coarser(source.factor) } else { read };
                points.entry(series).or_insert_with(|| Points::empty(form.kind)).overlay(read, source.offset);
                true
            })?;
        }
        damaged.retain(|piece| !job.damaged.contains(piece));
        job.damaged.extend(damaged.iter().cloned());
        self.note_damage(damaged);
        for (series, points) in points {
            if let (false, Some(form)) = (points.is_empty(), self.form(series, job.id.table)) {
                job.made.push(series, &points.encode(form, true));
            }
        }
        job.done = Some(last);
        Ok(true)
    }

    /// Each step is harmless without the next: what is made again comes out the same.
    fn finish(&mut self, job: Job) -> Result<(), VolumeError> {
        let Table::Tier(tier) = job.id.table else { return Ok(()) };
        let start = job.id.window * self.options.tiers[usize::from(tier)].window_millis();
        let windows = self.options.tiers.iter().map(|coarse| start / coarse.window_millis());
        let coarser: Vec<(u8, u64)> = (0..).zip(windows).skip(usize::from(tier) + 1).collect();
        for (tier, window) in coarser {
            let stale = BlockId::new(Table::Stale(tier), window);
            if self.files.contains_key(&BlockId::new(Table::Tier(tier), window))
                && !self.files.contains_key(&stale)
            {
                self.put(stale, &[])?;
            }
        }
        self.put(job.id, &job.made.finish(job.id))?;
        if tier == 0 {
            self.heads_of(job.id.window).into_iter().try_for_each(|id| self.remove(id))?;
        }
        let stale = BlockId::new(Table::Stale(tier), job.id.window);
        if self.files.contains_key(&stale) { self.remove(stale) } else { Ok(()) }
    }

    fn find_work(&mut self) -> Result<Option<Job>, VolumeError> {
        let Some(id) = self.next_to_make() else { return Ok(None) };
        let Table::Tier(tier) = id.table else { return Ok(None) };
        let options = self.options.tiers[usize::from(tier)];
        let start = id.window * options.window_millis();
        let mut sources = vec![(id, options.step_millis, start)];
        if tier == 0 {
            let millis = self.options.head_millis();
            let heads = self.heads_of(id.window).into_iter();
            sources.extend(heads.map(|head| (head, options.step_millis, head.window * millis)));
        } else {
            let fine = self.options.tiers[usize::from(tier) - 1];
            let first = start / fine.window_millis();
            let windows = first..first + options.window_millis() / fine.window_millis();
            sources.extend(windows.map(|window| {
                let id = BlockId::new(Table::Tier(tier - 1), window);
                (id, fine.step_millis, window * fine.window_millis())
            }));
        }
        let mut opened = Vec::new();
        for (source, step_millis, source_start) in sources {
            if !self.files.contains_key(&source) {
                continue;
            }
            match Block::open(&self.volume, source)? {
                Opened::Gone => {}
                Opened::Damaged(damaged) => self.note_damage([damaged]),
                Opened::Sound(block) => opened.push(Source {
                    table: source.table,
                    block,
                    factor: u32::try_from(options.step_millis / step_millis).unwrap_or(u32::MAX),
                    offset: u32::try_from((source_start - start) / options.step_millis).unwrap_or(u32::MAX),
                }),
            }
        }
        Ok(Some(Job { id, sources: opened, made: Builder::default(), done: None, damaged: Vec::new() }))
    }

    /// The finest file that is due: heads of a window that is over, then coarser windows that are over and not there, or stale.
    fn next_to_make(&self) -> Option<BlockId> {
        let raw = self.options.tiers[0];
        let window_of = |head: u64| head * self.options.head_millis() / raw.window_millis();
        let waits = |window: u64| {
            self.heads.iter().any(|(&head, content)| content.is_changed && window_of(head) == window)
        };
        let heads = self.files.range(BlockId::new(Table::Head, 0)..=BlockId::new(Table::Head, u64::MAX));
        let sealable = heads
            .map(|(id, _)| window_of(id.window))
            .find(|&window| self.has_settled((window + 1) * raw.window_millis()) && !waits(window));
        if let Some(window) = sealable {
            return Some(BlockId::new(Table::Tier(0), window));
        }
        let longest = self.options.tiers.last().map_or(0, |tier| tier.retention_millis);
        (1_u8..).zip(self.options.tiers.windows(2)).find_map(|(tier, pair)| {
            let [fine, coarse] = pair else { return None };
            let fine_files = self.files.range(
                BlockId::new(Table::Tier(tier - 1), 0)..=BlockId::new(Table::Tier(tier - 1), u64::MAX),
            );
            let windows = fine_files.map(|(id, _)| id.window * fine.window_millis() / coarse.window_millis());
            let mut due = windows.filter(|&window| {
                let end = (window + 1) * coarse.window_millis();
                let exists = |table| self.files.contains_key(&BlockId::new(table, window));
                // What this tier no longer keeps is made all the same where coarser ones are made from it: after a long stop.
                let is_kept = end + longest > self.now_millis;
                let is_there = exists(Table::Tier(tier)) && !exists(Table::Stale(tier));
                let is_sealed = tier > 1 || self.is_sealed(window * coarse.window_millis(), end);
                self.has_settled(end)
                    && is_kept
                    && is_sealed
                    && !is_there
                    && window >= self.floors[usize::from(tier)]
            });
            due.next().map(|window| BlockId::new(Table::Tier(tier), window))
        })
    }

    /// Whether no head of this stretch is left.
    fn is_sealed(&self, start: u64, end: u64) -> bool {
        let millis = self.options.head_millis();
        let heads = BlockId::new(Table::Head, start / millis)..BlockId::new(Table::Head, end / millis);
        self.files.range(heads).next().is_none()
    }

    /// Heads on the medium that lie in a window of the finest tier.
    pub(super) fn heads_of(&self, window: u64) -> Vec<BlockId> {
        let count = u64::from(self.options.tiers[0].window_steps / self.options.head_steps);
        let first = BlockId::new(Table::Head, window * count);
        let end = BlockId::new(Table::Head, (window + 1) * count);
        self.files.range(first..end).map(|(&id, _)| id).collect()
    }
}

/// Packing an hour of so many takes a few milliseconds.
const SERIES_AT_ONCE: usize = 8;
