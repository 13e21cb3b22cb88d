//! Alerts: the most urgent first, and what is worth saying aloud.

use quillwork_protocol::alert::{AlertState, AlertStatus};

use super::format::{Unit, counted};

/// How a state is shown.
pub fn state_text(state: AlertState) -> &'static str {
    match state {
        AlertState::Critical => "critical",
        AlertState::Warning => "warning",
        AlertState::Pending => "pending",
        AlertState::NoData => "no data",
        AlertState::Ok => "ok",
    }
}

/// The state as it stands in `data-state`: the wire's own word.
pub fn state_key(state: AlertState) -> &'static str {
    match state {
        AlertState::Critical => "critical",
        AlertState::Warning => "warning",
        AlertState::Pending => "pending",
        AlertState::NoData => "noData",
        AlertState::Ok => "ok",
    }
}

/// Whether someone should look now: it fires, be it without data meanwhile.
pub fn fires(alert: &AlertStatus) -> bool {
    is_firing(alert.state) || alert.firing_since_unix_millis.is_some()
}

fn is_firing(state: AlertState) -> bool {
    matches!(state, AlertState::Critical | AlertState::Warning)
}

/// Whether somebody can take care of it: it fires, with or without data.
pub fn is_open(alert: &AlertStatus) -> bool {
    alert.firing_since_unix_millis.is_some() && !alert.fingerprint.is_empty()
}

/// The value beside its thresholds: `93 %; warning at 70 %, critical at 90 %`.
pub fn measure_text(alert: &AlertStatus) -> String {
    let unit = Unit::of(&alert.unit);
    let levels = [("warning", alert.warning_threshold), ("critical", alert.critical_threshold)];
    let levels: Vec<String> = levels
        .into_iter()
        .filter_map(|(name, threshold)| Some(format!("{name} at {}", unit.show(threshold?))))
        .collect();
    let value = unit.show_or_no_data(alert.value);
    if levels.is_empty() { value } else { format!("{value}; {}", levels.join(", ")) }
}

/// Whether there is nothing to look at: all is well, or nothing was there to be observed yet.
pub fn is_quiet(alert: &AlertStatus) -> bool {
    match alert.state {
        AlertState::Ok => true,
        AlertState::NoData => alert.value.is_none() && !fires(alert),
        AlertState::Critical | AlertState::Warning | AlertState::Pending => false,
    }
}

/// How many rules ask for nothing, and why: `2 rules within bounds, 3 not observed yet`.
pub fn quiet_text(alerts: &[AlertStatus]) -> String {
    let within = alerts.iter().filter(|alert| alert.state == AlertState::Ok).count();
    let unobserved = alerts.iter().filter(|alert| is_quiet(alert)).count() - within;
    let within = (within > 0).then(|| format!("{} within bounds", counted(within, "rule", "rules")));
    let unobserved = match (unobserved, &within) {
        (0, _) => None,
        (number, Some(_)) => Some(format!("{number} not observed yet")),
        (number, None) => Some(format!("{} not observed yet", counted(number, "rule", "rules"))),
    };
    within.into_iter().chain(unobserved).collect::<Vec<_>>().join(", ")
}

/// The most urgent first; among equals the newest, then by name, so that rows keep their places.
pub fn by_urgency(alerts: &[AlertStatus]) -> Vec<AlertStatus> {
    let mut alerts = alerts.to_vec();
    alerts.sort_by(|a, b| {
        let place = |alert: &AlertStatus| (rank(alert.state), std::cmp::Reverse(alert.since_unix_millis));
        place(a).cmp(&place(b)).then_with(|| (&a.rule, &a.subject).cmp(&(&b.rule, &b.subject)))
    });
    alerts
}

fn rank(state: AlertState) -> u8 {
    match state {
        AlertState::Critical => 0,
        AlertState::Warning => 1,
        AlertState::Pending => 2,
        AlertState::NoData => 3,
        AlertState::Ok => 4,
    }
}

/// One sentence for a screen reader about what changed: what began to fire or grew worse, and what is over. Changes
/// that ask for nothing, such as pending, are not read out.
pub fn announcement(before: &[AlertStatus], now: &[AlertStatus]) -> Option<String> {
    let was = |alert: &AlertStatus| {
        let known = before.iter().find(|other| other.rule == alert.rule && other.subject == alert.subject);
        known.map_or(AlertState::Ok, |other| other.state)
    };
    let sentences: Vec<String> = by_urgency(now)
        .iter()
        .filter_map(|alert| {
            let (then, state) = (was(alert), alert.state);
            if is_firing(state) && rank(state) != rank(then) {
                Some(format!("{}: {}.", capitalised(state_text(state)), alert.summary.trim_end_matches('.')))
            } else if is_firing(then) && state == AlertState::Ok {
                Some(format!("Resolved: {} on {}.", alert.rule, alert.subject_name))
            } else {
                None
            }
        })
        .collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn alert(rule: &str, state: AlertState, since_unix_millis: u64) -> AlertStatus {
        AlertStatus {
            rule: rule.into(),
            subject: "host".into(),
            subject_name: "this machine".into(),
            summary: format!("{rule} is at 93 %, above 90 %"),
            state,
            value: Some(0.93),
            unit: "ratio".into(),
            warning_threshold: Some(0.7),
            critical_threshold: Some(0.9),
            since_unix_millis,
            fingerprint: rule.into(),
            labels: std::collections::BTreeMap::new(),
            firing_since_unix_millis: None,
            culprit: None,
            look_first: None,
            acknowledged_by: None,
            muted_by: None,
        }
    }

    #[test]
    fn what_was_never_observed_is_quiet_and_what_is_lost_is_not() {
        let unobserved = AlertStatus { value: None, ..alert("a", AlertState::NoData, 1) };
        let lost = alert("b", AlertState::NoData, 1);
        assert!(is_quiet(&unobserved) && is_quiet(&alert("c", AlertState::Ok, 1)));
        assert!(!is_quiet(&lost) && !is_quiet(&alert("d", AlertState::Pending, 1)));
        let fires_on = AlertStatus { firing_since_unix_millis: Some(1), ..unobserved.clone() };
        assert!(fires(&fires_on) && !is_quiet(&fires_on), "losing its source resolves nothing");
        assert!(!fires(&unobserved) && !fires(&lost));

        let text = |alerts: &[AlertStatus]| quiet_text(alerts).replace('\u{a0}', " ");
        let fine = alert("c", AlertState::Ok, 1);
        assert_eq!(
            text(&[fine.clone(), unobserved.clone(), lost.clone()]),
            "1 rule within bounds, 1 not observed yet"
        );
        assert_eq!(text(&[unobserved]), "1 rule not observed yet");
        assert_eq!(text(&[fine, lost]), "1 rule within bounds");
    }

    #[test]
    fn a_value_stands_beside_its_thresholds() {
        let text = |alert: &AlertStatus| measure_text(alert).replace('\u{a0}', " ");
        let both = alert("host-cpu", AlertState::Critical, 1);
        assert_eq!(text(&both), "93 %; warning at 70 %, critical at 90 %");
        let lost = AlertStatus { value: None, warning_threshold: None, ..both.clone() };
        assert_eq!(text(&lost), "no data; critical at 90 %");
        assert!(!is_open(&both), "it does not fire");
        assert!(is_open(&AlertStatus { firing_since_unix_millis: Some(1), ..lost }));
    }

    #[test]
    fn the_most_urgent_and_newest_come_first() {
        let sorted = by_urgency(&[
            alert("a", AlertState::Ok, 9),
            alert("b", AlertState::Warning, 1),
            alert("c", AlertState::Critical, 1),
            alert("d", AlertState::Warning, 5),
            alert("e", AlertState::NoData, 1),
            alert("f", AlertState::Pending, 1),
        ]);
        let order: Vec<&str> = sorted.iter().map(|alert| alert.rule.as_str()).collect();
        assert_eq!(order, ["c", "d", "b", "f", "e", "a"]);
    }

    #[test]
    fn says_what_began_and_what_is_over() {
        let ok = [alert("host-cpu", AlertState::Ok, 1)];
        let warning = [alert("host-cpu", AlertState::Warning, 2)];
        let critical = [alert("host-cpu", AlertState::Critical, 3)];
        let said = |before: &[AlertStatus], now: &[AlertStatus]| announcement(before, now);
        assert_eq!(said(&[], &warning).as_deref(), Some("Warning: host-cpu is at 93 %, above 90 %."));
        assert_eq!(said(&warning, &critical).as_deref(), Some("Critical: host-cpu is at 93 %, above 90 %."));
        assert_eq!(said(&critical, &ok).as_deref(), Some("Resolved: host-cpu on this machine."));
    }

    #[test]
    fn stays_quiet_where_nothing_asks_for_attention() {
        let warning = [alert("host-cpu", AlertState::Warning, 2)];
        let no_data = [alert("host-cpu", AlertState::NoData, 3)];
        let pending = [alert("host-cpu", AlertState::Pending, 3)];
        assert_eq!(announcement(&warning, &warning), None);
        assert_eq!(announcement(&[], &pending), None);
        assert_eq!(announcement(&warning, &no_data), None, "no data does not resolve");
    }
}
