//! How fast a page may talk.

use tokio::time::{Duration, Instant, sleep_until};

/// Lets so many messages pass at once and one each period in the long run.
///
/// The generic cell rate algorithm (ITU-T I.371): one instant tells all.
#[derive(Debug)]
pub(super) struct Pace {
    period: Duration,
    burst: Duration,
    /// When the bucket will be full again.
    full_at: Instant,
}

impl Pace {
    pub(super) fn new(period: Duration, burst: u32) -> Self {
        Self { period, burst: period.saturating_mul(burst), full_at: Instant::now() }
    }

    /// Waits until the next message may pass: not at all where it came in time.
    pub(super) async fn next(&mut self) {
        let now = Instant::now();
        self.full_at = self.full_at.max(now) + self.period;
        let excess = (self.full_at - now).saturating_sub(self.burst);
        if !excess.is_zero() {
            sleep_until(now + excess).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_the_rest_at_the_pace() {
        let start = Instant::now();
        let mut pace = Pace::new(Duration::from_millis(50), 100);
        for _ in 0..100 {
            pace.next().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..20 {
            pace.next().await;
        }
        // The timer counts whole milliseconds.
        assert!(start.elapsed() >= Duration::from_secs(1) && start.elapsed() < Duration::from_millis(1_100));

        tokio::time::advance(Duration::from_secs(60)).await;
        let later = Instant::now();
        for _ in 0..100 {
            pace.next().await;
        }
        assert_eq!(later.elapsed(), Duration::ZERO, "who was quiet may hurry again");
    }
}
