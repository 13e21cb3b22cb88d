//! Who is ejected when, and that somebody is always left.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::time::Duration;

fn ejector(workers: u32, config: EjectionConfig) -> Ejector {
    let mut ejector = Ejector::new(config).unwrap();
    (0..workers).for_each(|worker| ejector.handle_joined(WorkerId::new(worker)));
    ejector
}

fn fail(ejector: &mut Ejector, now: Instant, worker: u32, times: u32) {
    (0..times).for_each(|_| ejector.handle_finished(now, WorkerId::new(worker), false));
}

fn changes(ejector: &mut Ejector) -> Vec<EjectionChange> {
    core::iter::from_fn(|| ejector.poll_output()).collect()
}

fn secs(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

#[test]
fn a_success_in_between_starts_the_count_again() {
    let mut ejector = ejector(4, EjectionConfig::default());
    fail(&mut ejector, secs(1), 0, 4);
    ejector.handle_finished(secs(1), WorkerId::new(0), true);
    fail(&mut ejector, secs(1), 0, 4);
    assert_eq!(changes(&mut ejector), []);
    fail(&mut ejector, secs(1), 0, 1);
    assert_eq!(ejector.ejected_until(WorkerId::new(0)), Some(secs(31)));
}

#[test]
fn each_ejection_is_longer_than_the_last_and_good_behaviour_is_forgiven() {
    let config = EjectionConfig { longest: Duration::from_secs(80), ..EjectionConfig::default() };
    let mut ejector = ejector(4, config);
    let worker = WorkerId::new(0);
    let mut now = secs(0);
    for expected in [30, 60, 80, 80] {
        fail(&mut ejector, now, 0, 5);
        let until = ejector.ejected_until(worker).expect("it is ejected");
        assert_eq!(until - now, Duration::from_secs(expected));
        now = until;
        ejector.handle_deadline(now);
        assert_eq!(ejector.ejected_until(worker), None);
    }
    // Four intervals without an ejection, one after the other: the next one is a first one again.
    for _ in 0..6 {
        now += Duration::from_secs(10);
        ejector.handle_finished(now, worker, true);
        ejector.handle_deadline(now);
    }
    fail(&mut ejector, now, 0, 5);
    assert_eq!(ejector.ejected_until(worker), Some(now + Duration::from_secs(30)));
}

#[test]
fn late_results_of_an_ejected_worker_neither_prolong_nor_end_it() {
    let mut ejector = ejector(4, EjectionConfig::default());
    fail(&mut ejector, secs(0), 0, 5);
    changes(&mut ejector);
    fail(&mut ejector, secs(5), 0, 50);
    ejector.handle_finished(secs(6), WorkerId::new(0), true);
    assert_eq!(ejector.ejected_until(WorkerId::new(0)), Some(secs(30)));
    assert_eq!(changes(&mut ejector), []);
    // Nor do they count when it is back.
    ejector.handle_deadline(secs(30));
    fail(&mut ejector, secs(30), 0, 4);
    assert_eq!(ejector.ejected_until(WorkerId::new(0)), None);
}

#[test]
fn a_probe_that_succeeds_ends_it() {
    let mut ejector = ejector(4, EjectionConfig::default());
    let worker = WorkerId::new(0);
    fail(&mut ejector, secs(0), 0, 5);
    changes(&mut ejector);
    ejector.handle_probe(secs(1), worker, false);
    assert_eq!(ejector.ejected_until(worker), Some(secs(30)));
    ejector.handle_probe(secs(2), worker, true);
    let returned = EjectionChange::Returned { worker, reason: ReturnReason::ProbeSucceeded };
    assert_eq!(changes(&mut ejector), [returned]);
    ejector.handle_probe(secs(3), worker, true);
    assert_eq!(changes(&mut ejector), []);
}

#[test]
fn a_success_rate_far_below_the_others_ejects_at_the_end_of_the_interval() {
    let config = EjectionConfig { consecutive_failures: None, ..EjectionConfig::default() };
    let mut ejector = ejector(4, config);
    for run in 0..40_u64 {
        for worker in 0..4 {
            // Worker 2 fails every second time, never twice in a row.
            let success = worker != 2 || run % 2 == 0;
            ejector.handle_finished(Instant::from_millis(run * 100), WorkerId::new(worker), success);
        }
    }
    assert_eq!(ejector.next_deadline(), Some(secs(10)));
    ejector.handle_deadline(Instant::from_millis(9_999));
    assert_eq!(changes(&mut ejector), []);
    ejector.handle_deadline(secs(10));
    let changes = changes(&mut ejector);
    let [EjectionChange::Ejected { worker, until, reason: EjectionReason::SuccessRate { ratio, threshold } }] =
        changes[..]
    else {
        panic!("one is ejected for its rate: {changes:?}")
    };
    assert_eq!((worker, until), (WorkerId::new(2), secs(40)));
    assert!((ratio - 0.5).abs() < 1e-12 && (threshold - 0.8).abs() < 1e-12, "{ratio} {threshold}");
}

#[test]
fn a_few_runs_say_nothing_about_a_rate() {
    let config = EjectionConfig { consecutive_failures: None, ..EjectionConfig::default() };
    let mut ejector = ejector(4, config);
    for run in 0..19_u64 {
        for worker in 0..4 {
            ejector.handle_finished(Instant::from_millis(run), WorkerId::new(worker), worker != 2);
        }
    }
    ejector.handle_deadline(secs(10));
    assert_eq!(changes(&mut ejector), []);
}

#[test]
fn an_idle_fleet_needs_no_timer() {
    let mut ejector = ejector(3, EjectionConfig::default());
    assert_eq!(ejector.next_deadline(), None);
    ejector.handle_finished(secs(1), WorkerId::new(0), true);
    ejector.handle_deadline(secs(11));
    ejector.handle_deadline(secs(21));
    assert_eq!(ejector.next_deadline(), None);
}

#[test]
fn workers_that_are_not_available_do_not_make_up_for_ejected_ones() {
    let mut ejector = ejector(6, EjectionConfig::default());
    fail(&mut ejector, secs(0), 0, 5);
    fail(&mut ejector, secs(1), 1, 5);
    assert_eq!(changes(&mut ejector).len(), 2);
    // Three go offline: of the three that are left one may be ejected.
    for worker in 3..6 {
        ejector.handle_available(WorkerId::new(worker), false);
    }
    let returned = EjectionChange::Returned { worker: WorkerId::new(0), reason: ReturnReason::Needed };
    assert_eq!(changes(&mut ejector), [returned]);
    assert_eq!(ejector.held_back(), 0);
    fail(&mut ejector, secs(2), 2, 5);
    assert_eq!((changes(&mut ejector).len(), ejector.held_back()), (0, 1));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let base = EjectionConfig::default();
    let refused = |config| Ejector::new(config).unwrap_err().to_string();
    assert!(refused(EjectionConfig { consecutive_failures: Some(0), ..base }).contains("set 1 or more"));
    assert!(refused(EjectionConfig { base: Duration::ZERO, ..base }).contains("`base`"));
    assert!(refused(EjectionConfig { longest: Duration::from_secs(1), ..base }).contains("shorter"));
    assert!(refused(EjectionConfig { max_ejected_ratio: f64::NAN, ..base }).contains("0 to 1"));
    let rates = SuccessRateOutliers { min_workers: 2, ..SuccessRateOutliers::default() };
    assert!(refused(EjectionConfig { success_rate: Some(rates), ..base }).contains("3 workers"));
}

#[derive(Clone, Debug)]
enum Step {
    Join(u32),
    Leave(u32),
    Available(u32, bool),
    Finish(u32, bool),
    Probe(u32, bool),
    Wait(u64),
    Back(u64),
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0_u32..9).prop_map(Step::Join),
        1 => (0_u32..9).prop_map(Step::Leave),
        1 => (0_u32..9, any::<bool>()).prop_map(|(worker, is)| Step::Available(worker, is)),
        12 => (0_u32..9, prop::bool::weighted(0.3)).prop_map(|(worker, success)| Step::Finish(worker, success)),
        1 => (0_u32..9, any::<bool>()).prop_map(|(worker, success)| Step::Probe(worker, success)),
        2 => (0_u64..20).prop_map(Step::Wait),
        1 => (0_u64..20).prop_map(Step::Back),
    ];
    prop::collection::vec(step, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: somebody available is left, the cap holds, the changes tell the whole state, and nobody stays
    /// ejected past its time.
    #[test]
    fn somebody_is_always_left(
        steps in steps(),
        limit in 1_u32..4,
        max_ejected_ratio in 0.0_f64..=1.0,
        min_runs in 1_u32..5,
    ) {
        let config = EjectionConfig {
            consecutive_failures: Some(limit),
            success_rate: Some(SuccessRateOutliers { min_runs, ..SuccessRateOutliers::default() }),
            max_ejected_ratio,
            ..EjectionConfig::default()
        };
        let mut ejector = Ejector::new(config).unwrap();
        let mut known: BTreeMap<WorkerId, (bool, Option<Instant>)> = BTreeMap::new();
        let mut now = secs(100);
        let mut latest = now;
        ejector.handle_deadline(now);
        for step in steps {
            match step {
                Step::Join(worker) => {
                    ejector.handle_joined(WorkerId::new(worker));
                    known.entry(WorkerId::new(worker)).or_insert((true, None));
                }
                Step::Leave(worker) => {
                    ejector.handle_left(WorkerId::new(worker));
                    known.remove(&WorkerId::new(worker));
                }
                Step::Available(worker, is_available) => {
                    ejector.handle_available(WorkerId::new(worker), is_available);
                    if let Some(entry) = known.get_mut(&WorkerId::new(worker)) {
                        entry.0 = is_available;
                    }
                }
                Step::Finish(worker, success) => ejector.handle_finished(now, WorkerId::new(worker), success),
                Step::Probe(worker, success) => ejector.handle_probe(now, WorkerId::new(worker), success),
                Step::Wait(secs) => now += Duration::from_secs(secs),
                Step::Back(secs) => now = now - Duration::from_secs(secs),
            }
            latest = latest.max(now);
            ejector.handle_deadline(now);
            while let Some(change) = ejector.poll_output() {
                match change {
                    EjectionChange::Ejected { worker, until, .. } => {
                        let entry = known.get_mut(&worker).expect("only known workers are ejected");
                        prop_assert_eq!(entry.1.replace(until), None);
                        let lasts = until - latest;
                        prop_assert!(lasts >= config.base && lasts <= config.longest);
                    }
                    EjectionChange::Returned { worker, .. } => {
                        let entry = known.get_mut(&worker).expect("only known workers return");
                        prop_assert!(entry.1.take().is_some());
                    }
                }
            }
            let available = known.values().filter(|(is_available, _)| *is_available).count();
            let ejected = known.values().filter(|(is, until)| *is && until.is_some()).count();
            prop_assert!(ejected < available || available == 0, "{ejected} of {available} are ejected");
            prop_assert!(ejected <= 1 || ejected as f64 <= available as f64 * max_ejected_ratio);
            for (&worker, &(_, until)) in &known {
                prop_assert_eq!(ejector.ejected_until(worker), until);
                prop_assert!(until.is_none_or(|until| until > latest));
            }
            prop_assert!(ejector.next_deadline().is_none_or(|deadline| deadline > latest));
        }
    }
}
