//! How well a worker is, judged from its errors, its latency and its silence.
//!
//! A single bad outcome proves nothing and a single good one neither: a worker gets worse when its evidence crosses a
//! threshold, and better only when the evidence has stayed well below that threshold for a while. So its health changes
//! rarely enough to be acted on.
//!
//! * **Errors**: the share of failures among its last 64 outcomes.
//! * **Latency**: how long its successful tasks take against what is expected of their type. A failure has no latency:
//!   a worker that fails fast must not look fast.
//! * **Silence**: a worker that was asked for a sign of life (see [`Lease`](super::Lease)) is suspect until it answers,
//!   at once healthy again when it does, and lost when its lease lapses.
//!
//! ```
//! use quillwork_core::pool::{Health, HealthConfig, HealthTracker};
//! use quillwork_core::time::{Duration, Instant};
//!
//! let mut worker = HealthTracker::new(HealthConfig::default());
//! let mut now = Instant::ZERO;
//! for task in 0..20 {
//!     now += Duration::from_millis(100);
//!     worker.record(now, task % 2 == 0, Duration::from_millis(80), None);
//! }
//! assert_eq!(worker.health(now), Health::Suspect);
//! // An hour in which nothing was heard of its work proves nothing any more.
//! assert_eq!(worker.health(now + Duration::from_secs(3_600)), Health::Healthy);
//! ```

mod config;
mod evidence;

use crate::time::{Duration, Instant};

use super::PerMille;
use super::hysteresis::Graded;
use evidence::{Outcomes, Slowdown};

pub use config::{HealthConfig, HealthConfigError};

/// How well a worker is, from best to worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Nothing speaks against it.
    #[default]
    Healthy,
    /// It fails or dawdles more than it should: prefer others.
    Degraded,
    /// It fails or dawdles most of the time, or does not answer: use it only where there is nothing else.
    Suspect,
    /// It was asked for a sign of life and gave none: it has no lease any more, and what it was given must be given to
    /// others.
    Lost,
}

impl Health {
    /// All, from best to worst.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Degraded, Self::Suspect, Self::Lost];
}

/// What speaks most against a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthReason {
    /// Nothing.
    Fine,
    /// It fails.
    Errors {
        /// So many failures.
        failed: u32,
        /// Of so many outcomes.
        of: u32,
    },
    /// It is slow.
    Slow {
        /// Its run times against what was expected: 3000 is three times as long.
        slowdown: PerMille,
    },
    /// It was asked and has not answered.
    Silent,
}

/// Follows the health of one worker.
///
/// Time alone can make a worker better and never worse, and reading changes nothing: [`HealthTracker::health`] may be asked
/// at any time, [`HealthTracker::next_change`] tells when its answer changes without further evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthTracker {
    config: HealthConfig,
    outcomes: Outcomes,
    slowdown: Slowdown,
    errors: Graded<Health>,
    latency: Graded<Health>,
    /// When the last outcome came.
    last_evidence: Instant,
    silence: Health,
}

impl HealthTracker {
    /// Of a worker that nothing is known about: healthy until proven otherwise.
    #[must_use]
    pub fn new(config: HealthConfig) -> Self {
        Self {
            config,
            outcomes: Outcomes::default(),
            slowdown: Slowdown::default(),
            errors: Graded::default(),
            latency: Graded::default(),
            last_evidence: Instant::ZERO,
            silence: Health::Healthy,
        }
    }

    /// One of its tasks ended. `expected` is what such a task takes elsewhere (the mean of its type, for instance), where
    /// that is known.
    pub fn record(&mut self, now: Instant, success: bool, took: Duration, expected: Option<Duration>) {
        let now = now.max(self.last_evidence);
        if now - self.last_evidence >= self.config.evidence_ttl {
            self.outcomes = Outcomes::default();
            self.slowdown = Slowdown::default();
            self.errors = Graded::default();
            self.latency = Graded::default();
        }
        self.last_evidence = now;
        self.outcomes.record(success);
        if success && let Some(expected) = expected {
            self.slowdown.record(took, expected);
        }
        let config = self.config;
        if let Some(ratio) = self.error_ratio() {
            let thresholds = (config.degraded_errors, config.suspect_errors);
            judge(&mut self.errors, now, &config, ratio, thresholds);
        }
        if let Some(mean) = self.slowdown.mean(config.min_outcomes) {
            let thresholds = (config.degraded_slowdown, config.suspect_slowdown);
            judge(&mut self.latency, now, &config, mean, thresholds);
        }
    }

    /// It was asked for a sign of life.
    pub fn on_probed(&mut self) {
        self.silence = self.silence.max(Health::Suspect);
    }

    /// It was heard of. One that was lost stays lost: it has to register anew.
    pub fn on_seen(&mut self) {
        if self.silence == Health::Suspect {
            self.silence = Health::Healthy;
        }
    }

    /// Its lease has lapsed.
    pub fn on_lost(&mut self) {
        self.silence = Health::Lost;
    }

    /// How well it is.
    #[must_use]
    pub fn health(&self, now: Instant) -> Health {
        if now - self.last_evidence >= self.config.evidence_ttl {
            return self.silence;
        }
        let of_tasks = self.errors.at(now, self.config.dwell).max(self.latency.at(now, self.config.dwell));
        self.silence.max(of_tasks)
    }

    /// What speaks most against it.
    #[must_use]
    pub fn reason(&self, now: Instant) -> HealthReason {
        let health = self.health(now);
        if health == Health::Healthy {
            return HealthReason::Fine;
        }
        if self.silence == health {
            return HealthReason::Silent;
        }
        if self.errors.at(now, self.config.dwell) == health {
            let (failed, of) = self.outcomes.failed_of(1).unwrap_or_default();
            return HealthReason::Errors { failed, of };
        }
        HealthReason::Slow { slowdown: self.slowdown.mean(1).unwrap_or_default() }
    }

    /// When its health gets better by the passing of time alone.
    #[must_use]
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        let health = self.health(now);
        let dwell = self.config.dwell;
        let changes = [
            self.errors.falls_at(dwell),
            self.latency.falls_at(dwell),
            Some(self.last_evidence + self.config.evidence_ttl),
        ];
        changes.into_iter().flatten().filter(|&at| at > now && self.health(at) != health).min()
    }

    /// The share of failures among its last outcomes; `None` where there are too few.
    #[must_use]
    pub fn error_ratio(&self) -> Option<PerMille> {
        let (failed, of) = self.outcomes.failed_of(self.config.min_outcomes)?;
        PerMille::of(failed.into(), of.into())
    }
}

/// Folds a new value of a measure into its grade.
fn judge(
    grade: &mut Graded<Health>,
    now: Instant,
    config: &HealthConfig,
    value: PerMille,
    (degraded, suspect): (PerMille, PerMille),
) {
    if value < degraded.min(suspect) && *grade == Graded::default() {
        return;
    }
    let of = |degraded, suspect| match value {
        value if value >= suspect => Health::Suspect,
        value if value >= degraded => Health::Degraded,
        _ => Health::Healthy,
    };
    let lowered = |threshold: PerMille| {
        let lowered = config.recovery.share_of(threshold.get().into());
        PerMille::new(u32::try_from(lowered).expect("a share of a u32, below the whole"))
    };
    grade.update(now, config.dwell, of(degraded, suspect), of(lowered(degraded), lowered(suspect)));
}

#[cfg(test)]
mod tests;
