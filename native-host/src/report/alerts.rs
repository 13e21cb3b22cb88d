//! What happened to alerts in a range.

use std::collections::BTreeMap;

use quillwork_protocol::alert::AlertEvent;
use quillwork_protocol::report::{AlertSummary, RuleSummary};

use super::known::Known;

/// Events that are told: as many as the host remembers.
const MOST_EVENTS: usize = 1_000;
/// Subjects of a rule that are told.
const MOST_SUBJECTS: usize = 5;

pub(super) fn summary(known: &Known, (from, to): (u64, u64)) -> AlertSummary {
    let in_range: Vec<&AlertEvent> =
        known.events.iter().filter(|event| (from..to).contains(&event.at_unix_millis)).collect();
    let mut rules: BTreeMap<&str, RuleSummary> = BTreeMap::new();
    for event in &in_range {
        let summary = rules.entry(&event.rule).or_insert_with(|| RuleSummary {
            rule: event.rule.clone(),
            begun: 0,
            critical: false,
            fired_millis: 0,
            subjects: Vec::new(),
            culprit: None,
        });
        let began = event.severity.is_some() && event.fired_for_millis.is_none() && !was_firing(event);
        summary.begun += u32::from(began);
        summary.critical |= event.severity.as_deref() == Some("critical");
        let in_range = event.at_unix_millis - from;
        summary.fired_millis += event.fired_for_millis.map_or(0, |fired| fired.min(in_range));
        // The id of a page is for programs, and a report goes to people.
        let subject = known.context.name(&event.subject);
        if summary.subjects.len() < MOST_SUBJECTS && !summary.subjects.contains(&subject) {
            summary.subjects.push(subject);
        }
        if event.culprit.is_some() {
            summary.culprit.clone_from(&event.culprit);
        }
    }
    for alert in &known.firing {
        let since = alert.firing_since_unix_millis.unwrap_or(to).max(from);
        if let Some(summary) = rules.get_mut(alert.rule.as_str()) {
            summary.fired_millis += to.saturating_sub(since);
        }
    }
    let mut rules: Vec<RuleSummary> = rules.into_values().collect();
    rules.sort_by(|a, b| b.fired_millis.cmp(&a.fired_millis).then_with(|| a.rule.cmp(&b.rule)));
    let oldest = known.events.first().map(|event| event.at_unix_millis);
    AlertSummary {
        firing: known.firing.clone(),
        rules,
        events: in_range.iter().rev().take(MOST_EVENTS).map(|event| named(event, known)).collect(),
        event_count: in_range.len() as u64,
        incomplete_before_unix_millis: oldest.filter(|oldest| known.forgets && *oldest > from),
    }
}

fn named(event: &AlertEvent, known: &Known) -> AlertEvent {
    AlertEvent { subject: known.context.name(&event.subject), ..event.clone() }
}

/// Whether it had fired before: a warning that grew critical began earlier.
fn was_firing(event: &AlertEvent) -> bool {
    use quillwork_protocol::alert::AlertState::{Critical, Warning};
    matches!(event.from, Warning | Critical)
}
