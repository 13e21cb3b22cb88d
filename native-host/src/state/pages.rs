//! All pages.

use std::collections::BTreeMap;

use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::page::PageSource;
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};
use quillwork_protocol::source::Source;

use super::page::{Page, SHOWN};
use crate::clock::Now;

/// Pages that are known. Those that report are never forgotten; of the others the one silent for longest makes room.
const MOST_PAGES: usize = 256;

/// A page is remembered for this long, so that a batch that it sends again is known.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// The pages that are known, by source id.
#[derive(Debug)]
pub(super) struct Pages {
    pages: BTreeMap<String, Page>,
    connections: u64,
}

/// One connection of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionId {
    source_id: String,
    number: u64,
}

impl ConnectionId {
    /// The page's source id.
    #[must_use]
    pub fn source_id(&self) -> &str {
        &self.source_id
    }
}

/// As many pages report as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} pages report already, and the host takes no more; close one")]
pub struct PagesFull {
    /// How many that is.
    pub limit: usize,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self { pages: BTreeMap::new(), connections: 0 }
    }

    /// A page connected. Also gives the page that had to make room for it.
    pub(super) fn connect(
        &mut self,
        now: Now,
        source: PageSource,
    ) -> Result<(ConnectionId, Option<String>), PagesFull> {
        let number = self.connections + 1;
        let (page, evicted) = self.heard(now, &source)?;
        page.connected(number);
        self.connections = number;
        Ok((ConnectionId { source_id: source.id, number }, evicted))
    }

    /// A page said something. Gives it, and the page that had to make room for it.
    pub(super) fn heard(
        &mut self,
        now: Now,
        source: &PageSource,
    ) -> Result<(&mut Page, Option<String>), PagesFull> {
        let is_known = self.pages.contains_key(&source.id);
        let evicted =
            if is_known || self.pages.len() < MOST_PAGES { None } else { Some(self.make_room(now)?) };
        let page = self.pages.entry(source.id.clone()).or_insert_with(|| Page::new(now, source.clone()));
        page.heard(now, source);
        Ok((page, evicted))
    }

    fn make_room(&mut self, now: Now) -> Result<String, PagesFull> {
        let silent = self.pages.iter().filter(|(_, page)| page.link(now) != PageLink::Live);
        let longest = silent.max_by_key(|(_, page)| page.silence(now)).map(|(id, _)| id.clone());
        let id = longest.ok_or(PagesFull { limit: MOST_PAGES })?;
        self.pages.remove(&id);
        Ok(id)
    }

    /// A page's connection ended; with `goodbye` it said that it goes away. Whether the page is closed by that.
    pub(super) fn disconnect(&mut self, now: Now, connection: &ConnectionId, goodbye: bool) -> bool {
        let page = self.pages.get_mut(&connection.source_id);
        page.is_some_and(|page| page.disconnected(now, connection.number, goodbye))
    }

    /// Whether a page of this id has been let in by a socket, in this run and as far as it is remembered.
    pub(super) fn has_connected(&self, id: &str) -> bool {
        self.pages.get(id).is_some_and(Page::has_connected)
    }

    /// When the next page becomes lost, of those that had not been at `seen`.
    pub(super) fn next_lost(&self, seen: Instant) -> Option<Instant> {
        self.pages.values().filter_map(Page::lost_at).filter(|lost_at| *lost_at > seen).min()
    }

    /// Forgets pages that have been silent for an hour, and names them: nobody watches them any more. Until then what a
    /// lost page was firing goes on, without data.
    pub(super) fn forgotten(&mut self, now: Now) -> Vec<String> {
        let is_forgotten = |page: &Page| page.silence(now) >= REMEMBERED;
        let forgotten = self.pages.iter().filter(|(_, page)| is_forgotten(page)).map(|(id, _)| id.clone());
        let forgotten: Vec<String> = forgotten.collect();
        self.pages.retain(|_, page| !is_forgotten(page));
        forgotten
    }

    /// Those that are shown, for who asks who reports.
    pub(super) fn sources(&self, now: Now) -> Vec<Source> {
        self.pages.values().filter(|page| page.silence(now) < SHOWN).map(|page| page.source(now)).collect()
    }

    /// What dashboards are told.
    pub(super) fn snapshots(&self, now: Now) -> Vec<PageSnapshot> {
        self.pages.values().filter(|page| page.silence(now) < SHOWN).map(|page| page.snapshot(now)).collect()
    }
}
