//! The alert engine, and its state in people's words.

use std::collections::BTreeMap;

use quillwork_core::alert::{Direction, Engine, MetricId, Severity, State, SubjectId, budget_rules};
use quillwork_core::time::Instant;
use quillwork_protocol::alert::{AlertState, AlertStatus};

use super::page::LastMinute;
use crate::clock::Now;

/// Pairs of rule and subject: five rules on more pages than are kept.
const MOST_INSTANCES: usize = 2_000;

/// The budget rules on the host and each page.
#[derive(Debug)]
pub(crate) struct Alerts {
    engine: Engine,
    metrics: Metrics,
    subjects: Subjects,
}

#[derive(Debug)]
struct Metrics {
    cpu: MetricId,
    memory: MetricId,
    response: MetricId,
    errors: MetricId,
    frames: MetricId,
}

/// Numbers for subjects, which outside are named.
#[derive(Debug, Default)]
struct Subjects {
    numbers: BTreeMap<String, SubjectId>,
    names: BTreeMap<SubjectId, String>,
    next: u64,
}

/// The subject that is the machine.
pub(crate) const HOST: &str = "host";

impl Alerts {
    /// Nothing has been observed.
    pub(crate) fn new() -> Self {
        let engine = Engine::new(budget_rules(), MOST_INSTANCES).expect("core's own rules are sound");
        let metric = |name| engine.metric(name).expect("a budget rule watches it");
        let metrics = Metrics {
            cpu: metric("host.cpu.total"),
            memory: metric("host.memory.used_ratio"),
            response: metric("page.response_p95"),
            errors: metric("page.error_ratio"),
            frames: metric("page.fps"),
        };
        Self { engine, metrics, subjects: Subjects::default() }
    }

    /// The machine was measured.
    pub(crate) fn observe_host(&mut self, at: Instant, cpu: Option<f64>, memory: Option<f64>) {
        let host = self.subjects.id(HOST);
        for (metric, value) in [(self.metrics.cpu, cpu), (self.metrics.memory, memory)] {
            self.observe(at, host, metric, value, u64::MAX);
        }
    }

    /// A page's sample came. `frames` is absent where the page was hidden for a part of it.
    pub(crate) fn observe_page(
        &mut self,
        at: Instant,
        id: &str,
        last_minute: LastMinute,
        frames: Option<f64>,
    ) {
        let page = self.subjects.id(id);
        let LastMinute { response_p95_millis, error_ratio, tasks } = last_minute;
        self.observe(at, page, self.metrics.response, response_p95_millis, tasks);
        self.observe(at, page, self.metrics.errors, error_ratio, tasks);
        self.observe(at, page, self.metrics.frames, frames, u64::MAX);
    }

    fn observe(&mut self, at: Instant, subject: SubjectId, metric: MetricId, value: Option<f64>, count: u64) {
        if let Err(error) = self.engine.observe_counted(at, subject, metric, value, count) {
            // The number of pages is bounded below this; a new bound that isn't would show here.
            tracing::warn!("a sample is not watched: {error}");
        }
    }

    /// A page is gone, or no longer shown.
    pub(crate) fn remove_page(&mut self, now: Now, id: &str) {
        if let Some(subject) = self.subjects.remove(id) {
            self.engine.remove_subject(now.monotonic, subject);
            self.log_transitions_of(|_| Some(id.to_owned()));
        }
    }

    /// Notices what has become stale.
    pub(crate) fn handle_deadline(&mut self, now: Now) {
        self.engine.handle_deadline(now.monotonic);
    }

    /// Tells the log of what changed.
    pub(crate) fn log_transitions(&mut self) {
        let names = std::mem::take(&mut self.subjects.names);
        self.log_transitions_of(|subject| names.get(&subject).cloned());
        self.subjects.names = names;
    }

    fn log_transitions_of(&mut self, name: impl Fn(SubjectId) -> Option<String>) {
        while let Some(transition) = self.engine.poll_output() {
            let Some(to) = transition.to else { continue };
            let was_firing = transition.from.severity();
            let is_firing = to.severity();
            if was_firing == is_firing {
                continue;
            }
            let rule = self.engine.rule(transition.rule);
            let subject = name(transition.subject).unwrap_or_default();
            let sentence = summary(rule, &subject, to, transition.value);
            match is_firing {
                Some(severity) => {
                    tracing::warn!("alert {} on {subject} is {severity}: {sentence}", rule.name)
                }
                None => tracing::info!("alert {} on {subject} is resolved: {sentence}", rule.name),
            }
        }
    }

    /// Every rule on every subject, the most urgent first. `person_name` gives what a person calls a page.
    pub(crate) fn statuses(
        &self,
        now: Now,
        person_name: impl Fn(&str) -> Option<String>,
    ) -> Vec<AlertStatus> {
        let mut statuses: Vec<(Option<Severity>, AlertStatus)> = self
            .engine
            .statuses()
            .filter_map(|status| {
                let subject = self.subjects.names.get(&status.subject)?.clone();
                let rule = self.engine.rule(status.rule);
                let subject_name =
                    person_name(&subject).filter(|name| !name.is_empty()).unwrap_or_else(|| subject.clone());
                let summary = summary(rule, &subject_name, status.state, status.value);
                let age_millis = now.monotonic.duration_since(status.since).as_millis();
                let described = AlertStatus {
                    rule: rule.name.clone(),
                    subject,
                    subject_name,
                    summary,
                    state: wire_state(status.state),
                    value: if matches!(status.state, State::NoData { .. }) { None } else { status.value },
                    unit: rule.unit.as_str().to_owned(),
                    warning_threshold: rule.warning.threshold,
                    critical_threshold: rule.critical.threshold,
                    since_unix_millis: now.unix_millis.saturating_sub(age_millis),
                };
                Some((status.state.severity(), described))
            })
            .collect();
        statuses.sort_by(|(a_severity, a), (b_severity, b)| {
            b_severity
                .cmp(a_severity)
                .then_with(|| urgency(b.state).cmp(&urgency(a.state)))
                .then_with(|| a.rule.cmp(&b.rule))
                .then_with(|| a.subject.cmp(&b.subject))
        });
        statuses.into_iter().map(|(_, status)| status).collect()
    }
}

impl Subjects {
    fn id(&mut self, name: &str) -> SubjectId {
        if let Some(id) = self.numbers.get(name) {
            return *id;
        }
        let id = SubjectId::new(self.next);
        self.next += 1;
        self.numbers.insert(name.to_owned(), id);
        self.names.insert(id, name.to_owned());
        id
    }

    fn remove(&mut self, name: &str) -> Option<SubjectId> {
        let id = self.numbers.remove(name)?;
        self.names.remove(&id);
        Some(id)
    }
}

fn wire_state(state: State) -> AlertState {
    match state {
        State::Ok => AlertState::Ok,
        State::Pending => AlertState::Pending,
        State::Warning => AlertState::Warning,
        State::Critical => AlertState::Critical,
        State::NoData { .. } => AlertState::NoData,
    }
}

fn urgency(state: AlertState) -> u8 {
    match state {
        AlertState::Critical => 4,
        AlertState::Warning => 3,
        AlertState::Pending => 2,
        AlertState::NoData => 1,
        AlertState::Ok => 0,
    }
}

/// One sentence with the value and the threshold that counts in this state.
fn summary(rule: &quillwork_core::alert::Rule, subject: &str, state: State, value: Option<f64>) -> String {
    let what = match &*rule.name {
        "host-cpu" => "CPU use".to_owned(),
        "host-memory" => "Memory use".to_owned(),
        "page-response" => format!("Response time (p95) of {subject}"),
        "page-errors" => format!("Error ratio of {subject}"),
        "page-fps" => format!("Frame rate of {subject}"),
        other => format!("{other} of {subject}"),
    };
    let side = match rule.direction {
        Direction::Above => "above",
        Direction::Below => "below",
    };
    let shown = |value| with_unit(value, rule.unit.as_str());
    let Some(value) = value else { return format!("{what} is not known yet.") };
    match state {
        State::Ok => {
            format!("{what} is {}, within its budget of {}.", shown(value), shown(rule.warning.threshold))
        }
        State::Pending => {
            format!("{what} is {}, {side} {}, not yet for long.", shown(value), shown(rule.warning.threshold))
        }
        State::Warning | State::Critical => {
            let (name, threshold) = if state == State::Warning {
                ("the warning", rule.warning.threshold)
            } else {
                ("critical", rule.critical.threshold)
            };
            if rule.direction.is_beyond(value, threshold) {
                format!("{what} is {}; {name} is {side} {}.", shown(value), shown(threshold))
            } else {
                format!(
                    "{what} is {}, no longer {side} {}, but not yet for long.",
                    shown(value),
                    shown(threshold)
                )
            }
        }
        State::NoData { firing: Some(severity) } => {
            format!("{what} is not known now; it was {} and the alert was {severity}.", shown(value))
        }
        State::NoData { firing: None } => format!("{what} is not known now; it was {}.", shown(value)),
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{} %", rounded(value * 100.0)),
        "millis" => format!("{} ms", rounded(value)),
        "perSecond" => format!("{} a second", rounded(value)),
        _ => rounded(value),
    }
}

/// Few digits, and never "0" for what isn't.
fn rounded(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 1.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_is_only_kept_says_that_its_value_is_fine_again() {
        let rules = budget_rules();
        let cpu = rules.iter().find(|rule| rule.name == "host-cpu").unwrap();
        assert_eq!(
            summary(cpu, HOST, State::Warning, Some(0.8)),
            "CPU use is 80 %; the warning is above 70 %."
        );
        assert_eq!(
            summary(cpu, HOST, State::Warning, Some(0.005)),
            "CPU use is 0.5 %, no longer above 70 %, but not yet for long."
        );
        let frames = rules.iter().find(|rule| rule.name == "page-fps").unwrap();
        assert_eq!(
            summary(frames, "A", State::Critical, Some(40.0)),
            "Frame rate of A is 40 a second, no longer below 30 a second, but not yet for long."
        );
    }

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(with_unit(0.7, "ratio"), "70 %");
        assert_eq!(with_unit(0.001, "ratio"), "0.1 %");
        assert_eq!(with_unit(1_234.5, "millis"), "1234 ms");
        assert_eq!(with_unit(59.94, "perSecond"), "59.9 a second");
        assert_eq!(rounded(100.0), "100");
    }
}
