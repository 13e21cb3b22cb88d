//! What the host knows, and what follows from what happens. It reads no clock and waits for nothing.

mod alerts;
mod annotations;
mod answers;
mod custom;
mod dedup;
mod exports;
mod history;
mod medium;
mod names;
mod page;
mod pages;
mod programs;
mod recent;
mod replication;
mod series;
mod skew;
mod taking;
mod tick;
pub mod validate;
mod validate_signals;

use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::VERSION;
use quillwork_protocol::host::HostSnapshot;
use quillwork_protocol::snapshot::Snapshot;
use quillwork_store::history::{HistoryOptions, OpenError};

use self::alerts::Alerts;
pub(crate) use self::alerts::{KeptAlerts, with_unit};
use self::annotations::Annotations;
pub(crate) use self::annotations::{AnnotationQuery, annotations_of};
use self::exports::Exports;
use self::history::History;
pub use self::history::{SeriesQuery, SeriesReading, SeriesRefusal};
pub use self::medium::{Medium, MediumError};
use self::names::Names;
pub(crate) use self::names::names_of;
use self::pages::Pages;
pub use self::pages::{ConnectionId, PagesFull};
pub use self::programs::ProgramRefusal;
use self::programs::Programs;
use self::recent::Recent;
pub use self::recent::Resumed;
use self::replication::Replication;
pub(crate) use self::replication::took_over;
pub(crate) use self::replication::{Asking, FollowRefusal, Given, PromoteError, View};
pub(crate) use self::series::newest_values;
pub(crate) use self::taking::Rejected;
pub use self::taking::{BatchRefusal, Counted};
pub use self::tick::Tick;
pub use self::validate::InvalidField;
use crate::clock::Now;
use crate::export::Figures;
use crate::notify::{Delivery, Letter};
use crate::rules::RuleSet;
use crate::standby::standing::Standing;

/// Everything the host knows.
///
/// `handle_*` takes what happened, [`poll_output`](Self::poll_output) gives the ticks to publish,
/// [`next_deadline`](Self::next_deadline) says when to call [`handle_deadline`](Self::handle_deadline) if nothing
/// happens before. After each input all outputs are taken before the next.
#[derive(Debug)]
pub struct State {
    instance: String,
    host: Option<Arc<HostSnapshot>>,
    pages: Pages,
    /// Of pages, those that are gone too.
    names: Names,
    programs: Programs,
    alerts: Alerts,
    annotations: Annotations,
    exports: Exports,
    history: History,
    /// Where history lies, and beside it the state of alerts, the annotations and the names of pages.
    medium: Medium,
    recent: Recent,
    tick: Arc<Tick>,
    output: Option<Arc<Tick>>,
    /// When there was a tick last, or the host started.
    published_at: Instant,
    /// What is watched.
    rules: RuleSet,
    replication: Replication,
}

/// Files beside history in its directory.
pub(crate) const BESIDE: [&str; 3] = [alerts::NAME, annotations::NAME, names::NAME];

/// Without a tick of the sampler for this long there is one without it: pages and alerts go on when the machine can't
/// be measured.
const OVERDUE: Duration = Duration::from_millis(1_500);

impl State {
    /// Nothing has happened, but for the history that the medium holds. `instance` names this run of the host; `now` is
    /// when it starts. It knows of no other host.
    ///
    /// # Errors
    ///
    /// If the medium fails, or holds what isn't a history.
    pub fn new(
        now: Now,
        instance: String,
        medium: Medium,
        history: HistoryOptions,
    ) -> Result<Self, OpenError> {
        Self::with_standing(now, instance, medium, history, Standing::alone(0, 0))
    }

    /// As [`new`](Self::new), of a host that knows of others.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_standing(
        now: Now,
        instance: String,
        medium: Medium,
        history: HistoryOptions,
        standing: Standing,
    ) -> Result<Self, OpenError> {
        let snapshot = Snapshot {
            version: VERSION,
            instance: instance.clone(),
            sequence: 0,
            host: None,
            pages: Vec::new(),
            alerts: Vec::new(),
        };
        let annotations = Annotations::open(&medium);
        Ok(Self {
            instance,
            host: None,
            pages: Pages::new(),
            names: Names::open(&medium),
            programs: Programs::default(),
            alerts: Alerts::new(now),
            tick: Arc::new(Tick::new(now, snapshot, annotations.newest(), Arc::default())),
            annotations,
            exports: Exports::default(),
            history: if standing.is_active() {
                History::open(now, medium.clone(), history)?
            } else {
                History::open_following(now, medium.clone(), history)?
            },
            medium,
            recent: Recent::new(),
            output: None,
            published_at: now.monotonic,
            rules: RuleSet::default(),
            replication: Replication::new(standing),
        })
    }

    /// Where history lies.
    pub(crate) fn medium(&self) -> Medium {
        self.medium.clone()
    }

    /// The newest tick; number 0 before the first.
    #[must_use]
    pub fn tick(&self) -> Arc<Tick> {
        Arc::clone(&self.tick)
    }

    /// The machine was measured.
    pub fn handle_host(&mut self, now: Now, host: Arc<HostSnapshot>) {
        if let Some(back) = self.tick.clock_set_back(now) {
            let seconds = back.as_secs_f64();
            tracing::warn!(
                "the clock was set back by {seconds:.1} s: history forgets what it held for later than now, up to 25 hours of it"
            );
        }
        if self.is_active() {
            let at = instant_of(now, host.at_unix_millis);
            let mut values = series::of_host(&host);
            values.extend(self.exports.values(now));
            values.extend(self.others_as_series(now));
            self.alerts.observe_values(at, &values);
            self.history.record(now, alerts::HOST, host.at_unix_millis, values);
        }
        self.host = Some(host);
        self.publish(now);
    }

    /// When to call [`handle_deadline`](Self::handle_deadline) if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Instant {
        let overdue_at = self.published_at + OVERDUE;
        self.pages.next_lost(self.published_at).map_or(overdue_at, |lost_at| lost_at.min(overdue_at))
    }

    /// Ticks where the sampler should have, and as soon as a page is lost.
    pub fn handle_deadline(&mut self, now: Now) {
        if now.monotonic >= self.next_deadline() {
            self.publish(now);
        }
    }

    /// A tick to publish.
    pub fn poll_output(&mut self) -> Option<Arc<Tick>> {
        self.output.take()
    }

    /// Writes everything that is to outlive the process.
    pub fn flush(&mut self) {
        if self.is_active() {
            self.history.flush();
            self.alerts.keep(&mut self.medium);
            self.annotations.maintain(&mut self.medium);
            self.names.keep(&mut self.medium);
        } else {
            self.history.flush_following();
        }
    }

    /// Watches these rules from the start, and takes up what the medium has kept of their alerts. To be called before
    /// anything happens.
    pub fn begin_alerts(&mut self, now: Now, rules: RuleSet) {
        self.rules.clone_from(&rules);
        self.alerts.set_rules(now, rules);
        self.alerts.restore(now, &self.medium);
    }

    /// Watches other rules from now on.
    pub fn set_rules(&mut self, now: Now, rules: RuleSet) {
        self.rules.clone_from(&rules);
        self.alerts.set_rules(now, rules);
    }

    /// A letter to deliver; [`handle_delivery`](Self::handle_delivery) is told what became of it.
    pub fn poll_letter(&mut self, now: Now) -> Option<Letter> {
        if !self.replication.tells(now.monotonic) {
            return None;
        }
        let name = self.host.as_ref().map_or("", |host| host.machine.name.as_str());
        let name = if name.is_empty() { "quillwork" } else { name };
        self.alerts.poll_letter(name, self.replication.standing.epoch)
    }

    /// What became of a letter.
    pub fn handle_delivery(&mut self, now: Now, delivery: Delivery) {
        self.alerts.handle_delivery(now, delivery);
    }

    /// The alerts, for what people do with them.
    pub(crate) fn alerts(&mut self) -> &mut Alerts {
        &mut self.alerts
    }

    /// What was sent on to a destination so far.
    pub(crate) fn handle_export(&mut self, destination: &'static str, figures: Figures) {
        self.exports.set(destination, figures);
    }

    /// What people and scripts did.
    pub(crate) fn annotations(&mut self) -> &mut Annotations {
        &mut self.annotations
    }

    fn publish(&mut self, now: Now) {
        let is_active = self.is_active();
        let pages = self.pages.snapshots(now);
        let forgotten = self.pages.forgotten(now);
        if is_active {
            self.alerts.observe_links(now, &pages);
            self.alerts.handle_deadline(now);
            for id in forgotten {
                self.alerts.remove_page(now, &id);
            }
            self.alerts.handle_transitions(now, self.host.as_deref(), &pages, self.names.all());
            self.alerts.handle_telling(now);
        }
        let snapshot = Snapshot {
            version: VERSION,
            instance: self.instance.clone(),
            sequence: self.tick.sequence + 1,
            host: self.host.as_deref().cloned(),
            pages,
            alerts: self.alerts.statuses(now, |id| self.names.name(id).map(str::to_owned)),
        };
        self.tick = Arc::new(Tick::new(now, snapshot, self.annotations.newest(), self.exports.figures()));
        self.recent.push(Arc::clone(&self.tick));
        self.output = Some(Arc::clone(&self.tick));
        self.published_at = now.monotonic;
        if is_active {
            self.history.maintain(now);
            self.alerts.maintain(now, &mut self.medium);
            self.annotations.maintain(&mut self.medium);
            self.names.maintain(now, &mut self.medium);
        }
    }
}

/// A wall-clock instant of the recent past on the monotonic clock.
fn instant_of(now: Now, unix_millis: u64) -> Instant {
    let age = Duration::from_millis(now.unix_millis.saturating_sub(unix_millis));
    Instant::from_nanos(now.monotonic.as_nanos().saturating_sub(age.as_nanos()))
}
