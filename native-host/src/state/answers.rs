//! What is known, for who asks.

use std::collections::BTreeMap;

use quillwork_protocol::series::SeriesCatalogue;
use quillwork_protocol::socket::Resume;
use quillwork_protocol::source::{Source, SourceKind};
use quillwork_store::query::{Query, QueryError, Reader};
use quillwork_store::series::SeriesKey;

use super::history::{SeriesQuery, SeriesReading, SeriesRefusal};
use super::medium::Medium;
use super::recent::Resumed;
use super::{State, alerts};
use crate::clock::Now;

impl State {
    /// What a dashboard that connects is sent first.
    #[must_use]
    pub fn resume(&self, resume: Option<&Resume>) -> Resumed {
        self.recent.since(&self.instance, self.tick.sequence, resume)
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

    /// What people call sources, by id: pages that are gone too.
    pub(crate) fn names(&self, now: Now) -> BTreeMap<String, String> {
        let mut names = BTreeMap::clone(&self.names.all());
        names.extend(
            self.sources(now).into_iter().filter(|of| !of.name.is_empty()).map(|of| (of.id, of.name)),
        );
        names
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

    /// Takes what is needed to read the series of which this holds, which is then done elsewhere.
    pub(crate) fn reader(&self, is_meant: impl Fn(&SeriesKey) -> bool) -> Reader<Medium> {
        self.history.reader(is_meant)
    }
}
