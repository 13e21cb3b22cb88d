//! Runs one kind of simulation from ever new seeds: `soak KIND FIRST_SEED HOW_MANY`. Stops at the first seed from which a
//! promise is broken, and says how to repeat it.

use std::env;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use quillwork_tests::soak::KINDS;

const PROGRESS_EVERY: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let numbers = || Some((arguments.get(1)?.parse::<u64>().ok()?, arguments.get(2)?.parse::<u64>().ok()?));
    let kind = arguments.first().and_then(|name| KINDS.iter().find(|kind| kind.name == *name));
    let (Some(kind), Some((first, count))) = (kind, numbers()) else {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        eprintln!("usage: soak {} FIRST_SEED HOW_MANY", names.join("|"));
        return ExitCode::FAILURE;
    };
    let mut steps = 0;
    let mut told = Instant::now();
    for done in 0..count {
        let seed = first.wrapping_add(done);
        // What panics has printed why by itself.
        match catch_unwind(|| (kind.run)(seed)).unwrap_or_else(|_| Err(String::from("it panics"))) {
            Ok(taken) => steps += taken,
            Err(broken) => {
                eprintln!("{} from seed {seed}: {broken}", kind.name);
                eprintln!(
                    "to repeat it: cargo run --profile soak -p quillwork-tests --bin soak -- {} {seed} 1",
                    kind.name
                );
                return ExitCode::FAILURE;
            }
        }
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            println!("{} of {count} seeds, {steps} steps", done + 1);
        }
    }
    println!("{count} of {count} seeds, {steps} steps");
    ExitCode::SUCCESS
}
