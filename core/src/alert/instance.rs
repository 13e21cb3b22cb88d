//! One rule on one label set.

use core::fmt;

use super::level::Phase;
use super::meter::{Meter, Reading};
use super::rule::Rule;
use crate::time::{Duration, Instant};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody should look.
    Warning,
    /// Somebody must look now.
    Critical,
}

impl Severity {
    /// As messages name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where one rule stands on one label set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Within bounds.
    Ok,
    /// Out of bounds, not yet for long enough.
    Pending,
    /// Firing as a warning.
    Warning,
    /// Firing as critical.
    Critical,
    /// No data.
    NoData {
        /// What was firing when the data ended, and is until data says otherwise.
        firing: Option<Severity>,
    },
}

impl State {
    /// How bad it is, where it is firing: with or without data.
    #[must_use]
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Warning => Some(Severity::Warning),
            Self::Critical => Some(Severity::Critical),
            Self::NoData { firing } => firing,
            Self::Ok | Self::Pending => None,
        }
    }

    /// Whether there is data to say so.
    #[must_use]
    pub const fn has_data(self) -> bool {
        !matches!(self, Self::NoData { .. })
    }
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) warning: Phase,
    pub(super) critical: Phase,
    pub(super) last_sample: Option<Instant>,
    /// Of the last sample, kept without data too.
    pub(super) value: Option<f64>,
    pub(super) has_data: bool,
    pub(super) since: Instant,
    pub(super) firing_since: Option<Instant>,
    /// When its first value came: warm-up counts from here.
    pub(super) first_value_at: Option<Instant>,
    pub(super) meter: Meter,
}

impl Instance {
    /// Nothing was seen yet.
    pub(super) const fn new(at: Instant, meter: Meter) -> Self {
        Self {
            warning: Phase::Quiet,
            critical: Phase::Quiet,
            last_sample: None,
            value: None,
            has_data: false,
            since: at,
            firing_since: None,
            first_value_at: None,
            meter,
        }
    }

    pub(super) fn state(&self) -> State {
        let firing = if self.critical.is_firing() {
            Some(Severity::Critical)
        } else if self.warning.is_firing() {
            Some(Severity::Warning)
        } else {
            None
        };
        match firing {
            firing if !self.has_data => State::NoData { firing },
            Some(Severity::Critical) => State::Critical,
            Some(Severity::Warning) => State::Warning,
            None if self.warning == Phase::Quiet && self.critical == Phase::Quiet => State::Ok,
            None => State::Pending,
        }
    }

    /// When its data is too old, if no sample comes before.
    pub(super) fn stale_at(&self, rule: &Rule) -> Option<Instant> {
        // A nanosecond more, so that a sample just as old as it may be is not stale whichever call comes first.
        let last = self.last_sample.filter(|_| self.has_data)?;
        Some(last + rule.stale_after + Duration::from_nanos(1))
    }

    pub(super) fn on_stale(&mut self, at: Instant) {
        self.has_data = false;
        self.warning = self.warning.after_gap();
        self.critical = self.critical.after_gap();
        self.since = at;
    }

    /// Nobody knows any more: what was firing ends, as unknown.
    pub(super) fn give_up(&mut self, at: Instant) {
        if self.state().severity().is_some() {
            (self.warning, self.critical, self.firing_since, self.since) =
                (Phase::Quiet, Phase::Quiet, None, at);
        }
    }

    pub(super) fn on_reading(&mut self, at: Instant, reading: Reading, rule: &Rule) {
        let before = self.state();
        let next = |phase: Phase, value, level: &Option<_>| {
            phase.after_sample(at, value, level.as_ref(), rule.direction, rule.keep_firing)
        };
        self.critical = next(self.critical, reading.critical, &rule.critical);
        self.warning = next(self.warning, reading.warning, &rule.warning);
        if rule.warning.is_some() && self.critical.is_firing() && !self.warning.is_firing() {
            // Critical took less time to fire: what is critical is a warning too.
            self.warning = Phase::Firing;
        }
        self.has_data = true;
        self.last_sample = Some(at);
        self.value = Some(reading.shown);
        let state = self.state();
        if state != before {
            self.since = at;
        }
        self.firing_since = state.severity().and(self.firing_since.or(Some(at)));
    }
}
