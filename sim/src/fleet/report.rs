//! What came of a run.

use alloc::vec::Vec;

use quillwork_core::time::{Duration, Instant};

use super::{FleetScenario, Job};

/// A finished run. Everything but `given` and `attempts` leaves the warm-up out.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetReport {
    /// From a task's arrival to its settlement, in milliseconds.
    pub response: Distribution,
    /// Response time over the task's own work: how much longer than on an idle worker of speed 1.
    pub slowdown: Distribution,
    /// Tasks that got no good answer in any attempt.
    pub errors: u32,
    /// Good answers in a second of simulated time.
    pub goodput_per_sec: f64,
    /// Tasks given to each worker.
    pub given: Vec<u32>,
    /// Attempts of all tasks.
    pub attempts: u32,
}

/// All values of a run, exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    sorted: Vec<f64>,
    mean: f64,
}

impl Distribution {
    fn new(mut values: Vec<f64>) -> Self {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        values.sort_unstable_by(f64::total_cmp);
        Self { sorted: values, mean }
    }

    /// The value below which a share `q` of the others lies (nearest rank); `None` of nothing.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.sorted.len();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to the number of values, which fits"
        )]
        let rank = libm::ceil(q.clamp(0.0, 1.0) * count as f64) as usize;
        self.sorted.get(rank.clamp(1, count.max(1)) - 1).copied()
    }

    /// Their mean; 0 of nothing.
    #[must_use]
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// The largest.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.sorted.last().copied()
    }

    /// All of them, the smallest first.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }
}

pub(super) struct Recorder {
    jobs: Vec<Job>,
    warm_up: u32,
    timeout: Duration,
    settled: u32,
    responses: Vec<f64>,
    slowdowns: Vec<f64>,
    errors: u32,
    ended_at: Instant,
}

impl Recorder {
    pub(super) fn new(scenario: &FleetScenario, jobs: &[Job]) -> Self {
        Self {
            jobs: jobs.to_vec(),
            warm_up: scenario.warm_up,
            timeout: scenario.client.timeout,
            settled: 0,
            responses: Vec::with_capacity(jobs.len()),
            slowdowns: Vec::with_capacity(jobs.len()),
            errors: 0,
            ended_at: Instant::ZERO,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.settled as usize == self.jobs.len()
    }

    pub(super) fn completed(&mut self, now: Instant, job: u32) {
        self.record(now, job, now - self.jobs[job as usize].at);
    }

    pub(super) fn failed(&mut self, now: Instant, job: u32) {
        if job >= self.warm_up {
            self.errors += 1;
        }
        self.record(now, job, (now - self.jobs[job as usize].at).max(self.timeout));
    }

    pub(super) fn report(self, given: Vec<u32>, attempts: usize) -> FleetReport {
        let measured_from = self.jobs.get(self.warm_up as usize).map_or(self.ended_at, |job| job.at);
        let good = self.responses.len() as f64 - f64::from(self.errors);
        FleetReport {
            goodput_per_sec: good / (self.ended_at - measured_from).as_secs_f64().max(f64::MIN_POSITIVE),
            response: Distribution::new(self.responses),
            slowdown: Distribution::new(self.slowdowns),
            errors: self.errors,
            given,
            attempts: super::world::index(attempts),
        }
    }

    fn record(&mut self, now: Instant, job: u32, response: Duration) {
        self.settled += 1;
        self.ended_at = self.ended_at.max(now);
        if job >= self.warm_up {
            let work = self.jobs[job as usize].work.as_millis_f64();
            self.responses.push(response.as_millis_f64());
            self.slowdowns.push(response.as_millis_f64() / work.max(1e-6));
        }
    }
}
