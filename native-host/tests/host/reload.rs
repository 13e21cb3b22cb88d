//! SIGHUP: what changes while the host runs, and what doesn't.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::PATIENCE;
use crate::process::{Said, get_with, quillwork, serving, signal};

fn secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The status of a request with this token.
async fn status(address: &str, path: &str, token: &str) -> u16 {
    let answer = get_with(address, path, &format!("Authorization: Bearer {token}\r\n")).await;
    answer[9..12].parse().unwrap()
}

const OLD: &str = "00000000000000000000000000000000";
const NEW: &str = "11111111111111111111111111111111";

#[tokio::test]
async fn tokens_and_origins_change_at_once_and_open_sockets_follow() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("quillwork.toml");
    secret(&directory.path().join("old"), OLD);
    secret(&directory.path().join("new"), NEW);
    fs::write(&file, "[auth.tokens.wall]\nfile = \"old\"\n").unwrap();
    let (mut child, address) =
        serving(quillwork(&["serve", "--port", "0", "--config", file.to_str().unwrap()])).await;
    let mut said = Said::by(&mut child);
    assert_eq!(
        [status(&address, "/metrics", OLD).await, status(&address, "/metrics", NEW).await],
        [200, 401]
    );

    let (mut dashboard, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    let hello = serde_json::json!({ "type": "hello", "version": quillwork_protocol::VERSION, "role": "dashboard", "token": OLD });
    dashboard.send(Message::text(hello.to_string())).await.unwrap();
    assert!(dashboard.next().await.unwrap().unwrap().to_text().unwrap().contains("welcome"));

    let changed = "[server]\nport = 1\nallowed_origins = [\"http://localhost:5173\"]\n\
                   [limits]\ndashboards = 3\n[auth.tokens.wall]\nfile = \"new\"\n";
    fs::write(&file, changed).unwrap();
    signal(&child, "HUP");
    let waiting = said.line_with("read again").await;
    assert!(waiting.ends_with("wait for a restart: limits.dashboards"), "a flag says the port: {waiting}");
    assert_eq!(
        [status(&address, "/metrics", OLD).await, status(&address, "/metrics", NEW).await],
        [401, 200]
    );
    let foreign = get_with(&address, "/healthz", "Origin: http://localhost:5173\r\n").await;
    assert!(foreign.starts_with("HTTP/1.1 200"), "{foreign}");
    let closed = async {
        loop {
            if let Message::Close(frame) = dashboard.next().await.unwrap().unwrap() {
                return u16::from(frame.unwrap().code);
            }
        }
    };
    assert_eq!(timeout(PATIENCE, closed).await.unwrap(), quillwork_protocol::socket::CLOSE_UNAUTHORIZED);
}

#[tokio::test]
async fn a_file_with_a_fault_changes_nothing_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("quillwork.toml");
    secret(&directory.path().join("old"), OLD);
    fs::write(&file, "[auth.tokens.wall]\nfile = \"old\"\n").unwrap();
    let (mut child, address) =
        serving(quillwork(&["serve", "--port", "0", "--config", file.to_str().unwrap()])).await;
    let mut said = Said::by(&mut child);
    for (text, why) in [
        ("[auth.tokens.wall]\nfil = \"old\"\n", "did you mean file?"),
        ("[auth.tokens.wall]\nfile = \"gone\"\n", "can't be read"),
        ("[tls]\ncertificate_file = \"gone\"\nkey_file = \"gone\"\n[auth.tokens.wall]\n", "`file`"),
    ] {
        fs::write(&file, text).unwrap();
        signal(&child, "HUP");
        let line = said.line_with("everything stays as it was").await;
        assert!(line.contains(why), "{line}");
        assert_eq!(status(&address, "/metrics", OLD).await, 200);
        assert_eq!(status(&address, "/metrics", NEW).await, 401);
    }
}

#[tokio::test]
async fn a_host_that_others_reach_does_not_lose_its_last_token() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("quillwork.toml");
    secret(&directory.path().join("old"), OLD);
    fs::write(&file, "[server]\nbind = \"0.0.0.0\"\n[auth.tokens.wall]\nfile = \"old\"\n").unwrap();
    let (mut child, address) =
        serving(quillwork(&["serve", "--port", "0", "--config", file.to_str().unwrap()])).await;
    let address = address.replace("0.0.0.0", "127.0.0.1");
    let mut said = Said::by(&mut child);
    // It would be right after a restart; but it listens where it listened.
    fs::write(&file, "[server]\nbind = \"127.0.0.1\"\n").unwrap();
    signal(&child, "HUP");
    assert!(said.line_with("everything stays as it was").await.contains("server.bind"));
    assert_eq!(status(&address, "/metrics", NEW).await, 401);
}
