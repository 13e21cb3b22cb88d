//! A state on virtual time.

use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};
use quillwork_host::clock::Now;
use quillwork_host::state::{Medium, State};
use quillwork_protocol::alert::AlertStatus;
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};
use quillwork_store::history::HistoryOptions;

use crate::harness::machine_at;

pub(crate) const START_MILLIS: u64 = 1_800_000_000_000;

/// A host that lives as fast as the test likes.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) millis: u64,
    pub(crate) published: usize,
}

impl World {
    pub(crate) fn new() -> Self {
        let millis = 0;
        let state =
            State::new(now(millis), "run-1".to_owned(), Medium::memory(), HistoryOptions::default()).unwrap();
        Self { state, millis, published: 0 }
    }

    pub(crate) fn now(&self) -> Now {
        now(self.millis)
    }

    pub(crate) fn unix(&self) -> u64 {
        START_MILLIS + self.millis
    }

    /// Lets time pass. Deadlines are met on the way, as a driver would.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.millis + millis;
        while self.state.next_deadline() <= now(end).monotonic {
            self.millis = self.state.next_deadline().as_millis() - ORIGIN.as_millis();
            self.state.handle_deadline(self.now());
            self.drain();
        }
        self.millis = end;
    }

    pub(crate) fn tick(&mut self, cpu: Option<f64>) {
        self.state.handle_host(self.now(), Arc::new(machine_at(self.unix(), cpu)));
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while self.state.poll_output().is_some() {
            self.published += 1;
        }
    }

    pub(crate) fn page(&self, id: &str) -> Option<PageSnapshot> {
        let tick = self.state.tick();
        tick.snapshot.pages.iter().find(|page| page.source.id == id).cloned()
    }

    pub(crate) fn link(&self, id: &str) -> Option<PageLink> {
        self.page(id).map(|page| page.link)
    }

    pub(crate) fn alert(&self, rule: &str, subject: &str) -> AlertStatus {
        let tick = self.state.tick();
        let alerts = &tick.snapshot.alerts;
        alerts.iter().find(|alert| alert.rule == rule && alert.subject == subject).cloned().unwrap()
    }
}

pub(crate) const ORIGIN: Instant = Instant::from_secs(7_200);

pub(crate) fn now(millis: u64) -> Now {
    Now { monotonic: ORIGIN + Duration::from_millis(millis), unix_millis: START_MILLIS + millis }
}
