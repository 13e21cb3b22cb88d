//! `cargo xtask run`: everything built and running.

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::build;
use crate::interrupt::{self, Group};
use crate::setup;
use crate::workspace::Workspace;

pub(crate) const EXAMPLES: &str = "Examples:\n  cargo xtask run\n  cargo xtask run --port 9500\n  \
    cargo xtask run --bind 0.0.0.0 --token-file token.txt    reachable from other machines\n  \
    cargo xtask run -- --data-dir /var/lib/quillwork         what follows `--` goes to `quillwork serve`\n\n\
    Ctrl-C stops everything.";

/// What the host prints once it accepts connections.
const LISTENING: &str = "Listening on ";

/// Flags of `cargo xtask run`.
#[derive(Args)]
pub(crate) struct Options {
    /// The port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 9470)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// A file with the token that clients must show; needed where --bind is not this machine alone
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Further flags for `quillwork serve`
    #[arg(last = true, value_name = "FLAGS")]
    host_flags: Vec<String>,
}

/// Sets up, builds what changed, and runs the host until Ctrl-C.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    check_address(options)?;
    println!("Set-up");
    let tools = setup::for_building(workspace)?;
    println!("Build");
    build::system(workspace, &tools)?;
    println!("Start");
    serve(workspace, options)
}

/// Finds out before minutes of building what would stop the host after them.
fn check_address(options: &Options) -> Result<()> {
    let (bind, port) = (options.bind, options.port);
    if !bind.is_loopback() && options.token_file.is_none() {
        bail!(
            "{bind} can be reached from other machines: give a file with a token by --token-file, or leave out --bind\n\
             `(umask 077; openssl rand -hex 32 > token)` makes one"
        );
    }
    if let Some(file) = options.token_file.as_ref().filter(|file| !file.is_file()) {
        bail!("--token-file names {}, which is no file", file.display());
    }
    match TcpListener::bind((bind, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(error).with_context(|| {
            format!("can't listen on {bind} port {port}: stop what uses it, or choose another with --port or --bind")
        }),
    }
}

fn serve(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let mut command = Command::new(workspace.host_binary());
    command
        .args(["serve", "--port", &options.port.to_string(), "--bind", &options.bind.to_string()])
        .arg("--dashboard-dir")
        .arg(workspace.target("release/dashboard"))
        .arg("--story-dir")
        .arg(workspace.target("release/story"))
        .args(options.token_file.iter().flat_map(|file| ["--token-file".as_ref(), file.as_os_str()]))
        .args(&options.host_flags)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0);
    let mut host = command.spawn().context("could not start the host")?;
    let group = Group::lead_by(host.id());
    let output = host.stdout.take().context("the host's output is not there")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("could not read the host's output")?;
        println!("{line}");
        if let Some(address) = line.strip_prefix(LISTENING) {
            println!("{}", welcome(address.trim()));
        }
    }
    let status = host.wait().context("could not wait for the host")?;
    drop(group);
    if interrupt::requested() {
        println!("Stopped.");
        return Ok(ExitCode::SUCCESS);
    }
    if !status.success() {
        // It has said why.
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn welcome(address: &str) -> String {
    let address = address.trim_end_matches('/');
    format!(
        "\n  Dashboard   {address}/\n  Story app   {address}/story/\n  API         {address}/api/v1/snapshot  \
         (all of it: {address}/api/v1/openapi.json)\n  Metrics     {address}/metrics\n\n\
         Try first: open the dashboard and the story app side by side. In the story app try \u{201c}The Tide Clock\u{201d},\n\
         let a thousand random readers read it, and watch the page's workers and frame rate on the dashboard\n\
         beside this machine's CPU.\n\n\
         Ctrl-C stops everything.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(bind: &str, port: u16) -> Options {
        let bind = bind.parse().expect("the tests name addresses");
        Options { port, bind, token_file: None, host_flags: Vec::new() }
    }

    #[test]
    fn a_taken_port_names_the_flag() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = format!("{:#}", check_address(&options("127.0.0.1", port)).unwrap_err());
        assert!(error.contains("--port") && error.contains(&port.to_string()), "{error}");
        // Any that is free. The one that was taken may still be held by a child that another test starts.
        check_address(&options("127.0.0.1", 0)).unwrap();
    }

    #[test]
    fn other_machines_need_a_token() {
        let error = check_address(&options("0.0.0.0", 0)).unwrap_err().to_string();
        assert!(error.contains("--token-file"), "{error}");
    }
}
