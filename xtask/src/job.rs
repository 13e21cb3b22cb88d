//! A program run as one step: output to a log file, a live line meanwhile, its last lines when it fails.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, PipeReader, Write, pipe};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::console::Step;
use crate::interrupt::{self, Group};
use crate::workspace::Workspace;

/// How many lines of a failed program are repeated on the console.
const TAIL_LINES: usize = 60;
/// A step that takes longer hangs: the slowest (a cold release build on two cores) needs a third of it.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// How long output is awaited from what a program that has ended left running.
const LINGER: Duration = Duration::from_secs(2);

/// A program to run, with its place in the log.
pub(crate) struct Job {
    label: String,
    command: Command,
    log: PathBuf,
    limit: Duration,
}

/// How a program ended.
pub(crate) struct Finished {
    pub(crate) success: bool,
    /// Says what failed, with its last lines and where the rest is. Empty after success.
    pub(crate) complaint: String,
}

impl Job {
    /// `program`, to run in the root of the workspace. `label` is shown and names the log file.
    pub(crate) fn new(workspace: &Workspace, label: &str, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command
            .current_dir(workspace.root())
            .stdin(Stdio::null())
            // Artefacts are looked for below target/; see `Workspace::target`.
            .env_remove("CARGO_TARGET_DIR")
            // Set by the `cargo run` that started this program; a nested cargo must not take them for its own.
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("CARGO_MANIFEST_PATH")
            .env("CARGO_TERM_COLOR", "never")
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .process_group(0);
        let name: String = label
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        let log = workspace.target("xtask/logs").join(format!("{name}.log"));
        Self { label: label.to_owned(), command, log, limit: LIMIT }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        envs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.command.envs(envs);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs the program and fails, with its last lines, unless it succeeds.
    pub(crate) fn check(self) -> Result<()> {
        let finished = self.run(|_| ())?;
        if !finished.success {
            bail!("{}", finished.complaint);
        }
        Ok(())
    }

    /// Runs the program to its end, handing each line of output to `on_line`.
    ///
    /// # Errors
    ///
    /// When it can't be started, the log can't be written, or the user interrupts. A program that fails is no error here.
    pub(crate) fn run(mut self, mut on_line: impl FnMut(&str)) -> Result<Finished> {
        if let Some(parent) = self.log.parent() {
            fs::create_dir_all(parent).with_context(|| format!("could not create {}", parent.display()))?;
        }
        let mut log =
            File::create(&self.log).with_context(|| format!("could not write {}", self.log.display()))?;
        let shown = shown(&self.command);
        writeln!(log, "$ {shown}")?;

        let mut step = Step::begin(&self.label);
        let (reader, writer) = pipe().context("could not open a pipe")?;
        self.command.stdout(writer.try_clone().context("could not open a pipe")?).stderr(writer);
        let child = self.command.spawn().with_context(|| format!("could not start `{shown}`"))?;
        // The command holds the pipe's writing ends; end of output is seen only once they are closed.
        drop(self.command);

        let mut tail = VecDeque::with_capacity(TAIL_LINES);
        let ended = follow(child, reader, self.limit, |line| {
            if let Some(line) = line {
                writeln!(log, "{line}")?;
                on_line(line);
                if tail.len() == TAIL_LINES {
                    tail.pop_front();
                }
                tail.push_back(line.to_owned());
            }
            step.update(tail.back().map_or("", String::as_str));
            Ok(())
        });
        if interrupt::requested() {
            step.finish("stop");
            bail!("interrupted");
        }
        let reason = match ended? {
            Ended::Exited(status) if status.success() => {
                step.finish("ok");
                return Ok(Finished { success: true, complaint: String::new() });
            }
            Ended::Exited(status) => status.to_string(),
            Ended::OutOfTime => format!("ended after {} minutes, its limit", self.limit.as_secs() / 60),
        };
        step.finish("FAIL");
        let tail: Vec<_> = tail.into_iter().map(|line| format!("    {line}")).collect();
        let complaint = format!(
            "`{shown}` failed: {reason}\n{}\n    (all of it: {})",
            tail.join("\n"),
            self.log.display()
        );
        Ok(Finished { success: false, complaint })
    }
}

enum Ended {
    Exited(ExitStatus),
    OutOfTime,
}

/// Waits for the child's end, handing on each line of its output, and `None` at least once a second.
fn follow(
    mut child: Child,
    reader: PipeReader,
    limit: Duration,
    mut on_event: impl FnMut(Option<&str>) -> Result<()>,
) -> Result<Ended> {
    let group = Group::lead_by(child.id());
    let lines = read_lines(reader);
    let started = Instant::now();
    let mut exited: Option<(ExitStatus, Instant)> = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(500)) {
            Ok(line) => on_event(Some(&line))?,
            Err(RecvTimeoutError::Timeout) => on_event(None)?,
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().context("could not wait for a program")?;
                return Ok(Ended::Exited(status));
            }
        }
        match exited {
            Some((status, at)) if at.elapsed() > LINGER => {
                // Something it started holds its output open; it must not outlive the step.
                group.kill();
                return Ok(Ended::Exited(status));
            }
            Some(_) => {}
            None => {
                exited =
                    child.try_wait().context("could not wait for a program")?.map(|s| (s, Instant::now()))
            }
        }
        if started.elapsed() > limit {
            group.kill();
            child.wait().context("could not wait for a program")?;
            return Ok(Ended::OutOfTime);
        }
    }
}

fn read_lines(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What a short question to a program answers on its standard output, or `None` where it can't be asked.
pub(crate) fn ask(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The file that `name` stands for on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Job {
        let workspace = Workspace::locate().expect("the tests run in the workspace");
        Job::new(&workspace, &format!("test {}", script.len()), "sh").args(["-c", script])
    }

    #[test]
    fn both_streams_are_seen_and_failure_repeats_them() {
        let mut seen = Vec::new();
        let finished =
            shell("echo out; echo err >&2; exit 3").run(|line| seen.push(line.to_owned())).unwrap();
        assert!(!finished.success);
        assert_eq!(seen, ["out", "err"]);
        assert!(finished.complaint.contains("exit status: 3"), "{}", finished.complaint);
        assert!(finished.complaint.contains("    err"), "{}", finished.complaint);
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let finished =
            shell("sleep 600 & echo started; wait").limit(Duration::from_millis(10)).run(|_| ()).unwrap();
        assert!(finished.complaint.contains("its limit"), "{}", finished.complaint);
    }

    #[test]
    fn what_a_program_leaves_running_does_not_hold_the_step() {
        let finished = shell("sleep 601 & exit 0").run(|_| ()).unwrap();
        assert!(finished.success);
    }

    #[test]
    fn a_missing_program_is_named() {
        let workspace = Workspace::locate().unwrap();
        let error = Job::new(&workspace, "test missing", "no-such-program").check().unwrap_err();
        assert!(format!("{error:#}").contains("no-such-program"));
    }
}
