//! Budgets of the objectives, as one reads them.

use quillwork_protocol::alert::ObjectiveInfo;

use super::format::{NO_DATA, counted, span};

/// How a budget stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lasts.
    Kept,
    /// It is spent faster than it lasts, or little is left.
    AtRisk,
    /// It is spent.
    Missed,
    /// Nothing happened yet.
    Unknown,
}

/// Spent so many times too fast, a budget is at risk.
const FAST: f64 = 1.0;
/// With less of it left, a budget is at risk.
const LITTLE: f64 = 0.25;

/// See [`Standing`].
pub fn standing(objective: &ObjectiveInfo) -> Standing {
    let Some(left) = objective.budget_left else { return Standing::Unknown };
    let is_fast = objective.burn_rate_1h.is_some_and(|rate| rate > FAST);
    if left <= 0.0 {
        Standing::Missed
    } else if left < LITTLE || is_fast {
        Standing::AtRisk
    } else {
        Standing::Kept
    }
}

/// A rule's name as a title: `objective-response-p95` reads `Response p95`.
pub fn title(rule: &str) -> String {
    let name = rule.strip_prefix("objective-").unwrap_or(rule).replace('-', " ");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What was attained beside what is wanted: `99.95 % of 99.9 %`.
pub fn attained_text(objective: &ObjectiveInfo) -> String {
    let attained = objective.attained.map_or_else(|| NO_DATA.to_owned(), share);
    format!("{attained}, wanted {}", share(objective.objective))
}

/// What is left of the budget: `43 % of the budget left`, or by how much it is overdrawn.
pub fn left_text(objective: &ObjectiveInfo) -> String {
    match objective.budget_left {
        None => "nothing observed yet".to_owned(),
        Some(left) if left <= 0.0 => {
            let over = -left;
            if over < 0.005 {
                "the budget is spent".to_owned()
            } else {
                format!("the budget is overdrawn by {:.0}\u{a0}%", over * 100.0)
            }
        }
        Some(left) => format!("{:.0}\u{a0}% of the budget left", left * 100.0),
    }
}

/// How fast it is spent: 1 uses the budget up exactly by the end of the period.
pub fn burn_text(objective: &ObjectiveInfo) -> String {
    match objective.burn_rate_1h {
        None => "too few events to tell how fast it burns".to_owned(),
        Some(rate) if rate <= 0.0 => "nothing burnt in the last hour".to_owned(),
        Some(rate) => format!("burning {rate:.1}× in the last hour"),
    }
}

/// On what it rests: `3 bad of 1 200 in 30 d, observed for 2 h`.
pub fn basis_text(objective: &ObjectiveInfo) -> String {
    format!(
        "{} bad of {} in {}, observed for {}",
        objective.bad_events,
        counted(usize::try_from(objective.events).unwrap_or(usize::MAX), "event", "events"),
        span(objective.period_millis),
        span(objective.observed_millis)
    )
}

/// With the decimals that tell it from its neighbours: 99.9 %, 99.95 %, 95 %.
fn share(ratio: f64) -> String {
    let text = format!("{:.3}", (ratio * 100_000.0).floor() / 1_000.0);
    format!("{}\u{a0}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(left: Option<f64>, burn: Option<f64>) -> ObjectiveInfo {
        ObjectiveInfo {
            rule: "objective-response-p95".into(),
            labels: std::collections::BTreeMap::new(),
            objective: 0.95,
            period_millis: 2_592_000_000,
            attained: left.map(|_| 0.999_49),
            budget_left: left,
            events: 1_200,
            bad_events: 3,
            observed_millis: 7_200_000,
            burn_rate_1h: burn,
        }
    }

    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn a_budget_is_at_risk_before_it_is_missed() {
        assert_eq!(standing(&objective(Some(0.9), Some(0.5))), Standing::Kept);
        assert_eq!(standing(&objective(Some(0.9), Some(3.0))), Standing::AtRisk);
        assert_eq!(standing(&objective(Some(0.1), None)), Standing::AtRisk);
        assert_eq!(standing(&objective(Some(-0.2), None)), Standing::Missed);
        assert_eq!(standing(&objective(None, None)), Standing::Unknown);
    }

    #[test]
    fn reads_as_a_sentence() {
        let kept = objective(Some(0.434), Some(2.04));
        assert_eq!(title(&kept.rule), "Response p95");
        assert_eq!(plain(&attained_text(&kept)), "99.949 %, wanted 95 %", "never rounded up to kept");
        assert_eq!(plain(&left_text(&kept)), "43 % of the budget left");
        assert_eq!(burn_text(&kept), "burning 2.0× in the last hour");
        assert_eq!(plain(&basis_text(&kept)), "3 bad of 1200 events in 30 d, observed for 2 h");
        assert_eq!(plain(&left_text(&objective(Some(-1.5), None))), "the budget is overdrawn by 150 %");
        assert_eq!(plain(&attained_text(&objective(None, None))), "no data, wanted 95 %");
    }
}
