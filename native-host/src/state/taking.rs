//! What pages and programs send, and what becomes of it.

use quillwork_core::time::Duration;
use quillwork_protocol::VERSION;
use quillwork_protocol::page::{PageBatch, PageSample, PageSource};

use super::alerts::{self, PageFigures};
use super::pages::{ConnectionId, PagesFull};
use super::programs::ProgramRefusal;
use super::validate::{self, InvalidField, SampleSketches, ValidBatch};
use super::{State, instant_of, series};
use crate::clock::Now;
use crate::otlp::points::FromProgram;

/// A sample older than this goes into history, but no alert fires on what is over.
const ALERTED: Duration = Duration::from_secs(10);

/// Characters of a source id from which on it can be a secret of 128 bits: base64url takes 22, hexadecimal digits 32.
const SECRET_ID: usize = 22;

impl State {
    /// A page connected.
    ///
    /// # Errors
    ///
    /// If as many pages report as may.
    pub fn handle_connect(&mut self, now: Now, source: PageSource) -> Result<ConnectionId, PagesFull> {
        let (id, name) = (source.id.clone(), source.name.clone());
        let (connection, evicted) = self.pages.connect(now, source)?;
        self.names.note(now, &id, &name);
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
        if !self.is_active() {
            return Err(BatchRefusal::Elsewhere);
        }
        if batch.version != VERSION {
            return Err(BatchRefusal::UnsupportedVersion { version: batch.version });
        }
        let ValidBatch { batch, sketches } = validate::batch(batch).map_err(BatchRefusal::Invalid)?;
        let (page, evicted) = self.pages.heard(now, &batch.source).map_err(BatchRefusal::PagesFull)?;
        if let Some(evicted) = evicted {
            self.alerts.remove_page(now, &evicted);
        }
        let id = &batch.source.id;
        self.names.note(now, id, &batch.source.name);
        let budget = alerts::memory_budget(self.host.as_ref().map(|host| host.memory.total_bytes));
        let counted = if page.dedup.is_new(batch.sequence, &batch.batch_id) {
            page.dedup.remember(batch.sequence, &batch.batch_id);
            page.skew.observe(now.unix_millis, batch.sent_at_unix_millis);
            page.dropped(batch.dropped_samples);
            for (sample, SampleSketches { response, runs }) in batch.samples.iter().zip(&sketches) {
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
                for (task_type, runs) in runs {
                    let spec = series::runs_of_page(id, task_type);
                    self.history.record_sketch(now, id, sample.at_unix_millis, spec, runs);
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
        for (at_unix_millis, moment) in kept.moments {
            let at = instant_of(now, at_unix_millis);
            if now.monotonic.duration_since(at) <= ALERTED {
                self.alerts.observe_values(at, &moment.values);
                self.alerts.observe_values(at, &moment.quantiles);
            }
            self.history.record(now, &id, at_unix_millis, moment.values);
            for (spec, sketch) in moment.sketches {
                self.history.record_sketch(now, &id, at_unix_millis, spec, &sketch);
            }
        }
        let (host, pages) = (self.host.as_deref(), &self.tick.snapshot.pages);
        self.alerts.handle_transitions(now, host, pages, self.names.all());
        Ok(kept.reason.map(|reason| (kept.rejected, reason)))
    }
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
    /// Another host takes them.
    #[error("this host takes nothing; send it to the primary, which /api/v1/replication names")]
    Elsewhere,
    /// The host is stopping.
    #[error("the host is stopping; send it again later")]
    Stopped,
}
