//! The command as a process.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use crate::harness::PATIENCE;

pub(crate) fn quillwork(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quillwork"));
    command.args(arguments).env_remove("RUST_LOG").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end: exit code, stdout, stderr.
pub(crate) async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = timeout(PATIENCE, quillwork(arguments).output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Starts it on a free port and gives its address.
pub(crate) async fn start(arguments: &[&str]) -> (Child, String) {
    serving(quillwork(&[&["serve", "--port", "0"], arguments].concat())).await
}

/// Starts a command that serves, and gives the address that it prints.
pub(crate) async fn serving(mut command: Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    timeout(PATIENCE, stdout.read_line(&mut line)).await.unwrap().unwrap();
    let Some(url) = line.trim().strip_prefix("Listening on ") else {
        child.start_kill().ok();
        let output = timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
        panic!("{line:?} and no address, {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    };
    let (_, address) = url.split_once("://").unwrap();
    (child, address.to_owned())
}

/// A port for a host that is still to be started, or that has ended.
pub(crate) struct Port {
    pub(crate) number: String,
    _socket: Option<TcpSocket>,
}

impl Port {
    /// On Linux nobody else is given it while this is held, and nobody listens there unless told to: a socket that is bound and
    /// doesn't listen shares its port with one that does, as long as both say that it may be shared. Elsewhere it is free.
    pub(crate) fn free() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let number = socket.local_addr().unwrap().port().to_string();
        Self { number, _socket: cfg!(target_os = "linux").then_some(socket) }
    }
}

pub(crate) async fn get(address: &str, path: &str) -> String {
    get_with(address, path, "").await
}

/// With further header lines, each with its end.
pub(crate) async fn get_with(address: &str, path: &str, more: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

/// Posts JSON.
pub(crate) async fn post(address: &str, path: &str, body: &Value) -> String {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

/// What a process says on stderr, line by line.
pub(crate) struct Said(Lines<BufReader<ChildStderr>>);

impl Said {
    pub(crate) fn by(child: &mut Child) -> Self {
        Self(BufReader::new(child.stderr.take().unwrap()).lines())
    }

    /// The next line that holds `text`.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        let found = async {
            while let Some(line) = self.0.next_line().await.unwrap() {
                if line.contains(text) {
                    return line;
                }
            }
            panic!("the process ended and never said {text:?}")
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("it never said {text:?}"))
    }

    /// What else it says until it ends.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        while let Some(line) = timeout(PATIENCE, self.0.next_line()).await.unwrap().unwrap() {
            rest += &line;
            rest.push('\n');
        }
        rest
    }
}

/// Sends a signal, by its name.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
}
