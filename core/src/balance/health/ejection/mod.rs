//! Outlier ejection: workers that fail far more than the others get no tasks for a while (Envoy).

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::ids::WorkerId;
use crate::time::Instant;

mod config;
mod outliers;

#[cfg(test)]
mod tests;

pub use config::{EjectionConfig, EjectionConfigError, SuccessRateOutliers};

/// Decides which workers are ejected, and until when.
///
/// A worker is ejected after so many failures in a row, at once, or where its success rate over an interval is far below
/// the others'. The n-th ejection lasts n times the base time; an interval without one takes one off again. It ends when its time is
/// over, or with a successful probe. Never are all available workers ejected, nor more than the configured part of them.
///
/// Results of a worker that is ejected are late ones of before, and change nothing.
///
/// ```
/// use quillwork_core::balance::{EjectionChange, EjectionConfig, EjectionReason, Ejector};
/// use quillwork_core::ids::WorkerId;
/// use quillwork_core::time::Instant;
///
/// let mut ejector = Ejector::new(EjectionConfig::default())?;
/// let [good, bad] = [0, 1].map(WorkerId::new);
/// ejector.handle_joined(good);
/// ejector.handle_joined(bad);
/// for millis in 0..5 {
///     ejector.handle_finished(Instant::from_millis(millis), bad, false);
/// }
/// let until = Instant::from_millis(30_004);
/// let reason = EjectionReason::ConsecutiveFailures { failures: 5 };
/// assert_eq!(ejector.poll_output(), Some(EjectionChange::Ejected { worker: bad, until, reason }));
/// // The last one is never ejected.
/// for millis in 10..100 {
///     ejector.handle_finished(Instant::from_millis(millis), good, false);
/// }
/// assert_eq!(ejector.poll_output(), None);
///
/// ejector.handle_deadline(until);
/// assert!(matches!(ejector.poll_output(), Some(EjectionChange::Returned { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ejector {
    config: EjectionConfig,
    /// Ascending by worker.
    records: Vec<Record>,
    changes: VecDeque<EjectionChange>,
    interval_ends: Instant,
    now: Instant,
    held_back: u64,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    worker: WorkerId,
    is_available: bool,
    consecutive_failures: u32,
    /// Of the interval.
    runs: u32,
    failures: u32,
    was_ejected: bool,
    /// How often the base time the next ejection lasts, less one.
    times: u32,
    ejected_until: Option<Instant>,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EjectionChange {
    /// A worker gets no tasks any more.
    Ejected {
        /// Which one.
        worker: WorkerId,
        /// Until then, where no probe succeeds before.
        until: Instant,
        /// Why.
        reason: EjectionReason,
    },
    /// A worker gets tasks again.
    Returned {
        /// Which one.
        worker: WorkerId,
        /// Why.
        reason: ReturnReason,
    },
}

/// Why a worker was ejected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EjectionReason {
    /// It failed so often in a row.
    ConsecutiveFailures {
        /// How often.
        failures: u32,
    },
    /// It succeeded far less than the others in one interval.
    SuccessRate {
        /// Its success rate, 0 to 1.
        ratio: f64,
        /// The rate under which it was too low, from the others'.
        threshold: f64,
    },
}

/// Why a worker is no longer ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnReason {
    /// Its time is over.
    TimeOver,
    /// A probe succeeded.
    ProbeSucceeded,
    /// With so few available workers left it is needed.
    Needed,
}

impl Ejector {
    /// An ejector that knows no worker.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(config: EjectionConfig) -> Result<Self, EjectionConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            records: Vec::new(),
            changes: VecDeque::new(),
            interval_ends: Instant::NEVER,
            now: Instant::ZERO,
            held_back: 0,
        })
    }

    /// A worker is there, and available. One that was there already stays as it is.
    pub fn handle_joined(&mut self, worker: WorkerId) {
        if let Err(place) = self.place(worker) {
            self.records.insert(place, Record::new(worker));
        }
    }

    /// A worker is gone for good. What was known of it is forgotten.
    pub fn handle_left(&mut self, worker: WorkerId) {
        if let Ok(place) = self.place(worker) {
            self.records.remove(place);
            self.keep_enough();
        }
    }

    /// Whether a worker would take tasks if it is not ejected: one that boots, drains or is offline is not available. Only available
    /// ones count for how many may be ejected.
    pub fn handle_available(&mut self, worker: WorkerId, is_available: bool) {
        if let Ok(place) = self.place(worker) {
            self.records[place].is_available = is_available;
            self.keep_enough();
        }
    }

    /// A task ended on a worker.
    pub fn handle_finished(&mut self, now: Instant, worker: WorkerId, success: bool) {
        self.now = self.now.max(now);
        let Ok(place) = self.place(worker) else { return };
        let record = &mut self.records[place];
        if record.ejected_until.is_some() {
            return;
        }
        record.runs = record.runs.saturating_add(1);
        if success {
            record.consecutive_failures = 0;
        } else {
            record.failures = record.failures.saturating_add(1);
            record.consecutive_failures = record.consecutive_failures.saturating_add(1);
        }
        let failures = record.consecutive_failures;
        if self.interval_ends == Instant::NEVER {
            self.interval_ends = self.now + self.config.interval;
        }
        if self.config.consecutive_failures.is_some_and(|limit| failures >= limit) {
            self.eject(place, EjectionReason::ConsecutiveFailures { failures });
        }
    }

    /// A probe of a worker came back. One that succeeded ends its ejection; one that failed changes nothing.
    pub fn handle_probe(&mut self, now: Instant, worker: WorkerId, success: bool) {
        self.now = self.now.max(now);
        if let Ok(place) = self.place(worker)
            && success
            && self.records[place].ejected_until.is_some()
        {
            self.give_back(place, ReturnReason::ProbeSucceeded);
        }
    }

    /// Lets workers return whose time is over, and ends an interval.
    pub fn handle_deadline(&mut self, now: Instant) {
        self.now = self.now.max(now);
        for place in 0..self.records.len() {
            if self.records[place].ejected_until.is_some_and(|until| until <= self.now) {
                self.give_back(place, ReturnReason::TimeOver);
            }
        }
        if self.interval_ends <= self.now {
            self.end_interval();
        }
    }

    /// When to call [`handle_deadline`](Self::handle_deadline).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let returns = self.records.iter().filter_map(|record| record.ejected_until);
        returns.chain([self.interval_ends]).min().filter(|&deadline| deadline != Instant::NEVER)
    }

    /// When success rates are compared next; [`Instant::NEVER`] where nothing happened.
    pub(super) const fn interval_ends(&self) -> Instant {
        self.interval_ends
    }

    /// What changed, in order.
    pub fn poll_output(&mut self) -> Option<EjectionChange> {
        self.changes.pop_front()
    }

    /// Until when a worker is ejected.
    #[must_use]
    pub fn ejected_until(&self, worker: WorkerId) -> Option<Instant> {
        self.place(worker).ok().and_then(|place| self.records[place].ejected_until)
    }

    /// How often a worker was not ejected because too many were already.
    #[must_use]
    pub const fn held_back(&self) -> u64 {
        self.held_back
    }

    fn end_interval(&mut self) {
        if let Some(outliers) = self.config.success_rate {
            let rates = outliers::Rates::of(
                self.records.iter().filter(|record| record.counts(&outliers)).map(Record::success_ratio),
            );
            for place in 0..self.records.len() {
                let record = &self.records[place];
                if !record.counts(&outliers) {
                    continue;
                }
                let ratio = record.success_ratio();
                if let Some(threshold) =
                    rates.threshold(ratio, &outliers).filter(|&threshold| ratio < threshold)
                {
                    self.eject(place, EjectionReason::SuccessRate { ratio, threshold });
                }
            }
        }
        let mut is_idle = true;
        for record in &mut self.records {
            if record.ejected_until.is_none() && !record.was_ejected {
                record.times = record.times.saturating_sub(1);
            }
            is_idle &= record.times == 0 && record.runs == 0;
            (record.runs, record.failures) = (0, 0);
            record.was_ejected = record.ejected_until.is_some();
        }
        self.interval_ends = if is_idle { Instant::NEVER } else { self.now + self.config.interval };
    }

    fn eject(&mut self, place: usize, reason: EjectionReason) {
        let record = &self.records[place];
        let is_allowed = !record.is_available || self.ejected() < self.most_ejected();
        if record.ejected_until.is_some() || !is_allowed {
            self.held_back = self.held_back.saturating_add(u64::from(!is_allowed));
            return;
        }
        let record = &mut self.records[place];
        record.times = record.times.saturating_add(1);
        let lasts = (self.config.base * u64::from(record.times)).min(self.config.longest);
        let until = self.now + lasts;
        record.ejected_until = Some(until);
        record.was_ejected = true;
        record.consecutive_failures = 0;
        self.changes.push_back(EjectionChange::Ejected { worker: record.worker, until, reason });
    }

    fn give_back(&mut self, place: usize, reason: ReturnReason) {
        let record = &mut self.records[place];
        record.ejected_until = None;
        (record.runs, record.failures, record.consecutive_failures) = (0, 0, 0);
        self.changes.push_back(EjectionChange::Returned { worker: record.worker, reason });
    }

    /// With fewer available workers fewer may be ejected: those return first that would anyway.
    fn keep_enough(&mut self) {
        while self.ejected() > self.most_ejected() {
            let available = (0..self.records.len()).filter(|&place| self.records[place].is_available);
            let ejected = available.filter_map(|place| Some((self.records[place].ejected_until?, place)));
            let (_, place) = ejected.min().expect("more than none are ejected");
            self.give_back(place, ReturnReason::Needed);
        }
    }

    fn ejected(&self) -> usize {
        self.records.iter().filter(|record| record.is_available && record.ejected_until.is_some()).count()
    }

    /// How many available workers may be ejected: the configured part, one at least, but never all.
    fn most_ejected(&self) -> usize {
        let available = self.records.iter().filter(|record| record.is_available).count();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to a number of workers"
        )]
        let part = (available as f64 * self.config.max_ejected_ratio) as usize;
        part.max(1).min(available.saturating_sub(1))
    }

    fn place(&self, worker: WorkerId) -> Result<usize, usize> {
        self.records.binary_search_by_key(&worker, |record| record.worker)
    }
}

impl Record {
    const fn new(worker: WorkerId) -> Self {
        Self {
            worker,
            is_available: true,
            consecutive_failures: 0,
            runs: 0,
            failures: 0,
            was_ejected: false,
            times: 0,
            ejected_until: None,
        }
    }

    /// Whether it has enough runs to be compared.
    fn counts(&self, outliers: &SuccessRateOutliers) -> bool {
        self.ejected_until.is_none() && self.runs >= outliers.min_runs
    }

    fn success_ratio(&self) -> f64 {
        f64::from(self.runs - self.failures) / f64::from(self.runs.max(1))
    }
}
