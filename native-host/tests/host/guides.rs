//! The operator's guides: their commands run, and their reference is the code's.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use quillwork_host::config::{example, reference};

use crate::process::Port;

fn guide(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/guides").join(name)
}

/// The page of the configuration up to its reference, and the reference.
fn configuration() -> (String, String) {
    let text = fs::read_to_string(guide("configuration.md")).unwrap();
    let (introduction, reference) = text.split_once(GENERATED).expect("the heading is there");
    (format!("{introduction}{GENERATED}"), reference.to_owned())
}

fn shipped() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../packaging/quillwork.toml")
}

#[test]
fn the_reference_and_the_file_that_is_shipped_are_those_of_the_code() {
    let same = configuration().1 == reference() && fs::read_to_string(shipped()).unwrap() == example();
    assert!(same, "options have changed: run `cargo test -p quillwork --test host renew -- --ignored`");
}

#[test]
#[ignore = "writes the generated part of the guide, and the file that is shipped"]
fn renew() {
    let (introduction, _) = configuration();
    fs::write(guide("configuration.md"), introduction + &reference()).unwrap();
    fs::write(shipped(), example()).unwrap();
}

const GENERATED: &str = "This part is generated from the code that reads them.\n";

/// Runs the `sh` blocks of a guide, each in a directory and on a port of its own, with all that it starts ended after it.
fn run(name: &str) {
    if !["bash", "curl", "openssl"].iter().all(|tool| is_there(tool)) {
        eprintln!("skipped: bash, curl and openssl are needed");
        return;
    }
    let text = fs::read_to_string(guide(name)).unwrap();
    let blocks: Vec<&str> =
        text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```\n").next()).collect();
    assert!(!blocks.is_empty(), "{name} has no commands");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_quillwork"));
    let path = std::env::join_paths(
        [program.parent().unwrap().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    for block in blocks {
        let directory = tempfile::tempdir().unwrap();
        // The guides name the default port, which may be taken here.
        let port = Port::free();
        let script =
            format!("set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n{block}\nwait");
        let mut child = Command::new("bash")
            .args(["-m", "-c", &script.replace("9470", &port.number)])
            .current_dir(directory.path())
            .env("PATH", &path)
            .env("QUILLWORK_SERVER_PORT", &port.number)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ended = ends_in_time(&mut child);
        let output = child.wait_with_output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(ended, "{name}: this did not end in time:\n{block}\n{stdout}\n{stderr}");
        assert!(output.status.success(), "{name}: {}\n{block}\n{stdout}\n{stderr}", output.status);
    }
}

fn is_there(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    // openssl has no --version before its third major version, and runs all the same.
    found.is_ok()
}

/// Ends it where it does not end by itself.
fn ends_in_time(child: &mut std::process::Child) -> bool {
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    false
}

#[test]
fn the_commands_of_operating_work() {
    run("operating.md");
}

#[test]
fn the_commands_of_configuration_work() {
    run("configuration.md");
}

#[test]
fn the_commands_of_security_work() {
    run("security.md");
}

#[test]
fn the_commands_of_hardware_work() {
    run("hardware.md");
}

#[test]
fn the_commands_of_the_api_work() {
    run("api.md");
}

#[test]
fn the_commands_of_performance_tuning_work() {
    run("performance-tuning.md");
}

#[test]
fn the_commands_of_scaling_work() {
    run("scaling.md");
}

#[test]
fn the_commands_of_best_practices_work() {
    run("best-practices.md");
}

#[test]
fn the_commands_of_troubleshooting_work() {
    run("troubleshooting.md");
}

/// Takes the types away, as a bundler does; without one there is nothing to run.
const TRANSPILE: &str = "\
const { transformSync } = require(process.argv[1]);
const code = require('fs').readFileSync(0, 'utf8');
process.stdout.write(transformSync(code, { loader: 'ts', format: 'esm', target: 'es2022' }).code);";

#[test]
fn the_typescript_of_the_api_works() {
    let compiler = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../wasm/npm/node_modules/typescript/lib/typescript.js");
    if !is_there("node") || !compiler.exists() {
        eprintln!("skipped: node and the package's TypeScript are needed");
        return;
    }
    let mut host = Command::new(env!("CARGO_BIN_EXE_quillwork"))
        .args(["serve", "--port", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first_line = String::new();
    BufReader::new(host.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
    let address = first_line.trim().strip_prefix("Listening on ").unwrap();
    let text = fs::read_to_string(guide("api.md")).unwrap();
    let block = text.split("```ts\n").nth(1).and_then(|rest| rest.split("```\n").next()).unwrap();
    let code = block.replace("http://127.0.0.1:9470", address);
    let node = |arguments: &[&std::ffi::OsStr], input: &[u8]| {
        let piped = || Stdio::piped();
        let mut child = Command::new("node")
            .args(arguments)
            .stdin(piped())
            .stdout(piped())
            .stderr(piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let ended = ends_in_time(&mut child);
        (ended, child.wait_with_output().unwrap())
    };
    let (_, transpiled) = node(&["-e".as_ref(), TRANSPILE.as_ref(), compiler.as_os_str()], code.as_bytes());
    let (ended, output) = node(&["--input-type=module".as_ref()], &transpiled.stdout);
    host.kill().unwrap();
    host.wait().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(ended && output.status.success(), "{stdout}\n{stderr}");
    assert_eq!(stdout.lines().filter(|line| line.starts_with("of ")).count(), 2, "{stdout}");
}

#[test]
fn the_commands_of_the_guide_to_reports_work() {
    run("reports.md");
}
