//! A batcher as one would write it without a thought for speed: lists, searched from the front.

use std::num::NonZeroU32;

use quillwork_core::flow::batch::{
    BatchCause, BatchClose, BatchConfig, BatchGiveUp, BatchId, BatchItem, BatchOutput, BatchRefusal,
    BatchRun, Cut, NewItem, RetryScope, Settlement,
};
use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome, GiveUp};
use quillwork_core::flow::timeout::Late;
use quillwork_core::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Gathering,
    Ready,
    Processing,
    BackingOff { until: Instant },
    Ended,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    key: Option<u64>,
    bytes: u64,
    /// The place of the item that this shares the result of: its own, where of none.
    lead: usize,
    settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    Own(AttemptOutcome),
    Shared(AttemptFailure),
}

#[derive(Clone, Debug)]
struct Batch {
    items: Vec<Item>,
    stage: Stage,
    cause: BatchCause,
    opened: Instant,
    attempt: u32,
    first_started: Instant,
    /// Leads in the order of processing, and what was reported of each.
    list: Vec<(usize, Option<Report>)>,
}

impl Batch {
    fn leads(&self) -> Vec<usize> {
        let lives = |lead: usize| self.items.iter().any(|item| item.lead == lead && !item.settled);
        (0..self.items.len()).filter(|&place| self.items[place].lead == place && lives(place)).collect()
    }

    fn bytes(&self) -> u64 {
        self.leads().into_iter().map(|lead| self.items[lead].bytes).sum()
    }

    fn unsettled(&self) -> usize {
        self.items.iter().filter(|item| !item.settled).count()
    }

    fn index_of(&self, place: usize) -> Option<usize> {
        self.list.iter().position(|&(lead, _)| lead == self.items[place].lead)
    }
}

pub(crate) struct Model {
    config: BatchConfig,
    batches: Vec<Batch>,
    refused: bool,
    closing: bool,
    closed: bool,
    pub(crate) outputs: Vec<BatchOutput>,
}

impl Model {
    /// Of a batcher whose back-off is constant.
    pub(crate) fn new(config: BatchConfig) -> Self {
        let outputs = Vec::new();
        Self { config, batches: Vec::new(), refused: false, closing: false, closed: false, outputs }
    }

    pub(crate) fn item(&mut self, now: Instant, item: NewItem) -> Result<(BatchItem, bool), BatchRefusal> {
        if self.closing {
            return Err(BatchRefusal::Closed);
        }
        let limit = self.config.max_pending;
        if self.pending() >= limit as usize {
            self.refused = true;
            return Err(BatchRefusal::Full { limit });
        }
        if item.cut == Cut::Before {
            self.cut(now, BatchCause::Predicate);
        }
        let twin = |batch: &Batch| {
            let same = |place: usize| item.key.is_some() && batch.items[place].key == item.key;
            batch.leads().into_iter().find(|&lead| same(lead))
        };
        let lead = self.gathering().and_then(|number| twin(&self.batches[number]));
        if lead.is_none()
            && let Some(number) = self.gathering()
            && self
                .config
                .max_bytes
                .is_some_and(|most| self.batches[number].bytes() + item.bytes > most.get())
        {
            self.cut(now, BatchCause::Bytes);
        }
        let number = self.gathering().unwrap_or_else(|| {
            self.batches.push(Batch {
                items: Vec::new(),
                stage: Stage::Gathering,
                cause: BatchCause::Flush,
                opened: now,
                attempt: 0,
                first_started: now,
                list: Vec::new(),
            });
            self.batches.len() - 1
        });
        let batch = &mut self.batches[number];
        let place = batch.items.len();
        batch.items.push(Item {
            key: item.key,
            bytes: item.bytes,
            lead: lead.unwrap_or(place),
            settled: false,
        });
        let leads = batch.leads().len();
        if leads >= self.config.max_items.get() as usize {
            self.cut(now, BatchCause::Count);
        } else if self.config.max_bytes.is_some_and(|most| self.batches[number].bytes() >= most.get()) {
            self.cut(now, BatchCause::Bytes);
        } else if item.cut == Cut::After {
            self.cut(now, BatchCause::Predicate);
        } else if place + 1 >= limit as usize {
            self.cut(now, BatchCause::Pressure);
        }
        Ok((name(number, place), lead.is_some()))
    }

    pub(crate) fn flush(&mut self, now: Instant) {
        self.cut(now, BatchCause::Flush);
    }

    pub(crate) fn close(&mut self, now: Instant, mode: BatchClose) {
        self.closing = true;
        match mode {
            BatchClose::Drain => self.cut(now, BatchCause::Close),
            BatchClose::Now => {
                for number in 0..self.batches.len() {
                    let batch = &self.batches[number];
                    if batch.stage == Stage::Processing && batch.unsettled() > 0 {
                        self.outputs.push(BatchOutput::Cancel { run: self.run_of(number) });
                    }
                    for place in 0..self.batches[number].items.len() {
                        self.settle(number, place, Settlement::Closed);
                    }
                    self.batches[number].stage = Stage::Ended;
                }
            }
        }
        self.after();
    }

    pub(crate) fn abort(&mut self, item: BatchItem) -> Result<(), Late> {
        let (number, place) = (usize::try_from(item.batch.get()).expect("small"), item.place as usize);
        let waits = |item: &Item| !item.settled;
        if !self.batches.get(number).and_then(|batch| batch.items.get(place)).is_some_and(waits) {
            return Err(Late);
        }
        self.settle(number, place, Settlement::Aborted);
        if self.batches[number].unsettled() == 0 {
            if self.batches[number].stage == Stage::Processing {
                self.outputs.push(BatchOutput::Cancel { run: self.run_of(number) });
            } else {
                self.batches[number].stage = Stage::Ended;
            }
        }
        self.after();
        Ok(())
    }

    pub(crate) fn results(
        &mut self,
        now: Instant,
        run: BatchRun,
        outcomes: &[AttemptOutcome],
    ) -> Result<(), Late> {
        let number = self.running(run)?;
        let batch = &mut self.batches[number];
        if batch.list.len() == outcomes.len() {
            for (entry, &outcome) in batch.list.iter_mut().zip(outcomes) {
                entry.1.get_or_insert(Report::Own(outcome));
            }
            self.end(now, number);
        } else {
            let count = |len: usize| u32::try_from(len).expect("small");
            let reason = BatchGiveUp::WrongResultCount {
                expected: count(batch.list.len()),
                got: count(outcomes.len()),
            };
            for place in 0..batch.items.len() {
                self.settle(number, place, Settlement::Failed { run, index: None, reason });
            }
            self.batches[number].stage = Stage::Ended;
            self.fill(now);
            self.after();
        }
        Ok(())
    }

    pub(crate) fn item_result(
        &mut self,
        now: Instant,
        run: BatchRun,
        index: u32,
        outcome: AttemptOutcome,
    ) -> Result<(), Late> {
        let number = self.running(run)?;
        let entry = self.batches[number].list.get_mut(index as usize).ok_or(Late)?;
        if entry.1.is_some() {
            return Ok(());
        }
        entry.1 = Some(Report::Own(outcome));
        let lead = entry.0;
        if self.batches[number].list.iter().all(|(_, report)| report.is_some()) {
            self.end(now, number);
            return Ok(());
        }
        let before = self.batches[number].unsettled();
        for place in 0..self.batches[number].items.len() {
            if self.batches[number].items[place].lead == lead {
                self.settle_if_final(number, place);
            }
        }
        let after = self.batches[number].unsettled();
        if before > after && after == 0 {
            self.outputs.push(BatchOutput::Cancel { run });
        }
        self.after();
        Ok(())
    }

    pub(crate) fn failure(
        &mut self,
        now: Instant,
        run: BatchRun,
        failure: AttemptFailure,
    ) -> Result<(), Late> {
        let number = self.running(run)?;
        for entry in &mut self.batches[number].list {
            entry.1.get_or_insert(Report::Shared(failure));
        }
        self.end(now, number);
        Ok(())
    }

    pub(crate) fn deadline(&mut self, now: Instant) {
        for batch in &mut self.batches {
            if matches!(batch.stage, Stage::BackingOff { until } if until <= now) {
                batch.stage = Stage::Ready;
            }
        }
        if self.delay_over().is_some_and(|over| over <= now) {
            self.cut(now, BatchCause::Delay);
        }
        self.fill(now);
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let backing_off = self.batches.iter().filter_map(|batch| match batch.stage {
            Stage::BackingOff { until } => Some(until),
            _ => None,
        });
        backing_off.chain(self.delay_over()).min()
    }

    pub(crate) fn run_items(&self, run: BatchRun) -> Vec<BatchItem> {
        let Ok(number) = self.running(run) else { return Vec::new() };
        let batch = &self.batches[number];
        let waiting = |lead: usize| {
            (0..batch.items.len())
                .find(|&place| batch.items[place].lead == lead && !batch.items[place].settled)
        };
        batch.list.iter().filter_map(|&(lead, _)| Some(name(number, waiting(lead)?))).collect()
    }

    pub(crate) fn pending(&self) -> usize {
        self.batches.iter().map(Batch::unsettled).sum()
    }

    pub(crate) fn gathered(&self) -> (usize, u64) {
        let gathering = self.gathering().map(|number| &self.batches[number]);
        gathering.map_or((0, 0), |batch| (batch.leads().len(), batch.bytes()))
    }

    /// How many batches are ready, processing, backing off.
    pub(crate) fn stages(&self) -> [usize; 3] {
        let count = |is: fn(Stage) -> bool| self.batches.iter().filter(|batch| is(batch.stage)).count();
        [
            count(|stage| stage == Stage::Ready),
            count(|stage| stage == Stage::Processing),
            count(|stage| matches!(stage, Stage::BackingOff { .. })),
        ]
    }

    fn gathering(&self) -> Option<usize> {
        self.batches.iter().position(|batch| batch.stage == Stage::Gathering)
    }

    fn delay_over(&self) -> Option<Instant> {
        Some(self.batches[self.gathering()?].opened + self.config.max_delay?)
    }

    fn run_of(&self, number: usize) -> BatchRun {
        let attempt = NonZeroU32::new(self.batches[number].attempt).expect("it was started");
        BatchRun { batch: BatchId::new(number as u64), attempt }
    }

    fn running(&self, run: BatchRun) -> Result<usize, Late> {
        let number = usize::try_from(run.batch.get()).expect("small");
        let current = |batch: &&Batch| batch.stage == Stage::Processing && batch.attempt == run.attempt.get();
        self.batches.get(number).filter(current).map(|_| number).ok_or(Late)
    }

    fn cut(&mut self, now: Instant, cause: BatchCause) {
        if let Some(number) = self.gathering() {
            self.batches[number].stage = Stage::Ready;
            self.batches[number].cause = cause;
            self.fill(now);
        }
    }

    fn fill(&mut self, now: Instant) {
        while self.stages()[1] < self.config.max_concurrent.get() as usize {
            let Some(number) = self.batches.iter().position(|batch| batch.stage == Stage::Ready) else {
                break;
            };
            let batch = &mut self.batches[number];
            batch.stage = Stage::Processing;
            if batch.attempt == 0 {
                batch.first_started = now;
            }
            batch.attempt += 1;
            batch.list = batch.leads().into_iter().map(|lead| (lead, None)).collect();
            let (items, bytes, cause) =
                (u32::try_from(batch.list.len()).expect("small"), batch.bytes(), batch.cause);
            self.outputs.push(BatchOutput::Process { run: self.run_of(number), items, bytes, cause });
        }
    }

    fn end(&mut self, now: Instant, number: usize) {
        // Its place is free from here on.
        self.batches[number].stage = Stage::Ended;
        for place in 0..self.batches[number].items.len() {
            self.settle_if_final(number, place);
        }
        let batch = &self.batches[number];
        let run = self.run_of(number);
        let live = batch.leads();
        let mut failures: Vec<AttemptFailure> = Vec::new();
        for &(lead, report) in &batch.list {
            match report.expect("all have reported") {
                Report::Own(AttemptOutcome::Failed(failure)) | Report::Shared(failure)
                    if live.contains(&lead) =>
                {
                    failures.push(failure);
                }
                Report::Own(_) | Report::Shared(_) => {}
            }
        }
        if failures.is_empty() {
            for place in 0..batch.items.len() {
                if let Some(index) = self.batches[number].index_of(place) {
                    let index = u32::try_from(index).expect("small");
                    self.settle(number, place, Settlement::Succeeded { run, index });
                }
            }
        } else {
            match self.retry_at(now, number, &failures) {
                Ok(until) => {
                    self.batches[number].stage = Stage::BackingOff { until };
                }
                Err(reason) => {
                    let reason = BatchGiveUp::Retry(reason);
                    for place in 0..self.batches[number].items.len() {
                        let Some(at) = self.batches[number].index_of(place) else { continue };
                        let own = matches!(
                            self.batches[number].list[at].1,
                            Some(Report::Own(AttemptOutcome::Failed(_)))
                        );
                        let index = own.then(|| u32::try_from(at).expect("small"));
                        self.settle(number, place, Settlement::Failed { run, index, reason });
                    }
                }
            }
        }
        self.fill(now);
        self.after();
    }

    fn retry_at(&self, now: Instant, number: usize, failures: &[AttemptFailure]) -> Result<Instant, GiveUp> {
        let (batch, policy) = (&self.batches[number], self.config.retry);
        if failures.contains(&AttemptFailure::Permanent) {
            return Err(GiveUp::Permanent);
        }
        if batch.attempt >= policy.max_attempts.get() {
            return Err(GiveUp::AttemptsExhausted { attempts: policy.max_attempts });
        }
        let wishes = failures.iter().filter_map(|failure| match failure {
            AttemptFailure::RetryAfter(wish) => Some(*wish),
            _ => None,
        });
        let delay = wishes.max().map_or(policy.backoff.base, |wish| wish.min(policy.max_retry_after));
        let deadline = policy.deadline.map_or(Instant::NEVER, |deadline| batch.first_started + deadline);
        let until = now + delay;
        if until < deadline { Ok(until) } else { Err(GiveUp::DeadlineExceeded { deadline }) }
    }

    fn settle_if_final(&mut self, number: usize, place: usize) {
        if self.config.retry_scope == RetryScope::WholeBatch {
            return;
        }
        let batch = &self.batches[number];
        let Some(at) = batch.index_of(place) else { return };
        let (index, run) = (u32::try_from(at).expect("small"), self.run_of(number));
        let reason = BatchGiveUp::Retry(GiveUp::Permanent);
        let settlement = match batch.list[at].1 {
            Some(Report::Own(AttemptOutcome::Succeeded)) => Settlement::Succeeded { run, index },
            Some(Report::Own(AttemptOutcome::Failed(AttemptFailure::Permanent))) => {
                Settlement::Failed { run, index: Some(index), reason }
            }
            Some(Report::Shared(AttemptFailure::Permanent)) => {
                Settlement::Failed { run, index: None, reason }
            }
            _ => return,
        };
        self.settle(number, place, settlement);
    }

    fn settle(&mut self, number: usize, place: usize, settlement: Settlement) {
        let item = &mut self.batches[number].items[place];
        if !item.settled {
            item.settled = true;
            self.outputs.push(BatchOutput::Settle { item: name(number, place), settlement });
        }
    }

    fn after(&mut self) {
        if self.refused && !self.closing && self.pending() <= self.config.max_pending as usize / 2 {
            self.refused = false;
            self.outputs.push(BatchOutput::Drained);
        }
        if self.closing && !self.closed && self.pending() == 0 && self.stages()[1] == 0 {
            self.closed = true;
            self.outputs.push(BatchOutput::Closed);
        }
    }
}

fn name(number: usize, place: usize) -> BatchItem {
    BatchItem { batch: BatchId::new(number as u64), place: u32::try_from(place).expect("small") }
}
