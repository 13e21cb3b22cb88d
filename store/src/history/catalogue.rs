//! All series, and the file that names them.

use std::collections::BTreeMap;

use super::column::{put_number, take_number};
use super::errors::{AddSeriesError, OpenError};
use super::options::HistoryOptions;
use crate::series::{SeriesId, SeriesKey, SeriesSpec};
use crate::volume::{Volume, VolumeError};

/// All series, by number and by name.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    series: BTreeMap<SeriesId, SeriesSpec>,
    by_key: BTreeMap<SeriesKey, SeriesId>,
    next_id: u32,
    /// Counts what was written.
    edition: u64,
    /// Whether it is to be written.
    pub(super) is_changed: bool,
}

impl Catalogue {
    /// Reads the newer of its two copies that is sound. `None` where there is neither.
    pub(super) fn open(volume: &impl Volume, options: &HistoryOptions) -> Result<Option<Self>, OpenError> {
        let mut found = Vec::new();
        let mut damaged = 0;
        for name in COPIES {
            match volume.read(name, 0, MAX_BYTES)? {
                None => {}
                Some(bytes) => match Self::decode(&bytes, options)? {
                    Some(catalogue) => found.push(catalogue),
                    None => damaged += 1,
                },
            }
        }
        let Some(mut newest) = found.into_iter().max_by_key(|catalogue| catalogue.edition) else {
            return if damaged == 0 { Ok(None) } else { Err(OpenError::Catalogue) };
        };
        if damaged > 0 {
            // The other copy may have been newer, and have given out numbers since.
            newest.next_id = newest.next_id.saturating_add(SKIPPED);
            newest.is_changed = true;
        }
        Ok(Some(newest))
    }

    pub(super) fn new() -> Self {
        let (series, by_key) = (BTreeMap::new(), BTreeMap::new());
        Self { series, by_key, next_id: 0, edition: 0, is_changed: true }
    }

    pub(super) fn add(&mut self, spec: SeriesSpec, limit: usize) -> Result<SeriesId, AddSeriesError> {
        spec.check()?;
        if let Some(&id) = self.by_key.get(&spec.key) {
            return if self.series[&id] == spec { Ok(id) } else { Err(AddSeriesError::Differs) };
        }
        if self.series.len() >= limit || self.next_id == u32::MAX {
            return Err(AddSeriesError::TooManySeries { limit });
        }
        let id = SeriesId(self.next_id);
        self.next_id += 1;
        self.by_key.insert(spec.key.clone(), id);
        self.series.insert(id, spec);
        self.is_changed = true;
        Ok(id)
    }

    pub(super) fn remove(&mut self, id: SeriesId) -> bool {
        let Some(spec) = self.series.remove(&id) else { return false };
        self.by_key.remove(&spec.key);
        self.is_changed = true;
        true
    }

    pub(super) fn get(&self, id: SeriesId) -> Option<&SeriesSpec> {
        self.series.get(&id)
    }

    pub(super) fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.by_key.get(key).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// By name and labels.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SeriesId, &SeriesSpec)> {
        self.by_key.values().map(|id| (*id, &self.series[id]))
    }

    /// Numbers after this one, ascending.
    pub(super) fn ids_after(&self, id: Option<SeriesId>) -> impl Iterator<Item = SeriesId> {
        let first = id.map_or(SeriesId(0), |id| SeriesId(id.0.saturating_add(1)));
        self.series.range(first..).map(|(id, _)| *id)
    }

    pub(super) fn encode(&self, options: &HistoryOptions) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        let format = options.format();
        put_number(&mut bytes, format.len() as u64);
        bytes.extend_from_slice(&format);
        put_number(&mut bytes, self.edition);
        put_number(&mut bytes, u64::from(self.next_id));
        for (id, spec) in &self.series {
            let spec = spec.encode();
            put_number(&mut bytes, u64::from(id.0));
            put_number(&mut bytes, spec.len() as u64);
            bytes.extend_from_slice(&spec);
        }
        let checksum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Writes both copies, one after the other: one of them is sound at any time.
    pub(super) fn write(
        &mut self,
        options: &HistoryOptions,
        mut put: impl FnMut(&str, &[u8]) -> Result<(), VolumeError>,
    ) -> Result<(), VolumeError> {
        self.edition += 1;
        let bytes = self.encode(options);
        for name in COPIES {
            put(name, &bytes)?;
        }
        self.is_changed = false;
        Ok(())
    }

    /// `None` where the bytes are damaged.
    pub(super) fn decode(bytes: &[u8], options: &HistoryOptions) -> Result<Option<Self>, OpenError> {
        let Some((body, checksum)) = bytes.split_last_chunk::<4>() else { return Ok(None) };
        if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
            return Ok(None);
        }
        let Some((&version, rest)) = body.strip_prefix(MAGIC).and_then(|rest| rest.split_first()) else {
            return Ok(None);
        };
        if version != VERSION {
            return Err(OpenError::Version(version));
        }
        let format = |mut rest| {
            let length = usize::try_from(take_number(&mut rest)?).ok()?;
            rest.split_at_checked(length)
        };
        let Some((format, rest)) = format(rest) else { return Ok(None) };
        if format != options.format() {
            return Err(OpenError::OtherFormat);
        }
        Ok(Self::decode_series(rest))
    }

    fn decode_series(mut bytes: &[u8]) -> Option<Self> {
        let mut catalogue = Self { edition: take_number(&mut bytes)?, is_changed: false, ..Self::new() };
        catalogue.next_id = u32::try_from(take_number(&mut bytes)?).ok()?;
        while !bytes.is_empty() {
            let id = SeriesId(u32::try_from(take_number(&mut bytes)?).ok()?);
            let length = usize::try_from(take_number(&mut bytes)?).ok()?;
            let (spec, rest) = bytes.split_at_checked(length)?;
            let spec = SeriesSpec::decode(spec)?;
            catalogue.by_key.insert(spec.key.clone(), id);
            catalogue.series.insert(id, spec);
            bytes = rest;
        }
        Some(catalogue)
    }
}

/// Where it lies, twice: a flipped bit damages one.
pub(super) const COPIES: [&str; 2] = ["catalogue", "catalogue-copy"];
const MAGIC: &[u8] = b"QWC";
const VERSION: u8 = 2;
/// Far more than the longest names of the most series take.
const MAX_BYTES: usize = 256 << 20;
const SKIPPED: u32 = 1 << 16;
