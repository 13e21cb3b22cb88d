//! Simulates every strategy on every scenario of the study and writes the page about it: `cargo xtask evaluate`.
//!
//! `evaluate PAGE [--quick] [--seeds N] [--only NAME[;NAME]] [--entrants a,b] [--tuning]`

use std::error::Error;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use quillwork_sim::study::{Cell, Entrant, LOADS, p99_millis, page, scenarios, summary};

const SEEDS: u64 = 30;
const QUICK_SEEDS: u64 = 3;
const THREADS: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    let mut cells: Vec<Cell> = scenarios()
        .iter()
        .filter(|scenario| !(options.tuning && scenario.held_out))
        .filter(|scenario| options.only.as_ref().is_none_or(|only| only.contains(&scenario.scenario.name)))
        .flat_map(|scenario| LOADS.map(|load| Cell::new(scenario, load)))
        .collect();
    simulate_all(&mut cells, &options);
    for line in summary(&cells).lines() {
        println!("STUDY {line}");
    }
    if let Some(path) = &options.page {
        fs::write(path, page(&cells, options.seeds))?;
    }
    Ok(())
}

/// Every entrant in every cell with every seed, on all threads. What is simulated depends on neither their number nor
/// their order.
fn simulate_all(cells: &mut [Cell], options: &Options) {
    let entrants: Vec<Entrant> = Entrant::all()
        .into_iter()
        .filter(|entrant| {
            options.entrants.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == entrant.name()))
        })
        .collect();
    let tasks: Vec<(usize, Entrant)> =
        (0..cells.len()).flat_map(|cell| entrants.iter().map(move |&entrant| (cell, entrant))).collect();
    let next = AtomicUsize::new(0);
    let (sender, results) = channel();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (sender, next, tasks, cells) = (sender.clone(), &next, &tasks, &*cells);
            scope.spawn(move || {
                while let Some(&(cell, entrant)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scenario = &cells[cell].scenario.scenario;
                    let values =
                        (1..=options.seeds).map(|seed| p99_millis(entrant, scenario, seed)).collect();
                    if sender.send((cell, entrant, values)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut collected: Vec<(usize, Entrant, Vec<f64>)> = Vec::new();
        for result in &results {
            collected.push(result);
            if collected.len().is_multiple_of(entrants.len()) {
                eprintln!("{} of {} simulated", collected.len(), tasks.len());
            }
        }
        collected
    })
    .into_iter()
    .for_each(|(cell, entrant, values): (usize, Entrant, Vec<f64>)| cells[cell].p99.push((entrant, values)));
    for cell in cells {
        cell.p99.sort_by_key(|(entrant, _)| entrants.iter().position(|of| of == entrant));
    }
}

struct Options {
    page: Option<String>,
    seeds: u64,
    only: Option<Vec<String>>,
    entrants: Option<Vec<String>>,
    tuning: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { page: None, seeds: SEEDS, only: None, entrants: None, tuning: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--quick" => options.seeds = QUICK_SEEDS,
                "--tuning" => options.tuning = true,
                "--seeds" => options.seeds = value()?.parse()?,
                "--only" => options.only = Some(value()?.split(';').map(str::to_owned).collect()),
                "--entrants" => options.entrants = Some(value()?.split(',').map(str::to_owned).collect()),
                flag if flag.starts_with("--") => return Err(format!("there is no flag {flag}").into()),
                path => options.page = Some(path.to_owned()),
            }
        }
        Ok(options)
    }
}
