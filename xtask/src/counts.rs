//! Reads from a test runner's output how many tests it ran.

/// What became of tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Counts {
    /// A step that is one test by itself, and passed.
    pub(crate) const ONE_PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    /// A step that is one test by itself, and failed.
    pub(crate) const ONE_FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Adds what `line` tells, if it is the closing line of a runner: of cargo's (`test result: ok. 3 passed; ...`), of
    /// Node's (`# pass 3` or `ℹ pass 3`), of Vitest's (`Tests  3 passed | 1 skipped (4)`), of ours (`3 passed, 0 failed`).
    pub(crate) fn read(&mut self, line: &str) {
        let line = without_colour(line);
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result:") {
            self.read_pairs(rest, ';');
        } else if let Some(rest) = line.strip_prefix("Tests ") {
            self.read_pairs(rest, '|');
        } else if is_total(line) {
            self.read_pairs(line, ',');
        } else if let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) {
            let mut words = rest.split_whitespace();
            if let (Some(what), Some(Ok(number)), None) =
                (words.next(), words.next().map(str::parse), words.next())
            {
                self.count(what, number);
            }
        }
    }

    /// Reads `3 passed; 1 failed`: a number, then what it counts.
    fn read_pairs(&mut self, text: &str, separator: char) {
        for part in text.split(separator) {
            let words: Vec<_> = part.split_whitespace().collect();
            for pair in words.windows(2) {
                if let Ok(number) = pair[0].parse() {
                    self.count(pair[1], number);
                }
            }
        }
    }

    fn count(&mut self, what: &str, number: u32) {
        match what {
            "passed" | "pass" => self.passed += number,
            "failed" | "fail" | "cancelled" => self.failed += number,
            "skipped" | "ignored" | "todo" => self.skipped += number,
            _ => {}
        }
    }
}

/// Whether `line` is `3 passed, 0 failed` and nothing else.
fn is_total(line: &str) -> bool {
    let words: Vec<_> = line.split(' ').collect();
    matches!(words[..], [passed, "passed,", failed, "failed"]
        if passed.parse::<u32>().is_ok() && failed.parse::<u32>().is_ok())
}

/// `line` without the escape sequences that colour it.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A sequence ends with its first letter.
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Counts {
        let mut counts = Counts::default();
        output.lines().for_each(|line| counts.read(line));
        counts
    }

    #[test]
    fn cargo() {
        let output = "test a ... ok\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(read(output), Counts { passed: 13, failed: 2, skipped: 1 });
    }

    #[test]
    fn node() {
        let output = "ℹ tests 6\nℹ suites 1\nℹ pass 4\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 5";
        assert_eq!(read(output), Counts { passed: 4, failed: 1, skipped: 1 });
        assert_eq!(read("# tests 2\n# pass 2\n# fail 0"), Counts { passed: 2, failed: 0, skipped: 0 });
    }

    #[test]
    fn vitest_in_colour() {
        let output = "\u{1b}[2m Test Files \u{1b}[22m \u{1b}[1m1 passed\u{1b}[22m (1)\n\
            \u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m4 passed\u{1b}[39m | 2 skipped (7)";
        assert_eq!(read(output), Counts { passed: 4, failed: 1, skipped: 2 });
    }

    #[test]
    fn ours() {
        let output = "node.test.mjs: 3 passed, 1 failed (0.5 s)\n3 passed, 1 failed";
        assert_eq!(read(output), Counts { passed: 3, failed: 1, skipped: 0 });
    }

    #[test]
    fn what_tests_print_themselves_does_not_count() {
        assert_eq!(
            read("# pass the salt\ntests passed 3\n# 3 passed\n1 passed, 2 failed and so on"),
            Counts::default()
        );
    }
}
