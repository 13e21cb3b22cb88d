//! Judgements and their stability.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn config() -> HealthConfig {
    HealthConfig::default()
}

/// Ends a task each 100 ms; `fails` says which.
fn play(tracker: &mut HealthTracker, from: Instant, tasks: u64, fails: impl Fn(u64) -> bool) -> Instant {
    let mut now = from;
    for task in 0..tasks {
        now += MS * 100;
        tracker.record(now, !fails(task), MS * 10, Some(MS * 10));
    }
    now
}

#[test]
fn a_few_failures_prove_nothing() {
    let mut tracker = HealthTracker::new(config());
    let now = play(&mut tracker, Instant::ZERO, 7, |_| true);
    assert_eq!(tracker.health(now), Health::Healthy);
    let now = play(&mut tracker, now, 1, |_| true);
    assert_eq!(tracker.health(now), Health::Suspect);
    assert_eq!(tracker.reason(now), HealthReason::Errors { failed: 8, of: 8 });
}

#[test]
fn it_recovers_only_well_below_the_threshold_and_after_a_while() {
    let mut tracker = HealthTracker::new(config());
    // One in four fails: degraded.
    let now = play(&mut tracker, Instant::ZERO, 64, |task| task % 4 == 0);
    assert_eq!(tracker.health(now), Health::Degraded);
    // One in seven, below the threshold that made it so and above half of it: still degraded.
    let now = play(&mut tracker, now, 600, |task| task % 7 == 0);
    assert_eq!(tracker.health(now), Health::Degraded);
    // None: healthy, but not before the window has filled with successes and the dwell is over.
    let below = play(&mut tracker, now, 64, |_| false);
    let fine = tracker.next_change(below).map_or(below, |at| at);
    assert_eq!(tracker.health(fine), Health::Healthy);
    assert!(fine > now + config().dwell, "{fine:?} follows on {now:?}");
}

#[test]
fn who_fails_fast_is_not_fast() {
    let mut tracker = HealthTracker::new(config());
    let mut now = Instant::ZERO;
    for task in 0..40 {
        now += MS * 10;
        let success = task % 3 == 0;
        let took = if success { MS * 40 } else { Duration::ZERO };
        tracker.record(now, success, took, Some(MS * 10));
    }
    assert_eq!(tracker.slowdown.mean(1), Some(PerMille::new(4_000)));
}

#[test]
fn slow_workers_are_degraded_then_suspect() {
    let health_at = |times: u64| {
        let mut tracker = HealthTracker::new(config());
        for task in 0..20 {
            tracker.record(Instant::from_millis(task), true, MS * times, Some(MS));
        }
        tracker.health(Instant::from_millis(20))
    };
    assert_eq!([2, 3, 9, 10, 50_000].map(health_at), {
        use Health::{Degraded, Healthy, Suspect};
        [Healthy, Degraded, Degraded, Suspect, Suspect]
    });
}

#[test]
fn silence_is_suspect_until_a_word_and_a_lost_worker_stays_lost() {
    let mut tracker = HealthTracker::new(config());
    let now = Instant::from_secs(1);
    tracker.on_probed();
    assert_eq!((tracker.health(now), tracker.reason(now)), (Health::Suspect, HealthReason::Silent));
    tracker.on_seen();
    assert_eq!(tracker.health(now), Health::Healthy);
    tracker.on_lost();
    tracker.on_seen();
    assert_eq!(tracker.health(now + Duration::from_secs(9_999)), Health::Lost);
}

#[test]
fn settings_that_would_flap_or_mislead_are_refused() {
    assert_eq!(config().validate(), Ok(()));
    let wrong = [
        HealthConfig { min_outcomes: 0, ..config() },
        HealthConfig { min_outcomes: 65, ..config() },
        HealthConfig { degraded_errors: PerMille::ZERO, ..config() },
        HealthConfig { degraded_slowdown: PerMille::ONE, ..config() },
        HealthConfig { suspect_errors: PerMille::per_cent(10), ..config() },
        HealthConfig { recovery: PerMille::ONE, ..config() },
        HealthConfig { evidence_ttl: Duration::from_secs(1), ..config() },
    ];
    assert!(wrong.iter().all(|config| config.validate().is_err()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever its tasks do, a worker can't get better twice within a dwell; so its health changes at most four times in
    /// each: twice up, and down again.
    #[test]
    fn health_does_not_flap(outcomes in prop::collection::vec((any::<bool>(), 1_u64..400, 0_u64..40), 1..400)) {
        let mut tracker = HealthTracker::new(config());
        let mut now = Instant::ZERO;
        let mut before = Health::Healthy;
        let mut improved: Vec<Instant> = Vec::new();
        for (success, pause, took) in outcomes {
            now += MS * pause;
            let silently = tracker.health(now);
            tracker.record(now, success, MS * took, Some(MS * 4));
            let health = tracker.health(now);
            // Evidence never makes it better at once: only the end of a dwell does.
            prop_assert!(health >= silently);
            for step in [silently, health] {
                if step < before {
                    improved.push(now);
                }
                before = step;
            }
        }
        // Errors and latency are two grades, each of which has a dwell of its own.
        for three in improved.windows(3) {
            prop_assert!(three[2] - three[0] + MS * 400 >= config().dwell, "{three:?}");
        }
    }

    /// The announced change comes, and not before.
    #[test]
    fn the_next_change_is_announced(outcomes in prop::collection::vec((any::<bool>(), 1_u64..3_000), 1..120)) {
        let mut tracker = HealthTracker::new(config());
        let mut now = Instant::ZERO;
        for (success, pause) in outcomes {
            now += MS * pause;
            tracker.record(now, success, MS, Some(MS));
            let health = tracker.health(now);
            match tracker.next_change(now) {
                Some(at) => {
                    prop_assert_eq!(tracker.health(at - Duration::from_nanos(1)), health);
                    prop_assert!(tracker.health(at) < health);
                }
                None => prop_assert_eq!(tracker.health(now + Duration::from_secs(1_000_000)), health),
            }
        }
    }
}
