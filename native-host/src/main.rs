//! The `quillwork` command.

use std::process::ExitCode;

use clap::Parser;
use quillwork_host::annotate::annotate;
use quillwork_host::cli::{Cli, Command, ServeArgs};
use quillwork_host::detect::detect;
use quillwork_host::logging;
use quillwork_host::printable::escaped_lines;
use quillwork_host::serve::serve;
use quillwork_host::simulate::simulate;
use quillwork_host::standby::promote::promote;
use quillwork_host::top::top;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(args) => run_server(&args),
        Command::Config(args) => quillwork_host::config::print(&args),
        Command::Detect(args) => detect(&args),
        Command::Top(args) => top(&args),
        Command::History(args) => quillwork_host::history::run(&args),
        Command::Annotate(args) => annotate(&args),
        Command::Check(args) => quillwork_host::check::check(&args),
        Command::Rules(args) => quillwork_host::rules::rules(&args),
        Command::Promote(args) => promote(&args),
        Command::Report(args) => quillwork_host::report::report(&args),
        Command::Simulate(args) => simulate(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {}", escaped_lines(&message));
            ExitCode::FAILURE
        }
    }
}

fn run_server(args: &ServeArgs) -> Result<(), String> {
    let layers = args.layers();
    let config = layers.load().map_err(|error| error.to_string())?;
    let logging = logging::start(&config.log).map_err(|error| error.to_string())?;
    // What it does fits one core many times over; a second thread keeps a slow query from delaying ticks.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime does not start: {error}"))?;
    let served = runtime.block_on(serve(layers, config, Some(logging.control())));
    // A task that hangs on a disk doesn't hold the end up.
    runtime.shutdown_background();
    served.map_err(|error| error.to_string())
}
