//! One page that needs nothing else: charts, the table, the recommendation.

mod chart;

use std::fmt::Write;

use quillwork_sim::fleet::CURVE;

use super::words::{estimate, named, number, percent, recommendation};
use super::{Findings, Measured};
use crate::html::bars::{Bar, Bars};
use crate::html::{Document, escaped, figure};
use chart::{Line, Lines};

pub(super) fn render(findings: &Findings) -> String {
    let best = &findings.rows[findings.recommendation.best];
    let mut body = String::new();
    let sentences = recommendation(findings);
    let (advice, evidence) = sentences.split_first().expect("there is always something to recommend");
    let _ = write!(body, "<section class=\"advice\"><h2>{}</h2>", escaped(advice));
    for sentence in evidence {
        let _ = write!(body, "<p>{}</p>", escaped(sentence));
    }
    body.push_str("</section>");

    let counts = findings.rows.iter().map(|row| row.workers).collect::<std::collections::BTreeSet<_>>();
    if counts.len() > 1 {
        body.push_str(&by_workers(findings));
    }
    body.push_str(&by_policy(findings, best.workers));
    body.push_str(&tails(findings, best.workers));
    body.push_str(&shares(best));
    body.push_str(&table(findings));
    let title = format!("Simulation: {}", findings.title);
    let page = format!(
        "<main><h1>{}</h1><p class=\"about\">{} runs of {} tasks each. Intervals are 95 % confidence intervals over the \
         runs.</p>{body}</main>",
        escaped(&findings.title),
        findings.seeds,
        findings.tasks,
    );
    Document { title: &title, style: "", script: "" }.page(&page)
}

/// The p99 by number of workers, a line for each policy.
fn by_workers(findings: &Findings) -> String {
    let policies = policies(&findings.rows);
    let lines = policies.iter().map(|&policy| Line {
        name: policy,
        points: findings
            .rows
            .iter()
            .filter(|row| row.policy == policy)
            .map(|row| (row.workers as f64, row.p99.mean))
            .collect(),
        is_emphasised: policy == findings.rows[findings.recommendation.best].policy,
    });
    let chart = Lines {
        lines: lines.collect(),
        x_title: "workers",
        x_ticks: ticks_of_workers(&findings.rows),
        limit: Some(findings.goal.p99.as_millis_f64()),
    };
    figure(
        "99th percentile of the response time, ms, by number of workers; the dashed line is the goal",
        &chart.svg(),
    )
}

/// The p99 of each policy with as many workers as recommended.
fn by_policy(findings: &Findings, workers: usize) -> String {
    let mut rows: Vec<&Measured> = findings.rows.iter().filter(|row| row.workers == workers).collect();
    rows.sort_by(|one, other| one.p99.mean.total_cmp(&other.p99.mean));
    let bars = Bars {
        bars: rows
            .iter()
            .map(|row| Bar {
                name: row.policy.clone(),
                value: row.p99.mean,
                half_width: row.p99.half_width,
                label: estimate(row.p99),
                is_emphasised: row.policy == findings.rows[findings.recommendation.best].policy,
            })
            .collect(),
        limit: Some(findings.goal.p99.as_millis_f64()),
    };
    figure(
        &format!("99th percentile of the response time, ms, with {}", super::words::workers(workers)),
        &bars.svg(),
    )
}

/// How far the tail reaches: response time against the share of tasks that take longer.
fn tails(findings: &Findings, workers: usize) -> String {
    let rows = findings.rows.iter().filter(|row| row.workers == workers);
    let lines = rows.map(|row| Line {
        name: &row.policy,
        points: CURVE.iter().zip(&row.curve).map(|(q, value)| (-(1.0 - q).log10(), *value)).collect(),
        is_emphasised: row.policy == findings.rows[findings.recommendation.best].policy,
    });
    let chart = Lines {
        lines: lines.collect(),
        x_title: "percentile",
        x_ticks: [0.5, 0.9, 0.95, 0.99, 0.999]
            .map(|q: f64| (-(1.0 - q).log10(), format!("p{}", number_of_percentile(q))))
            .to_vec(),
        limit: None,
    };
    figure("Response time, ms, by percentile, denser towards the tail", &chart.svg())
}

fn shares(best: &Measured) -> String {
    let bars = Bars {
        bars: (1..)
            .zip(&best.shares)
            .map(|(worker, share)| Bar {
                name: format!("worker {worker}"),
                value: 100.0 * share,
                half_width: 0.0,
                label: percent(*share),
                is_emphasised: true,
            })
            .collect(),
        limit: None,
    };
    figure(&format!("Share of the tasks that each worker was given, %, by {}", named(best)), &bars.svg())
}

fn table(findings: &Findings) -> String {
    let mut text = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All results\"><table><thead><tr><th>workers<th>strategy<th>mean<th>p50<th>p90<th>p99<th>p99.9<th>slowdown p99<th>errors<th>good answers/s<th>attempts</tr></thead><tbody>",
    );
    for (place, row) in findings.rows.iter().enumerate() {
        let class = if place == findings.recommendation.best { " class=\"best\"" } else { "" };
        let _ = write!(
            text,
            "<tr{class}><td>{}<th scope=\"row\">{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
            row.workers,
            escaped(&row.policy),
            number(row.mean.mean),
            number(row.p50.mean),
            number(row.p90.mean),
            estimate(row.p99),
            estimate(row.p999),
            number(row.slowdown_p99.mean),
            percent(row.error_ratio.mean),
            number(row.goodput_per_sec.mean),
            number(row.attempts.mean),
        );
    }
    text.push_str("</tbody></table></div>");
    for (workers, load) in &findings.overloaded {
        let _ = write!(
            text,
            "<p>Left out: {} would get {load:.2} times the work that they can do.</p>",
            super::words::workers(*workers)
        );
    }
    text
}

fn policies(rows: &[Measured]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.policy.as_str()) {
            names.push(&row.policy);
        }
    }
    names
}

fn ticks_of_workers(rows: &[Measured]) -> Vec<(f64, String)> {
    let counts: Vec<usize> =
        rows.iter().map(|row| row.workers).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let every = counts.len().div_ceil(16);
    counts.iter().step_by(every).map(|&count| (count as f64, count.to_string())).collect()
}

fn number_of_percentile(q: f64) -> String {
    let text = format!("{:.1}", 100.0 * q);
    text.trim_end_matches(".0").to_owned()
}
