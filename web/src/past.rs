//! The past that is shown: asked of the host, kept while it is looked at.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use quillwork_protocol::alert::{AlertStatus, RuleInfo};
use quillwork_protocol::annotation::{Annotation, AnnotationList};
use quillwork_protocol::query::QueryAnswer;
use quillwork_protocol::series::{SeriesCatalogue, SeriesInfo, SeriesKind};

use crate::browser::clock;
use crate::model::failure::Failure;
use crate::model::link::HostState;
use crate::model::past::{self, Picture};
use crate::model::past_view::Last;
use crate::model::settings::Part;
use crate::net::http;
use crate::state::Dashboard;

/// A range that moves is asked for anew so often at most, and at least.
const SOONEST_MILLIS: u64 = 5_000;
const LATEST_MILLIS: u64 = 60_000;

/// What panels read and do. Copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Past {
    dashboard: Dashboard,
    /// All series of the host.
    pub(crate) catalogue: RwSignal<Arc<Vec<SeriesInfo>>>,
    /// What is shown; `None` before the first answer.
    pub(crate) picture: RwSignal<Option<Arc<Picture>>>,
    /// What happened in its range, the newest first.
    pub(crate) annotations: RwSignal<Vec<Annotation>>,
    /// Why the newest question was not answered.
    pub(crate) failure: RwSignal<Option<Failure>>,
    /// Whether a question is on its way.
    pub(crate) is_asking: RwSignal<bool>,
    /// The place of the picture that all charts point at.
    pub(crate) cursor: RwSignal<Option<usize>>,
    /// Counts questions: an answer to any but the newest is dropped.
    asked: StoredValue<u64>,
    asked_at: StoredValue<f64>,
}

impl Past {
    pub(crate) fn new(dashboard: Dashboard) -> Self {
        let past = Self {
            dashboard,
            catalogue: RwSignal::new(Arc::default()),
            picture: RwSignal::new(None),
            annotations: RwSignal::new(Vec::new()),
            failure: RwSignal::new(None),
            is_asking: RwSignal::new(false),
            cursor: RwSignal::new(None),
            asked: StoredValue::new(0),
            asked_at: StoredValue::new(0.0),
        };
        past.keep_asking();
        past
    }

    /// The past of the component tree.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Shows what an alert is about, from before it began.
    pub(crate) fn show_alert(self, alert: AlertStatus) {
        spawn_local(async move {
            let rules: Vec<RuleInfo> = http::get("api/v1/rules").await.unwrap_or_default();
            let since = alert.firing_since_unix_millis.unwrap_or(alert.since_unix_millis);
            self.show(since, |catalogue| past::watched(&alert, &rules, catalogue)).await;
        });
    }

    /// Shows what is kept of a page, beside the processor.
    pub(crate) fn show_page(self, source: String) {
        spawn_local(async move {
            let now = self.dashboard.now_unix_millis.get_untracked();
            self.show(now, |catalogue| past::of_page(&source, catalogue)).await;
        });
    }

    /// Shows series of the catalogue, from as far back as reaches an instant.
    async fn show(self, since_unix_millis: u64, pick: impl FnOnce(&[SeriesInfo]) -> Vec<String>) {
        let catalogue: SeriesCatalogue = match http::get("api/v1/series").await {
            Ok(catalogue) => catalogue,
            Err(failure) => return self.dashboard.announcement.set(failure.words()),
        };
        let now = self.dashboard.now_unix_millis.get_untracked();
        self.dashboard.show_past(|view| {
            view.series.clear();
            pick(&catalogue.series).into_iter().for_each(|series| view.add(series));
            view.last = Last::reaching(now.saturating_sub(since_unix_millis));
            view.between = None;
        });
    }

    /// Makes the range longer or shorter around the cursor, or its end where there is none.
    pub(crate) fn zoom(self, factor: f64) {
        let now = self.dashboard.now_unix_millis.get_untracked();
        let at = self.cursor.get_untracked().and_then(|place| {
            self.picture.with_untracked(|picture| Some(picture.as_ref()?.seconds.get(place)? * 1e3))
        });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an instant after 1970")]
        self.dashboard.change_past(|view| {
            let (from, to) = view.range(now);
            view.zoom(at.map_or(from + (to - from) / 2, |at| at as u64), factor, now);
        });
    }

    /// Moves the range by a share of its length.
    pub(crate) fn pan(self, share: f64) {
        let now = self.dashboard.now_unix_millis.get_untracked();
        self.dashboard.change_past(|view| view.pan(share, now));
    }

    /// Saves the values of a series as a file.
    pub(crate) fn save(self, series: String) {
        let Some(picture) = self.picture.get_untracked() else { return };
        spawn_local(async move {
            let path = past::export(&series, picture.from, picture.to, picture.step_millis);
            let failure = http::save(&path, "quillwork.csv").await.err();
            match &failure {
                None => self.dashboard.announcement.set("Saved quillwork.csv.".to_owned()),
                Some(failure) => self.dashboard.announcement.set(failure.words()),
            }
            self.failure.set(failure);
        });
    }

    /// Asks when what is shown changes, and again as the range moves on while the host is live and somebody looks.
    fn keep_asking(self) {
        let wanted = Memo::new(move |_| {
            self.dashboard.view.with(|view| (view.part == Part::Past).then(|| view.past.clone()))
        });
        Effect::new(move |before: Option<Option<_>>| {
            let wanted = wanted.get();
            let now = self.dashboard.now_unix_millis.get();
            let is_live = self.dashboard.host.with(|host| *host == HostState::Live);
            let Some(view) = &wanted else { return wanted };
            let is_new = before.is_none_or(|before| before != wanted);
            let paused = self.dashboard.view.with(|view| view.paused);
            let step = self.picture.with_untracked(|p| p.as_ref().map_or(0, |p| p.step_millis));
            #[expect(clippy::cast_precision_loss, reason = "a minute at most")]
            let is_due = view.between.is_none()
                && !paused
                && clock::monotonic_millis() - self.asked_at.get_value()
                    >= step.clamp(SOONEST_MILLIS, LATEST_MILLIS) as f64;
            // The host's clock is known from the first tick on.
            if now == 0 || !is_live {
                return None;
            }
            if is_new || is_due && !self.is_asking.get_untracked() {
                let (from, to) = view.range(now);
                self.ask(from, to, view.shown());
            }
            wanted
        });
    }

    fn ask(self, from: u64, to: u64, series: Vec<String>) {
        self.asked.update_value(|asked| *asked += 1);
        let number = self.asked.get_value();
        self.asked_at.set_value(clock::monotonic_millis());
        self.is_asking.set(true);
        spawn_local(async move {
            let outcome = self.answers(number, from, to, series).await;
            if self.asked.try_get_value() != Some(number) {
                return;
            }
            match outcome {
                Ok(Some((picture, annotations))) => {
                    self.failure.set(None);
                    self.annotations.set(annotations);
                    let cursor = self.cursor.get_untracked();
                    let carried = self.picture.with_untracked(|p| picture.carried(p.as_ref()?, cursor?));
                    if cursor != carried {
                        self.cursor.set(carried);
                    }
                    self.picture.set(Some(Arc::new(picture)));
                }
                Ok(None) => {}
                Err(failure) => self.failure.set(Some(failure)),
            }
            self.is_asking.set(false);
        });
    }

    /// One question after the other, so that twelve series are no burst. `None` where a newer question makes these moot.
    async fn answers(
        self,
        number: u64,
        from: u64,
        to: u64,
        series: Vec<String>,
    ) -> Result<Option<(Picture, Vec<Annotation>)>, Failure> {
        let catalogue: SeriesCatalogue = http::get("api/v1/series").await?;
        let catalogue = Arc::new(catalogue.series);
        self.catalogue.set(Arc::clone(&catalogue));
        let mut answers: Vec<(SeriesInfo, Option<QueryAnswer>)> = Vec::new();
        for name in series {
            if self.asked.try_get_value() != Some(number) {
                return Ok(None);
            }
            let Some(info) = catalogue.iter().find(|info| info.series == name) else {
                answers.push((unknown(name), None));
                continue;
            };
            let answer = match http::get(&past::question(info, from, to)).await {
                Ok(answer) => Some(answer),
                Err(Failure::Refused { status: 404, .. }) => None,
                Err(failure) => return Err(failure),
            };
            answers.push((info.clone(), answer));
        }
        let annotations: AnnotationList =
            http::get(&format!("api/v1/annotations?from={from}&to={to}&limit=200")).await?;
        Ok(Some((Picture::new(from, to, &answers, &self.dashboard.pages()), annotations.annotations)))
    }
}

/// A series that the catalogue doesn't have, from an old address.
fn unknown(series: String) -> SeriesInfo {
    SeriesInfo {
        name: series.clone(),
        series,
        labels: std::collections::BTreeMap::new(),
        kind: SeriesKind::Gauge,
        unit: String::new(),
        step_millis: 1_000,
        resolution: 0.0,
    }
}
