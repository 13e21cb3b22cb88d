//! The thread that writes lines, so that nobody else waits for a disk.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use super::rotate::RotatingFile;

/// Where lines go.
pub(super) enum Target {
    Stderr,
    File(RotatingFile),
}

/// What the thread is told.
enum Input {
    Line(String),
    Reopen,
    /// Everything before it has been written when the answer comes.
    Flush(SyncSender<()>),
}

/// The thread. Dropping it waits for what is under way, for a second at most.
pub(super) struct Writer(Sender);

/// Hands lines to the thread.
#[derive(Clone)]
pub(super) struct Sender {
    inputs: SyncSender<Input>,
    dropped: Arc<AtomicU64>,
}

/// Has the file opened again.
#[derive(Clone)]
pub(super) struct Reopen(Sender);

/// Lines that wait.
const QUEUE: usize = 1_024;

/// The wait for the last lines.
const FAREWELL: Duration = Duration::from_secs(1);

impl Writer {
    pub(super) fn start(target: Target) -> io::Result<Self> {
        let (inputs, received) = sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&dropped);
        thread::Builder::new().name("log".to_owned()).spawn(move || write(target, &received, &counter))?;
        Ok(Self(Sender { inputs, dropped }))
    }

    pub(super) fn sender(&self) -> Sender {
        self.0.clone()
    }

    pub(super) fn reopen(&self) -> Reopen {
        Reopen(self.0.clone())
    }
}

impl Sender {
    /// Never waits: where the queue is full the line is dropped and counted.
    pub(super) fn send(&self, line: String) {
        if let Err(TrySendError::Full(_)) = self.inputs.try_send(Input::Line(line)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Reopen {
    pub(super) fn reopen(&self) {
        // A queue that is full belongs to a disk that hangs; the next reload tries again.
        self.0.inputs.try_send(Input::Reopen).ok();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        if self.0.inputs.try_send(Input::Flush(done)).is_ok() {
            written.recv_timeout(FAREWELL).ok();
        }
    }
}

fn write(mut target: Target, inputs: &Receiver<Input>, dropped: &AtomicU64) {
    let mut failed = false;
    for input in inputs {
        let result = match input {
            Input::Line(line) => target.write(line.as_bytes()),
            Input::Reopen => target.reopen(),
            Input::Flush(done) => {
                done.send(()).ok();
                Ok(())
            }
        };
        // Told once, not for each line.
        if let (Err(error), false) = (&result, failed) {
            writeln!(io::stderr(), "the log can't be written, lines are lost: {error}").ok();
        }
        failed = result.is_err();
        let lost = if failed { 0 } else { dropped.swap(0, Ordering::Relaxed) };
        if lost > 0 {
            // It comes back here through the queue, which has room again.
            tracing::warn!("{lost} log lines were dropped: what they are written to is too slow");
        }
    }
}

impl Target {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Stderr => io::stderr().write_all(line),
            Self::File(file) => file.write(line),
        }
    }

    fn reopen(&mut self) -> io::Result<()> {
        match self {
            Self::Stderr => Ok(()),
            Self::File(file) => file.reopen(),
        }
    }
}
