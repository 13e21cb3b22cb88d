//! Runs stages one after another, and goes on after a failed one where later ones don't need it.

use std::cell::OnceCell;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::console::clock;
use crate::counts::Counts;
use crate::failures::Failures;
use crate::interrupt;
use crate::job::Job;
use crate::report::Row;
use crate::setup::Tools;
use crate::workspace::Workspace;

/// A part of the tests.
pub(crate) struct Stage {
    /// Names it in the table and for `--only`.
    pub(crate) name: &'static str,
    /// Stages without whose success it can't be run.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: fn(&Lab) -> Result<Counts>,
}

/// What the stages work with.
pub(crate) struct Lab<'a> {
    pub(crate) workspace: &'a Workspace,
    tools: OnceCell<Tools>,
}

impl<'a> Lab<'a> {
    pub(crate) fn new(workspace: &'a Workspace) -> Self {
        Self { workspace, tools: OnceCell::new() }
    }

    /// Hands the tools to the stages that need the set-up.
    pub(crate) fn equip(&self, tools: Tools) {
        // A second set-up finds the same tools.
        let _ = self.tools.set(tools);
    }

    pub(crate) fn tools(&self) -> Result<&Tools> {
        self.tools.get().context("the set-up did not run")
    }
}

/// Runs `stages` in order and tells how each ended.
///
/// # Errors
///
/// Only when the user interrupts: a failed stage is a row of the result.
pub(crate) fn run_all(lab: &Lab, stages: &[&Stage]) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    for stage in stages {
        println!("{}", stage.name);
        let started = Instant::now();
        let missing = stage
            .needs
            .iter()
            .find(|need| rows.iter().any(|row| row.stage == **need && row.counts.failed > 0));
        let counts = match missing {
            Some(need) => {
                println!("  not run: it needs \"{need}\", which failed");
                Counts::ONE_FAILED
            }
            None => (stage.run)(lab).unwrap_or_else(|error| {
                println!("  {error:#}");
                Counts::ONE_FAILED
            }),
        };
        if interrupt::requested() {
            bail!("interrupted");
        }
        let elapsed = started.elapsed();
        let Counts { passed, failed, skipped } = counts;
        println!("  {passed} passed, {failed} failed, {skipped} skipped in {}", clock(elapsed));
        rows.push(Row { stage: stage.name, counts, elapsed });
    }
    Ok(rows)
}

/// The stages named in `only` with all that they need, or all stages where it is empty.
///
/// # Errors
///
/// When no stage has one of the names.
pub(crate) fn select<'a>(stages: &'a [Stage], only: &[String]) -> Result<Vec<&'a Stage>> {
    let mut wanted: Vec<&str> = Vec::new();
    let mut pending: Vec<&str> = only.iter().map(String::as_str).collect();
    while let Some(name) = pending.pop() {
        let Some(stage) = stages.iter().find(|stage| stage.name == name) else {
            let names: Vec<_> = stages.iter().map(|stage| format!("\"{}\"", stage.name)).collect();
            bail!("there is no stage \"{name}\"; there are {}", names.join(", "));
        };
        if !wanted.contains(&stage.name) {
            wanted.push(stage.name);
            pending.extend(stage.needs);
        }
    }
    Ok(stages.iter().filter(|stage| only.is_empty() || wanted.contains(&stage.name)).collect())
}

/// Runs a test runner and counts its tests. What fails without a count, such as a test that does not compile, counts as
/// one failure; a runner that runs nothing has failed.
pub(crate) fn count(job: Job) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut failures = Failures::default();
    let finished = job.run(|line| {
        counts.read(line);
        failures.read(line);
    })?;
    if !finished.success {
        println!("  {}", finished.complaint);
        print!("{}", failures.text());
        counts.failed = counts.failed.max(1);
    } else if counts == Counts::default() {
        println!("  it ended without an error, but ran no test");
        counts.failed = 1;
    }
    Ok(counts)
}

/// Runs a step that is one test by itself.
pub(crate) fn one(step: Result<()>) -> Result<Counts> {
    step.map(|()| Counts::ONE_PASSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(_: &Lab) -> Result<Counts> {
        Ok(Counts::ONE_PASSED)
    }

    fn fails(_: &Lab) -> Result<Counts> {
        bail!("as it should in this test")
    }

    const STAGES: [Stage; 4] = [
        Stage { name: "base", needs: &[], run: fails },
        Stage { name: "apart", needs: &[], run: passes },
        Stage { name: "above", needs: &["base"], run: passes },
        Stage { name: "top", needs: &["above"], run: passes },
    ];

    #[test]
    fn a_failure_stops_only_what_needs_it() {
        let workspace = Workspace::locate().unwrap();
        let rows = run_all(&Lab::new(&workspace), &STAGES.iter().collect::<Vec<_>>()).unwrap();
        let failed: Vec<_> = rows.iter().filter(|row| row.counts.failed > 0).map(|row| row.stage).collect();
        assert_eq!(failed, ["base", "above", "top"]);
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn a_selected_stage_brings_what_it_needs() {
        let names = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(|name| (*name).to_owned()).collect();
            select(&STAGES, &only).map(|found| found.iter().map(|stage| stage.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["top"]).unwrap(), ["base", "above", "top"]);
        assert_eq!(names(&[]).unwrap().len(), 4);
        assert!(names(&["none"]).unwrap_err().to_string().contains("\"apart\""));
    }
}
