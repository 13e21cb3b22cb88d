//! The table of processes.

use quillwork_protocol::host::{HostSnapshot, Process, ProcessGroup};

use super::Sort;
use super::screen::{Line, Look, NO_DATA};
use super::view::View;
use crate::sampler::{by_cpu, by_io, by_memory};
use crate::units::{bytes, per_cent};

/// The head and as many rows as there is room for.
pub(super) fn table(view: &View, host: &HostSnapshot, width: usize, room: usize) -> Vec<Line> {
    let rows = if view.groups { groups(view.sort, host) } else { processes(view.sort, host) };
    let mut lines = vec![head(view, width)];
    lines.extend(rows.iter().skip(view.scrolled).map(|cells| row(cells, width)).take(room.saturating_sub(1)));
    lines
}

/// One row, as text.
struct Cells {
    first: String,
    name: String,
    numbers: [String; 6],
}

const FIRST: usize = 7;
const NAME: usize = 24;
const NUMBERS: [usize; 6] = [7, 9, 11, 11, 5, 5];

fn head(view: &View, width: usize) -> Line {
    let mut line = Line::new(width);
    line.column(Look::Head, if view.groups { "COUNT" } else { "PID" }, FIRST, true);
    line.column(Look::Head, "NAME", NAME, false);
    let sorted = |text: &str, by: Sort| if view.sort == by { format!("{text}▼") } else { text.to_owned() };
    let names = [
        sorted("CPU", Sort::Cpu),
        sorted("MEM", Sort::Memory),
        sorted("READ", Sort::Io),
        "WRITTEN".to_owned(),
        "THR".to_owned(),
        "FILES".to_owned(),
    ];
    for (name, width) in names.iter().zip(NUMBERS) {
        line.column(Look::Head, name, width, true);
    }
    line
}

fn row(cells: &Cells, width: usize) -> Line {
    let mut line = Line::new(width);
    line.column(Look::Plain, &cells.first, FIRST, true);
    line.column(Look::Label, &cells.name, NAME, false);
    for (cell, width) in cells.numbers.iter().zip(NUMBERS) {
        line.column(Look::Plain, cell, width, true);
    }
    line
}

fn known<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(|| NO_DATA.to_owned(), show)
}

fn rate(value: Option<f64>) -> String {
    known(value, |rate| format!("{}/s", bytes(rate)))
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn size(value: u64) -> String {
    bytes(value as f64)
}

fn processes(sort: Sort, host: &HostSnapshot) -> Vec<Cells> {
    let mut processes: Vec<&Process> = host.processes.iter().collect();
    processes.sort_by(|a, b| match sort {
        Sort::Cpu => by_cpu(*a, *b),
        Sort::Memory => by_memory(*a, *b),
        Sort::Io => by_io(*a, *b),
    });
    let cells = |process: &Process| Cells {
        first: process.pid.to_string(),
        name: process.name.clone(),
        numbers: [
            known(process.cpu_of_core_ratio, per_cent),
            size(process.memory_bytes),
            rate(process.read_bytes_per_second),
            rate(process.written_bytes_per_second),
            known(process.threads, |threads| threads.to_string()),
            known(process.open_files, |files| files.to_string()),
        ],
    };
    processes.into_iter().map(cells).collect()
}

fn groups(sort: Sort, host: &HostSnapshot) -> Vec<Cells> {
    let mut groups: Vec<&ProcessGroup> = host.process_groups.iter().collect();
    groups.sort_by(|a, b| match sort {
        Sort::Cpu => by_cpu(*a, *b),
        Sort::Memory => by_memory(*a, *b),
        Sort::Io => by_io(*a, *b),
    });
    let cells = |group: &ProcessGroup| Cells {
        first: group.processes.to_string(),
        name: group.name.clone(),
        numbers: [
            known(group.cpu_of_core_ratio, per_cent),
            size(group.memory_bytes),
            rate(group.read_bytes_per_second),
            rate(group.written_bytes_per_second),
            known(group.threads, |threads| threads.to_string()),
            String::new(),
        ],
    };
    groups.into_iter().map(cells).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn names(sort: Sort, scrolled: usize, room: usize) -> Vec<String> {
        let process = |name: &str, cpu, memory_bytes, written| Process {
            name: name.to_owned(),
            cpu_of_core_ratio: Some(cpu),
            memory_bytes,
            written_bytes_per_second: Some(written),
            ..Process::default()
        };
        let processes =
            vec![process("busy", 1.0, 1, 0.0), process("large", 0.1, 9, 0.0), process("writer", 0.2, 2, 5.0)];
        let host = Arc::new(HostSnapshot { processes, ..HostSnapshot::default() });
        let mut view = View::new(sort, false);
        view.handle_tick(Arc::clone(&host));
        view.scrolled = scrolled;
        let lines = table(&view, &host, 100, room);
        lines[1..].iter().map(|line| line.text().split_whitespace().nth(1).unwrap().to_owned()).collect()
    }

    #[test]
    fn rows_are_sorted_scrolled_and_cut() {
        assert_eq!(names(Sort::Cpu, 0, 10), ["busy", "writer", "large"]);
        assert_eq!(names(Sort::Memory, 0, 10), ["large", "writer", "busy"]);
        assert_eq!(names(Sort::Io, 0, 10), ["writer", "busy", "large"]);
        assert_eq!(names(Sort::Cpu, 1, 2), ["writer"]);
    }
}
