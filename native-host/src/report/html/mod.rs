//! As one HTML file: charts as SVG, no network, readable without scripts, by keyboard and on paper.

mod chart;
mod tables;

use std::fmt::Write as _;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quillwork_protocol::report::{BudgetState, Report};
use sha2::{Digest as _, Sha256};

use super::markdown::missing;
use super::words;
use crate::calendar::minute;
use crate::html::{Document, escaped};
use crate::insights::words::duration;
use crate::printable::printable;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

fn document(title: &str) -> Document<'_> {
    Document { title, style: STYLE, script: SCRIPT }
}

/// The policy of a page that holds this style and this script and nothing else.
pub(crate) fn policy() -> HeaderValue {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let (script, style) = (hash(SCRIPT), hash(&document("").all_style()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("base64 is visible ASCII")
}

pub(super) fn write(report: &Report) -> String {
    let mut body = String::from("<a class=\"skip\" href=\"#content\">To the content</a>");
    let title = words::title(report);
    let _ = write!(
        body,
        "<header><h1>{}</h1><p class=\"about\">{}</p></header>{NAVIGATION}<main id=\"content\">",
        text(&title),
        text(&words::range_of(report)),
    );
    let missed = report.budgets.iter().any(|budget| budget.state == BudgetState::Missed);
    let class = if missed { "verdict missed" } else { "verdict" };
    let _ = write!(body, "<p class=\"{class}\">{}</p>", text(&words::verdict(report)));
    tables::budgets(&mut body, report);
    recommendations(&mut body, report);
    charts(&mut body, report);
    insights(&mut body, report);
    alerts(&mut body, report);
    tables::objectives(&mut body, report);
    tables::pages(&mut body, report);
    tables::machine(&mut body, report);
    annotations(&mut body, report);
    let _ = write!(body, "<p class=\"about\">{}</p></main>", text(&words::basis(report)));
    document(&format!("{title}, {}", words::range_of(report))).page(&body)
}

/// Text from outside: neither markup nor what steers the direction of text.
fn text(text: &str) -> String {
    escaped(&printable(text))
}

fn section(body: &mut String, id: &str, title: &str) {
    let _ = write!(
        body,
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>"
    );
}

fn paragraph(body: &mut String, sentence: &str) {
    let _ = write!(body, "<p>{}</p>", text(sentence));
}

fn recommendations(body: &mut String, report: &Report) {
    section(body, "to-do", "What to do");
    if report.recommendations.is_empty() {
        paragraph(body, "Nothing: no budget was missed, nothing limited or fills up, no alert fires.");
    } else {
        body.push_str("<ol class=\"todo\">");
        for of in &report.recommendations {
            let urgency = words::urgency(of.urgency);
            let _ = write!(
                body,
                "<li><strong>{}</strong> <span class=\"badge {urgency}\">{urgency}</span><ul>",
                text(&of.advice)
            );
            for evidence in &of.evidence {
                let _ = write!(body, "<li>{}</li>", text(evidence));
            }
            body.push_str("</ul></li>");
        }
        body.push_str("</ol>");
    }
    body.push_str("</section>");
}

fn charts(body: &mut String, report: &Report) {
    section(body, "charts", "Over time");
    if report.charts.is_empty() {
        paragraph(body, "Nothing was measured in this time.");
    } else {
        body.push_str(
            "<p class=\"hint script\">Point at a chart, or focus it and use the arrow keys, to read its values.</p>",
        );
    }
    for (number, of) in report.charts.iter().enumerate() {
        body.push_str(&chart::figure(of, number, report));
    }
    body.push_str("</section>");
}

fn insights(body: &mut String, report: &Report) {
    section(body, "causes", "Causes");
    let insights = &report.insights;
    let limits: Vec<&str> = insights.bottlenecks.iter().map(|of| of.summary.as_str()).collect();
    let trends: Vec<&str> = insights.trends.iter().map(|of| of.summary.as_str()).collect();
    let together: Vec<&str> = insights.correlations.iter().map(|of| of.summary.as_str()).collect();
    let workers: Vec<&str> = insights.capacity.iter().map(|of| of.summary.as_str()).collect();
    for (title, about, none, sentences) in [
        ("What limited", "bottlenecks", "Nothing did.", limits),
        ("What fills", "trends", "Nothing was measured.", trends),
        ("What went with slow seconds", "correlations", "Nothing of the machine did.", together),
        ("Workers", "capacity", "No page ran tasks.", workers),
    ] {
        let _ = write!(body, "<h3>{title}</h3>");
        if sentences.is_empty() {
            let missing = missing(report, about);
            paragraph(body, if missing.is_empty() { none.to_owned() } else { missing.join(" ") }.as_str());
            continue;
        }
        body.push_str("<ul>");
        sentences.iter().for_each(|sentence| {
            let _ = write!(body, "<li>{}</li>", text(sentence));
        });
        body.push_str("</ul>");
    }
    body.push_str("</section>");
}

fn alerts(body: &mut String, report: &Report) {
    let alerts = &report.alerts;
    section(body, "alerts", "Alerts");
    if alerts.event_count == 0 && alerts.firing.is_empty() {
        paragraph(body, "None began or ended in this time, and none fires.");
    }
    if !alerts.firing.is_empty() {
        body.push_str("<h3>Firing when this was made</h3><ul>");
        for alert in &alerts.firing {
            let _ = write!(body, "<li>{} <code>{}</code></li>", text(&alert.summary), text(&alert.rule));
        }
        body.push_str("</ul>");
    }
    tables::alerts(body, alerts);
    if let Some(before) = alerts.incomplete_before_unix_millis {
        paragraph(body, &format!("What happened before {} is no longer known.", minute(before)));
    }
    body.push_str("</section>");
}

fn annotations(body: &mut String, report: &Report) {
    if !report.annotations.is_empty() {
        section(body, "annotations", "Annotations");
        body.push_str("<ul>");
        for one in &report.annotations {
            let tags: String = one.tags.iter().map(|tag| format!(" <code>{}</code>", text(tag))).collect();
            let lasted = one
                .until
                .map_or_else(String::new, |until| format!(" ({})", duration(until.saturating_sub(one.at))));
            let _ = write!(body, "<li>{}{lasted}: {}{tags}</li>", minute(one.at), text(&one.text));
        }
        body.push_str("</ul></section>");
    }
    if !report.insights.damaged.is_empty() {
        section(body, "damaged", "Damaged history");
        paragraph(body, "These pieces could not be trusted; what they held is missing above.");
        body.push_str("<ul>");
        for damaged in &report.insights.damaged {
            let _ = write!(body, "<li>{}</li>", text(damaged));
        }
        body.push_str("</ul></section>");
    }
}

const NAVIGATION: &str = "<nav aria-label=\"Sections\"><a href=\"#budgets\">Budgets</a><a href=\"#to-do\">What to do</a>\
     <a href=\"#charts\">Over time</a><a href=\"#causes\">Causes</a><a href=\"#alerts\">Alerts</a>\
     <a href=\"#objectives\">Objectives</a><a href=\"#pages\">Pages</a><a href=\"#machine\">Machine</a></nav>";
