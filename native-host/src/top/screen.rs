//! Lines for the screen. Nothing in them can move the cursor, whatever a process is called.

use quillwork_protocol::host::{Cpu, HostSnapshot, Memory};
use unicode_width::UnicodeWidthChar;

use super::table::table;
use super::view::View;
use crate::printable::is_active;
use crate::units::{bytes, per_cent};

/// How a part of a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    /// Names of things.
    Label,
    /// What is in order.
    Good,
    /// What is close to a limit.
    Warning,
    /// What is beyond it.
    Critical,
    /// The head of a table.
    Head,
}

/// A line in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) parts: Vec<(Look, String)>,
    width: usize,
    most: usize,
}

/// As many lines as there are.
pub(super) const ALL: usize = usize::MAX;

impl Line {
    /// An empty line that takes `most` columns.
    pub(super) fn new(most: usize) -> Self {
        Self { parts: Vec::new(), width: 0, most }
    }

    /// Adds what still fits. What would steer the terminal is replaced.
    pub(super) fn push(&mut self, look: Look, text: &str) {
        let mut fitting = String::with_capacity(text.len());
        for character in text.chars() {
            let character = if is_active(character) { char::REPLACEMENT_CHARACTER } else { character };
            let width = character.width().unwrap_or(0);
            if self.width + width > self.most {
                break;
            }
            self.width += width;
            fitting.push(character);
        }
        if !fitting.is_empty() {
            self.parts.push((look, fitting));
        }
    }

    /// Adds a column of its own width, cut or filled, followed by a space.
    pub(super) fn column(&mut self, look: Look, text: &str, width: usize, is_number: bool) {
        let mut cell = Self::new(width);
        cell.push(look, text);
        let fill = " ".repeat(width - cell.width);
        let text = cell.text();
        let padded = if is_number { fill + &text } else { text + &fill };
        self.push(look, &padded);
        self.push(Look::Plain, " ");
    }

    /// The text without looks.
    pub(super) fn text(&self) -> String {
        self.parts.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// Everything that fits `width` columns and `height` lines.
pub(super) fn lines(view: &View, width: usize, height: usize) -> Vec<Line> {
    let Some(host) = view.host.as_deref() else {
        let mut line = Line::new(width);
        line.push(Look::Label, "Measuring …");
        return vec![line];
    };
    let mut lines =
        vec![title(host, view, width), processor(&host.cpu, view, width), memory(&host.memory, width)];
    lines.push(traffic(host, width));
    lines.extend(host.gpus.iter().map(|gpu| {
        let memory = gpu.memory_used_bytes.zip(gpu.memory_total_bytes);
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
        let memory = memory.map(|(used, total)| format!("{} of {}", bytes(used as f64), bytes(total as f64)));
        let celsius = gpu.celsius.map(|celsius| format!("{celsius:.0} °C"));
        let watts = gpu.watts.map(|watts| format!("{watts:.0} W"));
        let known: Vec<String> = [memory, celsius, watts].into_iter().flatten().collect();
        meter("GPU", gpu.used_ratio, &format!("{}  {}", known.join("  "), gpu.name), width)
    }));
    lines.extend(troubles(host, width));
    let room = height.saturating_sub(lines.len());
    lines.extend(table(view, host, width, room));
    lines.truncate(height);
    lines
}

fn title(host: &HostSnapshot, view: &View, width: usize) -> Line {
    let mut line = Line::new(width);
    line.push(Look::Label, &host.machine.name);
    line.push(Look::Plain, &format!("  {}", host.machine.system));
    if let Some(booted) = host.machine.booted_at_unix_millis {
        let minutes = host.at_unix_millis.saturating_sub(booted) / 60_000;
        let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        line.push(Look::Plain, &format!("  up {days} d {hours:02}:{minutes:02}"));
    }
    if let Some(counts) = &host.process_counts {
        let text =
            format!("  {} processes, {} threads, {} running", counts.total, counts.threads, counts.running);
        line.push(Look::Plain, &text);
    }
    if view.is_held {
        line.push(Look::Warning, "  held");
    }
    line
}

fn processor(cpu: &Cpu, view: &View, width: usize) -> Line {
    let modes = cpu.modes.map(|modes| {
        let waiting = modes.iowait;
        let text = format!("user {}  system {}", per_cent(modes.user + modes.nice), per_cent(modes.system));
        if waiting >= 0.01 { text + &format!("  waits {}", per_cent(waiting)) } else { text }
    });
    let load = cpu.load_averages.map(|[one, five, fifteen]| format!("load {one:.2} {five:.2} {fifteen:.2}"));
    let known: Vec<String> =
        [modes, Some(format!("{} cores", cpu.core_ratios.len())), load].into_iter().flatten().collect();
    let mut line = meter("CPU", cpu.total_ratio, &known.join("  "), width);
    line.push(Look::Plain, "  ");
    // The newest are shown where not all fit.
    let room = line.most.saturating_sub(line.width);
    let skipped = view.history.len().saturating_sub(room);
    for ratio in view.history.iter().skip(skipped) {
        line.push(ratio.map_or(Look::Plain, look), &spark(*ratio).to_string());
    }
    line
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn memory(memory: &Memory, width: usize) -> Line {
    let used = memory.total_bytes.saturating_sub(memory.available_bytes);
    let mut text = format!("{} of {}", bytes(used as f64), bytes(memory.total_bytes as f64));
    if let Some(cached) = memory.cached_bytes {
        text += &format!("  {} of files", bytes(cached as f64));
    }
    if memory.swap_total_bytes > 0 {
        let (used, total) = (memory.swap_used_bytes as f64, memory.swap_total_bytes as f64);
        text += &format!("  swap {} of {}", bytes(used), bytes(total));
    }
    if let Some(limit) = &memory.limit {
        text += &format!("  limit of {}", limit.group);
    }
    meter("MEM", memory.used_ratio, &text, width)
}

fn traffic(host: &HostSnapshot, width: usize) -> Line {
    let mut line = Line::new(width);
    let rate =
        |rate: Option<f64>| rate.map_or_else(|| NO_DATA.to_owned(), |rate| format!("{}/s", bytes(rate)));
    line.push(Look::Label, "NET ");
    line.push(
        Look::Plain,
        &format!("in {}  out {}", rate(host.received_bytes_per_second()), rate(host.sent_bytes_per_second())),
    );
    line.push(Look::Label, "  DISK ");
    line.push(
        Look::Plain,
        &format!(
            "read {}  written {}",
            rate(host.read_bytes_per_second()),
            rate(host.written_bytes_per_second())
        ),
    );
    for device in host.block_devices.iter().filter(|device| !device.is_stacked) {
        let Some(busy) = device.busy_ratio else { continue };
        line.push(look(busy), &format!("  {} {}", device.name, per_cent(busy)));
    }
    let hottest = host.temperatures.iter().filter_map(|sensor| sensor.celsius).reduce(f64::max);
    if let Some(celsius) = hottest {
        line.push(Look::Label, "  TEMP ");
        line.push(Look::Plain, &format!("{celsius:.0} °C"));
    }
    line
}

/// What an operator should know: full and dead mounts, pressure, collectors that fail.
fn troubles(host: &HostSnapshot, width: usize) -> Vec<Line> {
    let mut troubles = Vec::new();
    for disk in &host.disks {
        if disk.is_stuck {
            troubles.push(format!("{} does not answer", disk.mount));
        } else if let Some(used) = disk.used_ratio().filter(|&used| used >= 0.9) {
            troubles.push(format!("{} is full to {}", disk.mount, per_cent(used)));
        }
    }
    let failing =
        host.sampler.collectors.iter().filter_map(|collector| {
            collector.error.as_ref().map(|error| format!("{}: {error}", collector.name))
        });
    troubles.extend(failing);
    troubles
        .into_iter()
        .map(|trouble| {
            let mut line = Line::new(width);
            line.push(Look::Critical, "  ! ");
            line.push(Look::Plain, &trouble);
            line
        })
        .collect()
}

/// `CPU ██████▌             33 %  …`
fn meter(name: &str, ratio: Option<f64>, text: &str, width: usize) -> Line {
    const BAR: usize = 20;
    let mut line = Line::new(width);
    line.push(Look::Label, name);
    line.push(Look::Plain, " ");
    let (look, filled) = ratio.map_or((Look::Plain, 0.0), |ratio| (look(ratio), ratio));
    line.column(look, &bar(filled, BAR), BAR, false);
    const RATIO: usize = 6;
    line.column(look, &ratio.map_or_else(|| NO_DATA.to_owned(), per_cent), RATIO, true);
    line.push(Look::Plain, " ");
    line.push(Look::Plain, text);
    line
}

/// What is shown where nothing is known.
pub(super) const NO_DATA: &str = "–";

/// Where a share stands towards the limits that the default rules have for processor and memory.
fn look(ratio: f64) -> Look {
    match ratio {
        ratio if ratio >= 0.9 => Look::Critical,
        ratio if ratio >= 0.7 => Look::Warning,
        _ => Look::Good,
    }
}

/// A bar in eighths of a character.
fn bar(ratio: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a bar has few characters, and the ratio is clamped"
    )]
    let eighths = (ratio.clamp(0.0, 1.0) * (width * EIGHTHS.len()) as f64).round() as usize;
    let full = eighths / EIGHTHS.len();
    let mut bar = "█".repeat(full);
    if full < width {
        bar.push(EIGHTHS[eighths % EIGHTHS.len()]);
    }
    bar
}

fn spark(ratio: Option<f64>) -> char {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to eight levels")]
    ratio.map_or(' ', |ratio| LEVELS[((ratio.clamp(0.0, 1.0) * 8.0) as usize).min(LEVELS.len() - 1)])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quillwork_protocol::host::{Collector, Disk, Process};
    use unicode_width::UnicodeWidthStr;

    use super::super::Sort;
    use super::*;

    fn view() -> View {
        let mut host = HostSnapshot::default();
        host.machine.name = "studio".into();
        host.cpu.total_ratio = Some(0.95);
        host.cpu.core_ratios = vec![Some(0.9), Some(1.0)];
        host.memory.total_bytes = 16 << 30;
        host.memory.available_bytes = 12 << 30;
        host.memory.used_ratio = Some(0.25);
        host.processes = (0..50)
            .map(|pid| Process {
                pid,
                name: "漢字\u{1b}[2J\r\nevil".into(),
                cpu_of_core_ratio: Some(f64::from(pid) / 100.0),
                ..Process::default()
            })
            .collect();
        let mut view = View::new(Sort::Cpu, false);
        view.handle_tick(Arc::new(host));
        view
    }

    #[test]
    fn lines_fit_any_terminal_and_hold_no_control_character() {
        let view = view();
        for width in [0, 1, 7, 20, 79, 80, 200] {
            for height in [0, 1, 3, 24, 100] {
                let lines = lines(&view, width, height);
                assert!(lines.len() <= height);
                for line in lines {
                    let text = line.text();
                    assert!(text.width() <= width, "{width}: {text:?}");
                    assert!(!text.chars().any(is_active), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn the_figures_are_there_and_what_is_unknown_is_not_zero() {
        let shown: Vec<String> = lines(&view(), 100, 24).iter().map(Line::text).collect();
        assert!(shown[0].starts_with("studio"));
        assert!(shown[1].starts_with("CPU ███████████████████") && shown[1].contains("95 %"), "{}", shown[1]);
        assert!(shown[2].contains("25 %") && shown[2].contains("4.00 GiB of 16.0 GiB"), "{}", shown[2]);
        assert!(shown[3].contains("in –  out –"), "{}", shown[3]);
        assert_eq!(lines(&view(), 100, 24)[1].parts[2].0, Look::Critical);
    }

    #[test]
    fn troubles_are_named() {
        let mut view = view();
        let mut host = HostSnapshot::clone(view.host.as_ref().unwrap());
        host.sampler.ticks = 2;
        host.disks = vec![
            Disk { mount: "/full".into(), total_bytes: 100, available_bytes: 5, ..Disk::default() },
            Disk { mount: "/dead".into(), is_stuck: true, ..Disk::default() },
        ];
        host.sampler.collectors =
            vec![Collector { name: "gpus".into(), error: Some("it hangs".into()), ..Collector::default() }];
        view.handle_tick(Arc::new(host));
        let text: String = lines(&view, 100, 24).iter().map(|line| line.text() + "\n").collect();
        for trouble in ["/full is full to 95 %", "/dead does not answer", "gpus: it hangs"] {
            assert!(text.contains(trouble), "{text}");
        }
    }
}
