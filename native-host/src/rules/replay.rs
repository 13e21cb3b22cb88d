//! `quillwork rules test`: recorded series in, expected alerts out, on virtual time.
//!
//! ```toml
//! rules = "alerts.toml"          # beside this file; without it the rules that ship
//! step = "1s"                    # between two values
//!
//! [[test]]
//! name = "a busy minute is a warning"
//! series.'host.cpu.total' = "0.5x10 0.75x60 _x5"    # value x times; _ is a gap
//!
//! [[test.expect]]
//! at = "30s"
//! alerts = { 'host-cpu' = "warning" }
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use quillwork_core::alert::{DEFAULT_MAX_INSTANCES, Engine, Rule};
use quillwork_core::time::{Duration, Instant};
use quillwork_store::series::SeriesKey;
use serde::Deserialize;

use super::text::duration;
use super::{RuleSet, line_of};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFile {
    rules: Option<String>,
    step: Option<String>,
    test: Vec<TestTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestTable {
    name: String,
    series: BTreeMap<String, String>,
    expect: Vec<ExpectTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectTable {
    at: String,
    /// By rule with its labels. Every alert that fires is to be here.
    alerts: BTreeMap<String, String>,
}

/// What became of the tests of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) passed: usize,
    /// Name of the test, and what differed.
    pub(super) failed: Vec<(String, String)>,
}

/// Values of one series in all; a day at a second.
const MOST_VALUES: usize = 100_000;
/// Steps up to the last expectation.
const MOST_STEPS: u64 = 1_000_000;

/// Runs the tests of a file.
pub(super) fn run(path: &Path) -> Result<Report, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| {
            format!(
                "{} can't be read: {error}; name a file with [[test]] tables, as \
                 docs/guides/examples/alerts-test.toml is (docs/guides/alert-rules.md tells how to write one)",
                path.display()
            )
        })?;
    let file: TestFile = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        format!("{}: line {line}: {}", path.display(), error.message())
    })?;
    let rules = file.rules.as_ref().map(|rules| path.parent().unwrap_or(Path::new("")).join(rules));
    // Who is told is not tested here: every receiver is one that there is.
    let set = RuleSet::load_for_test(rules.as_deref())?;
    let step = file.step.as_deref().map_or(Ok(Duration::from_secs(1)), duration)?;
    if step.is_zero() {
        return Err("step must be longer than zero".to_owned());
    }
    let mut report = Report::default();
    for test in &file.test {
        match run_one(test, &set.rules, step) {
            Ok(differences) if differences.is_empty() => report.passed += 1,
            Ok(differences) => report.failed.push((test.name.clone(), differences)),
            Err(error) => return Err(format!("test {:?}: {error}", test.name)),
        }
    }
    Ok(report)
}

/// Instants are those of a wall clock.
const START: Instant = Instant::from_secs(1_704_067_200);

fn run_one(test: &TestTable, rules: &[Rule], step: Duration) -> Result<String, String> {
    let mut series = Vec::new();
    for (key, values) in &test.series {
        let key: SeriesKey = key.parse().map_err(|error| format!("series {key:?}: {error}"))?;
        series.push((key, parse_values(values)?));
    }
    let mut expected = Vec::new();
    for expect in &test.expect {
        expected.push((START + duration(&expect.at)?, expect));
    }
    expected.sort_by_key(|(at, _)| *at);
    let mut engine = Engine::new(rules.to_vec(), DEFAULT_MAX_INSTANCES).map_err(|error| error.to_string())?;
    let longest = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let last = expected.last().map_or(START, |(at, _)| *at);
    let steps = last.duration_since(START).as_nanos() / step.as_nanos();
    if steps > MOST_STEPS {
        return Err(format!(
            "it goes on for {steps} steps, and {MOST_STEPS} are allowed: expect something earlier, or take a longer step"
        ));
    }
    let mut differences = String::new();
    let mut pending = expected.into_iter().peekable();
    for at in 0.. {
        let now = START + step * at;
        if now > last {
            break;
        }
        let place = usize::try_from(at).unwrap_or(usize::MAX);
        if place < longest {
            for (key, values) in &series {
                let value = values.get(place).copied().flatten();
                if engine.watches(key.name()) {
                    engine
                        .observe(now, key.name(), key.labels(), value, u64::MAX)
                        .map_err(|error| error.to_string())?;
                }
            }
        }
        engine.handle_deadline(now);
        while engine.poll_output().is_some() {}
        while let Some((_, expect)) = pending.next_if(|(due, _)| *due < now + step) {
            let fires = firing(&engine);
            if fires != expect.alerts {
                differences.push_str(&format!(
                    "at {}: expected {}, but there is {}\n",
                    expect.at,
                    words(&expect.alerts),
                    words(&fires)
                ));
            }
        }
    }
    Ok(differences)
}

fn firing(engine: &Engine) -> BTreeMap<String, String> {
    let fires = engine.statuses().filter_map(|status| {
        let severity = status.state.severity()?;
        Some((format!("{}{}", engine.rule(status.rule).name, status.labels), severity.to_string()))
    });
    fires.collect()
}

fn words(alerts: &BTreeMap<String, String>) -> String {
    if alerts.is_empty() {
        return "nothing".to_owned();
    }
    alerts.iter().map(|(alert, severity)| format!("{alert} {severity}")).collect::<Vec<_>>().join(", ")
}

/// "0.5x10 0.9 _x3": ten values of 0.5, one of 0.9, three gaps. "0.1+0.01x5" rises with each.
fn parse_values(text: &str) -> Result<Vec<Option<f64>>, String> {
    let mut values = Vec::new();
    for word in text.split_whitespace() {
        let wrong = || {
            format!(
                "{word:?} is no value; write for instance \"0.5\", \"0.5x10\", \"0.1+0.01x50\" or \"_x5\""
            )
        };
        let (what, times) = match word.rsplit_once('x') {
            Some((what, times)) => (what, times.parse::<usize>().map_err(|_| wrong())?),
            None => (word, 1),
        };
        if times > MOST_VALUES - values.len() {
            return Err(format!("a series of a test has at most {MOST_VALUES} values"));
        }
        if what == "_" {
            values.extend(std::iter::repeat_n(None, times));
            continue;
        }
        let split = what.char_indices().skip(1).find(|(_, letter)| matches!(letter, '+' | '-'));
        let (first, slope) = split.map_or((what, "0"), |(at, _)| what.split_at(at));
        let number =
            |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(wrong);
        let (first, slope) = (number(first)?, number(slope)?);
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        values.extend((0..times).map(|at| Some(first + slope * at as f64)));
    }
    Ok(values)
}
