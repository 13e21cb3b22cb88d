//! The state that is told, as one JSON object.

use std::sync::OnceLock;

use quillwork_protocol::snapshot::Snapshot;
use quillwork_protocol::topic::{MOST_SERIES, Topic};
use quillwork_store::series::SeriesKey;
use serde::Serialize;
use serde_json::{Map, Value};

use super::patch::without_nulls;
use super::selection::Selection;
use crate::state::{Tick, newest_values};

/// Everything that can be subscribed to, as of one tick.
#[derive(Debug)]
pub(super) struct Document {
    host: Value,
    processes: Value,
    pages: Value,
    alerts: Value,
    annotations: Value,
    /// Made when the first subscriber needs it.
    series: OnceLock<Vec<(SeriesKey, f64)>>,
}

impl Document {
    pub(super) fn new(tick: &Tick) -> Self {
        let snapshot = &tick.snapshot;
        let mut host = told(&snapshot.host);
        let processes = host.as_object_mut().and_then(|host| host.remove("processes")).unwrap_or_default();
        let pages = snapshot.pages.iter().map(|page| (page.source.id.clone(), told(page))).collect();
        let alerts = snapshot
            .alerts
            .iter()
            .map(|alert| (format!("{}/{}", alert.rule, alert.subject), told(alert)))
            .collect();
        let annotations =
            tick.annotations.iter().map(|annotation| (annotation.id.to_string(), told(annotation))).collect();
        Self {
            host,
            processes,
            pages: Value::Object(pages),
            alerts: Value::Object(alerts),
            annotations: Value::Object(annotations),
            series: OnceLock::new(),
        }
    }

    /// The part that was selected.
    pub(super) fn select(&self, selection: &Selection, snapshot: &Snapshot) -> Map<String, Value> {
        let mut state = Map::new();
        let parts = [
            (Topic::Host, "host", &self.host),
            (Topic::Processes, "processes", &self.processes),
            (Topic::Pages, "pages", &self.pages),
            (Topic::Alerts, "alerts", &self.alerts),
            (Topic::Annotations, "annotations", &self.annotations),
        ];
        for (topic, name, part) in parts {
            if selection.has(topic) && !part.is_null() {
                state.insert(name.to_owned(), part.clone());
            }
        }
        if selection.has_series() {
            let newest = self.series.get_or_init(|| newest_values(snapshot));
            let picked = newest.iter().filter(|(series, _)| selection.picks(series)).take(MOST_SERIES);
            let values = picked.map(|(series, value)| (series.to_string(), (*value).into()));
            state.insert("series".to_owned(), Value::Object(values.collect()));
        }
        state
    }
}

fn told(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).expect("messages have string keys and no failing fields");
    without_nulls(&mut value);
    value
}
