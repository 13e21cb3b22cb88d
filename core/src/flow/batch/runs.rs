//! Processing batches and settling what is in them.

use crate::flow::retry::{AttemptFailure, AttemptOutcome, GiveUp, Retry, RetryDecision, RetryPolicy};
use crate::rng::Rng;
use crate::time::Instant;

use super::event::{BatchGiveUp, BatchOutput, BatchRun, Settlement};
use super::group::{Group, Report, Stage};
use super::{Batcher, RetryScope};

impl Batcher {
    /// Starts batches while there are places.
    pub(super) fn fill(&mut self, now: Instant) {
        while self.processing < self.config.max_concurrent.get() {
            let Some(entry) = self.ready.pop(&mut self.ready_places) else { break };
            let policy = self.config.retry;
            let group = self.table.group_mut(entry.slot);
            group.start(now);
            group.retry.get_or_insert_with(|| first_attempt(policy, now));
            self.processing += 1;
            self.meter.run_started(group.attempt > 1);
            self.outputs.push_back(BatchOutput::Process {
                run: group.run(),
                items: group.unsettled_entries,
                bytes: group.bytes,
                cause: group.cause,
            });
        }
    }

    /// A processing has reported on all of its list.
    pub(super) fn end_run(&mut self, now: Instant, slot: u32, rng: &mut Rng) {
        self.leave(now, slot);
        if self.config.retry_scope == RetryScope::FailedItems {
            self.settle_what_is_final(now, slot);
        }
        let group = self.table.group_mut(slot);
        match group.failure() {
            None => self.settle_by(now, slot, settle_success),
            Some(failure) => {
                let retry = group.retry.as_mut().expect("it was started with one");
                match retry.handle_failure(now, failure, None, rng) {
                    RetryDecision::RetryAt(at) => {
                        // The attempt that follows is counted when it starts; the wait is kept here.
                        retry.handle_deadline(at);
                        group.stage = Stage::BackingOff;
                        self.retries.set(slot, at);
                    }
                    RetryDecision::GiveUp(reason) => {
                        let reason = BatchGiveUp::Retry(reason);
                        self.settle_by(now, slot, |group, place| settle_failure(group, place, reason));
                    }
                }
            }
        }
        self.finish(now, slot);
    }

    /// A processing gave results of which nobody can tell whose they are.
    pub(super) fn end_run_in_confusion(&mut self, now: Instant, slot: u32, reason: BatchGiveUp) {
        self.leave(now, slot);
        self.settle_by(now, slot, |group, _| Settlement::Failed { run: group.run(), index: None, reason });
        self.finish(now, slot);
    }

    /// Settles the items of an entry whose report is final while its processing goes on.
    pub(super) fn settle_entry(&mut self, now: Instant, slot: u32, entry: u32) {
        if self.config.retry_scope == RetryScope::WholeBatch {
            return;
        }
        let group = self.table.group(slot);
        let Some(settlement) = final_settlement(group.run(), group.entries[entry as usize].report) else {
            return;
        };
        let mut place = Some(group.entries[entry as usize].first);
        let mut settled_any = false;
        while let Some(at) = place {
            place = self.table.group(slot).items[at as usize].next;
            settled_any |= self.settle(now, slot, at, settlement);
        }
        // Where the others were aborted nobody waits for their part of the processing.
        let group = self.table.group(slot);
        if settled_any && group.unsettled_items == 0 {
            self.outputs.push_back(BatchOutput::Cancel { run: group.run() });
        }
    }

    /// Settles everything as closed, and waits for nothing that is being processed.
    pub(super) fn settle_everything(&mut self, now: Instant) {
        for slot in self.table.in_order() {
            let group = self.table.group(slot);
            match group.stage {
                Stage::Processing => {
                    self.processing -= 1;
                    if group.unsettled_items > 0 {
                        self.outputs.push_back(BatchOutput::Cancel { run: group.run() });
                    }
                }
                Stage::Gathering => {
                    self.gathering = None;
                    self.delay_over = None;
                    self.keys.clear();
                }
                Stage::Ready | Stage::BackingOff => {}
            }
            self.settle_by(now, slot, |_, _| Settlement::Closed);
            self.table.close(slot);
        }
        while self.ready.pop(&mut self.ready_places).is_some() {}
        self.retries.clear();
    }

    /// Settles one item, and tells whether it wasn't before.
    pub(super) fn settle(&mut self, now: Instant, slot: u32, place: u32, settlement: Settlement) -> bool {
        let group = self.table.group_mut(slot);
        let Some(came) = group.settle(place) else { return false };
        let item = group.item(place);
        self.pending -= 1;
        self.meter.settled(now, came, settlement);
        self.outputs.push_back(BatchOutput::Settle { item, settlement });
        true
    }

    /// What becomes true when items have settled.
    pub(super) fn after_settling(&mut self) {
        if self.refused_since_drained && !self.closing && self.pending <= self.config.max_pending / 2 {
            self.refused_since_drained = false;
            self.outputs.push_back(BatchOutput::Drained);
        }
        if self.closing && !self.closed && self.pending == 0 && self.processing == 0 {
            self.closed = true;
            self.outputs.push_back(BatchOutput::Closed);
        }
    }

    /// A processing gives up its place.
    fn leave(&mut self, now: Instant, slot: u32) {
        self.processing -= 1;
        self.meter.run_ended(now, self.table.group(slot).started);
    }

    /// Forgets a batch that is settled, and goes on with the next.
    fn finish(&mut self, now: Instant, slot: u32) {
        if self.table.group(slot).unsettled_items == 0 {
            self.table.close(slot);
        }
        self.fill(now);
        self.after_settling();
    }

    fn settle_what_is_final(&mut self, now: Instant, slot: u32) {
        for place in 0..super::group::count(self.table.group(slot).items.len()) {
            let group = self.table.group(slot);
            let report = group.entries[group.items[place as usize].entry as usize].report;
            if let Some(settlement) = final_settlement(group.run(), report) {
                self.settle(now, slot, place, settlement);
            }
        }
    }

    /// Settles all that is unsettled, in order.
    fn settle_by(&mut self, now: Instant, slot: u32, settlement: impl Fn(&Group, u32) -> Settlement) {
        for place in 0..super::group::count(self.table.group(slot).items.len()) {
            let group = self.table.group(slot);
            if !group.items[place as usize].settled {
                let settlement = settlement(group, place);
                self.settle(now, slot, place, settlement);
            }
        }
    }
}

fn first_attempt(policy: RetryPolicy, now: Instant) -> Retry {
    Retry::new(policy, now).expect("the policy was validated with the batcher's settings")
}

/// How an item ends whose report no retry can change.
fn final_settlement(run: BatchRun, report: Report) -> Option<Settlement> {
    let permanent = BatchGiveUp::Retry(GiveUp::Permanent);
    match report {
        Report::Own(index, AttemptOutcome::Succeeded) => Some(Settlement::Succeeded { run, index }),
        Report::Own(index, AttemptOutcome::Failed(AttemptFailure::Permanent)) => {
            Some(Settlement::Failed { run, index: Some(index), reason: permanent })
        }
        Report::Shared(AttemptFailure::Permanent) => {
            Some(Settlement::Failed { run, index: None, reason: permanent })
        }
        Report::None | Report::Own(_, AttemptOutcome::Failed(_)) | Report::Shared(_) => None,
    }
}

fn settle_success(group: &Group, place: u32) -> Settlement {
    let entry = &group.entries[group.items[place as usize].entry as usize];
    let Report::Own(index, _) = entry.report else {
        unreachable!("a processing without a failure has reported on each item by itself")
    };
    Settlement::Succeeded { run: group.run(), index }
}

fn settle_failure(group: &Group, place: u32, reason: BatchGiveUp) -> Settlement {
    let entry = &group.entries[group.items[place as usize].entry as usize];
    let index = match entry.report {
        Report::Own(index, AttemptOutcome::Failed(_)) => Some(index),
        Report::Own(_, AttemptOutcome::Succeeded) | Report::Shared(_) | Report::None => None,
    };
    Settlement::Failed { run: group.run(), index, reason }
}
