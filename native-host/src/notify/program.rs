//! Programs: the desktop's notifications, and the operator's own.
//!
//! No shell is between: names that strangers chose are standard input or one argument, whatever is in them.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use quillwork_core::alert::{Severity, notify::NotifiedStatus};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::letter::LetterKind;
use super::{Fault, Letter, Undelivered};
use crate::config::NotifyChannel;

/// A program that reads the letter as JSON from its standard input.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Program {
    pub(super) fn new(settings: &NotifyChannel) -> Result<Self, Fault> {
        let path = settings.program.clone().ok_or(Fault::Missing("program"))?;
        if !path.is_absolute() || !path.is_file() {
            return Err(Fault::NoProgram(path));
        }
        Ok(Self { path, arguments: settings.arguments.clone() })
    }

    pub(super) async fn deliver(&self, letter: &Letter, time: Duration) -> Result<(), Undelivered> {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).stdin(Stdio::piped());
        run(command, Some(letter.json().to_string()), time).await
    }
}

/// Shows the letter on the desktop of who runs the host.
pub(super) async fn show_on_desktop(letter: &Letter, time: Duration) -> Result<(), Undelivered> {
    let is_critical = match &letter.kind {
        LetterKind::Alerts { alerts, .. } => {
            alerts.iter().any(|alert| alert.status == NotifiedStatus::Firing(Severity::Critical))
        }
        LetterKind::Heartbeat { .. } => false,
    };
    // The text is read as markup.
    let escaped = letter.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut command = Command::new("notify-send");
    command
        .args([
            "--app-name=Quillwork",
            if is_critical { "--urgency=critical" } else { "--urgency=normal" },
            "--",
        ])
        .arg(letter.subject())
        .arg(escaped)
        .stdin(Stdio::null());
    run(command, None, time).await
}

async fn run(mut command: Command, input: Option<String>, time: Duration) -> Result<(), Undelivered> {
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).env_clear();
    // What a desktop or a locale needs, and nothing of the host's own.
    for name in [
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let mut child =
        command.spawn().map_err(|error| Undelivered::for_good(format!("it does not start: {error}")))?;
    let work = async {
        if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
            // A program that doesn't read is judged by its exit status all the same.
            pipe.write_all(input.as_bytes()).await.ok();
        }
        child.wait().await
    };
    match timeout(time, work).await {
        Err(_) => Err(Undelivered::for_now(format!("it did not end within {} s", time.as_secs_f64()))),
        Ok(Err(error)) => Err(Undelivered::for_now(error)),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(Undelivered::for_now(format!("it ended with {status}"))),
    }
}
