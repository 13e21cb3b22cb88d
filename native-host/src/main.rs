//! The `quillwork` command.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use quillwork_host::cli::{Cli, Command, ServeArgs};
use quillwork_host::serve::serve;
use quillwork_host::simulate::simulate;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => run_server(&args),
        Command::Config(args) => quillwork_host::config::print(&args),
        Command::Simulate(args) => simulate(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run_server(args: &ServeArgs) -> Result<(), String> {
    let layers = args.layers();
    let config = layers.load().map_err(|error| error.to_string())?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&config.log.level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    // What it does fits one core many times over; a second thread keeps a slow query from delaying ticks.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime does not start: {error}"))?;
    runtime.block_on(serve(layers, config)).map_err(|error| error.to_string())
}
