//! Taking care of alerts: silences, budgets, and what is asked of the host about them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use quillwork_protocol::alert::{AlertStatus, NewAcknowledgement, ObjectiveInfo, SilenceInfo};

use crate::browser::clock;
use crate::model::failure::Failure;
use crate::model::link::HostState;
use crate::model::silences::{self, Scope};
use crate::net::http;
use crate::state::Dashboard;

/// How often silences and budgets are read anew while somebody looks.
const READ_EVERY_MILLIS: f64 = 30_000.0;

/// What an operator is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// To take care of an alert.
    Acknowledge,
    /// To mute it for a time.
    Silence,
}

/// What panels read and do. Copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Desk {
    dashboard: Dashboard,
    /// As the host listed them last.
    pub(crate) silences: RwSignal<Vec<SilenceInfo>>,
    /// As the host listed them last; `None` before.
    pub(crate) objectives: RwSignal<Option<Vec<ObjectiveInfo>>>,
    /// Why they could not be read.
    pub(crate) unread: RwSignal<Option<Failure>>,
    /// What is asked about now.
    pub(crate) asked: RwSignal<Option<(Deed, AlertStatus)>>,
    /// Why what was done last was refused.
    pub(crate) refused: RwSignal<Option<Failure>>,
    /// Whether the host is being asked to do something.
    pub(crate) is_busy: RwSignal<bool>,
    read_at: StoredValue<Option<f64>>,
    /// Counts reads: what any but the newest finds is dropped.
    reads: StoredValue<u64>,
}

impl Desk {
    pub(crate) fn new(dashboard: Dashboard) -> Self {
        let desk = Self {
            dashboard,
            silences: RwSignal::new(Vec::new()),
            objectives: RwSignal::new(None),
            unread: RwSignal::new(None),
            asked: RwSignal::new(None),
            refused: RwSignal::new(None),
            is_busy: RwSignal::new(false),
            read_at: StoredValue::new(None),
            reads: StoredValue::new(0),
        };
        desk.keep_reading();
        desk
    }

    /// The desk of the component tree.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Asks about an alert.
    pub(crate) fn ask(self, deed: Deed, alert: AlertStatus) {
        self.refused.set(None);
        self.asked.set(Some((deed, alert)));
    }

    /// Leaves what is asked about as it is.
    pub(crate) fn leave(self) {
        self.asked.set(None);
        self.refused.set(None);
    }

    /// Says that somebody takes care of an alert.
    pub(crate) fn acknowledge(self, alert: &AlertStatus, author: String, comment: String) {
        let path = format!("api/v1/alerts/{}/acknowledgement", alert.fingerprint);
        let said = format!("Acknowledged: {}", alert.rule);
        self.write("PUT", path, Some(json(&NewAcknowledgement { author, comment })), said);
    }

    /// Takes an acknowledgement back.
    pub(crate) fn unacknowledge(self, alert: &AlertStatus) {
        let path = format!("api/v1/alerts/{}/acknowledgement", alert.fingerprint);
        self.write("DELETE", path, None, format!("No longer acknowledged: {}", alert.rule));
    }

    /// Mutes an alert, or all of its rule.
    pub(crate) fn silence(
        self,
        alert: &AlertStatus,
        scope: Scope,
        for_millis: u64,
        author: &str,
        comment: &str,
    ) {
        let now = self.dashboard.now_unix_millis.get_untracked();
        let new = silences::silence(alert, scope, now, for_millis, author, comment);
        let said = format!("Silenced: {}", alert.rule);
        self.write("POST", "api/v1/silences".to_owned(), Some(json(&new)), said);
    }

    /// Ends a silence.
    pub(crate) fn lift(self, silence: &SilenceInfo) {
        let said = format!("Silence lifted: {}", silences::what(silence, &self.dashboard.pages()));
        self.write("DELETE", format!("api/v1/silences/{}", silence.id), None, said);
    }

    /// One thing at a time: a second click while the host answers does nothing.
    fn write(self, method: &'static str, path: String, body: Option<String>, said: String) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.refused.set(None);
        spawn_local(async move {
            match http::send(method, &path, body.as_deref()).await {
                Ok(()) => {
                    self.asked.set(None);
                    self.dashboard.announcement.set(format!("{said}."));
                    self.read().await;
                }
                Err(failure) => self.refused.set(Some(failure)),
            }
            self.is_busy.set(false);
        });
    }

    /// Reads while the host is live and somebody looks, and at once when the host mutes other alerts than before.
    fn keep_reading(self) {
        let muted = Memo::new(move |_| {
            self.dashboard.snapshot.with(|snapshot| {
                let alerts = snapshot.as_ref().map(|snapshot| snapshot.alerts.as_slice()).unwrap_or_default();
                alerts
                    .iter()
                    .filter_map(|alert| Some((alert.fingerprint.clone(), alert.muted_by.clone()?)))
                    .collect::<Vec<_>>()
            })
        });
        Effect::new(move |before: Option<Vec<(String, String)>>| {
            let muted = muted.get();
            self.dashboard.now_unix_millis.track();
            let is_live = self.dashboard.host.with(|host| *host == HostState::Live);
            let now = clock::monotonic_millis();
            let is_due = self.read_at.get_value().is_none_or(|at| now - at >= READ_EVERY_MILLIS)
                || before.is_some_and(|before| before != muted);
            if is_live && is_due {
                self.read_at.set_value(Some(now));
                spawn_local(self.read());
            }
            muted
        });
    }

    async fn read(self) {
        self.reads.update_value(|reads| *reads += 1);
        let number = self.reads.get_value();
        let silences = http::get("api/v1/silences").await;
        let objectives = http::get("api/v1/slos").await;
        if self.reads.try_get_value() != Some(number) {
            return;
        }
        let failure = silences.as_ref().err().or(objectives.as_ref().err()).cloned();
        if let Ok(silences) = silences {
            self.silences.set(silences);
        }
        if let Ok(objectives) = objectives {
            self.objectives.set(Some(objectives));
        }
        self.unread.set(failure);
    }
}

fn json(body: &impl serde::Serialize) -> String {
    serde_json::to_string(body).expect("text and numbers")
}
