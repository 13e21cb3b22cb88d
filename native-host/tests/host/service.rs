//! The host under a service manager, and at the limits of a process.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use quillwork_host::clock::unix_millis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::PATIENCE;
use crate::process::{Said, get, get_with, quillwork, serving, signal};

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

/// A shell that becomes the host. `$0` is the program.
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_quillwork")]).env_remove("RUST_LOG").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What the service manager is told next.
fn told(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 1_024];
    let length = loop {
        match manager.recv(&mut buffer) {
            // A process that was stopped goes on here.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            told => break told.unwrap(),
        }
    };
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

/// The next that isn't the watchdog's.
fn told_besides(manager: &UnixDatagram) -> String {
    loop {
        let told = told(manager);
        if told.trim() != "WATCHDOG=1" {
            return told;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manager_hears_when_the_host_is_ready_lives_reloads_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = quillwork(&["serve", "--port", "0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "30000000");
    let (mut child, address) = serving(command).await;

    let ready = told(&manager);
    assert!(
        ready.contains("READY=1") && ready.contains(&format!("STATUS=Listening on {address}")),
        "{ready}"
    );
    assert!(get(&address, "/healthz").await.ends_with("alive\n"));
    // By the sampler's ticks, one after the other.
    assert_eq!(
        [told(&manager), told(&manager)].map(|told| told.trim().to_owned()),
        ["WATCHDOG=1", "WATCHDOG=1"]
    );

    signal(&child, "HUP");
    let reloading = told_besides(&manager);
    assert!(reloading.contains("RELOADING=1") && reloading.contains("MONOTONIC_USEC="), "{reloading}");
    assert!(told_besides(&manager).contains("READY=1"));

    signal(&child, "TERM");
    assert!(told_besides(&manager).contains("STOPPING=1"));
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_socket_that_was_opened_for_the_host_is_taken() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let expected = socket.local_addr().unwrap().to_string();
    let mut command = shell("LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve 3<&0");
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)));
    let (_child, address) = serving(command).await;
    assert_eq!(address, expected);
    assert!(get(&address, "/healthz").await.ends_with("alive\n"));
}

#[tokio::test]
async fn a_socket_that_others_reach_needs_a_token_as_well() {
    let socket = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let mut command = shell("LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve 3<&0");
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)));
    let output = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && stderr.contains("auth.token_file"), "{stderr}");
}

#[tokio::test]
async fn more_clients_than_files_wait_and_nothing_else_suffers() {
    let directory = tempfile::tempdir().unwrap();
    let script =
        format!("ulimit -n 160; exec \"$0\" serve --port 0 --data-dir '{}'", directory.path().display());
    let (mut child, address) = serving(shell(&script)).await;
    let mut said = Said::by(&mut child);
    assert!(said.line_with("connections at a time instead of").await.contains("LimitNOFILE"));

    // Each is open on the client's side; the host takes as many as it has room for.
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(TcpStream::connect(&address).await.unwrap());
    }
    drop(crowd.split_off(1));
    drop(crowd);
    assert!(get(&address, "/healthz").await.ends_with("alive\n"));
    signal(&child, "HUP");
    let again = said.line_with("read again").await;
    assert!(again.ends_with("read again"), "what the system allows is no change: {again}");
    signal(&child, "TERM");
    assert_eq!(timeout(PATIENCE, child.wait()).await.unwrap().unwrap().code(), Some(0));
}

#[tokio::test]
async fn logs_go_to_a_file_as_json_which_is_opened_again_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let (file, moved) = (directory.path().join("log"), directory.path().join("moved"));
    let setting = format!("log.file={}", file.display());
    let command = quillwork(&["serve", "--port", "0", "--set", &setting, "--set", "log.format=json"]);
    let (mut child, _) = serving(command).await;
    let lines = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        // The last one may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    until(|| !lines(&file).is_empty()).await;
    assert!(lines(&file)[0]["message"].as_str().unwrap().contains("dashboard http://"), "{:?}", lines(&file));

    fs::rename(&file, &moved).unwrap();
    signal(&child, "HUP");
    until(|| !lines(&file).is_empty()).await;
    signal(&child, "TERM");
    timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    let last = lines(&file).pop().unwrap();
    assert_eq!((&last["level"], &last["message"]), (&"info".into(), &"SIGTERM: stopping".into()));
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).await.unwrap();
    assert_eq!(stderr, "");
}

#[tokio::test]
async fn a_log_that_can_not_be_kept_is_told_at_the_start() {
    for (setting, word) in [("log.file=/nonexistent/log", "log.file"), ("log.level=loud=er=", "log.level")] {
        let output = quillwork(&["serve", "--port", "0", "--set", setting]).output();
        let output = timeout(PATIENCE, output).await.unwrap().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(word), "{stderr}");
    }
}

#[tokio::test]
async fn a_stop_writes_what_there_is_and_waits_for_no_client() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap().to_owned();
    let (mut child, address) = serving(quillwork(&["serve", "--port", "0", "--data-dir", &data])).await;
    // A request that never ends.
    let mut slow = TcpStream::connect(&address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
    timeout(PATIENCE, async { while !get(&address, "/readyz").await.ends_with("ready\n") {} }).await.unwrap();
    signal(&child, "TERM");
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    drop(slow);
    // Only what the first run has seen counts.
    let query = format!("name=host.memory.used&to={}", unix_millis());
    let (_again, address) = serving(quillwork(&["serve", "--port", "0", "--data-dir", &data])).await;
    let answer = get(&address, &format!("/api/v1/series?{query}")).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let answer: serde_json::Value = serde_json::from_str(body).unwrap();
    let values = answer["series"][0]["values"].as_array().unwrap();
    assert!(values.iter().any(serde_json::Value::is_f64), "{answer}");
}

/// A terminal in which a shell's command runs. Killing it does what closing the window of one does.
#[cfg(target_os = "linux")]
fn terminal(line: &str) -> Option<Command> {
    if std::process::Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: script is not on PATH");
        return None;
    }
    let mut command = Command::new("script");
    command.args(["--quiet", "--flush", "--command", line, "/dev/null"]).kill_on_drop(true);
    command.env_remove("RUST_LOG");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_host_ends_with_the_terminal_that_it_was_started_from() {
    let line = format!("exec {} serve --port 0", env!("CARGO_BIN_EXE_quillwork"));
    let Some(command) = terminal(&line) else { return };
    let (mut terminal, address) = serving(command).await;
    assert!(get(&address, "/healthz").await.ends_with("alive\n"));
    terminal.kill().await.unwrap();
    until(|| std::net::TcpStream::connect(&address).is_err()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_host_that_is_to_outlive_its_terminal_does() {
    let directory = tempfile::tempdir().unwrap();
    let (log, process) = (directory.path().join("log"), directory.path().join("process"));
    let line = format!(
        "trap '' HUP; echo $$ > {}; exec {} serve --port 0 --set log.file={}",
        process.display(),
        env!("CARGO_BIN_EXE_quillwork"),
        log.display()
    );
    let Some(command) = terminal(&line) else { return };
    let (mut terminal, address) = serving(command).await;
    terminal.kill().await.unwrap();
    until(|| fs::read_to_string(&log).unwrap_or_default().contains("read again")).await;
    assert!(get(&address, "/healthz").await.ends_with("alive\n"));
    let process = fs::read_to_string(process).unwrap();
    assert!(std::process::Command::new("kill").arg(process.trim()).status().unwrap().success());
    until(|| std::net::TcpStream::connect(&address).is_err()).await;
}

#[tokio::test]
async fn who_tries_tokens_is_named_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    fs::write(&token, "0".repeat(32)).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let tried = async |format: &str| {
        let format = format!("log.format={format}");
        let arguments = ["serve", "--port", "0", "--token-file", token.to_str().unwrap(), "--set", &format];
        let (mut child, address) = serving(quillwork(&arguments)).await;
        let mut said = Said::by(&mut child);
        let answer = get_with(&address, "/metrics", "Authorization: Bearer secret-guess\r\n").await;
        assert!(answer.contains(" 401 "), "{answer}");
        let line = said.line_with("a token that isn't good").await;
        assert!(!line.contains("secret-guess"), "{line}");
        line
    };
    let line = tried("text").await;
    assert!(line.ends_with("client=127.0.0.1 times=1"), "{line}");
    let fields: serde_json::Value = serde_json::from_str(&tried("json").await).unwrap();
    assert_eq!((&fields["client"], &fields["times"]), (&"127.0.0.1".into(), &1.into()), "{fields}");
}

/// Waits for a condition on files, which nothing announces.
async fn until(condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, met).await.expect("it came in time");
}

/// Runs systemd's own judge, where there is one.
fn systemd_analyze(arguments: &[&str]) -> Option<(bool, String)> {
    let output = std::process::Command::new("systemd-analyze").args(arguments).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn the_units_are_sound_and_hardened() {
    let unit = packaging().join("quillwork.service");
    let Some((_, said)) = systemd_analyze(&["verify", unit.to_str().unwrap()]) else {
        eprintln!("skipped: systemd-analyze is not on PATH");
        return;
    };
    // The program is not installed where tests run.
    let wrong: Vec<_> = said
        .lines()
        .filter(|line| line.contains("quillwork") && !line.contains("is not executable"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let (hardened, said) =
        systemd_analyze(&["security", "--offline=true", "--threshold=25", unit.to_str().unwrap()]).unwrap();
    // Versions before 250 know no units that are not loaded.
    assert!(hardened || said.contains("unrecognized option"), "{said}");
}
