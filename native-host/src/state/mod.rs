//! What the host knows, and what follows from what happens. It reads no clock and waits for nothing.

mod alerts;
mod custom;
mod dedup;
mod history;
mod medium;
mod page;
mod pages;
mod programs;
mod recent;
mod series;
mod skew;
mod tick;
pub mod validate;
mod validate_signals;

use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::VERSION;
use quillwork_protocol::host::HostSnapshot;
use quillwork_protocol::page::{PageBatch, PageSample, PageSource};
use quillwork_protocol::series::SeriesCatalogue;
use quillwork_protocol::snapshot::Snapshot;
use quillwork_protocol::socket::Resume;
use quillwork_protocol::source::{Source, SourceKind};
use quillwork_store::history::{HistoryOptions, OpenError};
use quillwork_store::query::{Query, QueryError, Reader};
use quillwork_store::series::SeriesKind;

pub(crate) use self::alerts::with_unit;
use self::alerts::{Alerts, PageFigures};
use self::history::History;
pub use self::history::{SeriesQuery, SeriesReading, SeriesRefusal};
pub use self::medium::{Medium, MediumError};
use self::pages::Pages;
pub use self::pages::{ConnectionId, PagesFull};
pub use self::programs::ProgramRefusal;
use self::programs::Programs;
use self::recent::Recent;
pub use self::recent::Resumed;
pub(crate) use self::series::newest_values;
pub use self::tick::Tick;
pub use self::validate::InvalidField;
use self::validate::ValidBatch;
use crate::clock::Now;
use crate::notify::{Delivery, Letter};
use crate::otlp::points::FromProgram;
use crate::rules::RuleSet;

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
    programs: Programs,
    alerts: Alerts,
    history: History,
    /// Where history lies, and the state of alerts beside it.
    medium: Medium,
    recent: Recent,
    tick: Arc<Tick>,
    output: Option<Arc<Tick>>,
    /// When there was a tick last, or the host started.
    published_at: Instant,
}

/// Without a tick of the sampler for this long there is one without it: pages and alerts go on when the machine can't
/// be measured.
const OVERDUE: Duration = Duration::from_millis(1_500);

/// A sample older than this goes into history, but no alert fires on what is over.
const ALERTED: Duration = Duration::from_secs(10);

/// Characters of a source id from which on it can be a secret of 128 bits: base64url takes 22, hexadecimal digits 32.
const SECRET_ID: usize = 22;

impl State {
    /// Nothing has happened, but for the history that the medium holds. `instance` names this run of the host; `now` is
    /// when it starts.
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
        let snapshot = Snapshot {
            version: VERSION,
            instance: instance.clone(),
            sequence: 0,
            host: None,
            pages: Vec::new(),
            alerts: Vec::new(),
        };
        Ok(Self {
            instance,
            host: None,
            pages: Pages::new(),
            programs: Programs::default(),
            alerts: Alerts::new(now),
            history: History::open(now, medium.clone(), history)?,
            medium,
            recent: Recent::new(),
            tick: Arc::new(Tick::new(now, snapshot)),
            output: None,
            published_at: now.monotonic,
        })
    }

    /// The newest tick; number 0 before the first.
    #[must_use]
    pub fn tick(&self) -> Arc<Tick> {
        Arc::clone(&self.tick)
    }

    /// The machine was measured.
    pub fn handle_host(&mut self, now: Now, host: Arc<HostSnapshot>) {
        let at = instant_of(now, host.at_unix_millis);
        let values = series::of_host(&host);
        self.alerts.observe_values(at, &values);
        self.history.record(now, alerts::HOST, host.at_unix_millis, values);
        self.host = Some(host);
        self.publish(now);
    }

    /// A page connected.
    ///
    /// # Errors
    ///
    /// If as many pages report as may.
    pub fn handle_connect(&mut self, now: Now, source: PageSource) -> Result<ConnectionId, PagesFull> {
        let (connection, evicted) = self.pages.connect(now, source)?;
        if let Some(evicted) = evicted {
            self.alerts.remove_page(now, &evicted);
        }
        Ok(connection)
    }

    /// A page's connection ended; with `goodbye` it said that it goes away.
    pub fn handle_disconnect(&mut self, now: Now, connection: &ConnectionId, goodbye: bool) {
        if self.pages.disconnect(now, connection, goodbye) {
            self.alerts.remove_page(now, connection.source_id());
        }
    }

    /// A page's batch came.
    ///
    /// # Errors
    ///
    /// If it speaks another version, a field can't be right, or as many pages report as may. Nothing of it has
    /// counted then.
    pub fn handle_batch(&mut self, now: Now, batch: PageBatch) -> Result<Counted, BatchRefusal> {
        if batch.version != VERSION {
            return Err(BatchRefusal::UnsupportedVersion { version: batch.version });
        }
        let ValidBatch { batch, responses } = validate::batch(batch).map_err(BatchRefusal::Invalid)?;
        let (page, evicted) = self.pages.heard(now, &batch.source).map_err(BatchRefusal::PagesFull)?;
        if let Some(evicted) = evicted {
            self.alerts.remove_page(now, &evicted);
        }
        let id = &batch.source.id;
        let budget = alerts::memory_budget(self.host.as_ref().map(|host| host.memory.total_bytes));
        let counted = if page.dedup.is_new(batch.sequence, &batch.batch_id) {
            page.dedup.remember(batch.sequence, &batch.batch_id);
            page.skew.observe(now.unix_millis, batch.sent_at_unix_millis);
            page.dropped(batch.dropped_samples);
            for (sample, response) in batch.samples.iter().zip(&responses) {
                let sample = PageSample {
                    at_unix_millis: page.skew.to_host(sample.at_unix_millis, now.unix_millis),
                    ..sample.clone()
                };
                let at = instant_of(now, sample.at_unix_millis);
                let last_minute = page.sampled(at, &sample, response.as_ref());
                let values = series::of_page(id, &sample, last_minute);
                if now.monotonic.duration_since(at) <= ALERTED && !batch.closing {
                    let figures = PageFigures {
                        clock_offset_millis: page.skew.offset_millis(),
                        memory_budget_bytes: budget,
                    };
                    self.alerts.observe_page(at, id, &sample, last_minute, figures, &values);
                }
                self.history.record(now, id, sample.at_unix_millis, values);
                if let Some(response) = response {
                    let spec = series::response_of_page(id);
                    self.history.record_sketch(now, id, sample.at_unix_millis, spec, response);
                }
            }
            Counted::New
        } else {
            Counted::Duplicate
        };
        if batch.closing {
            page.closed();
            self.alerts.remove_page(now, id);
        }
        Ok(counted)
    }

    /// A batch came from someone who could show no token: a beacon, which browsers send without headers.
    ///
    /// It counts if its source id is that of a page that a socket let in during this run, where it did show the token.
    /// The id is random, made for that one page load and told to nobody but this host, which tells it only to those who
    /// have the token: at 128 bits it is as good a secret as one. An id that is too short for that opens nothing. What
    /// it opens is little: to send samples in the name of that page, for as long as the page is remembered.
    ///
    /// # Errors
    ///
    /// If there is no such page, or as [`handle_batch`](Self::handle_batch).
    pub fn handle_beacon(&mut self, now: Now, batch: PageBatch) -> Result<Counted, BatchRefusal> {
        let id = &batch.source.id;
        if id.len() < SECRET_ID || !self.pages.has_connected(id) {
            return Err(BatchRefusal::Unauthorized);
        }
        self.handle_batch(now, batch)
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

    /// What a dashboard that connects is sent first.
    #[must_use]
    pub fn resume(&self, resume: Option<&Resume>) -> Resumed {
        self.recent.since(&self.instance, self.tick.sequence, resume)
    }

    /// A program's OpenTelemetry metrics came. What of them was refused, if any was.
    ///
    /// # Errors
    ///
    /// If it sends too much, or too many programs do. Nothing has counted then.
    pub(crate) fn handle_program(
        &mut self,
        now: Now,
        sent: FromProgram,
    ) -> Result<Option<Rejected>, ProgramRefusal> {
        let id = sent.id.clone();
        let kept = self.programs.take(now, sent)?;
        for (at_unix_millis, values) in kept.values {
            let at = instant_of(now, at_unix_millis);
            for kind in [SeriesKind::Gauge, SeriesKind::Counter] {
                let of_kind = values.iter().filter(|(of, _)| *of == kind).map(|(_, value)| value.clone());
                let values: Vec<_> = of_kind.collect();
                if now.monotonic.duration_since(at) <= ALERTED {
                    self.alerts.observe_values(at, &values);
                }
                self.history.record_as(now, &id, at_unix_millis, kind, values);
            }
        }
        self.alerts.handle_transitions(now, self.host.as_deref(), &self.tick.snapshot.pages);
        Ok(kept.reason.map(|reason| (kept.rejected, reason)))
    }

    /// Who reports, by id.
    #[must_use]
    pub fn sources(&self, now: Now) -> Vec<Source> {
        let machine = Source {
            id: alerts::HOST.to_owned(),
            name: alerts::HOST.to_owned(),
            kind: SourceKind::Host,
            link: None,
            last_heard_unix_millis: self.host.as_ref().map(|host| host.at_unix_millis),
            clock_offset_millis: None,
        };
        let mut sources = self.pages.sources(now);
        sources.extend(self.programs.sources());
        sources.push(machine);
        sources.sort_by(|a, b| a.id.cmp(&b.id));
        sources
    }

    /// All series that have values.
    #[must_use]
    pub fn catalogue(&self) -> SeriesCatalogue {
        self.history.catalogue()
    }

    /// Takes what is needed to read values of series, which is then done elsewhere.
    ///
    /// # Errors
    ///
    /// If a series is unknown.
    pub fn series(&self, query: SeriesQuery) -> Result<SeriesReading, SeriesRefusal> {
        self.history.reading(query)
    }

    /// Takes what is needed to answer a question about series, which is then done elsewhere.
    ///
    /// # Errors
    ///
    /// If no series is meant, or too many.
    pub fn select(&self, query: &Query) -> Result<Reader<Medium>, QueryError> {
        self.history.select(query)
    }

    /// Writes everything that is to outlive the process.
    pub fn flush(&mut self) {
        self.history.flush();
        self.alerts.keep(&mut self.medium);
    }

    /// Watches these rules from the start, and takes up what the medium has kept of their alerts. To be called before
    /// anything happens.
    pub fn begin_alerts(&mut self, now: Now, rules: RuleSet) {
        self.alerts.set_rules(now, rules);
        self.alerts.restore(now, &self.medium);
    }

    /// Watches other rules from now on.
    pub fn set_rules(&mut self, now: Now, rules: RuleSet) {
        self.alerts.set_rules(now, rules);
    }

    /// A letter to deliver; [`handle_delivery`](Self::handle_delivery) is told what became of it.
    pub fn poll_letter(&mut self, now: Now) -> Option<Letter> {
        let name = self.host.as_ref().map_or("", |host| host.machine.name.as_str());
        let name = if name.is_empty() { "quillwork" } else { name };
        self.alerts.poll_letter(now, name)
    }

    /// What became of a letter.
    pub fn handle_delivery(&mut self, now: Now, delivery: Delivery) {
        self.alerts.handle_delivery(now, delivery);
    }

    /// The alerts, for what people do with them.
    pub(crate) fn alerts(&mut self) -> &mut Alerts {
        &mut self.alerts
    }

    fn publish(&mut self, now: Now) {
        let pages = self.pages.snapshots(now);
        self.alerts.observe_links(now, &pages);
        self.alerts.handle_deadline(now);
        for id in self.pages.forgotten(now) {
            self.alerts.remove_page(now, &id);
        }
        self.alerts.handle_transitions(now, self.host.as_deref(), &pages);
        self.alerts.handle_telling(now);
        let snapshot = Snapshot {
            version: VERSION,
            instance: self.instance.clone(),
            sequence: self.tick.sequence + 1,
            host: self.host.as_deref().cloned(),
            pages,
            alerts: self.alerts.statuses(now, |id| self.pages.name(id).map(str::to_owned)),
        };
        self.tick = Arc::new(Tick::new(now, snapshot));
        self.recent.push(Arc::clone(&self.tick));
        self.output = Some(Arc::clone(&self.tick));
        self.published_at = now.monotonic;
        self.history.maintain(now);
        self.alerts.maintain(now, &mut self.medium);
    }
}

/// A wall-clock instant of the recent past on the monotonic clock.
fn instant_of(now: Now, unix_millis: u64) -> Instant {
    let age = Duration::from_millis(now.unix_millis.saturating_sub(unix_millis));
    Instant::from_nanos(now.monotonic.as_nanos().saturating_sub(age.as_nanos()))
}

/// Points that were refused, and why the first was.
pub(crate) type Rejected = (u64, String);

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It has counted now.
    New,
    /// It had counted before.
    Duplicate,
}

/// A batch of which nothing has counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchRefusal {
    /// A token is needed, and its sender shows none.
    #[error("send `Authorization: Bearer <token>`, or connect this page to /ws with the token first")]
    Unauthorized,
    /// It speaks another version.
    #[error("version {version} isn't spoken here; this host speaks {VERSION}")]
    UnsupportedVersion {
        /// The batch's version.
        version: u32,
    },
    /// A field can't be right.
    #[error("{0}")]
    Invalid(InvalidField),
    /// As many pages report as may.
    #[error(transparent)]
    PagesFull(PagesFull),
    /// The host is stopping.
    #[error("the host is stopping; send it again later")]
    Stopped,
}
