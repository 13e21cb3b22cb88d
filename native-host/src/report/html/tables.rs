//! The tables of the page.

use std::fmt::Write as _;

use quillwork_protocol::report::{AlertSummary, BudgetState, Report};

use super::super::words::{self, ABSENT};
use super::{paragraph, section, text};
use crate::calendar::minute;
use crate::html::bars::{Bar, Bars};
use crate::html::figure;
use crate::insights::words::duration;

/// Changes of alerts that are listed; the charts mark all.
const MOST_EVENTS: usize = 50;

/// A column: its heading, and whether it holds text.
type Column<'a> = (&'a str, bool);

/// Cells are text; the first of a row is its heading. What a cell is sorted by is what it shows, unless told.
fn table(
    body: &mut String,
    label: &str,
    columns: &[Column<'_>],
    rows: impl IntoIterator<Item = (&'static str, Vec<String>)>,
) {
    let _ = write!(
        body,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\"><table><thead><tr>"
    );
    for (heading, is_text) in columns {
        let class = if *is_text { " class=\"text\"" } else { "" };
        let _ = write!(body, "<th scope=\"col\"{class}>{heading}</th>");
    }
    body.push_str("</tr></thead><tbody>");
    for (class, cells) in rows {
        let _ = write!(
            body,
            "<tr{}>",
            if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") }
        );
        for (place, (cell, (_, is_text))) in cells.iter().zip(columns).enumerate() {
            let class = if *is_text { " class=\"text\"" } else { "" };
            let cell = text(cell);
            let _ = if place == 0 {
                write!(body, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(body, "<td{class}>{cell}</td>")
            };
        }
        body.push_str("</tr>");
    }
    body.push_str("</tbody></table></div>");
}

pub(super) fn budgets(body: &mut String, report: &Report) {
    section(body, "budgets", "Budgets");
    let mut columns = vec![
        ("Budget", true),
        ("State", true),
        ("Measured", false),
        ("Promise", true),
        ("Outside", false),
        ("Worst", false),
    ];
    columns.extend(report.earlier.map(|_| ("Change", false)));
    let rows = report.budgets.iter().map(|budget| {
        let class = match budget.state {
            BudgetState::Kept => "kept",
            BudgetState::Missed => "missed",
            BudgetState::NotObserved => "absent",
        };
        (class, words::budget(budget, report.earlier.is_some()))
    });
    table(body, "Budgets", &columns, rows);
    body.push_str("</section>");
}

pub(super) fn objectives(body: &mut String, report: &Report) {
    section(body, "objectives", "Objectives");
    if report.objectives.is_empty() {
        paragraph(body, "None was observed: no page reported since the host keeps count.");
    } else {
        let columns = [
            ("Objective", true),
            ("Promise", true),
            ("Attained", false),
            ("Budget left", false),
            ("Burn rate, 1 h", false),
        ];
        let rows = report.objectives.iter().map(|objective| {
            let is_missed = objective.budget_left.is_some_and(|left| left < 0.0);
            (if is_missed { "missed" } else { "" }, words::objective(objective).to_vec())
        });
        table(body, "Objectives", &columns, rows);
    }
    body.push_str("</section>");
}

pub(super) fn alerts(body: &mut String, alerts: &AlertSummary) {
    if !alerts.rules.is_empty() {
        let columns = [
            ("Rule", true),
            ("Began", false),
            ("Fired for", false),
            ("About", true),
            ("Named with it", true),
        ];
        let rows =
            alerts.rules.iter().map(|rule| (if rule.critical { "missed" } else { "" }, words::rule(rule)));
        table(body, "Alerts by rule", &columns, rows);
    }
    if !alerts.events.is_empty() {
        let _ = write!(
            body,
            "<details><summary>What happened, the newest {} of {}</summary>",
            alerts.events.len().min(MOST_EVENTS),
            alerts.event_count
        );
        let columns = [("When", true), ("Rule", true), ("About", true), ("Became", true)];
        let rows = alerts.events.iter().take(MOST_EVENTS).map(|event| {
            let row = vec![
                minute(event.at_unix_millis),
                event.rule.clone(),
                event.subject.clone(),
                words::happened(event).to_owned(),
            ];
            ("", row)
        });
        table(body, "What happened to alerts", &columns, rows);
        body.push_str("</details>");
    }
}

pub(super) fn pages(body: &mut String, report: &Report) {
    section(body, "pages", "Pages");
    if report.pages.is_empty() {
        paragraph(body, "None reported.");
    } else {
        let columns = [
            ("Page", true),
            ("Seen for", false),
            ("Frames/s", false),
            ("5 % below", false),
            ("p50", false),
            ("p95", false),
            ("p99", false),
            ("Errors", false),
            ("Workers busy", false),
            ("Cache hits", false),
        ];
        let rows = report.pages.iter().map(|page| {
            let row = vec![
                page.name.clone(),
                duration(page.seen_millis),
                words::known(page.frames_per_second, "perSecond"),
                words::known(page.frames_per_second_p5, "perSecond"),
                words::known(page.response_p50_millis, "millis"),
                words::known(page.response_p95_millis, "millis"),
                words::known(page.response_p99_millis, "millis"),
                page.error_ratio.map_or_else(|| ABSENT.to_owned(), words::share),
                words::known(page.pool_utilisation, "ratio"),
                words::known(page.cache_hit_ratio, "ratio"),
            ];
            ("", row)
        });
        table(body, "Pages", &columns, rows);
    }
    task_types(body, report);
    body.push_str("<h3>Caches</h3>");
    match &report.cache {
        None => paragraph(body, "Nothing was looked up."),
        Some(cache) => {
            let before = cache.earlier_hit_ratio.map_or_else(String::new, |_| {
                format!(
                    " ({} beside the earlier range)",
                    words::change_or_dash(Some(cache.hit_ratio), cache.earlier_hit_ratio, "ratio")
                )
            });
            paragraph(
                body,
                &format!(
                    "{} of the look-ups found something{before}; the lowest is {} with {}.",
                    words::share(cache.hit_ratio),
                    cache.lowest_name,
                    words::share(cache.lowest_hit_ratio)
                ),
            );
        }
    }
    body.push_str("</section>");
}

fn task_types(body: &mut String, report: &Report) {
    body.push_str("<h3>Types of task</h3>");
    if report.task_types.is_empty() {
        paragraph(body, "No page told of any.");
        return;
    }
    let bars = Bars {
        bars: report
            .task_types
            .iter()
            .take(8)
            .map(|of| Bar {
                name: crate::printable::printable(&of.task_type).chars().take(26).collect(),
                value: of.total_millis,
                half_width: 0.0,
                label: words::share(of.share_ratio),
                is_emphasised: of.share_ratio >= 0.5,
            })
            .collect(),
        limit: None,
    };
    body.push_str(&figure("Share of the workers' time", &bars.svg()));
    let columns = [
        ("Type", true),
        ("Ran", false),
        ("Mean", false),
        ("p95", false),
        ("Share of the run time", false),
        ("Mean, change", false),
    ];
    let rows = report.task_types.iter().map(|of| {
        let row = vec![
            of.task_type.clone(),
            of.count.to_string(),
            words::value(of.mean_millis, "millis"),
            words::value(of.p95_millis, "millis"),
            words::share(of.share_ratio),
            words::change_or_dash(Some(of.mean_millis), of.earlier_mean_millis, "millis"),
        ];
        ("", row)
    });
    table(body, "Types of task", &columns, rows);
}

pub(super) fn machine(body: &mut String, report: &Report) {
    section(body, "machine", "Machine");
    if report.machine.is_empty() {
        paragraph(body, "It was not measured.");
    } else {
        let mut columns =
            vec![("", true), ("Mean", false), ("95 % of the time below", false), ("Highest", false)];
        columns.extend(report.earlier.map(|_| ("Mean, change", false)));
        let rows = report.machine.iter().map(|of| {
            let mut row = vec![of.what.clone()];
            row.extend([of.mean, of.p95, of.highest].map(|value| words::value(value, &of.unit)));
            if report.earlier.is_some() {
                row.push(words::change_or_dash(Some(of.mean), of.earlier_mean, &of.unit));
            }
            ("", row)
        });
        table(body, "Machine", &columns, rows);
    }
    if !report.gaps.is_empty() {
        body.push_str("<h3>Not measured</h3><ul>");
        for gap in &report.gaps {
            let length = duration(gap.to_unix_millis - gap.from_unix_millis);
            let _ = write!(body, "<li>{} ({length})</li>", text(&words::range(*gap)));
        }
        body.push_str("</ul>");
    }
    body.push_str("</section>");
}
