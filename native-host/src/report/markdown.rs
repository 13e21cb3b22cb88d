//! As Markdown, for tickets and mail.

use std::fmt::Write as _;

use quillwork_protocol::report::Report;

use super::words::{self, ABSENT};
use crate::calendar::minute;
use crate::insights::words::duration;
use crate::printable::printable;

pub(super) fn write(report: &Report) -> String {
    let mut text = format!(
        "# {}\n\n{}\n\n**{}**\n\n{}\n",
        escaped(&words::title(report)),
        words::range_of(report),
        words::verdict(report),
        escaped(&words::basis(report)),
    );
    budgets(&mut text, report);
    recommendations(&mut text, report);
    objectives(&mut text, report);
    alerts(&mut text, report);
    insights(&mut text, report);
    pages(&mut text, report);
    machine(&mut text, report);
    text
}

/// Text from outside: nothing of it is markup, and it stays on its line.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in printable(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' | '@' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn heading(text: &mut String, title: &str) {
    let _ = write!(text, "\n## {title}\n\n");
}

fn table(text: &mut String, columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let _ = writeln!(text, "| {} |", columns.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(columns.len()));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

fn list(text: &mut String, sentences: impl IntoIterator<Item = String>) {
    for sentence in sentences {
        let _ = writeln!(text, "- {}", escaped(&sentence));
    }
}

fn budgets(text: &mut String, report: &Report) {
    heading(text, "Budgets");
    let mut columns = vec!["Budget", "State", "Measured", "Promise", "Outside", "Worst"];
    columns.extend(report.earlier.map(|_| "Change"));
    let rows = report.budgets.iter().map(|budget| words::budget(budget, report.earlier.is_some()));
    table(text, &columns, rows);
}

fn recommendations(text: &mut String, report: &Report) {
    heading(text, "What to do");
    if report.recommendations.is_empty() {
        text.push_str("Nothing: no budget was missed, nothing limited or fills up, no alert fires.\n");
    }
    for (number, of) in (1..).zip(&report.recommendations) {
        let _ = writeln!(text, "{number}. **{}** ({})", escaped(&of.advice), words::urgency(of.urgency));
        for evidence in &of.evidence {
            let _ = writeln!(text, "   - {}", escaped(evidence));
        }
    }
}

fn objectives(text: &mut String, report: &Report) {
    heading(text, "Objectives");
    if report.objectives.is_empty() {
        text.push_str("None was observed: no page reported since the host keeps count.\n");
        return;
    }
    table(
        text,
        &["Objective", "Promise", "Attained", "Budget left", "Burn rate, 1 h"],
        report.objectives.iter().map(|objective| words::objective(objective).to_vec()),
    );
}

fn alerts(text: &mut String, report: &Report) {
    heading(text, "Alerts");
    let alerts = &report.alerts;
    if alerts.event_count == 0 && alerts.firing.is_empty() {
        text.push_str("None began or ended in this time, and none fires.\n");
    }
    list(text, alerts.firing.iter().map(|alert| format!("Fires: {} ({})", alert.summary, alert.rule)));
    if !alerts.rules.is_empty() {
        if !alerts.firing.is_empty() {
            text.push('\n');
        }
        table(
            text,
            &["Rule", "Began", "Fired for", "About", "Named with it"],
            alerts.rules.iter().map(words::rule),
        );
    }
    if let Some(before) = alerts.incomplete_before_unix_millis {
        let _ = writeln!(text, "\nWhat happened before {} is no longer known.", minute(before));
    }
}

fn insights(text: &mut String, report: &Report) {
    let insights = &report.insights;
    let mut section = |title: &str, about: &str, none: &str, sentences: Vec<String>| {
        heading(text, title);
        if sentences.is_empty() {
            let missing: Vec<String> = missing(report, about);
            let _ = writeln!(
                text,
                "{}",
                if missing.is_empty() { none.to_owned() } else { escaped(&missing.join(" ")) }
            );
        }
        list(text, sentences);
    };
    let said = |summaries: Vec<&String>| summaries.into_iter().cloned().collect();
    section(
        "What limited",
        "bottlenecks",
        "Nothing did.",
        said(insights.bottlenecks.iter().map(|of| &of.summary).collect()),
    );
    section(
        "What fills",
        "trends",
        "Nothing was measured.",
        said(insights.trends.iter().map(|of| &of.summary).collect()),
    );
    section(
        "What went with slow seconds",
        "correlations",
        "Nothing of the machine did.",
        said(insights.correlations.iter().map(|of| &of.summary).collect()),
    );
    section(
        "Workers",
        "capacity",
        "No page ran tasks.",
        said(insights.capacity.iter().map(|of| &of.summary).collect()),
    );
}

/// Why there is nothing, each as a sentence.
pub(super) fn missing(report: &Report, about: &str) -> Vec<String> {
    let of = report.insights.missing.iter().filter(|missing| missing.about == about);
    of.map(|missing| format!("Not known: {}.", missing.reason.trim_end_matches('.'))).collect()
}

fn pages(text: &mut String, report: &Report) {
    heading(text, "Pages");
    if report.pages.is_empty() {
        text.push_str("None reported.\n");
    } else {
        table(
            text,
            &["Page", "Seen for", "Frames/s", "5 % below", "p50", "p95", "p99", "Errors"],
            report.pages.iter().map(|page| {
                vec![
                    page.name.clone(),
                    duration(page.seen_millis),
                    words::known(page.frames_per_second, "perSecond"),
                    words::known(page.frames_per_second_p5, "perSecond"),
                    words::known(page.response_p50_millis, "millis"),
                    words::known(page.response_p95_millis, "millis"),
                    words::known(page.response_p99_millis, "millis"),
                    page.error_ratio.map_or_else(|| ABSENT.to_owned(), words::share),
                ]
            }),
        );
    }
    heading(text, "Types of task");
    if report.task_types.is_empty() {
        text.push_str("No page told of any.\n");
    } else {
        table(
            text,
            &["Type", "Ran", "Mean", "p95", "Share of the run time"],
            report.task_types.iter().map(|of| {
                vec![
                    of.task_type.clone(),
                    of.count.to_string(),
                    words::value(of.mean_millis, "millis"),
                    words::value(of.p95_millis, "millis"),
                    words::share(of.share_ratio),
                ]
            }),
        );
    }
    heading(text, "Caches");
    let _ = match &report.cache {
        None => writeln!(text, "Nothing was looked up."),
        Some(cache) => writeln!(
            text,
            "{} of the look-ups found something; the lowest is {} with {}.",
            words::share(cache.hit_ratio),
            escaped(&cache.lowest_name),
            words::share(cache.lowest_hit_ratio)
        ),
    };
}

fn machine(text: &mut String, report: &Report) {
    heading(text, "Machine");
    if report.machine.is_empty() {
        text.push_str("It was not measured.\n");
    } else {
        let mut columns = vec!["", "Mean", "95 % of the time below", "Highest"];
        columns.extend(report.earlier.map(|_| "Change"));
        let rows = report.machine.iter().map(|of| {
            let mut row = vec![of.what.clone()];
            row.extend([of.mean, of.p95, of.highest].map(|value| words::value(value, &of.unit)));
            row.extend(
                report.earlier.map(|_| words::change_or_dash(Some(of.mean), of.earlier_mean, &of.unit)),
            );
            row
        });
        table(text, &columns, rows);
    }
    if !report.gaps.is_empty() {
        text.push_str("\nNot measured:\n\n");
        list(
            text,
            report.gaps.iter().map(|gap| {
                format!("{} ({})", words::range(*gap), duration(gap.to_unix_millis - gap.from_unix_millis))
            }),
        );
    }
    if !report.annotations.is_empty() {
        heading(text, "Annotations");
        list(text, report.annotations.iter().map(|one| format!("{}: {}", minute(one.at), one.text)));
    }
    if !report.insights.damaged.is_empty() {
        heading(text, "Damaged history");
        list(text, report.insights.damaged.iter().cloned());
    }
}
