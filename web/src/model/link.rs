//! The connection to the host: when to open it, when to call it lost, how long to wait before trying again.
//!
//! A state machine without clock or randomness: `now` is milliseconds of any monotonic clock, `jitter` a random number
//! of `[0, 1)`. Silence counts, not only a closed socket: a host that hangs and a network that swallows packets both
//! leave the socket open.

use quillwork_protocol::snapshot::Snapshot;
use quillwork_protocol::socket::{
    CLOSE_UNAUTHORIZED, CLOSE_UNSUPPORTED_VERSION, ClientMessage, Hello, Resume, Role, Welcome,
};

/// Silence after which the host counts as lost. Ticks come once a second; shown within three seconds of the last one,
/// however late the timer that looks.
pub const LOST_AFTER_MILLIS: f64 = 2_400.0;
/// Silence after which an open socket is given up and opened anew.
pub const STALLED_AFTER_MILLIS: f64 = 6_000.0;
/// A connection that has not been welcomed after this long is given up.
pub const CONNECT_TIMEOUT_MILLIS: f64 = 4_000.0;
/// Longest wait between two attempts: a host that is back is seen within about two seconds.
pub const LONGEST_WAIT_MILLIS: f64 = 2_000.0;
/// Wait after the first failure, doubled by each further one.
const FIRST_WAIT_MILLIS: f64 = 250.0;

/// What the shell does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open a socket. One that is still there is dropped.
    Open,
    /// Close the socket; its close event no longer matters.
    Close,
}

/// How the host stands, as shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HostState {
    /// Never heard of yet.
    Connecting {
        /// For how long.
        for_millis: f64,
        /// Attempts that failed so far.
        failures: u32,
    },
    /// Ticks come in.
    Live,
    /// Heard of before, silent now.
    Lost {
        /// Since the last tick.
        for_millis: f64,
    },
    /// The host said no; trying again by itself would change nothing.
    Refused(Refusal),
}

/// Why the host does not serve this dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It asks for a token that was missing or wrong.
    Unauthorized,
    /// It speaks another version of the protocol: the page is older or newer than the host.
    UnsupportedVersion,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Link {
    phase: Phase,
    started_at: f64,
    last_tick_at: Option<f64>,
    failures: u32,
    resume: Option<Resume>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Nothing open; try at this instant.
    Waiting {
        until: f64,
    },
    /// Opening, or open and not welcomed yet.
    Greeting {
        deadline: f64,
    },
    /// Welcomed.
    Open {
        welcomed_at: f64,
    },
    Refused(Refusal),
}

impl Link {
    /// Not connected; the first [`handle_timer`](Self::handle_timer) opens.
    pub fn new(now: f64) -> Self {
        Self {
            phase: Phase::Waiting { until: now },
            started_at: now,
            last_tick_at: None,
            failures: 0,
            resume: None,
        }
    }

    /// The first message of a connection.
    pub fn hello(&self, token: Option<String>) -> ClientMessage {
        ClientMessage::Hello(Hello {
            version: quillwork_protocol::VERSION,
            role: Role::Dashboard,
            source: None,
            resume: self.resume.clone(),
            token,
            subscribe: None,
        })
    }

    /// The host greeted. Says whether history has to be back-filled: always, unless every missed tick follows.
    pub fn handle_welcome(&mut self, now: f64, welcome: &Welcome) -> bool {
        self.phase = Phase::Open { welcomed_at: now };
        self.failures = 0;
        !welcome.resumed
    }

    /// A tick came in. `false` means that it was seen before and must be left out.
    pub fn handle_tick(&mut self, now: f64, tick: &Snapshot) -> bool {
        self.last_tick_at = Some(now);
        let seen = self
            .resume
            .as_ref()
            .is_some_and(|last| last.instance == tick.instance && last.sequence >= tick.sequence);
        if !seen {
            self.resume = Some(Resume { instance: tick.instance.clone(), sequence: tick.sequence });
        }
        !seen
    }

    /// The socket closed or failed to open.
    pub fn handle_closed(&mut self, now: f64, code: u16, jitter: f64) {
        self.phase = match code {
            CLOSE_UNAUTHORIZED => Phase::Refused(Refusal::Unauthorized),
            CLOSE_UNSUPPORTED_VERSION => Phase::Refused(Refusal::UnsupportedVersion),
            _ => self.wait(now, jitter),
        };
    }

    /// Looks at the clock: call it a few times a second.
    pub fn handle_timer(&mut self, now: f64, jitter: f64) -> Option<Command> {
        match self.phase {
            Phase::Waiting { until } if now >= until => {
                self.phase = Phase::Greeting { deadline: now + CONNECT_TIMEOUT_MILLIS };
                Some(Command::Open)
            }
            Phase::Greeting { deadline } if now >= deadline => {
                self.phase = self.wait(now, jitter);
                Some(Command::Close)
            }
            Phase::Open { welcomed_at } if now - self.heard_since(welcomed_at) >= STALLED_AFTER_MILLIS => {
                self.phase = self.wait(now, jitter);
                Some(Command::Close)
            }
            Phase::Waiting { .. } | Phase::Greeting { .. } | Phase::Open { .. } | Phase::Refused(_) => None,
        }
    }

    /// The user asks to try again now, for instance with a token.
    pub fn handle_retry(&mut self, now: f64) {
        self.phase = Phase::Waiting { until: now };
    }

    /// How the host stands at `now`.
    pub fn state(&self, now: f64) -> HostState {
        let silence = self.last_tick_at.map(|at| now - at);
        match (self.phase, silence) {
            (Phase::Refused(refusal), _) => HostState::Refused(refusal),
            (Phase::Open { .. }, Some(silence)) if silence < LOST_AFTER_MILLIS => HostState::Live,
            (_, Some(silence)) => HostState::Lost { for_millis: silence },
            (_, None) => HostState::Connecting { for_millis: now - self.started_at, failures: self.failures },
        }
    }

    fn heard_since(&self, welcomed_at: f64) -> f64 {
        self.last_tick_at.map_or(welcomed_at, |tick| tick.max(welcomed_at))
    }

    /// Exponential back-off with a cap; half of it is random, so that many dashboards don't come back at once.
    fn wait(&mut self, now: f64, jitter: f64) -> Phase {
        let doublings = i32::try_from(self.failures.min(16)).expect("at most 16");
        self.failures = self.failures.saturating_add(1);
        let wait = (FIRST_WAIT_MILLIS * 2_f64.powi(doublings)).min(LONGEST_WAIT_MILLIS);
        Phase::Waiting { until: now + wait * (0.5 + jitter / 2.0) }
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
