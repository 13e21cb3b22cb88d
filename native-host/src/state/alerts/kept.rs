//! Alerts as a report tells them.

use quillwork_protocol::alert::{AlertEvent, AlertStatus, ObjectiveInfo};
use quillwork_store::volume::Volume;

use super::Alerts;
use super::telling::REMEMBERED;
use crate::clock::Now;
use crate::rules::RuleSet;

/// What is known of alerts at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptAlerts {
    /// Those that fire.
    pub(crate) firing: Vec<AlertStatus>,
    /// What happened, the newest last.
    pub(crate) events: Vec<AlertEvent>,
    /// Whether earlier events are forgotten.
    pub(crate) forgets: bool,
    /// Where the budgets of the objectives stand.
    pub(crate) objectives: Vec<ObjectiveInfo>,
}

impl Alerts {
    /// All of it.
    pub(crate) fn kept(&self, now: Now) -> KeptAlerts {
        let statuses = self.statuses(now, |_| None).into_iter();
        KeptAlerts {
            firing: statuses.filter(|status| status.firing_since_unix_millis.is_some()).collect(),
            events: self.events().cloned().collect(),
            forgets: self.events().count() >= REMEMBERED,
            objectives: self.objectives(now),
        }
    }
}

impl KeptAlerts {
    /// From what a host has left beside its history. What can't be read is as if there were nothing.
    pub(crate) fn read(now: Now, volume: &impl Volume, rules: RuleSet) -> Self {
        let mut alerts = Alerts::new(now);
        alerts.set_rules(now, rules);
        alerts.restore(now, volume);
        alerts.kept(now)
    }
}
