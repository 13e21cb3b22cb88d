//! What the system tells the process.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, and the end of the terminal that the host was started from; Ctrl-C elsewhere.
#[cfg(unix)]
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    /// It asks for a reload, too: only one that comes since the terminal has gone stops.
    hangup: Signal,
    ends_with_terminal: bool,
}

/// SIGHUP.
#[cfg(unix)]
pub(crate) struct Reload(Signal);

#[cfg(unix)]
impl Stop {
    /// From now on such a signal doesn't end the process.
    pub(crate) fn new() -> Self {
        // A file that may not grow any more (`ulimit -f`, `LimitFSIZE`) is a write that fails, and no end of the process.
        drop(of(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())));
        // Looked at before the signal is waited for, which is no longer to ignore it.
        let ends_with_terminal = has_terminal() && !ignores_hangup();
        Self {
            terminate: of(SignalKind::terminate()),
            interrupt: of(SignalKind::interrupt()),
            hangup: of(SignalKind::hangup()),
            ends_with_terminal,
        }
    }

    /// Waits for one, and gives its name.
    pub(crate) async fn next(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hangup.recv() => {
                    if self.ends_with_terminal && !has_terminal() {
                        return "the terminal has gone";
                    }
                }
            }
        }
    }
}

#[cfg(unix)]
impl Reload {
    /// From now on such a signal doesn't end the process.
    pub(crate) fn new() -> Self {
        Self(of(SignalKind::hangup()))
    }

    /// Waits for one.
    pub(crate) async fn next(&mut self) {
        self.0.recv().await.expect("the runtime's signals outlive its tasks");
    }
}

/// Whether there is a terminal that can hang up.
#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Whether who started the process wants it to outlive the terminal, as `nohup` does. Linux tells; elsewhere it is taken
/// for no.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    const HANGUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANGUP != 0)
}

#[cfg(unix)]
fn of(kind: SignalKind) -> Signal {
    signal(kind).expect("signals can be handled on a runtime with I/O")
}

/// SIGTERM and SIGINT; Ctrl-C elsewhere.
#[cfg(not(unix))]
pub(crate) struct Stop;

/// There is no such signal here.
#[cfg(not(unix))]
pub(crate) struct Reload;

#[cfg(not(unix))]
impl Stop {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::signal::ctrl_c().await.expect("Ctrl-C can be handled on a runtime with I/O");
        "Ctrl-C"
    }
}

#[cfg(not(unix))]
impl Reload {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) async fn next(&mut self) {
        std::future::pending().await
    }
}
