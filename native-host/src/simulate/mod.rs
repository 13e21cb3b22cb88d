//! `quillwork simulate`: which strategy and how many workers for this traffic.

mod args;
mod html;
mod json;
mod plan;
mod table;
mod words;

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use quillwork_sim::fleet::{Candidate, Goal, Measured, Recommendation, record};

pub(crate) use args::EXAMPLES;
pub use args::{Format, SimulateArgs};
use plan::Plan;

/// What was asked, measured and concluded.
#[derive(Debug)]
struct Findings {
    title: String,
    /// Whether the traffic is a recording's, the same in every run.
    is_recorded: bool,
    goal: Goal,
    seeds: usize,
    tasks: u32,
    overloaded: Vec<(usize, f64)>,
    rows: Vec<Measured>,
    recommendation: Recommendation,
}

/// Simulates and prints; progress goes to stderr.
///
/// # Errors
///
/// Where the arguments contradict each other or the result can't be written.
pub fn simulate(args: &SimulateArgs) -> Result<(), String> {
    let plan = Plan::new(args)?;
    if let Some(path) = &args.record {
        write_recording(path, &plan)?;
    }
    let rows = measure(&plan.candidates, &plan.seeds);
    let recommendation =
        Recommendation::among(&rows, &plan.goal).ok_or("name at least one strategy besides the bound")?;
    let findings = Findings {
        title: plan.title,
        is_recorded: args.recording.is_some(),
        goal: plan.goal,
        seeds: plan.seeds.len(),
        tasks: plan.tasks,
        overloaded: plan.overloaded,
        rows,
        recommendation,
    };
    let text = match args.format {
        Format::Table => table::render(&findings),
        Format::Json => json::render(&findings),
        Format::Html => html::render(&findings),
    };
    match &args.out {
        Some(path) => fs::write(path, text).map_err(|error| {
            format!("the result can't be written to {}: {error}; give another --out", path.display())
        }),
        None => match std::io::stdout().write_all(text.as_bytes()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| format!("the result can't be printed: {error}")),
        },
    }
}

fn write_recording(path: &Path, plan: &Plan) -> Result<(), String> {
    let scenario = &plan.candidates.last().expect("a plan has candidates").scenario;
    let (_, log) = record(plan.seeds[0], scenario, plan::pool());
    fs::write(path, &log).map_err(|error| {
        format!("the recording can't be written to {}: {error}; give another --record", path.display())
    })?;
    eprintln!("recorded a pool with {} tasks in {} bytes: {}", scenario.count, log.len(), path.display());
    Ok(())
}

/// All candidates, on as many threads as there are cores. What comes out doesn't depend on them.
fn measure(candidates: &[Candidate], seeds: &[u64]) -> Vec<Measured> {
    let progress = Progress::new(candidates.len() * seeds.len());
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(candidates.len());
    let mut rows: Vec<(usize, Measured)> = thread::scope(|scope| {
        let work = || {
            let mut rows = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(candidate) = candidates.get(place) else { return rows };
                rows.push((place, Measured::of(candidate, seeds, || progress.step())));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| match worker.join() {
                Ok(rows) => rows,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    progress.end();
    rows.sort_unstable_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// One line on a terminal's stderr.
struct Progress {
    runs: usize,
    done: AtomicUsize,
    shown: bool,
}

impl Progress {
    fn new(runs: usize) -> Self {
        Self { runs, done: AtomicUsize::new(0), shown: std::io::stderr().is_terminal() }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.shown {
            eprint!("\rsimulated {done} of {} runs", self.runs);
        }
    }

    fn end(&self) {
        if self.shown {
            eprint!("\r{:40}\r", "");
        }
    }
}
