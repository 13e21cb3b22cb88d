//! What an operator decides about notifications.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::super::labels::Matcher;
use super::maintenance::Maintenance;
use crate::time::Duration;

/// What an operator decides about notifications.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Who is told of what. Every route that matches takes an alert.
    pub routes: Vec<Route>,
    /// Alerts that mute others.
    pub inhibitions: Vec<Inhibition>,
    /// Times of the week when nobody is told.
    pub maintenance: Vec<Maintenance>,
    /// When an alert that comes and goes is held back.
    pub flapping: Flapping,
    /// How many notifications there may be at all.
    pub rate: Rate,
    /// Of one rule at most so many alerts stand in a notification; the rest is counted.
    pub alerts_per_rule: usize,
    /// Signs of life.
    pub heartbeats: Vec<Heartbeat>,
}

/// Who is told of what.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The receiver's name.
    pub receiver: Arc<str>,
    /// All must match the alert's labels, of which `alertname` and `severity` are two.
    pub matchers: Vec<Matcher>,
    /// Alerts with the same values of these labels are told together.
    pub group_by: Vec<String>,
    /// How long the first alert of a group waits for others.
    pub group_wait: Duration,
    /// How long changes of a group wait after it was told.
    pub group_interval: Duration,
    /// How long until what goes on unchanged is told again.
    pub repeat_interval: Duration,
    /// Takes only what has been firing for as long, unacknowledged: an escalation. Zero takes all.
    pub after: Duration,
    /// Whether it is told when alerts end.
    pub tells_ends: bool,
}

/// Alerts that mute others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inhibition {
    /// What mutes, where it fires.
    pub source: Vec<Matcher>,
    /// What is muted.
    pub target: Vec<Matcher>,
    /// Both must have the same values of these labels.
    pub equal: Vec<String>,
}

/// When an alert that comes and goes is held back: after so many beginnings in a time, until it has been steady for
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// Beginnings from which on it flaps; 0 holds nothing back.
    pub begins: usize,
    /// In which time.
    pub within: Duration,
    /// How long it must be steady.
    pub hold: Duration,
}

/// How many notifications there may be; what is above that waits and is told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So many at once.
    pub burst: u32,
    /// One more after each.
    pub every: Duration,
}

/// A sign of life for a receiver that raises an alarm when it stays out (dead man's switch).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Who hears it.
    pub receiver: Arc<str>,
    /// How often.
    pub interval: Duration,
}

impl Default for Settings {
    /// No routes: nobody is told.
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            inhibitions: default_inhibitions(),
            maintenance: Vec::new(),
            flapping: Flapping {
                begins: 4,
                within: Duration::from_secs(600),
                hold: Duration::from_secs(600),
            },
            rate: Rate { burst: 20, every: Duration::from_secs(10) },
            alerts_per_rule: 10,
            heartbeats: Vec::new(),
        }
    }
}

/// A source that was lost mutes its other alerts, and the page's maximum of memory its lesser levels.
#[must_use]
pub fn default_inhibitions() -> Vec<Inhibition> {
    let inhibition = |source: &str, target: &str, equal: &[&str]| Inhibition {
        source: vec![Matcher::is(ALERT_NAME, source)],
        target: vec![Matcher::like(ALERT_NAME, target)],
        equal: equal.iter().map(|label| (*label).into()).collect(),
    };
    vec![
        inhibition("host-lost", "host-*", &[]),
        inhibition("page-lost", "page-*", &["source"]),
        inhibition("page-memory-maximum", "page-memory", &["source"]),
    ]
}

/// The label that matchers see an alert's rule by.
pub(super) const ALERT_NAME: &str = "alertname";
/// The label that matchers see an alert's severity by.
pub(super) const SEVERITY: &str = "severity";

impl Route {
    /// All alerts, grouped by rule: after 30 s, each 5 min, again each 4 h (the Alertmanager's defaults).
    #[must_use]
    pub fn new(receiver: &str) -> Self {
        Self {
            receiver: receiver.into(),
            matchers: Vec::new(),
            group_by: vec![ALERT_NAME.into()],
            group_wait: Duration::from_secs(30),
            group_interval: Duration::from_secs(300),
            repeat_interval: Duration::from_secs(4 * 3_600),
            after: Duration::ZERO,
            tells_ends: true,
        }
    }
}

impl Settings {
    /// Says what can't be.
    ///
    /// # Errors
    ///
    /// Where an interval is zero or a maintenance window has no time in it.
    pub fn check(&self) -> Result<(), SettingsError> {
        for route in &self.routes {
            if route.group_interval.is_zero() || route.repeat_interval.is_zero() {
                return Err(SettingsError::ZeroInterval { receiver: Arc::clone(&route.receiver) });
            }
        }
        if let Some(heartbeat) = self.heartbeats.iter().find(|heartbeat| heartbeat.interval.is_zero()) {
            return Err(SettingsError::ZeroInterval { receiver: Arc::clone(&heartbeat.receiver) });
        }
        match self.maintenance.iter().find(|window| !window.is_sound()) {
            Some(window) => Err(SettingsError::Maintenance { name: window.name.clone() }),
            None => Ok(()),
        }
    }
}

/// Settings that can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// An interval of no time.
    ZeroInterval {
        /// Whose.
        receiver: Arc<str>,
    },
    /// A maintenance window without days, or out of the day.
    Maintenance {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroInterval { receiver } => {
                write!(f, "the intervals of \"{receiver}\" must be longer than zero")
            }
            Self::Maintenance { name } => write!(
                f,
                "maintenance \"{name}\" needs a weekday, times from 00:00 to 24:00 that differ, and an offset of less than a day"
            ),
        }
    }
}

impl core::error::Error for SettingsError {}
