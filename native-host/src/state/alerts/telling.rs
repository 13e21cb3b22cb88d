//! What is told, to whom, and what became of it.

use quillwork_core::alert::notify::{
    AcknowledgeError, Message, Muted, Notification, NotifiedAlert, NotifiedStatus, Silence, SilenceError,
    SilenceId, SilenceRequest,
};
use quillwork_core::alert::{Culprit, Fingerprint, Labels, Rule, State, Transition};
use quillwork_core::time::Instant;
use quillwork_protocol::alert::{AlertDelivery, AlertEvent};
use quillwork_protocol::host::HostSnapshot;
use quillwork_protocol::snapshot::PageSnapshot;

use super::{Alerts, culprit, subject, words};
use crate::clock::Now;
use crate::notify::{Delivery, Letter, LetterAlert, LetterKind};
use crate::printable::printable;
use crate::state::alerts::wire_state;

/// Events and deliveries that are remembered.
pub(super) const REMEMBERED: usize = 1_000;

/// By less than this the wall clock is not set.
const LEAST_SETTING_MILLIS: u64 = 500;

impl Alerts {
    /// The next letter to deliver. `host` is what this machine calls itself, `epoch` that in which it tells.
    pub(crate) fn poll_letter(&mut self, host: &str, epoch: u64) -> Option<Letter> {
        let notification = self.router.poll_output()?;
        Some(self.letter((host, epoch), notification))
    }

    fn letter(&self, (host, epoch): (&str, u64), notification: Notification) -> Letter {
        let kind = match notification.message {
            Message::Heartbeat { firing } => LetterKind::Heartbeat { firing },
            Message::Alerts { group, alerts, omitted, is_repeat } => LetterKind::Alerts {
                group: group.iter().map(|(key, value)| (printable(key), printable(value))).collect(),
                alerts: alerts.iter().map(|alert| self.letter_alert(alert)).collect(),
                omitted,
                is_repeat,
            },
        };
        let at_unix_millis = self.wall(notification.at);
        // Each sign of life is another one: who drops what was seen must not drop the next.
        let key = match kind {
            LetterKind::Heartbeat { .. } => at_unix_millis,
            LetterKind::Alerts { .. } => notification.key.as_u64(),
        };
        Letter {
            id: notification.id,
            receiver: notification.receiver.to_string(),
            at_unix_millis,
            key: format!("{key:016x}"),
            host: printable(host),
            epoch,
            kind,
        }
    }

    fn letter_alert(&self, alert: &NotifiedAlert) -> LetterAlert {
        let rule = self.engine.rule_named(&alert.rule);
        let state = match alert.status {
            NotifiedStatus::Firing(severity) => State::NoData { firing: Some(severity) },
            NotifiedStatus::Resolved | NotifiedStatus::Ended => State::Ok,
        };
        // Where it stands now says more than where it stood: it may have no data.
        let statuses = || self.engine.statuses().find(|status| status.fingerprint == alert.fingerprint);
        let (state, value) =
            statuses().map_or((state, alert.value), |status| (status.state, status.value.or(alert.value)));
        let summary = rule.map_or_else(
            || format!("{} is watched no more.", alert.rule),
            |rule| words::summary(rule, &self.subject_name(rule, &alert.labels), state, value),
        );
        LetterAlert {
            status: alert.status,
            rule: alert.rule.to_string(),
            labels: alert.labels.iter().map(|(key, value)| (printable(key), printable(value))).collect(),
            summary,
            culprit: self.culprits.get(&alert.fingerprint).cloned(),
            look_first: rule.map(|rule| rule.look_first.clone()).unwrap_or_default(),
            started_unix_millis: self.wall(alert.started_at),
            ended_unix_millis: alert.ended_at.map(|at| self.wall(at)),
            fingerprint: alert.fingerprint.to_string(),
            key: format!("{:016x}", alert.key.as_u64()),
        }
    }

    fn subject_name(&self, rule: &Rule, labels: &Labels) -> String {
        subject::name(rule, labels, |source| self.names.get(source).cloned())
    }

    /// What became of a letter.
    pub(crate) fn handle_delivery(&mut self, now: Now, delivery: Delivery) {
        let at = self.at(now.monotonic);
        match delivery.failure {
            None => self.router.handle_delivered(at, delivery.id),
            Some(_) => self.router.handle_failed(at, delivery.id),
        }
        self.is_changed = true;
        if self.deliveries.len() == REMEMBERED {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(AlertDelivery {
            at_unix_millis: now.unix_millis,
            receiver: delivery.receiver,
            attempts: delivery.attempts,
            failure: delivery.failure.map(|failure| printable(&failure)),
        });
    }

    /// Remembers that an alert began, grew worse or better, or ended.
    pub(super) fn note(&mut self, transition: &Transition) {
        if transition.from.severity() == transition.to.and_then(State::severity) {
            return;
        }
        self.is_changed = true;
        if self.events.len() == REMEMBERED {
            self.events.pop_front();
        }
        let rule = self.engine.rule_named(&transition.rule);
        let at_unix_millis = self.wall(transition.at);
        self.events.push_back(AlertEvent {
            at_unix_millis,
            rule: transition.rule.to_string(),
            subject: rule.map_or_else(String::new, |rule| subject::subject(rule, &transition.labels)),
            labels: transition.labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            fingerprint: transition.fingerprint.to_string(),
            from: wire_state(transition.from),
            to: transition.to.map(wire_state),
            severity: transition.to.and_then(State::severity).map(|severity| severity.as_str().to_owned()),
            value: transition.value,
            culprit: self.culprits.get(&transition.fingerprint).cloned(),
            fired_for_millis: transition
                .firing_since
                .filter(|_| transition.to.and_then(State::severity).is_none())
                .map(|since| transition.at.duration_since(since).as_millis()),
        });
    }

    /// Why nobody is told of an alert, in a word.
    pub(super) fn muted_by(&self, now: Now, fingerprint: Fingerprint) -> Option<String> {
        Some(match self.router.muted(self.at(now.monotonic), fingerprint)? {
            Muted::Silenced(id) => format!("silence {}", id.get()),
            Muted::Maintenance(name) => format!("maintenance {name}"),
            Muted::Inhibited(other) => format!("alert {other}"),
            Muted::Flapping => "flapping".to_owned(),
        })
    }

    pub(crate) fn acknowledge(
        &mut self,
        now: Now,
        fingerprint: Fingerprint,
        author: &str,
        comment: &str,
    ) -> Result<(), AcknowledgeError> {
        let at = self.at(now.monotonic);
        self.is_changed = true;
        self.router.acknowledge(at, fingerprint, author, comment)
    }

    pub(crate) fn unacknowledge(&mut self, fingerprint: Fingerprint) -> bool {
        self.is_changed = true;
        self.router.unacknowledge(fingerprint)
    }

    /// Silences what matches; the request's instants are the wall clock's.
    pub(crate) fn silence(&mut self, now: Now, request: SilenceRequest) -> Result<SilenceId, SilenceError> {
        let at = self.at(now.monotonic);
        self.is_changed = true;
        self.router.silence(at, request)
    }

    pub(crate) fn expire_silence(&mut self, now: Now, id: SilenceId) -> bool {
        let at = self.at(now.monotonic);
        self.is_changed = true;
        self.router.expire_silence(at, id)
    }

    pub(crate) fn silences(&self) -> &[Silence] {
        self.router.silences()
    }

    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = &AlertEvent> {
        self.events.iter()
    }

    pub(crate) fn deliveries(&self) -> impl DoubleEndedIterator<Item = &AlertDelivery> {
        self.deliveries.iter()
    }

    /// Notices that the wall clock was set. It and the monotonic one run at one pace and are read one after the other, in whole milliseconds:
    /// a difference that small is no setting, and what is listed twice is to have the same times.
    pub(super) fn follow_wall_clock(&mut self, now: Now) {
        let set_by = signed(now.unix_millis).saturating_sub(signed(self.at(now.monotonic).as_millis()));
        if set_by.abs_diff(self.set_by) >= LEAST_SETTING_MILLIS {
            self.set_by = set_by;
        }
    }

    /// An instant of the engine's clock on the wall clock.
    pub(crate) fn wall(&self, at: Instant) -> u64 {
        at.as_millis().saturating_add_signed(self.set_by)
    }

    /// An instant of the wall clock on the engine's.
    pub(crate) fn instant(&self, unix_millis: u64) -> Instant {
        Instant::from_millis(unix_millis.saturating_add_signed(-self.set_by))
    }

    pub(super) fn blame(
        &mut self,
        transition: &Transition,
        host: Option<&HostSnapshot>,
        pages: &[PageSnapshot],
    ) {
        let fingerprint = transition.fingerprint;
        match transition.to.and_then(State::severity) {
            None => drop(self.nameless.remove(&fingerprint)),
            Some(severity) if transition.from.severity() < Some(severity) => {
                let Some(rule) = self.engine.rule_named(&transition.rule) else { return };
                self.nameless.insert(fingerprint, (rule.culprit, transition.labels.clone()));
                self.name_culprits(host, pages);
            }
            Some(_) => {}
        }
    }

    /// Names those who could not be named when it began: processes may not have been read by then.
    pub(super) fn name_culprits(&mut self, host: Option<&HostSnapshot>, pages: &[PageSnapshot]) {
        self.nameless.retain(|fingerprint, (kind, labels)| {
            let Some(named) = culprit::name(*kind, labels, host, pages) else {
                return *kind != Culprit::Labels;
            };
            self.culprits.insert(*fingerprint, named);
            self.is_changed = true;
            false
        });
    }
}

fn signed(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}
