//! Figures and states in people's words, the same in every form.

use quillwork_protocol::alert::{AlertEvent, AlertState, ObjectiveInfo};
use quillwork_protocol::report::{
    BudgetInfo, BudgetSide, BudgetState, RangeInfo, Report, RuleSummary, Urgency,
};

use crate::calendar::minute;
use crate::insights::words::{duration, millis};
use crate::units::bytes;

/// What stands where nobody looked.
pub(super) const ABSENT: &str = "not observed";

/// A value in its unit.
pub(super) fn value(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => share(value),
        "millis" => millis(value),
        "perSecond" => trimmed(value, 1),
        "bytes" => bytes(value),
        "bytesPerSecond" => format!("{}/s", bytes(value)),
        "celsius" => format!("{value:.0} °C"),
        "watts" => format!("{value:.1} W"),
        "hertz" => format!("{:.2} GHz", value / 1e9),
        _ => format!("{value:.2}"),
    }
}

/// A value beside an axis: few digits, and no unit that all of them share but where it scales.
pub(super) fn axis(of: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:.0} %", of * 100.0),
        "millis" if of >= 10_000.0 => format!("{:.0} s", of / 1_000.0),
        "millis" => format!("{of:.0} ms"),
        "bytes" | "bytesPerSecond" => value(of, unit),
        _ => format!("{of:.0}"),
    }
}

/// As [`value`], of what may not have been observed.
pub(super) fn known(of: Option<f64>, unit: &str) -> String {
    of.map_or_else(|| ABSENT.to_owned(), |of| value(of, unit))
}

/// A share in per cent, with the digits that tell 99.95 from 100.
pub(super) fn share(ratio: f64) -> String {
    let per_cent = ratio * 100.0;
    let decimals = match per_cent.abs().min((100.0 - per_cent).abs()) {
        distance if distance < 1.0 => 2,
        distance if distance < 10.0 => 1,
        _ => 0,
    };
    format!("{} %", trimmed(per_cent, decimals))
}

/// So many decimals, without zeros at the end.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// By how much something changed, where that can be said.
pub(super) fn change(now: Option<f64>, earlier: Option<f64>, unit: &str) -> Option<String> {
    let (now, earlier) = (now?, earlier?);
    let off = now - earlier;
    let sign = if off < 0.0 { "−" } else { "+" };
    if unit == "ratio" {
        return Some(if off.abs() < 0.000_05 {
            "as before".to_owned()
        } else {
            format!("{sign}{:.*} points", if off.abs() < 0.01 { 2 } else { 1 }, off.abs() * 100.0)
        });
    }
    if earlier.abs() < 1e-9 {
        return Some(if off.abs() < 1e-9 {
            "as before".to_owned()
        } else {
            format!("was {}", value(earlier, unit))
        });
    }
    let per_cent = off / earlier.abs() * 100.0;
    Some(match per_cent.abs() {
        small if small < 0.5 => "as before".to_owned(),
        large if large >= 1_000.0 => format!("was {}", value(earlier, unit)),
        _ => format!("{sign}{:.0} %", per_cent.abs()),
    })
}

/// [`change`], with a dash where nothing can be said.
pub(super) fn change_or_dash(now: Option<f64>, earlier: Option<f64>, unit: &str) -> String {
    change(now, earlier, unit).unwrap_or_else(|| "–".to_owned())
}

/// `kept`.
pub(super) const fn state(state: BudgetState) -> &'static str {
    match state {
        BudgetState::Kept => "kept",
        BudgetState::Missed => "missed",
        BudgetState::NotObserved => ABSENT,
    }
}

/// `below 80 %`.
pub(super) fn bound(budget: &BudgetInfo) -> String {
    let side = match budget.side {
        BudgetSide::Below => "below",
        BudgetSide::Above if budget.name == "up" => "at least",
        BudgetSide::Above => "above",
    };
    format!("{side} {}", value(budget.bound, &budget.unit))
}

/// How much of it lay outside.
pub(super) fn outside(budget: &BudgetInfo) -> String {
    let what =
        if matches!(budget.name.as_str(), "response" | "errors") { "of the tasks" } else { "of the time" };
    budget.outside_ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{} {what}", share(ratio)))
}

/// `today`.
pub(super) const fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Now => "now",
        Urgency::Soon => "soon",
        Urgency::Later => "later",
    }
}

/// `2024-01-01 00:00 UTC to 2024-01-02 00:00 UTC`.
pub(super) fn range(range: RangeInfo) -> String {
    let (from, to) = (minute(range.from_unix_millis), minute(range.to_unix_millis));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, from)), Some((other, to))) if day == other => {
            format!("{day}, {} to {to}", from.trim_end_matches(" UTC"))
        }
        _ => format!("{} to {to}", from.trim_end_matches(" UTC")),
    }
}

/// The range of a report.
pub(super) fn range_of(report: &Report) -> String {
    range(RangeInfo { from_unix_millis: report.from_unix_millis, to_unix_millis: report.to_unix_millis })
}

/// What is reported on.
pub(super) fn title(report: &Report) -> String {
    let host = crate::printable::printable(&report.host);
    if host.is_empty() { "Report".to_owned() } else { format!("Report on {host}") }
}

/// What the whole comes to.
pub(super) fn verdict(report: &Report) -> String {
    let count = |state| report.budgets.iter().filter(|budget| budget.state == state).count();
    let (kept, missed) = (count(BudgetState::Kept), count(BudgetState::Missed));
    let unobserved = count(BudgetState::NotObserved);
    let mut text = match (kept, missed) {
        (0, 0) => "Nothing was observed in this time.".to_owned(),
        (kept, 0) => format!("All {kept} budgets that were observed were kept."),
        (kept, missed) => format!(
            "{missed} of {} budgets that were observed {} missed.",
            kept + missed,
            if missed == 1 { "was" } else { "were" }
        ),
    };
    if unobserved > 0 && kept + missed > 0 {
        text.push_str(&format!(" {unobserved} could not be observed."));
    }
    let firing = report.alerts.firing.len();
    if firing > 0 {
        text.push_str(&format!(
            " {firing} {} when this was made.",
            if firing == 1 { "alert fired" } else { "alerts fired" }
        ));
    }
    text
}

/// How figures were made.
pub(super) fn basis(report: &Report) -> String {
    let compared =
        report.earlier.map_or_else(String::new, |earlier| format!(" Changes are beside {}.", range(earlier)));
    format!(
        "Made {}. Figures of the machine and of frames are of means over {}; response times are exact to 1 %.{compared}",
        minute(report.made_unix_millis),
        duration(report.step_millis)
    )
}

/// A budget's row in a table: name, state, what was measured, what was promised, how much was outside, the worst; with the change where the
/// report compares.
pub(super) fn budget(budget: &BudgetInfo, compares: bool) -> Vec<String> {
    let known = |of: Option<f64>| of.map_or_else(|| "–".to_owned(), |of| value(of, &budget.unit));
    let mut row = vec![
        budget.what.clone(),
        state(budget.state).to_owned(),
        known(budget.value),
        bound(budget),
        outside(budget),
        known(budget.worst),
    ];
    if compares {
        row.push(change_or_dash(budget.value, budget.earlier, &budget.unit));
    }
    row
}

/// A rule's row in a table of alerts: name, how often it began, for how long it fired, about what, what was named with it.
pub(super) fn rule(rule: &RuleSummary) -> Vec<String> {
    vec![
        rule.rule.clone(),
        rule.begun.to_string(),
        duration(rule.fired_millis),
        rule.subjects.join(", "),
        rule.culprit.clone().unwrap_or_else(|| "–".to_owned()),
    ]
}

/// Where an objective stands.
pub(super) fn objective(objective: &ObjectiveInfo) -> [String; 5] {
    let labels: Vec<String> =
        objective.labels.values().map(|value| crate::printable::printable(value)).collect();
    let name = if labels.is_empty() {
        objective.rule.clone()
    } else {
        format!("{} ({})", objective.rule, labels.join(", "))
    };
    [
        name,
        format!("{} over {}", share(objective.objective), duration(objective.period_millis)),
        objective.attained.map_or_else(|| ABSENT.to_owned(), share),
        objective.budget_left.map_or_else(|| "–".to_owned(), share),
        objective.burn_rate_1h.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}×")),
    ]
}

/// What happened to an alert: `warning`, `resolved`.
pub(super) const fn happened(event: &AlertEvent) -> &'static str {
    match event.to {
        None => "no longer watched",
        Some(AlertState::Critical) => "critical",
        Some(AlertState::Warning) => "warning",
        Some(AlertState::NoData) if event.severity.is_some() => "fires without data",
        Some(AlertState::Ok | AlertState::Pending | AlertState::NoData) => "resolved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_the_digits_that_count() {
        let shown = [0.0, 1.0, 0.5, 0.999, 0.9995, 0.99998, 0.034, 0.0004, -1.37].map(share);
        assert_eq!(
            shown,
            ["0 %", "100 %", "50 %", "99.9 %", "99.95 %", "100 %", "3.4 %", "0.04 %", "-137 %"]
        );
    }

    #[test]
    fn changes_are_said_as_people_say_them() {
        let of = |now, earlier, unit| change(Some(now), Some(earlier), unit).unwrap();
        assert_eq!(of(0.45, 0.40, "ratio"), "+5.0 points");
        assert_eq!(of(120.0, 100.0, "millis"), "+20 %");
        assert_eq!(of(80.0, 100.0, "millis"), "−20 %");
        assert_eq!(of(100.0, 100.0, "millis"), "as before");
        assert_eq!(of(100.0, 0.0, "millis"), "was 0.0 ms");
        assert_eq!(change(None, Some(1.0), "ratio"), None);
    }

    #[test]
    fn a_range_within_a_day_names_it_once() {
        let range = |from, to| super::range(RangeInfo { from_unix_millis: from, to_unix_millis: to });
        assert_eq!(range(0, 3_600_000), "1970-01-01, 00:00 to 01:00 UTC");
        assert_eq!(range(0, 86_400_000), "1970-01-01 00:00 to 1970-01-02 00:00 UTC");
    }
}
