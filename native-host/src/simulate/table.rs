//! For reading in a terminal.

use std::fmt::Write;

use super::words::{estimate, named, number, percent, recommendation};
use super::{Findings, Measured};

pub(super) fn render(findings: &Findings) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", findings.title);
    let _ = writeln!(
        text,
        "{} runs of {} tasks each; response times in ms, ± half of the 95 % interval over the runs\n",
        findings.seeds, findings.tasks
    );
    let header =
        ["workers", "strategy", "p50", "p90", "p99", "p99.9", "slowdown p99", "errors", "good/s", "busiest"];
    let mut cells = vec![header.map(str::to_owned)];
    cells.extend(findings.rows.iter().map(row));
    let widths: Vec<usize> = (0..header.len())
        .map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
        .collect();
    for (place, row) in cells.iter().enumerate() {
        let best = place.checked_sub(1) == Some(findings.recommendation.best);
        let mut line = String::from(if best { "> " } else { "  " });
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ =
                if column == 1 { write!(line, "{cell:<width$}  ") } else { write!(line, "{cell:>width$}  ") };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    for (workers, load) in &findings.overloaded {
        let _ = writeln!(
            text,
            "  {workers:>width$}  left out: {load:.2} times the work that they can do",
            width = widths[0]
        );
    }
    let best = &findings.rows[findings.recommendation.best];
    let shares: Vec<String> = best.shares.iter().map(|share| percent(*share)).collect();
    let _ = writeln!(text, "\nTasks given to each worker by {}: {}", named(best), shares.join(", "));
    let _ = writeln!(text, "\n{}", recommendation(findings).join("\n"));
    text
}

fn row(row: &Measured) -> [String; 10] {
    let busiest = row.shares.iter().copied().fold(0.0, f64::max);
    [
        row.workers.to_string(),
        row.policy.clone(),
        number(row.p50.mean),
        number(row.p90.mean),
        estimate(row.p99),
        estimate(row.p999),
        number(row.slowdown_p99.mean),
        percent(row.error_ratio.mean),
        number(row.goodput_per_sec.mean),
        percent(busiest),
    ]
}
