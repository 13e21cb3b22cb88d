//! The two clocks of the host: a monotonic one for decisions, the wall clock for labels.

use std::time::{SystemTime, UNIX_EPOCH};

use quillwork_core::time::{Duration, Instant};

/// Both clocks at one moment. Everything that decides takes it as an argument, so that tests need not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For time-outs, rates and for-durations; never goes back.
    pub monotonic: Instant,
    /// For what people and other machines see; may be set.
    pub unix_millis: u64,
}

/// Reads the clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Hands);

#[derive(Clone, Copy, Debug)]
enum Hands {
    /// Since then.
    Go(std::time::Instant),
    Stand(Now),
}

impl Clock {
    /// A clock whose monotonic part starts at two hours, so that the samples that a page kept while there was no host,
    /// at most an hour of them, have instants too.
    #[must_use]
    pub fn start() -> Self {
        Self(Hands::Go(std::time::Instant::now()))
    }

    /// A clock that shows the same for ever: for tests of what isn't about time, which a machine may hold up at any line and
    /// for as long as it likes.
    #[must_use]
    pub fn standing() -> Self {
        Self(Hands::Stand(Self::start().now()))
    }

    /// Both clocks now.
    #[must_use]
    pub fn now(&self) -> Now {
        let start = match self.0 {
            Hands::Go(start) => start,
            Hands::Stand(now) => return now,
        };
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Now { monotonic: ORIGIN + Duration::from_nanos(nanos), unix_millis: unix_millis() }
    }
}

const ORIGIN: Instant = Instant::from_secs(7_200);

/// Milliseconds since 1970; zero on a machine whose clock stands before that.
#[must_use]
pub fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
