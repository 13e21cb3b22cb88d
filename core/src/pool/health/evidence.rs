//! What is known of a worker: its last outcomes, and how its run times compare with what was expected.

use crate::time::Duration;

use super::super::PerMille;

/// The last 64 outcomes, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcomes {
    /// The newest lowest; 1 is a failure.
    failures: u64,
    count: u32,
}

impl Outcomes {
    pub(super) fn record(&mut self, success: bool) {
        self.failures = self.failures << 1 | u64::from(!success);
        self.count = (self.count + 1).min(u64::BITS);
    }

    /// Failures and outcomes; `None` with fewer than `min` outcomes.
    pub(super) fn failed_of(self, min: u32) -> Option<(u32, u32)> {
        (self.count >= min).then(|| (self.failures.count_ones(), self.count))
    }
}

/// The mean of observed over expected run time, each further sample an eighth of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slowdown {
    /// In millionths, so that small steps are not lost.
    mean_micro: u64,
    samples: u32,
}

impl Slowdown {
    pub(super) fn record(&mut self, took: Duration, expected: Duration) {
        let Some(sample) = PerMille::of(took.as_nanos(), expected.as_nanos()) else { return };
        let sample = u64::from(sample.min(WORST).get()) * 1_000;
        // Until there are eight samples the plain mean, so that the first one doesn't weigh more than the others.
        let weight = u64::from((self.samples + 1).min(8));
        if sample != self.mean_micro {
            self.mean_micro = (self.mean_micro * (weight - 1) + sample) / weight;
        }
        self.samples = self.samples.saturating_add(1);
    }

    /// The mean; `None` with fewer than `min` samples.
    pub(super) fn mean(self, min: u32) -> Option<PerMille> {
        let mean = u32::try_from(self.mean_micro / 1_000).expect("the mean of samples up to WORST");
        (self.samples >= min).then(|| PerMille::new(mean))
    }
}

/// One task that hung for an hour says no more than one that took a hundred times its time.
const WORST: PerMille = PerMille::new(100_000);
