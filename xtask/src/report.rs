//! Tables on the console.

use std::time::Duration;

use crate::console::clock;
use crate::counts::Counts;

/// A stage of the tests, as it ended.
pub(crate) struct Row {
    pub(crate) stage: &'static str,
    pub(crate) counts: Counts,
    pub(crate) elapsed: Duration,
}

/// The closing table and its last line, `N passed, N failed`.
pub(crate) fn summary(rows: &[Row]) -> (String, Counts) {
    let mut total = Counts::default();
    let mut elapsed = Duration::ZERO;
    let mut lines = vec![["stage", "passed", "failed", "skipped", "time"].map(str::to_owned).to_vec()];
    for row in rows {
        total.add(row.counts);
        elapsed += row.elapsed;
        lines.push(cells(row.stage, row.counts, row.elapsed));
    }
    lines.push(cells("all", total, elapsed));
    (format!("{}\n{} passed, {} failed", table(&lines), total.passed, total.failed), total)
}

fn cells(name: &str, counts: Counts, elapsed: Duration) -> Vec<String> {
    let Counts { passed, failed, skipped } = counts;
    vec![name.to_owned(), passed.to_string(), failed.to_string(), skipped.to_string(), clock(elapsed)]
}

/// Columns under their headings: the first to the left, numbers to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            line += &if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        text += line.trim_end();
        text.push('\n');
        if index == 0 {
            text += &"-".repeat(widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_adds_up_all_stages() {
        let row = |passed, failed| Row {
            stage: "clippy",
            counts: Counts { passed, failed, skipped: 0 },
            elapsed: Duration::from_secs(1),
        };
        let (text, total) = summary(&[row(1, 0), row(40, 2)]);
        assert_eq!(text.lines().last(), Some("41 passed, 2 failed"));
        assert_eq!(total.failed, 2);
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "n".to_owned()], vec!["long".to_owned(), "10".to_owned()]];
        assert_eq!(table(&rows), "a      n\n--------\nlong  10\n");
    }
}
