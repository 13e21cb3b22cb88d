//! Replays a pool's recording, such as one that a page made, and prints how many inputs it has, how it ends, and a digest of what
//! was decided: `cargo run -p quillwork-core --example replay -- LOG`.

use std::process::ExitCode;
use std::{env, fs};

use quillwork_core::digest::Digest;
use quillwork_core::pool::recording::{Ending, replay};

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1) else {
        eprintln!("usage: replay LOG");
        return ExitCode::FAILURE;
    };
    let log = match fs::read(&path) {
        Ok(log) => log,
        Err(error) => {
            eprintln!("can't read {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    let replayed = match replay(&log) {
        Ok(replayed) => replayed,
        Err(error) => {
            eprintln!("can't replay {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    let mut digest = Digest::new();
    replayed.outputs.iter().for_each(|&byte| digest.write_u8(byte));
    let ending = match replayed.ending {
        Ending::Complete => "complete",
        Ending::Truncated { .. } => "cut off",
    };
    println!("{} inputs, {ending}, decisions {:016x}", replayed.inputs, digest.value());
    ExitCode::SUCCESS
}
