//! Wrong tokens, counted so that they don't fill the log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many wrong tokens were shown since they were last told of.
#[derive(Debug)]
pub(super) struct WrongTokens {
    start: Instant,
    /// Milliseconds after `start` from which on it is told again.
    next: AtomicU64,
    untold: AtomicU64,
}

/// Between two lines of the log.
const DISTANCE: Duration = Duration::from_secs(1);

impl WrongTokens {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), next: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }

    /// Counts one more; gives their number when it is time to tell.
    pub(super) fn count(&self) -> Option<u64> {
        self.count_at(self.start.elapsed())
    }

    fn count_at(&self, since: Duration) -> Option<u64> {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (now, next) = (millis(since), self.next.load(Ordering::Relaxed));
        let later = now.saturating_add(millis(DISTANCE));
        // Of several that come at once, one tells.
        let tells = now >= next
            && self.next.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        tells.then(|| self.untold.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_rest_together() {
        let wrong = WrongTokens::new();
        let at = |millis| wrong.count_at(Duration::from_millis(millis));
        assert_eq!([at(0), at(1), at(999), at(1_000), at(5_000)], [Some(1), None, None, Some(3), Some(1)]);
    }
}
