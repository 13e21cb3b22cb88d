//! Looking through all files, and mending what can be.

use std::collections::BTreeMap;

use super::block::{Block, BlockId, Opened, Table, build};
use super::catalogue::{COPIES, Catalogue};
use super::errors::{Damaged, OpenError};
use super::log::form;
use super::options::HistoryOptions;
use super::points::Points;
use super::room::used_bytes;
use crate::series::SeriesId;
use crate::volume::{Volume, VolumeError};

/// What was found in a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that were read from beginning to end.
    pub files: usize,
    /// Bytes that all files took when they were listed, as [`History::used_bytes`](super::History::used_bytes) counts them.
    pub bytes: u64,
    /// Series in the catalogue.
    pub series: usize,
    /// What is damaged.
    pub damaged: Vec<Damaged>,
    /// Copies of the catalogue, of two, that are damaged or missing.
    pub catalogues_lost: usize,
}

impl Checked {
    /// Whether all is well.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damaged.is_empty() && self.catalogues_lost == 0
    }
}

/// Reads every file in full. `tell` hears of each that was read, and how many there are. Another process may write meanwhile.
///
/// # Errors
///
/// Where the medium fails, or the catalogue can't be read at all.
pub fn check(
    volume: &impl Volume,
    options: &HistoryOptions,
    mut tell: impl FnMut(usize, usize),
) -> Result<Checked, OpenError> {
    options.check()?;
    let listed = volume.list()?;
    let mut checked = Checked::default();
    let catalogue = Catalogue::open(volume, options)?.unwrap_or_else(Catalogue::new);
    checked.series = catalogue.len();
    if !listed.is_empty() {
        for name in COPIES {
            let bytes = volume.read(name, 0, usize::MAX)?;
            let is_sound =
                bytes.is_some_and(|bytes| matches!(Catalogue::decode(&bytes, options), Ok(Some(_))));
            checked.catalogues_lost += usize::from(!is_sound);
        }
    }
    let files: Vec<(BlockId, u64)> =
        listed.iter().filter_map(|(name, bytes)| Some((BlockId::parse(name)?, *bytes))).collect();
    checked.bytes =
        used_bytes(files.iter().map(|(_, bytes)| *bytes), listed.get(COPIES[0]).copied().unwrap_or(0));
    let count = files.len();
    for (number, (id, _)) in files.into_iter().enumerate() {
        tell(number + 1, count);
        if matches!(id.table, Table::Stale(_)) {
            continue;
        }
        let found = read(volume, options, &catalogue, id)?;
        // One that is gone was sealed or dropped meanwhile.
        if let Some((_, damaged)) = found {
            checked.files += 1;
            checked.damaged.extend(damaged);
        }
    }
    Ok(checked)
}

/// Mends what [`check`] finds: a damaged file is written anew with the parts that are sound, or removed where nothing is; `keep` is handed each as it was, before.
/// Copies of the catalogue are made the same again. No other process may use the volume. Gives what was damaged.
///
/// # Errors
///
/// Where the medium fails, `keep` does, or both copies of the catalogue are damaged: that can't be mended.
pub fn repair(
    volume: &mut impl Volume,
    options: &HistoryOptions,
    mut keep: impl FnMut(&str, &[u8]) -> Result<(), VolumeError>,
) -> Result<Checked, OpenError> {
    let checked = check(volume, options, |_, _| {})?;
    let Some(mut catalogue) = Catalogue::open(volume, options)? else { return Ok(checked) };
    if checked.catalogues_lost > 0 {
        catalogue.write(options, |name, content| volume.put(name, content))?;
    }
    let mut names: Vec<&str> = checked.damaged.iter().map(|damaged| damaged.file.as_str()).collect();
    names.dedup();
    for name in names {
        let (Some(id), Some(bytes)) = (BlockId::parse(name), volume.read(name, 0, usize::MAX)?) else {
            continue;
        };
        keep(name, &bytes)?;
        let sound = read(volume, options, &catalogue, id)?.map_or_else(BTreeMap::new, |(sound, _)| sound);
        if sound.is_empty() {
            volume.remove(name)?;
        } else {
            let sound: Vec<(SeriesId, Vec<u8>)> = sound.into_iter().collect();
            volume.put(name, &build(id, &sound))?;
        }
    }
    Ok(checked)
}

/// What is sound in a file, and what isn't; `None` where the file is gone.
type Found = Option<(BTreeMap<SeriesId, Vec<u8>>, Vec<Damaged>)>;

fn read(
    volume: &impl Volume,
    options: &HistoryOptions,
    catalogue: &Catalogue,
    id: BlockId,
) -> Result<Found, VolumeError> {
    match Block::open(volume, id)? {
        Opened::Gone => Ok(None),
        Opened::Damaged(damaged) => Ok(Some((BTreeMap::new(), vec![damaged]))),
        Opened::Sound(block) => {
            let ids: Vec<SeriesId> = catalogue.ids_after(None).collect();
            let (mut sound, mut damaged) = (BTreeMap::new(), Vec::new());
            let is_there = block.visit_all(volume, &mut damaged, |series, bytes| {
                // Points of a series that was removed have no form any more: their part's checksum is all that can be asked.
                let is_sound = ids.binary_search(&series).is_err()
                    || catalogue
                        .get(series)
                        .and_then(|spec| Points::decode(form(options, spec.kind, id.table)?, bytes))
                        .is_some();
                if is_sound {
                    sound.insert(series, bytes.to_vec());
                }
                is_sound
            })?;
            Ok(is_there.then_some((sound, damaged)))
        }
    }
}

/// Copies a volume to another, which is empty. The source may be written to meanwhile: the copy is what it was at some instant of the copying, with at most the
/// newest minutes missing. The catalogue goes last, so that every file's series are in it. `tell` hears of each file that was copied, and how many there are.
///
/// # Errors
///
/// Where either medium fails.
pub fn copy(
    from: &impl Volume,
    to: &mut impl Volume,
    mut tell: impl FnMut(usize, usize),
) -> Result<usize, VolumeError> {
    let mut copied: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let listed = from.list()?;
        let is_new = |(name, bytes): &(&String, &u64)| {
            copied.get(*name) != Some(bytes) && BlockId::parse(name).is_some()
        };
        let new: Vec<(String, u64)> =
            listed.iter().filter(is_new).map(|(name, bytes)| (name.clone(), *bytes)).collect();
        // What was sealed into another file while it was copied.
        let gone: Vec<String> = copied.keys().filter(|name| !listed.contains_key(*name)).cloned().collect();
        if new.is_empty() {
            for name in gone {
                to.remove(&name)?;
                copied.remove(&name);
            }
            break;
        }
        let count = copied.len() + new.len();
        for (name, bytes) in new {
            if let Some(content) = from.read(&name, 0, usize::MAX)? {
                to.put(&name, &content)?;
                copied.insert(name, bytes);
                tell(copied.len(), count);
            }
        }
    }
    for name in COPIES {
        if let Some(content) = from.read(name, 0, usize::MAX)? {
            to.put(name, &content)?;
        }
    }
    Ok(copied.len())
}
