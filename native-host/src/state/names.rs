//! What people call sources, for as long as there is history of them: a page that is gone is still spoken of by its name. Kept in one sealed file
//! beside history.

use std::collections::BTreeMap;
use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};
use quillwork_store::volume::Volume;
use quillwork_store::{frame, unframe};
use serde::{Deserialize, Serialize};

use crate::clock::Now;

/// Names by source id, in bounds. One more than these makes room by the one that was not heard of for longest.
#[derive(Debug)]
pub(crate) struct Names {
    by_id: BTreeMap<String, Known>,
    /// The same, for who reads them elsewhere.
    shared: Arc<BTreeMap<String, String>>,
    /// Since when there is something new to write.
    changed_at: Option<Instant>,
    /// Whether the log knows that nothing can be written.
    is_unwritable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    name: String,
    /// The day that it was heard of last, since 1970.
    day: u64,
}

/// The file's name. Its content is sealed under the same.
pub(super) const NAME: &str = "names";

/// The largest file that is read.
const LARGEST: usize = 1 << 20;

/// Several times as many pages as there is room for series of.
const MOST: usize = 1_024;

/// What changed is written after this: pages come in crowds.
const PERIOD: Duration = Duration::from_secs(5);

const DAY_MILLIS: u64 = 86_400_000;

/// Names that a host has left beside its history.
pub(crate) fn names_of(volume: &impl Volume) -> Arc<BTreeMap<String, String>> {
    Names::open(volume).all()
}

impl Names {
    /// Takes up what was kept. What can't be read begins anew: a host that doesn't start would be worse.
    pub(super) fn open(volume: &impl Volume) -> Self {
        let by_id = read(volume).unwrap_or_else(|reason| {
            tracing::warn!("the names of pages can't be read and begin anew: {reason}");
            BTreeMap::new()
        });
        let mut names = Self { by_id, shared: Arc::default(), changed_at: None, is_unwritable: false };
        names.renew();
        names
    }

    /// A source says what it is called. Cheap where nothing is new.
    pub(super) fn note(&mut self, now: Now, id: &str, name: &str) {
        let day = now.unix_millis / DAY_MILLIS;
        if name.is_empty() || self.by_id.get(id).is_some_and(|known| known.day == day && known.name == name) {
            return;
        }
        if !self.by_id.contains_key(id) && self.by_id.len() >= MOST {
            let oldest = self.by_id.iter().min_by_key(|(_, known)| known.day).map(|(id, _)| id.clone());
            oldest.map(|oldest| self.by_id.remove(&oldest));
        }
        self.by_id.insert(id.to_owned(), Known { name: name.to_owned(), day });
        self.changed_at.get_or_insert(now.monotonic);
        self.renew();
    }

    /// What people call a source.
    pub(super) fn name(&self, id: &str) -> Option<&str> {
        self.shared.get(id).map(String::as_str)
    }

    /// All of them, by source id.
    pub(crate) fn all(&self) -> Arc<BTreeMap<String, String>> {
        Arc::clone(&self.shared)
    }

    /// Writes what changed, if it is time.
    pub(super) fn maintain(&mut self, now: Now, volume: &mut impl Volume) {
        if self.changed_at.is_some_and(|changed| now.monotonic.duration_since(changed) >= PERIOD) {
            self.keep(volume);
        }
    }

    /// Writes what changed.
    pub(super) fn keep(&mut self, volume: &mut impl Volume) {
        if self.changed_at.is_none() {
            return;
        }
        let content = serde_json::to_vec(&self.by_id).expect("ids are strings");
        match volume.put(NAME, &frame(NAME.as_bytes(), &content)) {
            Ok(()) => (self.changed_at, self.is_unwritable) = (None, false),
            // It is tried again and again: once is enough for the log.
            Err(error) => {
                if !std::mem::replace(&mut self.is_unwritable, true) {
                    tracing::warn!("the names of pages can't be written and are tried again: {error}");
                }
            }
        }
    }

    fn renew(&mut self) {
        let named = self.by_id.iter().map(|(id, known)| (id.clone(), known.name.clone()));
        self.shared = Arc::new(named.collect());
    }
}

fn read(volume: &impl Volume) -> Result<BTreeMap<String, Known>, String> {
    let sealed = volume.read(NAME, 0, LARGEST).map_err(|error| error.to_string())?;
    let Some(sealed) = sealed else { return Ok(BTreeMap::new()) };
    let content = unframe(NAME.as_bytes(), &sealed).map_err(|error| error.to_string())?;
    serde_json::from_slice(content).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use quillwork_store::volume::Memory;

    use super::*;

    fn at(seconds: u64) -> Now {
        Now {
            monotonic: Instant::from_secs(7_200 + seconds),
            unix_millis: 1_800_000_000_000 + seconds * 1_000,
        }
    }

    #[test]
    fn names_outlive_their_pages_and_the_host_and_the_newest_counts() {
        let mut volume = Memory::new();
        let mut names = Names::open(&volume);
        names.note(at(0), "p1", "Story");
        names.note(at(1), "p1", "");
        names.note(at(2), "p1", "Chapter 2");
        names.maintain(at(3), &mut volume);
        assert_eq!(Names::open(&volume).name("p1"), None, "not for every name of a crowd");
        names.maintain(at(5), &mut volume);
        assert_eq!(Names::open(&volume).name("p1"), Some("Chapter 2"));
        names.note(at(6), "p2", "Editor");
        names.keep(&mut volume);
        let kept = names_of(&volume);
        assert_eq!(*kept, *names.all());
        assert_eq!(kept.len(), 2);
    }

    #[test]
    fn the_one_that_was_not_heard_of_for_longest_makes_room() {
        let mut names = Names::open(&Memory::new());
        const DAY: u64 = 86_400;
        names.note(at(0), "a", "first");
        names.note(at(DAY), "z", "second");
        names.note(at(2 * DAY), "a", "first");
        for number in 0..MOST - 1 {
            names.note(at(3 * DAY), &format!("p{number}"), "page");
        }
        assert_eq!((names.all().len(), names.name("a"), names.name("z")), (MOST, Some("first"), None));
    }

    #[test]
    fn a_damaged_file_begins_anew() {
        let mut volume = Memory::new();
        volume.put(NAME, b"{}").unwrap();
        assert!(Names::open(&volume).all().is_empty());
    }
}
