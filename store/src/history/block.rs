//! One file: what one window holds of all series.
//!
//! ```text
//! magic "QWH1" · table (1 byte) · 3 × 0 · window (8) · number of parts (4) · checksum of all that and of the directory (4)
//! directory, for each part: first series (4) · offset (4) · length (4) · checksum (4)
//! parts, for each series: difference to the series before · length · points
//! ```
//!
//! Numbers have the low byte first; those within parts have seven bits to a byte. Checksums are CRC-32C. That of a part begins with
//! table, window and first series, so that a part in another's place is found out too. One series is had for the price of
//! the directory and of one part of about 16 KiB.

use std::fmt;

use super::column::{put_number, take_number};
use super::errors::{Damage, Damaged};
use crate::series::SeriesId;
use crate::volume::{Volume, VolumeError};

/// Which of the tables a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    /// A minute or so of the finest tier, not yet sealed.
    Head,
    /// A window of a tier.
    Tier(u8),
    /// An empty file: the window of this tier is to be made again from the finer one.
    Stale(u8),
}

/// The name of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockId {
    pub(super) table: Table,
    /// The window's number since 1970.
    pub(super) window: u64,
}

impl BlockId {
    pub(super) const fn new(table: Table, window: u64) -> Self {
        Self { table, window }
    }

    /// `None` where the file is no such.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (table, window) = name.split_once('-')?;
        let id = Self { table: Table::parse(table)?, window: window.parse().ok()? };
        (id.to_string() == name).then_some(id)
    }

    fn seed(self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&[self.table.code()]), &self.window.to_le_bytes())
    }

    fn damaged(self, what: Damage) -> Damaged {
        Damaged { file: self.to_string(), what }
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.table {
            Table::Head => write!(f, "head-{:012}", self.window),
            Table::Tier(tier) => write!(f, "tier{tier}-{:012}", self.window),
            Table::Stale(tier) => write!(f, "stale{tier}-{:012}", self.window),
        }
    }
}

impl Table {
    fn parse(name: &str) -> Option<Self> {
        let tier = |digits: &str| digits.parse().ok().filter(|tier| *tier < 10);
        match name.strip_prefix("tier") {
            Some(digits) => Some(Self::Tier(tier(digits)?)),
            None if name == "head" => Some(Self::Head),
            None => Some(Self::Stale(tier(name.strip_prefix("stale")?)?)),
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Head => 0xff,
            Self::Tier(tier) => tier,
            Self::Stale(tier) => 0x80 | tier,
        }
    }
}

/// Puts a file together from the series' points, ascending by series.
pub(super) fn build(id: BlockId, points: &[(SeriesId, Vec<u8>)]) -> Vec<u8> {
    let mut builder = Builder::default();
    points.iter().for_each(|(series, points)| builder.push(*series, points));
    builder.finish(id)
}

/// A file in the making. It takes no more memory than the file.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// The first series of each part, and where the part begins.
    parts: Vec<(SeriesId, usize)>,
    /// All parts, one after the other.
    bytes: Vec<u8>,
    before: u32,
}

impl Builder {
    /// Adds a series, which comes after those that are there.
    pub(super) fn push(&mut self, series: SeriesId, points: &[u8]) {
        let fits = |&(_, start): &(_, usize)| self.bytes.len() - start + points.len() <= PART_BYTES;
        if !self.parts.last().is_some_and(fits) {
            self.parts.push((series, self.bytes.len()));
            self.before = series.0;
        }
        put_number(&mut self.bytes, u64::from(series.0 - self.before));
        put_number(&mut self.bytes, points.len() as u64);
        self.bytes.extend_from_slice(points);
        self.before = series.0;
    }

    /// The file.
    pub(super) fn finish(self, id: BlockId) -> Vec<u8> {
        let Self { parts, mut bytes, .. } = self;
        let fits = |number: usize| u32::try_from(number).expect("a window is far smaller than 4 GiB");
        let content = HEADER_BYTES + parts.len() * ENTRY_BYTES;
        let mut directory = Vec::new();
        for (number, &(first, start)) in parts.iter().enumerate() {
            let end = parts.get(number + 1).map_or(bytes.len(), |&(_, next)| next);
            let part = &bytes[start..end];
            let entry = [first.0, fits(content + start), fits(part.len()), part_checksum(id, first, part)];
            entry.iter().for_each(|number| directory.extend_from_slice(&number.to_le_bytes()));
        }
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&[id.table.code(), 0, 0, 0]);
        header.extend_from_slice(&id.window.to_le_bytes());
        header.extend_from_slice(&fits(parts.len()).to_le_bytes());
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&header), &directory);
        header.extend_from_slice(&checksum.to_le_bytes());
        bytes.splice(..0, header.into_iter().chain(directory));
        bytes
    }
}

/// A file whose directory was read and is sound.
#[derive(Clone, Debug)]
pub(super) struct Block {
    id: BlockId,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    first: SeriesId,
    offset: u32,
    length: u32,
    checksum: u32,
}

/// What became of opening a file.
pub(super) enum Opened {
    Sound(Block),
    Damaged(Damaged),
    /// There is none of that name.
    Gone,
}

impl Block {
    /// Reads the directory.
    pub(super) fn open(volume: &impl Volume, id: BlockId) -> Result<Opened, VolumeError> {
        let name = id.to_string();
        let Some(mut bytes) = volume.read(&name, 0, FIRST_READ)? else { return Ok(Opened::Gone) };
        let count = bytes.get(16..20).and_then(|count| count.try_into().ok()).map_or(0, u32::from_le_bytes);
        let needed = HEADER_BYTES.saturating_add((count as usize).saturating_mul(ENTRY_BYTES));
        if needed > bytes.len() && count <= MAX_PARTS {
            let Some(more) = volume.read(&name, bytes.len() as u64, needed - bytes.len())? else {
                return Ok(Opened::Gone);
            };
            bytes.extend_from_slice(&more);
        }
        Ok(match Self::parse(id, &bytes, needed) {
            Some(parts) => Opened::Sound(Self { id, parts }),
            None => Opened::Damaged(id.damaged(Damage::Directory)),
        })
    }

    fn parse(id: BlockId, bytes: &[u8], needed: usize) -> Option<Vec<Part>> {
        let (header, rest) = bytes.get(..needed)?.split_first_chunk::<20>()?;
        let (checksum, directory) = rest.split_first_chunk::<4>()?;
        let fits = crc32c::crc32c_append(crc32c::crc32c(header), directory) == u32::from_le_bytes(*checksum);
        let names_itself = header.starts_with(MAGIC)
            && header[4] == id.table.code()
            && header[8..16] == id.window.to_le_bytes();
        if !(fits && names_itself) {
            return None;
        }
        let number =
            |entry: &[u8], at: usize| Some(u32::from_le_bytes(entry.get(at..at + 4)?.try_into().ok()?));
        let part = |entry: &[u8]| {
            Some(Part {
                first: SeriesId(number(entry, 0)?),
                offset: number(entry, 4)?,
                length: number(entry, 8)?,
                checksum: number(entry, 12)?,
            })
        };
        directory.chunks_exact(ENTRY_BYTES).map(part).collect()
    }

    /// Shows what the file holds of the series that are asked for, which ascend. A damaged part is named and passed over. False
    /// where the file is gone.
    pub(super) fn visit(
        &self,
        volume: &impl Volume,
        asked: &[SeriesId],
        damaged: &mut Vec<Damaged>,
        mut show: impl FnMut(SeriesId, &[u8]) -> bool,
    ) -> Result<bool, VolumeError> {
        let mut asked = asked;
        for (number, part) in self.parts.iter().enumerate() {
            let end = self.parts.get(number + 1).map_or(u32::MAX, |next| next.first.0);
            asked = &asked[asked.partition_point(|id| *id < part.first)..];
            let (wanted, _) = asked.split_at(asked.partition_point(|id| id.0 < end));
            if wanted.is_empty() {
                continue;
            }
            let Some(bytes) = self.part(volume, *part, damaged)? else { return Ok(false) };
            let points = bytes.as_deref().and_then(|bytes| split(part.first, bytes)).unwrap_or_default();
            for (series, points) in points {
                if wanted.binary_search(&series).is_ok() && !show(series, points) {
                    damaged.push(self.id.damaged(Damage::Points(series)));
                }
            }
        }
        Ok(true)
    }
}

impl Block {
    /// Shows all that the file holds. As [`visit`](Self::visit) otherwise.
    pub(super) fn visit_all(
        &self,
        volume: &impl Volume,
        damaged: &mut Vec<Damaged>,
        mut show: impl FnMut(SeriesId, &[u8]) -> bool,
    ) -> Result<bool, VolumeError> {
        for part in &self.parts {
            let Some(points) = self.part(volume, *part, damaged)? else { return Ok(false) };
            for (series, points) in
                points.as_deref().and_then(|bytes| split(part.first, bytes)).unwrap_or_default()
            {
                if !show(series, points) {
                    damaged.push(self.id.damaged(Damage::Points(series)));
                }
            }
        }
        Ok(true)
    }

    /// The bytes of a part, or nothing of one that is damaged, which is noted; `None` where the file is gone.
    fn part(
        &self,
        volume: &impl Volume,
        part: Part,
        damaged: &mut Vec<Damaged>,
    ) -> Result<Option<Option<Vec<u8>>>, VolumeError> {
        let length = part.length as usize;
        let Some(bytes) = volume.read(&self.id.to_string(), u64::from(part.offset), length)? else {
            return Ok(None);
        };
        let is_sound = bytes.len() == length
            && part_checksum(self.id, part.first, &bytes) == part.checksum
            && split(part.first, &bytes).is_some();
        if !is_sound {
            damaged.push(self.id.damaged(Damage::Part(part.first)));
        }
        Ok(Some(is_sound.then_some(bytes)))
    }
}

/// The series of a part.
fn split(first: SeriesId, mut bytes: &[u8]) -> Option<Vec<(SeriesId, &[u8])>> {
    let mut series = Vec::new();
    let mut id = first.0;
    while !bytes.is_empty() {
        id = id.checked_add(u32::try_from(take_number(&mut bytes)?).ok()?)?;
        let length = usize::try_from(take_number(&mut bytes)?).ok()?;
        let (points, rest) = bytes.split_at_checked(length)?;
        series.push((SeriesId(id), points));
        bytes = rest;
    }
    Some(series)
}

fn part_checksum(id: BlockId, first: SeriesId, part: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(id.seed(), &first.0.to_le_bytes()), part)
}

const MAGIC: &[u8; 4] = b"QWH1";
const HEADER_BYTES: usize = 24;
const ENTRY_BYTES: usize = 16;
/// A part is closed when the next series would make it longer.
const PART_BYTES: usize = 16 << 10;
/// Holds most directories.
const FIRST_READ: usize = 4 << 10;
/// More would be a damaged number.
const MAX_PARTS: u32 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Memory;

    const ID: BlockId = BlockId::new(Table::Tier(1), 475_000);

    type Series = Vec<(SeriesId, Vec<u8>)>;

    fn sample(count: u32) -> Series {
        (0..count).map(|number| (SeriesId(number * 3 + 5), vec![number.to_le_bytes()[0]; 700])).collect()
    }

    fn read(volume: &Memory, asked: &[SeriesId]) -> Option<(Series, Vec<Damaged>)> {
        let Opened::Sound(block) = Block::open(volume, ID).unwrap() else { return None };
        let (mut read, mut damaged) = (Vec::new(), Vec::new());
        let show = |id, points: &[u8]| {
            read.push((id, points.to_vec()));
            true
        };
        assert!(block.visit(volume, asked, &mut damaged, show).unwrap());
        Some((read, damaged))
    }

    #[test]
    fn each_series_is_found_and_no_other() {
        let mut volume = Memory::new();
        let points = sample(8_000);
        volume.put(&ID.to_string(), &build(ID, &points)).unwrap();
        let asked =
            [SeriesId(0), SeriesId(5), SeriesId(6), SeriesId(1_505), SeriesId(24_002), SeriesId(90_000)];
        let (found, damaged) = read(&volume, &asked).unwrap();
        assert_eq!(found.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [5, 1_505, 24_002]);
        assert_eq!((found[1].1[0], damaged.len()), (500_u32.to_le_bytes()[0], 0));
    }

    #[test]
    fn every_flipped_byte_of_a_file_is_found_and_costs_one_part_at_most_or_its_directory() {
        let points = sample(60);
        let sound = build(ID, &points);
        let asked: Vec<SeriesId> = points.iter().map(|(id, _)| *id).collect();
        let directory = HEADER_BYTES + 3 * ENTRY_BYTES;
        for at in 0..sound.len() {
            let mut volume = Memory::new();
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << (at % 8);
            volume.put(&ID.to_string(), &flipped).unwrap();
            match read(&volume, &asked) {
                None => assert!(at < directory, "byte {at}"),
                Some((found, damaged)) => {
                    assert!(at >= directory && damaged.len() == 1, "byte {at}");
                    assert!(found.len() >= 36 && found.iter().all(|one| points.contains(one)), "byte {at}");
                }
            }
        }
        for length in 0..sound.len() {
            let mut volume = Memory::new();
            volume.put(&ID.to_string(), &sound[..length]).unwrap();
            assert!(read(&volume, &asked).is_none_or(|(_, damaged)| !damaged.is_empty()), "{length} bytes");
        }
    }

    #[test]
    fn a_file_under_another_name_is_found_out() {
        let mut volume = Memory::new();
        let other = BlockId::new(Table::Tier(1), 475_001);
        volume.put(&ID.to_string(), &build(other, &sample(3))).unwrap();
        assert!(read(&volume, &[SeriesId(5)]).is_none());
    }

    #[test]
    fn names_are_told_from_those_of_other_files() {
        for table in [Table::Head, Table::Tier(0), Table::Stale(3)] {
            let id = BlockId::new(table, 29_700_123);
            assert_eq!(BlockId::parse(&id.to_string()), Some(id));
        }
        for name in
            ["catalogue", "head-7", "tier-000000000001", "tier11-000000000001", "head-00000000000x", "lock"]
        {
            assert_eq!(BlockId::parse(name), None, "{name}");
        }
    }
}
