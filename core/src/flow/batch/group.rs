//! One batch: its items, and which of them share a key.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::flow::retry::{AttemptFailure, AttemptOutcome, Retry};
use crate::time::Instant;

use super::event::{BatchCause, BatchId, BatchItem, BatchRun, NewItem};

/// What a batch is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Gathering,
    /// Cut, and waits for a place.
    Ready,
    Processing,
    /// Waits for its retry.
    BackingOff,
}

/// How an entry fared in the processing under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    None,
    /// At this place of the list.
    Own(u32, AttemptOutcome),
    /// The processing failed as a whole.
    Shared(AttemptFailure),
}

/// One thing to process: an item and its duplicates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) key: Option<u64>,
    bytes: u64,
    /// The places of its first and last item; the others are linked between them.
    pub(super) first: u32,
    last: u32,
    /// How many of its items are unsettled.
    pub(super) unsettled: u32,
    pub(super) report: Report,
}

/// One item that someone waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) entry: u32,
    /// The next item of the same entry.
    pub(super) next: Option<u32>,
    pub(super) came: Instant,
    pub(super) settled: bool,
}

/// One batch. Its tables keep their memory for the next batch in the same slot.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: BatchId,
    pub(super) stage: Stage,
    pub(super) cause: BatchCause,
    pub(super) entries: Vec<Entry>,
    pub(super) items: Vec<Item>,
    /// The entries of the processing under way, in order.
    pub(super) list: Vec<u32>,
    /// How many of the list have no report.
    pub(super) unreported: u32,
    pub(super) unsettled_entries: u32,
    pub(super) unsettled_items: u32,
    pub(super) bytes: u64,
    pub(super) attempt: u32,
    pub(super) started: Instant,
    pub(super) retry: Option<Retry>,
}

impl Group {
    pub(super) fn new(id: BatchId) -> Self {
        Self {
            id,
            stage: Stage::Gathering,
            cause: BatchCause::Flush,
            entries: Vec::new(),
            items: Vec::new(),
            list: Vec::new(),
            unreported: 0,
            unsettled_entries: 0,
            unsettled_items: 0,
            bytes: 0,
            attempt: 0,
            started: Instant::ZERO,
            retry: None,
        }
    }

    /// Makes it a new batch without items.
    pub(super) fn reset(&mut self, id: BatchId) {
        let (mut entries, mut items, mut list) = (
            core::mem::take(&mut self.entries),
            core::mem::take(&mut self.items),
            core::mem::take(&mut self.list),
        );
        entries.clear();
        items.clear();
        list.clear();
        *self = Self { entries, items, list, ..Self::new(id) };
    }

    pub(super) fn run(&self) -> BatchRun {
        let attempt = NonZeroU32::new(self.attempt).expect("a batch runs after it has started");
        BatchRun { batch: self.id, attempt }
    }

    pub(super) const fn item(&self, place: u32) -> BatchItem {
        BatchItem { batch: self.id, place }
    }

    /// Adds an item that shares no entry. Gives its entry and place.
    pub(super) fn add(&mut self, now: Instant, item: NewItem) -> (u32, u32) {
        let (entry, place) = (count(self.entries.len()), count(self.items.len()));
        self.entries.push(Entry {
            key: item.key,
            bytes: item.bytes,
            first: place,
            last: place,
            unsettled: 1,
            report: Report::None,
        });
        self.items.push(Item { entry, next: None, came: now, settled: false });
        self.unsettled_entries += 1;
        self.unsettled_items += 1;
        self.bytes = self.bytes.saturating_add(item.bytes);
        (entry, place)
    }

    /// Adds an item to an entry. Gives its place.
    pub(super) fn add_duplicate(&mut self, now: Instant, entry: u32) -> u32 {
        let place = count(self.items.len());
        self.items.push(Item { entry, next: None, came: now, settled: false });
        let of = &mut self.entries[entry as usize];
        self.items[of.last as usize].next = Some(place);
        of.last = place;
        of.unsettled += 1;
        self.unsettled_items += 1;
        place
    }

    /// Marks an item as settled. Gives when it came, or `None` where it was settled before or never came.
    pub(super) fn settle(&mut self, place: u32) -> Option<Instant> {
        let item = self.items.get_mut(place as usize).filter(|item| !item.settled)?;
        item.settled = true;
        let came = item.came;
        let entry = &mut self.entries[item.entry as usize];
        entry.unsettled -= 1;
        self.unsettled_items -= 1;
        if entry.unsettled == 0 {
            self.unsettled_entries -= 1;
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
        Some(came)
    }

    /// Starts the next processing, of everything that is unsettled.
    pub(super) fn start(&mut self, now: Instant) {
        self.attempt = self.attempt.saturating_add(1);
        self.stage = Stage::Processing;
        self.started = now;
        self.list.clear();
        for (index, entry) in (0..).zip(&mut self.entries) {
            if entry.unsettled > 0 {
                entry.report = Report::None;
                self.list.push(index);
            }
        }
        self.unreported = self.unsettled_entries;
    }

    /// Notes how the entry at this place of the list fared, unless that was noted before.
    pub(super) fn report(&mut self, index: u32, report: Report) -> bool {
        let Some(&entry) = self.list.get(index as usize) else { return false };
        let entry = &mut self.entries[entry as usize];
        let first = entry.report == Report::None;
        if first {
            entry.report = report;
            self.unreported -= 1;
        }
        first
    }

    /// What speaks for or against a retry: the failures of everything unsettled, taken together.
    pub(super) fn failure(&self) -> Option<AttemptFailure> {
        let failures = self.list.iter().filter_map(|&entry| {
            let entry = &self.entries[entry as usize];
            match entry.report {
                _ if entry.unsettled == 0 => None,
                Report::None | Report::Own(_, AttemptOutcome::Succeeded) => None,
                Report::Own(_, AttemptOutcome::Failed(failure)) | Report::Shared(failure) => Some(failure),
            }
        });
        failures.reduce(|one, other| match (one, other) {
            (AttemptFailure::Permanent, _) | (_, AttemptFailure::Permanent) => AttemptFailure::Permanent,
            (AttemptFailure::RetryAfter(one), AttemptFailure::RetryAfter(other)) => {
                AttemptFailure::RetryAfter(one.max(other))
            }
            (wish @ AttemptFailure::RetryAfter(_), AttemptFailure::Transient)
            | (AttemptFailure::Transient, wish @ AttemptFailure::RetryAfter(_)) => wish,
            (AttemptFailure::Transient, AttemptFailure::Transient) => AttemptFailure::Transient,
        })
    }

    /// The first item of an entry that someone waits for.
    pub(super) fn first_unsettled(&self, entry: u32) -> Option<BatchItem> {
        let mut place = Some(self.entries[entry as usize].first);
        while let Some(at) = place {
            let item = &self.items[at as usize];
            if !item.settled {
                return Some(self.item(at));
            }
            place = item.next;
        }
        None
    }
}

pub(super) fn count(len: usize) -> u32 {
    u32::try_from(len).expect("a batch holds at most BatchConfig::MAX_PENDING places")
}
