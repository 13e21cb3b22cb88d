//! The limit that latency allows: less when calls take longer than they do without a queue.

use super::config::GradientConfig;
use crate::time::{Duration, Instant};

/// Averages, baseline and probes of a gradient limit.
#[derive(Clone, Debug)]
pub(super) struct Gradient {
    config: GradientConfig,
    window: Window,
    /// What calls take without a queue, in nanoseconds, and when that was looked at last.
    baseline: Option<f64>,
    updated_at: Instant,
    /// The average of the last full window, in nanoseconds.
    recent: Option<f64>,
    probe_at: Instant,
    /// While half of the limit is tried: the average before.
    probing: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    since: Option<Instant>,
    samples: u32,
    dropped: u32,
    sum_nanos: u64,
    most_in_flight: u32,
}

/// What a full window says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// The limit is this.
    Limit(f64),
    /// Try half of the limit for a window.
    Probe,
}

impl Gradient {
    pub(super) fn new(config: GradientConfig) -> Self {
        Self {
            config,
            window: Window::default(),
            baseline: None,
            updated_at: Instant::ZERO,
            recent: None,
            // At once: nothing says that the initial limit is one without a queue.
            probe_at: Instant::ZERO,
            probing: None,
        }
    }

    /// A call that started with this many in flight, itself included, took so long.
    pub(super) fn handle_sample(
        &mut self,
        now: Instant,
        in_flight: u32,
        latency: Duration,
        limit: f64,
    ) -> Option<Verdict> {
        let since = *self.window.since.get_or_insert(now);
        self.window.samples = self.window.samples.saturating_add(1);
        self.window.sum_nanos = self.window.sum_nanos.saturating_add(latency.as_nanos());
        self.window.most_in_flight = self.window.most_in_flight.max(in_flight);
        if self.window.samples < self.config.min_samples || now.duration_since(since) < self.config.window {
            return None;
        }
        let mean = (self.window.sum_nanos as f64 / f64::from(self.window.samples)).max(1.0);
        let unlimited = f64::from(self.window.most_in_flight) * 2.0 < limit;
        self.window = Window::default();
        self.recent = Some(mean);
        Some(self.judge(now, mean, unlimited, limit))
    }

    /// A call was dropped. Tells whether so many of this window's were that the limit is to fall: every service fails now
    /// and then, and a limit that fell for each failure would end at its floor under no load at all.
    pub(super) fn handle_drop(&mut self) -> bool {
        self.window.dropped = self.window.dropped.saturating_add(1);
        let calls = self.window.samples.saturating_add(self.window.dropped).max(self.config.min_samples);
        self.window.dropped >= calls.div_ceil(ONE_OF)
    }

    /// Forgets the unfinished window and probe: the limit has changed for another reason.
    pub(super) fn restart(&mut self) {
        self.window = Window::default();
        self.probing = None;
    }

    pub(super) fn baseline(&self) -> Option<Duration> {
        self.baseline.map(|nanos| Duration::from_millis_f64(nanos / 1e6))
    }

    pub(super) fn recent(&self) -> Option<Duration> {
        self.recent.map(|nanos| Duration::from_millis_f64(nanos / 1e6))
    }

    fn judge(&mut self, now: Instant, mean: f64, unlimited: bool, limit: f64) -> Verdict {
        if let Some(before) = self.probing.take() {
            return self.judge_probe(now, mean, before, limit);
        }
        let baseline = self.updated_baseline(now, mean);
        if unlimited {
            // Not the limit kept calls back, so their latency says nothing about it. It is one without a queue of ours.
            self.schedule_probe(now);
            return Verdict::Limit(limit);
        }
        if now >= self.probe_at && self.config.probe_every.is_some() {
            self.probing = Some(mean);
            return Verdict::Probe;
        }
        let gradient = (self.config.tolerance * baseline / mean).clamp(LEAST_GRADIENT, 1.0);
        let wanted = if gradient < 1.0 { limit * gradient } else { limit + libm::sqrt(limit) };
        Verdict::Limit(limit + (wanted - limit) * self.config.smoothing)
    }

    fn judge_probe(&mut self, now: Instant, mean: f64, before: f64, limit: f64) -> Verdict {
        self.baseline = Some(mean);
        self.updated_at = now;
        if mean * self.config.tolerance < before {
            // Half of the calls, each so much faster: the other half had only made a queue. Perhaps half of this does too.
            self.probe_at = now;
            return Verdict::Limit(limit / 2.0);
        }
        self.schedule_probe(now);
        Verdict::Limit(limit)
    }

    fn schedule_probe(&mut self, now: Instant) {
        self.probe_at = self.config.probe_every.map_or(Instant::NEVER, |every| now + every);
    }

    fn updated_baseline(&mut self, now: Instant, mean: f64) -> f64 {
        let passed = now.duration_since(self.updated_at);
        self.updated_at = self.updated_at.max(now);
        let updated = match self.baseline {
            None => mean,
            // Quickly down, but not to the luckiest of all windows.
            Some(baseline) if mean < baseline => baseline + (mean - baseline) * FALL,
            Some(baseline) => {
                let half_lives = passed.as_secs_f64() / self.config.baseline_half_life.as_secs_f64();
                baseline + (mean - baseline) * (1.0 - libm::exp2(-half_lives))
            }
        };
        self.baseline = Some(updated);
        updated
    }
}

/// No single window takes more than half of the limit.
const LEAST_GRADIENT: f64 = 0.5;
const FALL: f64 = 0.25;
/// One dropped call of so many is overload.
const ONE_OF: u32 = 10;
