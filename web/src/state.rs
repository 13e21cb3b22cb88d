//! Everything that is shown, as signals, and the engine behind them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use leptos::leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle};
use leptos::prelude::*;
use quillwork_protocol::alert::AlertStatus;
use quillwork_protocol::series::SeriesInfo;
use quillwork_protocol::snapshot::{PageLink, PageSnapshot, Snapshot};

use crate::browser::{address, clock, storage};
use crate::model::backfill::Behind;
use crate::model::history::History;
use crate::model::link::{HostState, Link};
use crate::model::past_view::PastView;
use crate::model::settings::{Part, Range, Theme, View};
use crate::model::{alerts, format, series};

const STEP_MILLIS: u64 = 1_000;
/// The longest range and two minutes: what scrolls in at the left edge is there already.
const KEPT_STEPS: usize = 3_720;

/// A cursor that moves on is not read out.
const READ_OUT_AFTER: Duration = Duration::from_millis(300);

/// What panels read. Copied freely: it is a handful of handles.
#[derive(Clone, Copy)]
pub(crate) struct Dashboard {
    /// The tick that is shown: the newest, or the one at which the picture was paused.
    pub(crate) snapshot: RwSignal<Option<Arc<Snapshot>>>,
    /// How the host stands, to the second.
    pub(crate) host: RwSignal<HostState>,
    /// The host's clock as estimated here, to the second.
    pub(crate) now_unix_millis: RwSignal<u64>,
    /// Last slot that the charts show.
    pub(crate) edge: RwSignal<u64>,
    /// Changes when the time line got more than a tick: charts draw anew.
    pub(crate) revision: RwSignal<u64>,
    /// The slot that all charts point at.
    pub(crate) cursor: RwSignal<Option<u64>>,
    /// Range and pause.
    pub(crate) view: RwSignal<View>,
    pub(crate) theme: RwSignal<Theme>,
    /// Whether single keys act as shortcuts.
    pub(crate) shortcuts: RwSignal<bool>,
    /// Whether the list of shortcuts is open.
    pub(crate) help: RwSignal<bool>,
    /// Whether somebody wants to enter another token.
    pub(crate) wants_token: RwSignal<bool>,
    /// What a screen reader says next about alerts and the host.
    pub(crate) announcement: RwSignal<String>,
    /// What a screen reader says next about the cursor.
    pub(crate) reading: RwSignal<String>,
    pub(crate) engine: StoredValue<Engine, LocalStorage>,
    pending_reading: StoredValue<Option<TimeoutHandle>, LocalStorage>,
}

/// What signals are made from.
pub(crate) struct Engine {
    pub(crate) history: History,
    pub(crate) link: Link,
    pub(crate) behind: Behind,
    newest: Option<Arc<Snapshot>>,
    /// The host's clock minus ours, as of the newest message.
    offset_millis: Option<f64>,
    page_links: BTreeMap<String, (PageLink, u64)>,
    alerts: Vec<AlertStatus>,
    was_live: bool,
}

impl Dashboard {
    pub(crate) fn new() -> Self {
        let now = clock::monotonic_millis();
        let engine = Engine {
            history: History::new(STEP_MILLIS, KEPT_STEPS),
            link: Link::new(now),
            behind: Behind::from_the_start(),
            newest: None,
            offset_millis: None,
            page_links: BTreeMap::new(),
            alerts: Vec::new(),
            was_live: false,
        };
        Self {
            snapshot: RwSignal::new(None),
            host: RwSignal::new(engine.link.state(now)),
            now_unix_millis: RwSignal::new(0),
            edge: RwSignal::new(0),
            revision: RwSignal::new(0),
            cursor: RwSignal::new(None),
            view: RwSignal::new(address::view()),
            theme: RwSignal::new(storage::theme()),
            shortcuts: RwSignal::new(storage::shortcuts()),
            help: RwSignal::new(false),
            wants_token: RwSignal::new(false),
            announcement: RwSignal::new(String::new()),
            reading: RwSignal::new(String::new()),
            engine: StoredValue::new_local(engine),
            pending_reading: StoredValue::new_local(None),
        }
    }

    /// The dashboard of the component tree.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Takes a tick in and shows it.
    pub(crate) fn ingest(self, tick: Snapshot) {
        let now = clock::monotonic_millis();
        let said = self.engine.try_update_value(|engine| engine.ingest(now, tick)).flatten();
        if let Some(said) = said {
            self.announcement.set(said);
        }
        self.refresh();
    }

    /// Brings the signals up to date with the engine and the clock. While the page is hidden only the engine goes on.
    pub(crate) fn refresh(self) {
        let now = clock::monotonic_millis();
        let seen = self.engine.try_update_value(|engine| engine.seen(now));
        let Some(seen) = seen else { return };
        if let Some(said) = seen.said {
            self.announcement.set(said);
        }
        if document().hidden() {
            return;
        }
        set_if_changed(self.host, seen.host);
        if let Some(unix_millis) = seen.now_unix_millis {
            set_if_changed(self.now_unix_millis, unix_millis / 1_000 * 1_000);
        }
        // A link to a paused picture still shows the first one.
        let nothing_shown = self.snapshot.with_untracked(Option::is_none);
        if nothing_shown || !self.view.with_untracked(|view| view.paused) {
            let shown = self.snapshot.with_untracked(|shown| shown.as_ref().map(Arc::as_ptr));
            if shown == seen.newest.as_ref().map(Arc::as_ptr) {
                set_if_changed(self.edge, seen.edge);
            } else {
                self.snapshot.set(seen.newest);
                // Two ticks may come in one second: what ends there is new all the same.
                self.edge.set(seen.edge);
            }
        }
    }

    /// Shows a part.
    pub(crate) fn show(self, part: Part) {
        self.change_view(|view| view.part = part);
    }

    /// Shows the past.
    pub(crate) fn show_past(self, change: impl FnOnce(&mut PastView)) {
        self.change_view(|view| {
            view.part = Part::Past;
            change(&mut view.past);
        });
    }

    /// Chooses what is shown of the past.
    pub(crate) fn change_past(self, change: impl FnOnce(&mut PastView)) {
        self.change_view(|view| change(&mut view.past));
    }

    /// Chooses a range.
    pub(crate) fn choose_range(self, range: Range) {
        self.change_view(|view| view.range = range);
    }

    /// Pauses the picture, or goes on with it.
    pub(crate) fn toggle_pause(self) {
        self.change_view(|view| view.paused = !view.paused);
        self.refresh();
    }

    /// Goes on to the next theme.
    pub(crate) fn next_theme(self) {
        self.theme.update(|theme| *theme = theme.next());
        storage::set_theme(self.theme.get_untracked());
        self.revision.update(|revision| *revision += 1);
    }

    /// Has a screen reader say what the cursor reads, once the cursor rests.
    pub(crate) fn read_out(self, text: String) {
        self.pending_reading.update_value(|pending| {
            if let Some(pending) = pending.take() {
                pending.clear();
            }
            *pending = set_timeout_with_handle(move || self.reading.set(text), READ_OUT_AFTER).ok();
        });
    }

    /// The pages that are known now, for their names.
    pub(crate) fn pages(self) -> Vec<PageSnapshot> {
        let snapshot = self.snapshot.get_untracked();
        snapshot.map(|snapshot| snapshot.pages.clone()).unwrap_or_default()
    }

    /// Whether what is shown is out of date: the host is lost, or was never there.
    pub(crate) fn is_stale(self) -> bool {
        self.host.with(|host| *host != HostState::Live)
    }

    fn change_view(self, change: impl FnOnce(&mut View)) {
        let before = self.view.get_untracked();
        self.view.update(change);
        self.view.with_untracked(|view| {
            if *view != before {
                address::set_view(view);
            }
        });
    }
}

/// What [`Dashboard::refresh`] shows.
struct Seen {
    host: HostState,
    newest: Option<Arc<Snapshot>>,
    now_unix_millis: Option<u64>,
    edge: u64,
    said: Option<String>,
}

impl Engine {
    fn ingest(&mut self, now: f64, tick: Snapshot) -> Option<String> {
        if !self.link.handle_tick(now, &tick) {
            return None;
        }
        if let Some(host) = &tick.host {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit into 53 bits")]
            let offset = host.at_unix_millis as f64 - now;
            self.offset_millis = Some(offset);
            self.history.record(host.at_unix_millis, &series::values(&tick));
        }
        self.follow_pages(&tick);
        let sorted = alerts::by_urgency(&tick.alerts);
        // At the start everything that fires is news; the list shows it, and one sentence says so.
        let said = alerts::announcement(&self.alerts, &sorted);
        self.alerts = sorted;
        self.newest = Some(Arc::new(tick));
        said
    }

    /// A page that comes back sends what it had queued: the host fills its history in, and so do we.
    fn follow_pages(&mut self, tick: &Snapshot) {
        let links: BTreeMap<_, _> = tick
            .pages
            .iter()
            .map(|page| (page.source.id.clone(), (page.link, page.last_heard_unix_millis)))
            .collect();
        for (id, (before, heard)) in &self.page_links {
            match links.get(id) {
                None => self.history.forget(|series| series::source_of(series) == Some(id)),
                Some((PageLink::Live, _)) if *before == PageLink::Lost => self.behind.note(Some(*heard)),
                Some(_) => {}
            }
        }
        self.page_links = links;
    }

    /// The host's clock now, as far as it is known.
    pub(crate) fn now_unix_millis(&self, now: f64) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an instant after 1970")]
        self.offset_millis.map(|offset| (now + offset).max(0.0) as u64)
    }

    /// A page's time line is only kept while the page is in the ticks.
    pub(crate) fn knows_page_of(&self, info: &SeriesInfo) -> bool {
        info.labels.get(series::SOURCE).is_none_or(|id| self.page_links.contains_key(id))
    }

    /// Totals of memory and swap in the newest tick.
    pub(crate) fn totals_bytes(&self) -> (u64, u64) {
        let host = self.newest.as_ref().and_then(|tick| tick.host.as_ref());
        host.map_or((0, 0), |host| (host.memory.total_bytes, host.memory.swap_total_bytes))
    }

    fn seen(&mut self, now: f64) -> Seen {
        let host = to_the_second(self.link.state(now));
        let live = host == HostState::Live;
        let said = match (self.was_live, host) {
            (true, HostState::Lost { .. } | HostState::Refused(_)) => Some("The host is lost.".to_owned()),
            (false, HostState::Live) if self.newest.is_some() => Some("The host is live.".to_owned()),
            _ => None,
        };
        self.was_live = live;
        let now_unix_millis = self.now_unix_millis(now);
        // Live charts end at the newest tick; while the host is silent they go on with the clock, so that the silence
        // shows as a growing gap.
        let newest_slot = self.history.newest_slot().unwrap_or(0);
        let silent = now_unix_millis.filter(|_| !live);
        let edge = silent.map_or(newest_slot, |at| self.history.slot_of(at).max(newest_slot));
        Seen { host, newest: self.newest.clone(), now_unix_millis, edge, said }
    }
}

/// Shown to the second, so that a signal changes once a second and not at every look at the clock.
fn to_the_second(state: HostState) -> HostState {
    let whole = |millis: f64| (millis / 1e3).floor() * 1e3;
    match state {
        HostState::Lost { for_millis } => HostState::Lost { for_millis: whole(for_millis) },
        HostState::Connecting { for_millis, failures } => {
            HostState::Connecting { for_millis: whole(for_millis), failures }
        }
        HostState::Live | HostState::Refused(_) => state,
    }
}

/// How long something lasts, in words.
pub(crate) fn for_how_long(millis: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length of time, not negative"
    )]
    let millis = millis.max(0.0) as u64;
    if millis < 1_000 { "a moment".to_owned() } else { format::span(millis) }
}

fn set_if_changed<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|current| *current != value) {
        signal.set(value);
    }
}
