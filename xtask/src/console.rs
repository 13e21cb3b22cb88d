//! One live line per step on a terminal; plain lines with a heartbeat elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often a step that still runs says so where there is no terminal to redraw.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// What of a program's last line is shown; terminals narrower than this would wrap.
const SHOWN_CHARS: usize = 60;

/// A step in progress. Dropping it without [`Step::finish`] clears the live line.
pub(crate) struct Step {
    label: String,
    started: Instant,
    last_heartbeat: Instant,
    terminal: bool,
}

impl Step {
    /// Shows that `label` has begun.
    pub(crate) fn begin(label: &str) -> Self {
        let now = Instant::now();
        let step = Self {
            label: label.to_owned(),
            started: now,
            last_heartbeat: now,
            terminal: stderr().is_terminal(),
        };
        if step.terminal {
            step.redraw("");
        } else {
            eprintln!("  > {label}");
        }
        step
    }

    /// Shows the last line that the running program printed.
    pub(crate) fn update(&mut self, line: &str) {
        if self.terminal {
            self.redraw(line);
        } else if self.last_heartbeat.elapsed() >= HEARTBEAT {
            self.last_heartbeat = Instant::now();
            eprintln!("    {} {}: {}", self.label, clock(self.started.elapsed()), shortened(line));
        }
    }

    /// Replaces the live line by the outcome.
    pub(crate) fn finish(self, outcome: &str) {
        self.clear();
        eprintln!("  {outcome:<4} {} ({})", self.label, clock(self.started.elapsed()));
    }

    fn redraw(&self, line: &str) {
        self.clear();
        eprint!("  .... {} {} {}", self.label, clock(self.started.elapsed()), shortened(line));
        // A live line that can't be drawn is no reason to stop building.
        let _ = stderr().flush();
    }

    fn clear(&self) {
        if self.terminal {
            eprint!("\r\x1b[2K");
        }
    }
}

/// Minutes and seconds, as a clock shows them.
pub(crate) fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    format!("{}:{:02} min", seconds / 60, seconds % 60)
}

fn shortened(line: &str) -> String {
    let line = line.trim();
    if line.chars().count() <= SHOWN_CHARS {
        return line.to_owned();
    }
    line.chars().take(SHOWN_CHARS).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_like_a_clock() {
        assert_eq!(clock(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(clock(Duration::from_secs(61)), "1:01 min");
    }

    #[test]
    fn long_lines_are_cut_at_a_character() {
        assert_eq!(shortened(&"ä".repeat(200)).chars().count(), SHOWN_CHARS + 3);
        assert_eq!(shortened(" short "), "short");
    }
}
