//! From transitions to notifications.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::super::engine::earlier;
use super::super::instance::{Severity, State};
use super::super::labels::{Fingerprint, Labels};
use super::super::outcome::Transition;
use super::group::{Group, GroupKey, InFlight, Told};
use super::notification::{AlertKey, Message, Notification, NotificationId, NotifiedAlert, NotifiedStatus};
use super::settings::{Inhibition, Route, Settings};
use super::silence::{MOST, REMEMBERED, Silence, SilenceError, SilenceId, SilenceRequest};
use super::tracked::{Acknowledgement, Tracked};
use crate::time::Instant;

/// Decides who is told. See the [module](super).
#[derive(Clone, Debug)]
pub struct Router {
    pub(super) settings: Settings,
    pub(super) alerts: BTreeMap<Fingerprint, Tracked>,
    pub(super) groups: BTreeMap<GroupKey, Group>,
    pub(super) silences: Vec<Silence>,
    /// When each heartbeat is due, in the settings' order.
    heartbeats: Vec<Instant>,
    pub(super) next_id: u64,
    pub(super) latest: Instant,
    tokens: u32,
    /// When the bucket was filled last.
    filled_at: Instant,
    outputs: VecDeque<Notification>,
}

/// Why nobody is told of an alert now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Muted {
    /// By a silence.
    Silenced(SilenceId),
    /// By a maintenance window of this name.
    Maintenance(String),
    /// By another alert that fires.
    Inhibited(Fingerprint),
    /// It comes and goes.
    Flapping,
}

impl Router {
    /// Nothing fires, nothing was told.
    #[must_use]
    pub fn new(now: Instant, settings: Settings) -> Self {
        Self {
            heartbeats: settings.heartbeats.iter().map(|_| now).collect(),
            tokens: settings.rate.burst,
            filled_at: now,
            settings,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            silences: Vec::new(),
            next_id: 1,
            latest: now,
            outputs: VecDeque::new(),
        }
    }

    /// Goes on with other settings. Groups whose receiver, labels and escalation are still wanted remember what they told.
    pub fn reload(&mut self, now: Instant, settings: Settings) {
        let now = self.at(now);
        let before = core::mem::replace(&mut self.settings, settings);
        let kept = |heartbeat: &_| before.heartbeats.iter().position(|other| other == heartbeat);
        let due =
            |heartbeat: &_| kept(heartbeat).and_then(|at| self.heartbeats.get(at).copied()).unwrap_or(now);
        self.heartbeats = self.settings.heartbeats.iter().map(due).collect();
        self.tokens = self.tokens.min(self.settings.rate.burst);
        let mut told = core::mem::take(&mut self.groups);
        self.join_all(now);
        for (key, group) in &mut self.groups {
            let Some(old) = told.remove(key) else { continue };
            for (fingerprint, sent) in old.members {
                if sent.is_some() {
                    group.members.insert(fingerprint, sent);
                }
            }
            (group.due, group.in_flight) = (earlier(old.due, group.due), old.in_flight);
        }
    }

    /// An alert changed. What a rule tells nobody of, and what only changed its data, is of no account.
    pub fn handle_transition(&mut self, now: Instant, transition: &Transition) {
        let now = self.at(now);
        let flapping = self.settings.flapping;
        let severity = transition.to.and_then(State::severity);
        let Some(severity) = severity else {
            let Some(tracked) = self.alerts.get_mut(&transition.fingerprint) else { return };
            if tracked.severity().is_some() {
                let is_known = transition.to.is_some_and(State::has_data);
                let status = if is_known { NotifiedStatus::Resolved } else { NotifiedStatus::Ended };
                tracked.value = transition.value;
                tracked.ends(transition.at.min(now), status, flapping);
                self.touch(now, transition.fingerprint);
            }
            return;
        };
        let since = transition.firing_since.unwrap_or(transition.at);
        let tracked = self.alerts.entry(transition.fingerprint).or_insert_with(|| {
            Tracked::new(Arc::clone(&transition.rule), Arc::clone(&transition.labels), severity, since)
        });
        let before = tracked.severity();
        tracked.value = transition.value;
        tracked.fires(now, severity, since, flapping);
        if before != Some(severity) {
            self.join(now, transition.fingerprint);
        }
    }

    fn join_all(&mut self, now: Instant) {
        let fingerprints: Vec<Fingerprint> = self.alerts.keys().copied().collect();
        fingerprints.into_iter().for_each(|fingerprint| self.join(now, fingerprint));
    }

    /// Enters an alert that fires into the groups of its routes.
    fn join(&mut self, now: Instant, fingerprint: Fingerprint) {
        let Some(tracked) = self.alerts.get(&fingerprint).filter(|tracked| tracked.severity().is_some())
        else {
            return;
        };
        for route in &self.settings.routes {
            if !route.matchers.iter().all(|matcher| matcher.matches(&tracked.seen)) {
                continue;
            }
            let labels = tracked.seen.restricted_to(&route.group_by);
            let key = GroupKey { receiver: Arc::clone(&route.receiver), after: route.after, labels };
            let group = self.groups.entry(key).or_default();
            let first = now.max(tracked.started_at + route.after) + route.group_wait;
            let is_new = group.members.is_empty();
            group.members.entry(fingerprint).or_insert(None);
            group.due = if is_new { Some(first) } else { earlier(group.due, Some(first.max(now))) };
        }
        self.touch(now, fingerprint);
    }

    /// Something about an alert changed: its groups look at it when they may next.
    fn touch(&mut self, now: Instant, fingerprint: Fingerprint) {
        for group in self.groups.values_mut().filter(|group| group.members.contains_key(&fingerprint)) {
            group.due = group.due.or(Some(now));
        }
    }

    /// When there may be something to tell.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let idle = |group: &&Group| group.in_flight.is_none();
        let groups = self.groups.values().filter(idle).filter_map(|group| group.due);
        groups.chain(self.heartbeats.iter().copied()).min()
    }

    /// Tells what is due.
    pub fn handle_deadline(&mut self, now: Instant) {
        let now = self.at(now);
        self.refill(now);
        for at in 0..self.heartbeats.len() {
            if self.heartbeats[at] <= now {
                let heartbeat = &self.settings.heartbeats[at];
                let receiver = Arc::clone(&heartbeat.receiver);
                self.heartbeats[at] = now + heartbeat.interval;
                let firing = self.alerts.values().filter(|alert| alert.severity().is_some()).count();
                self.push(now, receiver, Message::Heartbeat { firing });
            }
        }
        let due = |group: &Group| group.in_flight.is_none() && group.due.is_some_and(|due| due <= now);
        let keys: Vec<GroupKey> =
            self.groups.iter().filter(|(_, group)| due(group)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.flush(now, &key);
        }
        self.prune(now);
    }

    fn flush(&mut self, now: Instant, key: &GroupKey) {
        let is_its = |route: &&Route| route.receiver == key.receiver && route.after == key.after;
        let Some(route) = self.settings.routes.iter().find(is_its).cloned() else {
            self.groups.remove(key);
            return;
        };
        let Some(group) = self.groups.get(key) else { return };
        let mut listed = Vec::new();
        let (mut gone, mut is_news, mut is_repeated) = (Vec::new(), false, false);
        for (&fingerprint, told) in &group.members {
            let Some(tracked) = self.alerts.get(&fingerprint) else {
                gone.push(fingerprint);
                continue;
            };
            let same =
                told.filter(|told| told.status == tracked.status && told.started_at == tracked.started_at);
            let is_old = |told: Told| now - told.at >= route.repeat_interval;
            let is_held = tracked.acknowledged.is_some();
            if tracked.severity().is_some() {
                let is_due = now >= tracked.started_at + route.after && (!is_held || route.after.is_zero());
                if !is_due || self.muted(now, fingerprint).is_some() {
                    continue;
                }
                is_news |= same.is_none();
                is_repeated |= same.is_some_and(is_old) && !is_held;
            } else {
                let was_told = told.is_some_and(|told| matches!(told.status, NotifiedStatus::Firing(_)));
                if tracked.is_flapping(now) {
                    continue;
                }
                if !was_told || !route.tells_ends {
                    gone.push(fingerprint);
                    continue;
                }
                is_news = true;
            }
            listed.push((fingerprint, tracked));
        }
        let tells = (is_news || is_repeated) && !listed.is_empty();
        let alerts = if tells { list(&listed, self.settings.alerts_per_rule) } else { Vec::new() };
        let omitted = if tells { listed.len() - alerts.len() } else { 0 };
        let told: Vec<(Fingerprint, Told)> = listed
            .iter()
            .map(|(fingerprint, tracked)| {
                let told = Told { status: tracked.status, started_at: tracked.started_at, at: now };
                (*fingerprint, told)
            })
            .collect();
        let has_token = self.tokens > 0;
        let next_token = self.filled_at + self.settings.rate.every;
        let Some(group) = self.groups.get_mut(key) else { return };
        group.members.retain(|fingerprint, _| !gone.contains(fingerprint));
        if group.members.is_empty() {
            self.groups.remove(key);
            return;
        }
        group.due = Some(now + route.group_interval);
        if !tells {
            return;
        }
        if !has_token {
            // What waits is told together when there is room.
            group.due = Some(next_token.max(now));
            return;
        }
        self.tokens -= 1;
        group.in_flight = Some(InFlight { id: NotificationId(self.next_id), told });
        let (receiver, labels) = (Arc::clone(&key.receiver), key.labels.clone());
        self.push(now, receiver, Message::Alerts { group: labels, alerts, omitted, is_repeat: !is_news });
    }

    fn push(&mut self, at: Instant, receiver: Arc<str>, message: Message) {
        let key = match &message {
            Message::Alerts { alerts, .. } => AlertKey::of_all(alerts.iter().map(|alert| alert.key)),
            Message::Heartbeat { .. } => AlertKey::of_all(core::iter::empty()),
        };
        let id = NotificationId(self.next_id);
        self.next_id += 1;
        self.outputs.push_back(Notification { id, receiver, at, key, message });
    }

    fn refill(&mut self, now: Instant) {
        let rate = self.settings.rate;
        if rate.every.is_zero() {
            self.tokens = rate.burst.max(1);
            return;
        }
        let due = (now - self.filled_at).div_duration(rate.every);
        let missing = rate.burst.max(1).saturating_sub(self.tokens);
        self.tokens += u32::try_from(due).unwrap_or(u32::MAX).min(missing);
        self.filled_at = if u64::from(missing) <= due { now } else { self.filled_at + rate.every * due };
    }

    /// The next notification. The shell tells the receiver and reports.
    pub fn poll_output(&mut self) -> Option<Notification> {
        self.outputs.pop_front()
    }

    /// A notification has arrived.
    pub fn handle_delivered(&mut self, now: Instant, id: NotificationId) {
        self.at(now);
        let alerts = &self.alerts;
        let fires = |fingerprint| alerts.get(&fingerprint).is_some_and(|alert| alert.severity().is_some());
        let _known = self.groups.values_mut().any(|group| group.delivered(id, fires));
    }

    /// A notification can't be delivered, tried again as often as the shell sees fit: its group tries anew after its interval.
    pub fn handle_failed(&mut self, now: Instant, id: NotificationId) {
        self.at(now);
        for group in self.groups.values_mut() {
            group.in_flight.take_if(|in_flight| in_flight.id == id);
        }
    }

    /// Why nobody is told of an alert now; `None` where somebody is.
    #[must_use]
    pub fn muted(&self, now: Instant, fingerprint: Fingerprint) -> Option<Muted> {
        let tracked = self.alerts.get(&fingerprint)?;
        if let Some(silence) = self.silences.iter().find(|silence| silence.mutes(now, &tracked.seen)) {
            return Some(Muted::Silenced(silence.id));
        }
        let applies = |matchers: &[super::super::labels::Matcher], labels: &Labels| {
            matchers.iter().all(|matcher| matcher.matches(labels))
        };
        let mut windows = self.settings.maintenance.iter();
        if let Some(window) =
            windows.find(|window| applies(&window.matchers, &tracked.seen) && window.covers(now))
        {
            return Some(Muted::Maintenance(window.name.clone()));
        }
        let inhibits = |rule: &Inhibition, other: &Tracked| {
            other.severity().is_some()
                && applies(&rule.source, &other.seen)
                && other.seen.agree_on(&rule.equal, &tracked.seen)
        };
        for rule in self.settings.inhibitions.iter().filter(|rule| applies(&rule.target, &tracked.seen)) {
            let mut others = self.alerts.iter().filter(|(other, _)| **other != fingerprint);
            if let Some((other, _)) = others.find(|(_, other)| inhibits(rule, other)) {
                return Some(Muted::Inhibited(*other));
            }
        }
        tracked.is_flapping(now).then_some(Muted::Flapping)
    }

    /// Somebody takes care of an alert that fires: it isn't repeated and not escalated until it ends or grows worse.
    ///
    /// # Errors
    ///
    /// Where it doesn't fire, nobody says who it is, or the comment is too long.
    pub fn acknowledge(
        &mut self,
        now: Instant,
        fingerprint: Fingerprint,
        author: &str,
        comment: &str,
    ) -> Result<(), AcknowledgeError> {
        let at = self.at(now);
        if author.trim().is_empty() || author.len() + comment.len() > 1_000 {
            return Err(AcknowledgeError::Unsigned);
        }
        let tracked = self.alerts.get_mut(&fingerprint).filter(|alert| alert.severity().is_some());
        let tracked = tracked.ok_or(AcknowledgeError::NotFiring)?;
        tracked.acknowledged = Some(Acknowledgement { author: author.into(), comment: comment.into(), at });
        Ok(())
    }

    /// Takes an acknowledgement back. Whether there was one.
    pub fn unacknowledge(&mut self, fingerprint: Fingerprint) -> bool {
        self.alerts.get_mut(&fingerprint).is_some_and(|alert| alert.acknowledged.take().is_some())
    }

    /// Whether an alert fires, or ended so lately that somebody may still have to hear of it.
    #[must_use]
    pub fn knows(&self, fingerprint: Fingerprint) -> bool {
        self.alerts.contains_key(&fingerprint)
    }

    /// Who takes care of an alert.
    #[must_use]
    pub fn acknowledgement(&self, fingerprint: Fingerprint) -> Option<&Acknowledgement> {
        self.alerts.get(&fingerprint)?.acknowledged.as_ref()
    }

    /// Silences what matches.
    ///
    /// # Errors
    ///
    /// Where it would mute everything, is over, nobody signs it, or there are too many.
    pub fn silence(&mut self, now: Instant, mut request: SilenceRequest) -> Result<SilenceId, SilenceError> {
        let now = self.at(now);
        request.check(now)?;
        if self.silences.len() >= MOST {
            return Err(SilenceError::TooMany);
        }
        request.starts_at = request.starts_at.max(now);
        let id = SilenceId(self.next_id);
        self.next_id += 1;
        self.silences.push(Silence { id, request });
        Ok(id)
    }

    /// Ends a silence now. Whether there was one that hadn't ended.
    pub fn expire_silence(&mut self, now: Instant, id: SilenceId) -> bool {
        let now = self.at(now);
        let mut silences = self.silences.iter_mut();
        let Some(silence) = silences.find(|silence| silence.id == id && silence.request.ends_at > now) else {
            return false;
        };
        silence.request.ends_at = now;
        for group in self.groups.values_mut() {
            group.due = earlier(group.due, Some(now));
        }
        true
    }

    /// All silences, those that ended in the last day too.
    #[must_use]
    pub fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    fn prune(&mut self, now: Instant) {
        self.silences.retain(|silence| now - silence.request.ends_at < REMEMBERED);
        let (groups, within) = (&self.groups, self.settings.flapping.within);
        self.alerts.retain(|fingerprint, alert| {
            alert.ended_at.is_none_or(|ended| now - ended < within)
                || alert.is_flapping(now)
                || groups.values().any(|group| group.members.contains_key(fingerprint))
        });
    }

    fn at(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}

/// The worst first, and of each rule only so many.
fn list(listed: &[(Fingerprint, &Tracked)], per_rule: usize) -> Vec<NotifiedAlert> {
    let rank = |tracked: &Tracked| match tracked.severity() {
        Some(Severity::Critical) => 0,
        Some(Severity::Warning) => 1,
        None => 2,
    };
    let mut sorted: Vec<&(Fingerprint, &Tracked)> = listed.iter().collect();
    sorted.sort_by_key(|(fingerprint, tracked)| (rank(tracked), tracked.started_at, *fingerprint));
    let mut counts = BTreeMap::<&str, usize>::new();
    sorted.retain(|(_, tracked)| {
        let count = counts.entry(&tracked.rule).or_default();
        *count += 1;
        *count <= per_rule.max(1)
    });
    sorted
        .into_iter()
        .map(|(fingerprint, tracked)| NotifiedAlert {
            fingerprint: *fingerprint,
            rule: Arc::clone(&tracked.rule),
            labels: Arc::clone(&tracked.labels),
            status: tracked.status,
            started_at: tracked.started_at,
            ended_at: tracked.ended_at,
            value: tracked.value,
            key: AlertKey::of_alert(*fingerprint, tracked.started_at, tracked.status),
        })
        .collect()
}

/// An acknowledgement that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcknowledgeError {
    /// There is no such alert, or it doesn't fire.
    NotFiring,
    /// Nobody says who it is, or the texts are too long.
    Unsigned,
}

impl fmt::Display for AcknowledgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFiring => "no alert of this fingerprint fires: /api/v1/alerts lists those that do",
            Self::Unsigned => "say who acknowledges, in at most 1,000 bytes with the comment",
        })
    }
}

impl core::error::Error for AcknowledgeError {}
