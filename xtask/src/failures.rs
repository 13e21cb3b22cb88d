//! Picks what failed, and why, from the output of cargo's test runner, whose last lines seldom tell it.

/// What is repeated of one test's output, and how many tests are told at all.
const LINES: usize = 40;
const TESTS: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Failures {
    told: Vec<Vec<String>>,
    within: bool,
}

impl Failures {
    /// Takes the next line of output.
    pub(crate) fn read(&mut self, line: &str) {
        let heads = line.starts_with("---- ") && line.ends_with(" ----");
        let ended_by_signal = line.contains("(signal: ");
        if heads || ended_by_signal {
            self.told.push(Vec::new());
        }
        self.within = (self.within && !line.starts_with("failures:")) || heads;
        if let Some(lines) = self.told.last_mut()
            && (ended_by_signal || self.within && !line.trim().is_empty())
            && lines.len() < LINES
        {
            lines.push(line.to_owned());
        }
    }

    /// What was picked, indented; empty where nothing failed in a way that the runner tells.
    pub(crate) fn text(&self) -> String {
        let more = self.told.len().saturating_sub(TESTS);
        let mut text: String =
            self.told.iter().take(TESTS).flatten().map(|line| format!("    {line}\n")).collect();
        if more > 0 {
            text.push_str(&format!("    and {more} more\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> String {
        let mut failures = Failures::default();
        output.lines().for_each(|line| failures.read(line));
        failures.text()
    }

    #[test]
    fn each_failed_test_is_told_with_its_output_and_nothing_else_is() {
        let output = "test a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\n\n\
            thread 'b' panicked at b.rs:1:1:\nassertion failed\n\n---- c stdout ----\nno\n\n\
            failures:\n    b\n    c\n\ntest result: FAILED. 1 passed; 2 failed\n     Running tests/d.rs\n";
        assert_eq!(
            read(output),
            "    ---- b stdout ----\n    thread 'b' panicked at b.rs:1:1:\n    assertion failed\n    \
             ---- c stdout ----\n    no\n"
        );
    }

    #[test]
    fn a_program_that_was_killed_is_told_with_its_signal() {
        let line =
            "  process didn't exit successfully: `/t/host-1` (signal: 11, SIGSEGV: invalid memory reference)";
        assert_eq!(read(&format!("running 2 tests\n{line}\n     Running b\n")), format!("    {line}\n"));
        assert_eq!(read("test a ... ok\n"), "");
    }

    #[test]
    fn a_flood_is_cut() {
        let output: String =
            (0..30).map(|n| format!("---- t{n} stdout ----\n{}", "x\n".repeat(100))).collect();
        let text = read(&output);
        assert_eq!(text.lines().count(), TESTS * LINES + 1);
        assert!(text.ends_with("and 10 more\n"), "{text}");
    }
}
