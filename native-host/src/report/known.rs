//! What a report tells besides the history.

use std::collections::BTreeMap;

use quillwork_protocol::alert::{AlertEvent, AlertStatus, ObjectiveInfo};
use quillwork_protocol::annotation::Annotation;
use quillwork_store::volume::Volume;

use crate::clock::Now;
use crate::driver::{Driver, Stopped};
use crate::insights::Context;
use crate::rules::RuleSet;
use crate::state::{AnnotationQuery, KeptAlerts, annotations_of, names_of};

/// What the host knows when a report is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) context: Context,
    /// The machine's name.
    pub(crate) host: String,
    pub(crate) made_unix_millis: u64,
    /// Alerts that fire.
    pub(crate) firing: Vec<AlertStatus>,
    /// What happened to alerts, the newest last.
    pub(crate) events: Vec<AlertEvent>,
    /// Whether earlier events have been forgotten.
    pub(crate) forgets: bool,
    pub(crate) objectives: Vec<ObjectiveInfo>,
    pub(crate) annotations: Vec<Annotation>,
}

impl Known {
    /// From a host that runs.
    pub(crate) async fn of_host(driver: &Driver) -> Result<Self, Stopped> {
        let names = driver.with(|state, now| state.names(now)).await?;
        let tick = driver.ticks().borrow().clone();
        let snapshot = &tick.snapshot;
        let fires = |alert: &&AlertStatus| alert.firing_since_unix_millis.is_some();
        let known = Self {
            context: Context::new(names, snapshot),
            host: snapshot.host.as_ref().map_or_else(String::new, |host| host.machine.name.clone()),
            firing: snapshot.alerts.iter().filter(fires).cloned().collect(),
            ..Self::default()
        };
        driver
            .with(move |state, now| {
                let annotations = state.annotations().select(&AnnotationQuery::default());
                Self { annotations, ..known }.with_alerts(now, state.alerts().kept(now))
            })
            .await
    }

    /// From what a host that doesn't run has left beside its history.
    pub(crate) fn of_volume(now: Now, volume: &impl Volume, rules: RuleSet) -> Self {
        let context = Context { names: BTreeMap::clone(&names_of(volume)), ..Context::default() };
        let known = Self { context, annotations: annotations_of(volume), ..Self::default() };
        known.with_alerts(now, KeptAlerts::read(now, volume, rules))
    }

    fn with_alerts(mut self, now: Now, alerts: KeptAlerts) -> Self {
        self.made_unix_millis = now.unix_millis;
        self.forgets = alerts.forgets;
        self.events = alerts.events;
        self.objectives = alerts.objectives;
        if self.firing.is_empty() {
            self.firing = alerts.firing;
        }
        self
    }
}
