//! The alert engine on the host's samples, and its state in people's words.
//!
//! Its clock is the wall clock of the start, counted on by the monotonic one: it never goes back, and what is saved has
//! the same meaning in the next run.

mod culprit;
mod keep;
mod kept;
mod listing;
mod samples;
mod subject;
mod telling;
mod words;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use quillwork_core::alert::notify::{Router, Settings};
use quillwork_core::alert::{
    Culprit, Engine, Fingerprint, Labels, ObserveError, Rule, Severity, State, Status, Transition,
    default_rules,
};
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::alert::{AlertDelivery, AlertEvent, AlertState, AlertStatus};
use quillwork_protocol::host::HostSnapshot;
use quillwork_protocol::page::PageSample;
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};

pub(super) use self::keep::NAME;
pub(crate) use self::kept::KeptAlerts;
use self::samples::of_page;
pub(crate) use self::samples::{PageFigures, memory_budget};
pub(crate) use self::words::with_unit;
use super::page::LastMinute;
use super::series::SeriesValue;
use crate::clock::Now;
use crate::printable::printable;
use crate::rules::RuleSet;

/// Rules on the host and each page.
#[derive(Debug)]
pub(crate) struct Alerts {
    engine: Engine,
    router: Router,
    /// From the monotonic clock to the engine's.
    offset: Duration,
    /// By how much the wall clock was set since the start, in milliseconds.
    set_by: i64,
    /// Of what fires: who is to blame, as of when it began or grew worse, or as soon after that as it could be told.
    culprits: BTreeMap<Fingerprint, String>,
    /// Of what fires and could be blamed on nobody yet: whom to look for.
    nameless: BTreeMap<Fingerprint, (Culprit, Arc<Labels>)>,
    /// What people call pages, those that are gone too, for letters.
    names: Arc<BTreeMap<String, String>>,
    /// What happened, the newest last.
    events: VecDeque<AlertEvent>,
    deliveries: VecDeque<AlertDelivery>,
    /// Whether there is something new to write.
    is_changed: bool,
    kept_at: Instant,
    /// Whether the log knows that nothing can be written.
    is_unwritable: bool,
    /// Whether the log knows that there are too many instances.
    is_full: bool,
}

/// The subject that is the machine.
pub(crate) const HOST: &str = "host";

/// Pairs of rule and label set: seventeen rules on as many pages as are kept, and the machine's devices.
const MOST_INSTANCES: usize = 6_000;

/// The label that names the page of a series.
const SOURCE: &str = "source";

impl Alerts {
    /// Nothing has been observed.
    pub(crate) fn new(now: Now) -> Self {
        let wall = Instant::from_millis(now.unix_millis);
        Self {
            engine: Engine::new(default_rules(), MOST_INSTANCES).expect("core's own rules are sound"),
            router: Router::new(wall, Settings::default()),
            offset: wall.duration_since(Instant::from_nanos(now.monotonic.as_nanos())),
            set_by: 0,
            culprits: BTreeMap::new(),
            nameless: BTreeMap::new(),
            names: Arc::default(),
            events: VecDeque::new(),
            deliveries: VecDeque::new(),
            is_changed: false,
            kept_at: now.monotonic,
            is_unwritable: false,
            is_full: false,
        }
    }

    /// Watches other rules and tells others. What is unchanged goes on where it stands.
    ///
    /// # Panics
    ///
    /// Never: a rule set is checked when it is read.
    pub(crate) fn set_rules(&mut self, now: Now, set: RuleSet) {
        let at = self.at(now.monotonic);
        self.engine.reload(at, set.rules).expect("a rule set is checked when it is read");
        self.router.reload(at, set.settings);
        self.is_full = false;
    }

    /// An instant of the monotonic clock on the engine's.
    fn at(&self, monotonic: Instant) -> Instant {
        monotonic + self.offset
    }

    /// The machine was measured, or a program sent these.
    pub(in crate::state) fn observe_values(&mut self, at: Instant, values: &[SeriesValue]) {
        for value in values {
            self.observe(at, value, u64::MAX);
        }
    }

    /// A page's sample came, and the values that were made of it.
    pub(in crate::state) fn observe_page(
        &mut self,
        at: Instant,
        id: &str,
        sample: &PageSample,
        last_minute: LastMinute,
        figures: PageFigures,
        values: &[SeriesValue],
    ) {
        for value in values {
            self.observe(at, value, last_minute.count_of(value.key.name()));
        }
        of_page(sample, figures, |name, label, value| {
            let labels = [label.unwrap_or((SOURCE, id)), (SOURCE, id)];
            let labels = if label.is_some() { &labels[..] } else { &labels[1..] };
            self.observe_one(at, name, labels, Some(value), u64::MAX);
        });
    }

    /// Which pages are there, at each tick: silence is a value too. A closed page says nothing.
    pub(crate) fn observe_links(&mut self, now: Now, pages: &[PageSnapshot]) {
        for page in pages {
            let up = match page.link {
                PageLink::Live => Some(1.0),
                PageLink::Lost => Some(0.0),
                PageLink::Closed => continue,
            };
            self.observe_one(now.monotonic, "page.up", &[(SOURCE, page.source.id.as_str())], up, u64::MAX);
        }
    }

    fn observe(&mut self, at: Instant, value: &SeriesValue, count: u64) {
        self.observe_one(at, value.key.name(), value.key.labels(), value.value, count);
    }

    fn observe_one<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        at: Instant,
        name: &str,
        labels: &[(K, V)],
        value: Option<f64>,
        count: u64,
    ) {
        let at = self.at(at);
        match self.engine.observe(at, name, labels, value, count) {
            Ok(()) => {}
            Err(error @ (ObserveError::TooManyInstances { .. } | ObserveError::TooManySeries { .. })) => {
                // It is so at every tick: once is enough for the log.
                if !std::mem::replace(&mut self.is_full, true) {
                    tracing::warn!("{name} is not watched: {error}");
                }
            }
            Err(error) => tracing::warn!("{name} is not watched: {error}"),
        }
    }

    /// A page is gone, or no longer shown.
    pub(crate) fn remove_page(&mut self, now: Now, id: &str) {
        self.remove(now, SOURCE, id);
    }

    /// Nobody watches what has this label any more.
    pub(in crate::state) fn remove(&mut self, now: Now, label: &str, value: &str) {
        let now = self.at(now.monotonic);
        self.engine.remove(now, label, value);
        self.is_full = false;
    }

    /// Notices what time alone changes.
    pub(crate) fn handle_deadline(&mut self, now: Now) {
        self.follow_wall_clock(now);
        let now = self.at(now.monotonic);
        self.engine.handle_deadline(now);
    }

    /// Looks whether somebody is to be told.
    pub(crate) fn handle_telling(&mut self, now: Now) {
        let now = self.at(now.monotonic);
        if self.router.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.router.handle_deadline(now);
        }
    }

    /// Tells the log and the router of what changed, and finds out who is to blame.
    pub(crate) fn handle_transitions(
        &mut self,
        now: Now,
        host: Option<&HostSnapshot>,
        pages: &[PageSnapshot],
        names: Arc<BTreeMap<String, String>>,
    ) {
        self.names = names;
        let at = self.at(now.monotonic);
        while let Some(transition) = self.engine.poll_output() {
            self.blame(&transition, host, pages);
            self.note(&transition);
            let rule = self.engine.rule_named(&transition.rule);
            log(&transition, rule);
            if rule.is_none_or(|rule| rule.notify) {
                self.router.handle_transition(at, &transition);
            }
        }
        self.name_culprits(host, pages);
        // Whoever was to blame for what is over is named in its last letter, and then no more.
        let router = &self.router;
        self.culprits.retain(|fingerprint, _| router.knows(*fingerprint));
    }

    /// Every rule on every label set, the most urgent first. `person_name` gives what a person calls a page.
    pub(crate) fn statuses(
        &self,
        now: Now,
        person_name: impl Fn(&str) -> Option<String>,
    ) -> Vec<AlertStatus> {
        let mut statuses: Vec<(Option<Severity>, AlertStatus)> = self
            .engine
            .statuses()
            .map(|status| (status.state.severity(), self.describe(now, &status, &person_name)))
            .collect();
        statuses.sort_by(|(a_severity, a), (b_severity, b)| {
            b_severity
                .cmp(a_severity)
                .then_with(|| urgency(b.state).cmp(&urgency(a.state)))
                .then_with(|| a.rule.cmp(&b.rule))
                .then_with(|| a.subject.cmp(&b.subject))
        });
        statuses.into_iter().map(|(_, status)| status).collect()
    }

    fn describe(
        &self,
        now: Now,
        status: &Status<'_>,
        person_name: &impl Fn(&str) -> Option<String>,
    ) -> AlertStatus {
        let rule = self.engine.rule(status.rule);
        let subject = subject::subject(rule, status.labels);
        let named = subject::name(rule, status.labels, person_name);
        let wall = |at: Instant| self.wall(at);
        let fires = status.state.severity().is_some();
        AlertStatus {
            rule: rule.name.to_string(),
            summary: words::summary(rule, &named, status.state, status.value),
            state: wire_state(status.state),
            value: if status.state.has_data() { status.value } else { None },
            unit: rule.unit.as_str().to_owned(),
            warning_threshold: rule.warning.map(|level| level.threshold),
            critical_threshold: rule.critical.map(|level| level.threshold),
            since_unix_millis: wall(status.since),
            fingerprint: status.fingerprint.to_string(),
            labels: status.labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            firing_since_unix_millis: status.firing_since.map(wall),
            culprit: self.culprits.get(&status.fingerprint).filter(|_| fires).cloned(),
            look_first: fires.then(|| rule.look_first.clone()),
            acknowledged_by: self
                .router
                .acknowledgement(status.fingerprint)
                .map(|acknowledgement| acknowledgement.author.clone()),
            muted_by: if fires { self.muted_by(now, status.fingerprint) } else { None },
            subject,
            subject_name: named,
        }
    }
}

fn log(transition: &Transition, rule: Option<&Rule>) {
    let (was, is) = (transition.from.severity(), transition.to.and_then(State::severity));
    if was == is {
        return;
    }
    let name = &transition.rule;
    let labels = printable(&transition.labels.to_string());
    let sentence = match (rule, transition.to) {
        (Some(rule), Some(to)) => {
            words::summary(rule, &subject::name(rule, &transition.labels, |_| None), to, transition.value)
        }
        _ => "nobody watches it any more.".to_owned(),
    };
    match (is, transition.to) {
        (Some(severity), _) => tracing::warn!("alert {name}{labels} is {severity}: {sentence}"),
        (None, Some(_)) => tracing::info!("alert {name}{labels} is resolved: {sentence}"),
        (None, None) => tracing::info!("alert {name}{labels} ended without being resolved: {sentence}"),
    }
}

fn wire_state(state: State) -> AlertState {
    match state {
        State::Ok => AlertState::Ok,
        State::Pending => AlertState::Pending,
        State::Warning => AlertState::Warning,
        State::Critical => AlertState::Critical,
        State::NoData { .. } => AlertState::NoData,
    }
}

fn urgency(state: AlertState) -> u8 {
    match state {
        AlertState::Critical => 4,
        AlertState::Warning => 3,
        AlertState::Pending => 2,
        AlertState::NoData => 1,
        AlertState::Ok => 0,
    }
}
