//! An alert as the router knows it.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use super::super::instance::Severity;
use super::super::labels::Labels;
use super::notification::NotifiedStatus;
use super::settings::{ALERT_NAME, Flapping, SEVERITY};
use crate::time::Instant;

/// An alert that fires, or did until a short while ago.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tracked {
    pub(super) rule: Arc<str>,
    pub(super) labels: Arc<Labels>,
    /// The labels, the rule's name and the severity: what matchers see.
    pub(super) seen: Labels,
    pub(super) status: NotifiedStatus,
    pub(super) started_at: Instant,
    pub(super) ended_at: Option<Instant>,
    pub(super) value: Option<f64>,
    pub(super) acknowledged: Option<Acknowledgement>,
    /// The last beginnings.
    pub(super) begins: VecDeque<Instant>,
    pub(super) flaps_until: Option<Instant>,
}

/// Somebody takes care of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who.
    pub author: String,
    /// What they say.
    pub comment: String,
    /// When.
    pub at: Instant,
}

impl Tracked {
    pub(super) fn new(rule: Arc<str>, labels: Arc<Labels>, severity: Severity, at: Instant) -> Self {
        let mut tracked = Self {
            seen: (*labels).clone(),
            rule,
            labels,
            status: NotifiedStatus::Ended,
            started_at: at,
            ended_at: Some(at),
            value: None,
            acknowledged: None,
            begins: VecDeque::new(),
            flaps_until: None,
        };
        tracked.seen.set(ALERT_NAME.to_string(), tracked.rule.to_string());
        tracked.see(severity);
        tracked
    }

    pub(super) fn see(&mut self, severity: Severity) {
        self.seen.set(SEVERITY.to_string(), severity.as_str().to_string());
    }

    pub(super) const fn severity(&self) -> Option<Severity> {
        match self.status {
            NotifiedStatus::Firing(severity) => Some(severity),
            NotifiedStatus::Resolved | NotifiedStatus::Ended => None,
        }
    }

    /// It begins, or goes on with another severity.
    pub(super) fn fires(&mut self, now: Instant, severity: Severity, since: Instant, flapping: Flapping) {
        match self.severity() {
            None => {
                (self.started_at, self.ended_at, self.acknowledged) = (since, None, None);
                self.begin(now, flapping);
            }
            // Whoever took care of a warning hasn't of what is critical.
            Some(before) if severity > before => self.acknowledged = None,
            Some(_) => {}
        }
        self.status = NotifiedStatus::Firing(severity);
        self.see(severity);
    }

    fn begin(&mut self, now: Instant, flapping: Flapping) {
        if flapping.begins == 0 {
            return;
        }
        self.begins.push_back(now);
        while self.begins.len() > flapping.begins {
            self.begins.pop_front();
        }
        let first = self.begins.front().copied().unwrap_or(now);
        if self.begins.len() == flapping.begins && now - first <= flapping.within {
            self.flaps_until = Some(now + flapping.hold);
        }
    }

    pub(super) fn ends(&mut self, now: Instant, status: NotifiedStatus, flapping: Flapping) {
        (self.status, self.ended_at, self.acknowledged) = (status, Some(now), None);
        if self.flaps_until.is_some() {
            self.flaps_until = Some(now + flapping.hold);
        }
    }

    pub(super) fn is_flapping(&self, now: Instant) -> bool {
        self.flaps_until.is_some_and(|until| now < until)
    }
}
