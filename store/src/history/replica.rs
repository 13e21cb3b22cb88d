//! Following another history file by file, and its newest values in between.
//!
//! Files never change but for being replaced whole, so that a copy is kept equal by name and checksum: [`versions`] lists what there is, and
//! [`History::follow_file`] takes one after it has checked every part. What is in memory only comes as a [tail](History::tail). A history that
//! follows writes, seals and drops nothing by itself until it [takes over](History::take_over).

use std::sync::Arc;

use super::block::{Block, BlockId, Opened, Table, build};
use super::catalogue::{COPIES, Catalogue};
use super::column::{put_number, take_number};
use super::errors::{FollowError, OpenError};
use super::head::{Head, HeadPoints};
use super::log::History;
use super::options::HistoryOptions;
use super::points::Points;
use super::room::blocks;
use crate::series::SeriesId;
use crate::volume::{Memory, Volume, VolumeError};

/// A file as it is: two of the same version have the same content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileVersion {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// CRC-32C: of a file of values that of its directory, which holds those of its parts; of any other that of its content.
    pub checksum: u32,
}

/// Whether a name is that of a file of values. A history removes such files when their time is over; all others lie beside them.
#[must_use]
pub fn is_values(name: &str) -> bool {
    BlockId::parse(name).is_some()
}

/// Whether files of this name belong to the one volume and are not to be copied by their name: the second copy of the catalogue is made from the first.
#[must_use]
pub fn is_derived(name: &str) -> bool {
    name == COPIES[1]
}

/// The files of values of a volume, by name. A few bytes of each are read; another thread may write meanwhile.
///
/// # Errors
///
/// Where the medium fails.
pub fn versions(volume: &impl Volume) -> Result<Vec<FileVersion>, VolumeError> {
    let mut versions = Vec::new();
    for (name, bytes) in volume.list()? {
        if !is_values(&name) {
            continue;
        }
        let header = volume.read(&name, 0, CHECKSUM_END)?.unwrap_or_default();
        versions.push(FileVersion { name, bytes, checksum: directory_checksum(&header) });
    }
    Ok(versions)
}

/// The version of a file with this content.
#[must_use]
pub fn version_of(name: &str, content: &[u8]) -> FileVersion {
    let checksum = if is_values(name) { directory_checksum(content) } else { crc32c::crc32c(content) };
    FileVersion { name: name.to_owned(), bytes: content.len() as u64, checksum }
}

/// Zero for what has no directory: the mark that a window is to be made again is an empty file.
fn directory_checksum(content: &[u8]) -> u32 {
    let checksum = content.get(CHECKSUM_END - 4..CHECKSUM_END).and_then(|bytes| bytes.try_into().ok());
    checksum.map_or(0, u32::from_le_bytes)
}

impl<V: Volume> History<V> {
    /// Opens what a volume holds in order to follow another history. The clock stays where the newest file ends until a tail moves it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_following(volume: V, options: HistoryOptions) -> Result<Self, OpenError> {
        options.check()?;
        let newest = |id: &BlockId| match id.table {
            Table::Head => (id.window + 1).saturating_mul(options.head_millis()),
            Table::Tier(_) | Table::Stale(_) => 0,
        };
        let listed = volume.list()?;
        let heads_end = listed.keys().filter_map(|name| BlockId::parse(name)).map(|id| newest(&id)).max();
        let mut history = Self::open_without_clock(volume, options)?;
        history.now_millis = heads_end.unwrap_or(0).max(history.newest_stored());
        Ok(history)
    }

    /// Counts the changes of the files of values since this was opened.
    #[must_use]
    pub fn edition(&self) -> u64 {
        self.edition
    }

    /// What is in memory from an instant on, for [`follow_tail`](Self::follow_tail) of a copy. Who asks again asks from a few seconds before
    /// the [instant](Tail::now_unix_millis) of the last one, because late values go before it; what is later still comes with the files. Where that
    /// instant went back, who asks again asks for all.
    #[must_use]
    pub fn tail(&self, from_unix_millis: u64) -> Vec<u8> {
        let mut bytes = TAIL_MAGIC.to_vec();
        put_number(&mut bytes, self.now_millis);
        put_number(&mut bytes, self.heads.len() as u64);
        let step = self.options.step_of(from_unix_millis);
        let head_steps = u64::from(self.options.head_steps);
        for (&window, head) in &self.heads {
            let id = BlockId::new(Table::Head, window);
            let from = u32::try_from(step.saturating_sub(window * head_steps)).unwrap_or(u32::MAX);
            let encode = |(&series, points): (&SeriesId, &HeadPoints)| {
                let points = points.points_from(from);
                let form = self.form(series, Table::Head)?;
                (!points.is_empty()).then(|| (series, points.encode(form, false)))
            };
            let encoded: Vec<(SeriesId, Vec<u8>)> = if from < self.options.head_steps {
                head.series.iter().filter_map(encode).collect()
            } else {
                Vec::new()
            };
            put_number(&mut bytes, window);
            // A window of which there is nothing new is named all the same: it is still in memory.
            let block = if encoded.is_empty() { Vec::new() } else { build(id, &encoded) };
            put_number(&mut bytes, block.len() as u64);
            bytes.extend_from_slice(&block);
        }
        let checksum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Takes a file of values of the history that is followed, in place of an earlier one of its name.
    ///
    /// # Errors
    ///
    /// Where it is not such a file, any part of it is damaged, there is no room for it, or the medium fails. Then nothing has changed.
    pub fn follow_file(&mut self, name: &str, content: &[u8]) -> Result<(), FollowError> {
        let id = BlockId::parse(name).ok_or_else(|| FollowError::Name { name: name.to_owned() })?;
        check_block(id, content)?;
        if self.used_bytes() + blocks(content.len() as u64) > self.options.max_bytes {
            return Err(FollowError::Room { max_bytes: self.options.max_bytes });
        }
        self.volume.put(name, content)?;
        Arc::make_mut(&mut self.files).insert(id, content.len() as u64);
        self.edition += 1;
        Ok(())
    }

    /// Removes a file of values that the history that is followed no longer has.
    ///
    /// # Errors
    ///
    /// Where it is not such a file, or the medium fails.
    pub fn follow_removal(&mut self, name: &str) -> Result<(), FollowError> {
        let id = BlockId::parse(name).ok_or_else(|| FollowError::Name { name: name.to_owned() })?;
        Ok(self.remove(id)?)
    }

    /// Takes the catalogue of the history that is followed. It goes before files and tails whose series are in it.
    ///
    /// # Errors
    ///
    /// Where it is damaged or of another format, or the medium fails.
    pub fn follow_catalogue(&mut self, content: &[u8]) -> Result<(), FollowError> {
        let decoded = Catalogue::decode(content, &self.options).map_err(FollowError::Catalogue)?;
        let catalogue = decoded.ok_or_else(|| FollowError::Damaged { name: COPIES[0].to_owned() })?;
        for name in COPIES {
            self.volume.put(name, content)?;
        }
        self.catalogue_bytes = content.len() as u64;
        self.catalogue = catalogue;
        Ok(())
    }

    /// Takes the newest values of the history that is followed, which move the clock to its own.
    ///
    /// # Errors
    ///
    /// Where it is damaged. Then nothing has changed.
    pub fn follow_tail(&mut self, tail: &[u8]) -> Result<Tail, FollowError> {
        let damaged = || FollowError::Damaged { name: "the tail".to_owned() };
        let Tail { now_unix_millis, heads } = parse_tail(tail).ok_or_else(damaged)?;
        for (window, block) in &heads {
            if !block.is_empty() {
                check_block(BlockId::new(Table::Head, *window), block)?;
            }
        }
        if self.options.step_of(now_unix_millis) < self.options.step_of(self.now_millis) {
            // The other's clock was set back, and it has forgotten what lay ahead.
            self.heads.clear();
        }
        for (window, block) in &heads {
            if !block.is_empty() {
                self.overlay_head(*window, block)?;
            }
        }
        self.now_millis = now_unix_millis;
        while self.heads.len() > MOST_HEADS {
            self.heads.pop_first();
        }
        Ok(Tail { now_unix_millis, heads })
    }

    /// Forgets heads in memory that were not in this tail. To be called when all files that there were at its time are here: they hold what is forgotten.
    pub fn follow_settled(&mut self, tail: &Tail) {
        self.heads.retain(|window, _| tail.heads.iter().any(|(held, _)| held == window));
    }

    fn overlay_head(&mut self, window: u64, block: &[u8]) -> Result<(), FollowError> {
        let id = BlockId::new(Table::Head, window);
        let mut volume = Memory::new();
        volume.put(&id.to_string(), block)?;
        let Opened::Sound(block) = Block::open(&volume, id)? else { return Ok(()) };
        let mut head = self.heads.remove(&window).unwrap_or_default();
        let steps = self.options.head_steps;
        block.visit_all(&volume, &mut Vec::new(), |series, bytes| {
            // A series that the catalogue doesn't have yet comes again with the next tail, after the catalogue.
            let Some(form) = self.form(series, Table::Head) else { return true };
            let Some(points) = Points::decode(form, bytes) else { return false };
            let into = head.series.entry(series).or_insert_with(|| HeadPoints::empty(form.kind, steps));
            into.overlay(points);
            true
        })?;
        self.heads.insert(window, head);
        Ok(())
    }

    /// Ends the following: from now on this history is written by whoever has it. What came in tails is written with the next
    /// [`commit`](Self::commit).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); then it follows still.
    pub fn take_over(&mut self, now_unix_millis: u64) -> Result<(), OpenError> {
        let mut history =
            Self::open(self.volume.clone(), HistoryOptions::clone(&self.options), now_unix_millis)?;
        let heads = std::mem::take(&mut self.heads).into_iter();
        history.heads = heads
            .map(|(window, head)| (window, Head { is_changed: true, is_whole: false, ..head }))
            .collect();
        *self = history;
        Ok(())
    }

    /// Writes what came in tails, so that it outlives a process that follows.
    ///
    /// # Errors
    ///
    /// Where the medium fails, or there is no room.
    pub fn flush_following(&mut self) -> Result<(), VolumeError> {
        let windows: Vec<u64> = self.heads.keys().copied().collect();
        for window in windows {
            if let Some(head) = self.heads.get_mut(&window) {
                head.is_changed = true;
            }
            self.write_head(window)?;
        }
        Ok(())
    }
}

/// The newest values of another history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Its clock.
    pub now_unix_millis: u64,
    /// What it has in memory, by window.
    heads: Vec<(u64, Vec<u8>)>,
}

fn parse_tail(bytes: &[u8]) -> Option<Tail> {
    let (body, checksum) = bytes.split_last_chunk::<4>()?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let mut rest = body.strip_prefix(TAIL_MAGIC)?;
    let now_unix_millis = take_number(&mut rest)?;
    let count = take_number(&mut rest)?;
    let mut heads = Vec::new();
    for _ in 0..count {
        let window = take_number(&mut rest)?;
        let length = usize::try_from(take_number(&mut rest)?).ok()?;
        let (block, after) = rest.split_at_checked(length)?;
        heads.push((window, block.to_vec()));
        rest = after;
    }
    rest.is_empty().then_some(Tail { now_unix_millis, heads })
}

/// Whether every part of a file is as it was written, under its own name.
fn check_block(id: BlockId, content: &[u8]) -> Result<(), FollowError> {
    let damaged = || FollowError::Damaged { name: id.to_string() };
    if matches!(id.table, Table::Stale(_)) {
        return if content.is_empty() { Ok(()) } else { Err(damaged()) };
    }
    let mut volume = Memory::new();
    volume.put(&id.to_string(), content)?;
    let Opened::Sound(block) = Block::open(&volume, id)? else { return Err(damaged()) };
    let mut found = Vec::new();
    block.visit_all(&volume, &mut found, |_, _| true)?;
    if found.is_empty() { Ok(()) } else { Err(damaged()) }
}

const TAIL_MAGIC: &[u8] = b"QWT1";
/// Where the checksum of a file's directory ends.
const CHECKSUM_END: usize = 24;
/// Minutes in memory while files lag behind.
const MOST_HEADS: usize = 64;
