//! The state that is told, as one JSON object.

use quillwork_protocol::snapshot::Snapshot;
use quillwork_protocol::topic::Topic;
use serde::Serialize;
use serde_json::{Map, Value};

use super::patch::without_nulls;
use super::selection::Selection;

/// Everything that can be subscribed to, as of one tick.
#[derive(Debug)]
pub(super) struct Document {
    host: Value,
    processes: Value,
    pages: Value,
    alerts: Value,
}

impl Document {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let mut host = told(&snapshot.host);
        let processes = host.as_object_mut().and_then(|host| host.remove("processes")).unwrap_or_default();
        let pages = snapshot.pages.iter().map(|page| (page.source.id.clone(), told(page))).collect();
        let alerts = snapshot
            .alerts
            .iter()
            .map(|alert| (format!("{}/{}", alert.rule, alert.subject), told(alert)))
            .collect();
        Self { host, processes, pages: Value::Object(pages), alerts: Value::Object(alerts) }
    }

    /// The part that was selected.
    pub(super) fn select(&self, selection: &Selection) -> Map<String, Value> {
        let mut state = Map::new();
        let parts = [
            (Topic::Host, "host", &self.host),
            (Topic::Processes, "processes", &self.processes),
            (Topic::Pages, "pages", &self.pages),
            (Topic::Alerts, "alerts", &self.alerts),
        ];
        for (topic, name, part) in parts {
            if selection.has(topic) && !part.is_null() {
                state.insert(name.to_owned(), part.clone());
            }
        }
        state
    }
}

fn told(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).expect("messages have string keys and no failing fields");
    without_nulls(&mut value);
    value
}
