//! Many small things done as few large ones.

mod config;
mod event;
mod gather;
mod group;
mod metrics;
mod runs;
mod table;

use alloc::collections::VecDeque;

use crate::deadline::Deadlines;
use crate::flow::timeout::Late;
use crate::id_map::IdMap;
use crate::indexed_heap::{IndexedHeap, Places};
use crate::rng::Rng;
use crate::time::Instant;

use super::retry::{AttemptFailure, AttemptOutcome};
use group::{Report, Stage};
use metrics::Meter;
use table::Table;

pub use config::{BatchConfig, BatchConfigError, RetryScope};
pub use event::{
    BatchCause, BatchClose, BatchGiveUp, BatchId, BatchItem, BatchOutput, BatchRefusal, BatchRun, Cut,
    NewItem, Placed, Settlement,
};
pub use metrics::{BatchMetrics, BatchProgress, BatchTotals};

/// Gathers items into batches, has them processed, and settles each item exactly once.
///
/// The batcher numbers items; the shell keeps their payloads and runs the batch function. A batch is cut by count,
/// size, delay, the caller's word, a flush or the close. Items with a key that is in the gathering batch join that item and
/// share its result. Cut batches are processed oldest first, so many at a time; after each processing every item settles
/// or, where the policy says so, is processed again after a back-off.
///
/// # Order
///
/// Items of a batch keep the order in which they came, in the list that is processed and in the outputs that one input
/// leads to. Results are given in the order of the list, as DataLoader's contract has it.
///
/// # Aborts
///
/// An aborted item settles at once. Where nobody else waits for its entry it isn't processed (again), and a processing
/// that nobody waits for any more is cancelled.
///
/// # Example
///
/// ```
/// use quillwork_core::flow::batch::{BatchConfig, BatchOutput, Batcher, NewItem, Settlement};
/// use quillwork_core::flow::retry::AttemptOutcome;
/// use quillwork_core::rng::Rng;
/// use quillwork_core::time::{Duration, Instant};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let at = Instant::from_millis;
/// let mut rng = Rng::from_seed(1);
/// let mut loads = Batcher::new(BatchConfig::new(100, Duration::from_millis(5))?)?;
/// let key = |key| NewItem { key: Some(key), ..NewItem::default() };
/// let ada = loads.handle_item(at(0), key(1))?;
/// let bob = loads.handle_item(at(2), key(2))?;
/// assert!(loads.handle_item(at(3), key(1))?.duplicate);
///
/// loads.handle_deadline(at(5));
/// let Some(BatchOutput::Process { run, items: 2, .. }) = loads.poll_output() else { unreachable!() };
/// assert!(loads.run_items(run).eq([ada.item, bob.item]));
///
/// loads.handle_results(at(9), run, &[AttemptOutcome::Succeeded, AttemptOutcome::Succeeded], &mut rng)?;
/// let settled: Vec<_> = std::iter::from_fn(|| loads.poll_output()).collect();
/// assert_eq!(settled.len(), 3);
/// assert_eq!(
///     settled[0],
///     BatchOutput::Settle { item: ada.item, settlement: Settlement::Succeeded { run, index: 0 } }
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Batcher {
    config: BatchConfig,
    table: Table,
    gathering: Option<u32>,
    /// Entries of the gathering batch by key.
    keys: IdMap<u64, u32>,
    delay_over: Option<Instant>,
    /// Cut batches that wait for a place, the oldest first: retries go before what came later.
    ready: IndexedHeap,
    ready_places: Places,
    retries: Deadlines,
    processing: u32,
    pending: u32,
    refused_since_drained: bool,
    closing: bool,
    closed: bool,
    outputs: VecDeque<BatchOutput>,
    meter: Meter,
}

impl Batcher {
    /// A batcher without items.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(config: BatchConfig) -> Result<Self, BatchConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            table: Table::new(),
            gathering: None,
            keys: IdMap::new(),
            delay_over: None,
            ready: IndexedHeap::default(),
            ready_places: Places::default(),
            retries: Deadlines::new(),
            processing: 0,
            pending: 0,
            refused_since_drained: false,
            closing: false,
            closed: false,
            outputs: VecDeque::new(),
            meter: Meter::new(),
        })
    }

    /// An item came. Its batch may be cut at once.
    ///
    /// # Errors
    ///
    /// Where too many items are unsettled or the batcher is closed. The item is not taken.
    pub fn handle_item(&mut self, now: Instant, item: NewItem) -> Result<Placed, BatchRefusal> {
        if self.closing {
            self.meter.totals.refused += 1;
            return Err(BatchRefusal::Closed);
        }
        if self.pending >= self.config.max_pending {
            self.meter.totals.refused += 1;
            self.refused_since_drained = true;
            return Err(BatchRefusal::Full { limit: self.config.max_pending });
        }
        if item.cut == Cut::Before {
            self.cut(now, BatchCause::Predicate);
        }
        let placed = match self.twin(item.key) {
            Some((slot, entry)) => {
                self.meter.totals.deduplicated += 1;
                let group = self.table.group_mut(slot);
                let place = group.add_duplicate(now, entry);
                Placed { item: group.item(place), duplicate: true }
            }
            None => self.place(now, item),
        };
        self.pending += 1;
        self.meter.totals.accepted += 1;
        self.cut_if_full(now, item.cut);
        Ok(placed)
    }

    /// Cuts the batch that is being gathered.
    pub fn handle_flush(&mut self, now: Instant) {
        self.cut(now, BatchCause::Flush);
    }

    /// Takes no more items. After [`BatchClose::Drain`] it may still be closed at once.
    pub fn handle_close(&mut self, now: Instant, mode: BatchClose) {
        self.closing = true;
        match mode {
            BatchClose::Drain => self.cut(now, BatchCause::Close),
            BatchClose::Now => self.settle_everything(now),
        }
        self.after_settling();
    }

    /// Nobody waits for an item any more.
    ///
    /// # Errors
    ///
    /// Where it has settled before.
    pub fn handle_abort(&mut self, now: Instant, item: BatchItem) -> Result<(), Late> {
        let slot = self.table.slot(item.batch).ok_or(Late)?;
        if !self.settle(now, slot, item.place, Settlement::Aborted) {
            return Err(Late);
        }
        let group = self.table.group(slot);
        if group.unsettled_items == 0 {
            match group.stage {
                Stage::Processing => self.outputs.push_back(BatchOutput::Cancel { run: group.run() }),
                Stage::Gathering => self.stop_gathering(slot),
                Stage::Ready => {
                    if let Some(place) = self.ready_places.place(slot) {
                        self.ready.remove_at(&mut self.ready_places, place);
                    }
                    self.table.close(slot);
                }
                Stage::BackingOff => {
                    self.retries.cancel(slot);
                    self.table.close(slot);
                }
            }
        } else if group.stage == Stage::Gathering {
            let entry = group.entries[group.items[item.place as usize].entry as usize];
            if let (0, Some(key)) = (entry.unsettled, entry.key) {
                self.keys.remove(&key);
            }
        }
        self.after_settling();
        Ok(())
    }

    /// A processing ended with a result for each item of its list, in that order. Where the counts differ nobody can tell
    /// which result is whose: every item fails, and is not tried again.
    ///
    /// # Errors
    ///
    /// Where that processing isn't under way any more: drop the results.
    pub fn handle_results(
        &mut self,
        now: Instant,
        run: BatchRun,
        outcomes: &[AttemptOutcome],
        rng: &mut Rng,
    ) -> Result<(), Late> {
        let slot = self.running(run)?;
        let group = self.table.group_mut(slot);
        if outcomes.len() == group.list.len() {
            for (index, &outcome) in (0..).zip(outcomes) {
                group.report(index, Report::Own(index, outcome));
            }
            self.end_run(now, slot, rng);
        } else {
            let expected = group::count(group.list.len());
            let got = u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
            self.end_run_in_confusion(now, slot, BatchGiveUp::WrongResultCount { expected, got });
        }
        Ok(())
    }

    /// One item of a processing is done, before the others. The processing ends with its last item. A second report on
    /// the same item changes nothing.
    ///
    /// # Errors
    ///
    /// Where that processing isn't under way any more, or its list isn't so long.
    pub fn handle_item_result(
        &mut self,
        now: Instant,
        run: BatchRun,
        index: u32,
        outcome: AttemptOutcome,
        rng: &mut Rng,
    ) -> Result<(), Late> {
        let slot = self.running(run)?;
        let group = self.table.group_mut(slot);
        let entry = *group.list.get(index as usize).ok_or(Late)?;
        if group.report(index, Report::Own(index, outcome)) {
            if group.unreported == 0 {
                self.end_run(now, slot, rng);
            } else {
                self.settle_entry(now, slot, entry);
                self.after_settling();
            }
        }
        Ok(())
    }

    /// A processing failed as a whole. Items that were reported before keep their reports.
    ///
    /// # Errors
    ///
    /// Where that processing isn't under way any more.
    pub fn handle_failure(
        &mut self,
        now: Instant,
        run: BatchRun,
        failure: AttemptFailure,
        rng: &mut Rng,
    ) -> Result<(), Late> {
        let slot = self.running(run)?;
        let group = self.table.group_mut(slot);
        for index in 0..group::count(group.list.len()) {
            group.report(index, Report::Shared(failure));
        }
        self.end_run(now, slot, rng);
        Ok(())
    }

    /// Time has passed.
    pub fn handle_deadline(&mut self, now: Instant) {
        while let Some(slot) = self.retries.pop_due(now) {
            self.queue(slot);
        }
        if self.delay_over.is_some_and(|over| over <= now) {
            self.cut(now, BatchCause::Delay);
        }
        self.fill(now);
    }

    /// When to call [`Batcher::handle_deadline`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.delay_over.into_iter().chain(self.retries.next()).filter(|&due| due != Instant::NEVER).min()
    }

    /// The next thing to do. To be called until `None` after each input.
    pub fn poll_output(&mut self) -> Option<BatchOutput> {
        self.outputs.pop_front()
    }

    /// The items to process, in order: of items that share a key the first that someone still waits for. Empty where that
    /// processing isn't under way; to be read when [`BatchOutput::Process`] is acted on, before further inputs.
    pub fn run_items(&self, run: BatchRun) -> impl Iterator<Item = BatchItem> + '_ {
        let group = self.running(run).ok().map(|slot| self.table.group(slot));
        group
            .into_iter()
            .flat_map(|group| group.list.iter().filter_map(|&entry| group.first_unsettled(entry)))
    }

    /// How far a batch is; `None` once all of it has ended.
    #[must_use]
    pub fn progress(&self, batch: BatchId) -> Option<BatchProgress> {
        let group = self.table.group(self.table.slot(batch)?);
        let items = group::count(group.items.len());
        Some(BatchProgress { settled: items - group.unsettled_items, items, attempts: group.attempt })
    }

    /// What it holds `now` and has done. Merges a minute of measurements: for a dashboard, not for each item.
    #[must_use]
    pub fn metrics(&self, now: Instant) -> BatchMetrics {
        let gathering = self.gathering.map(|slot| self.table.group(slot));
        BatchMetrics {
            gathered: gathering.map_or(0, |group| group.unsettled_entries),
            gathered_bytes: gathering.map_or(0, |group| group.bytes),
            queued: group::count(self.ready.len()),
            processing: self.processing,
            backing_off: group::count(self.retries.len()),
            pending: self.pending,
            totals: self.meter.totals,
            item_latency: self.meter.item_latency(now),
            run_latency: self.meter.run_latency(now),
        }
    }

    fn running(&self, run: BatchRun) -> Result<u32, Late> {
        let slot = self.table.slot(run.batch).ok_or(Late)?;
        let group = self.table.group(slot);
        let current = group.stage == Stage::Processing && group.attempt == run.attempt.get();
        current.then_some(slot).ok_or(Late)
    }
}
