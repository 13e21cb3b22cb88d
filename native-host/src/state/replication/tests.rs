//! Two hosts of one history on virtual time, with nothing between them but what they say.

use std::sync::Arc;

use quillwork_core::alert::default_rules;
use quillwork_core::alert::notify::{Route, Settings};
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::host::{Cpu, HostSnapshot};
use quillwork_store::history::{HistoryOptions, versions};
use quillwork_store::volume::Volume as _;

use super::{Asking, FollowRefusal};
use crate::clock::Now;
use crate::notify::{Delivery, Letter, LetterKind};
use crate::rules::RuleSet;
use crate::standby::follow::others;
use crate::standby::record;
use crate::standby::standing::Standing;
use crate::state::{Medium, SeriesQuery, State};

const START: u64 = 1_800_000_000_000;
const A: &str = "http://a:1";
const B: &str = "http://b:1";

fn now(millis: u64) -> Now {
    Now { monotonic: Instant::from_millis(7_200_000 + millis), unix_millis: START + millis }
}

/// A host on a medium that already says what it is, or that has nothing.
fn host(at: Now, medium: Medium, standing: Standing, url: &str, promote_after: Option<Duration>) -> State {
    let options = HistoryOptions::default();
    let mut state = State::with_standing(at, url.to_owned(), medium, options, standing).unwrap();
    state.begin_replication(at, Some(url.to_owned()), promote_after);
    let route = Route { group_wait: Duration::ZERO, ..Route::new("ops") };
    let settings = Settings { routes: vec![route], ..Settings::default() };
    state.begin_alerts(at, RuleSet { rules: default_rules(), settings });
    state
}

fn primary() -> State {
    host(now(0), Medium::memory(), Standing::alone(1, 7), A, None)
}

fn standby(promote_after: Option<Duration>) -> State {
    host(now(0), Medium::memory(), Standing::alone(2, 2).started(Some(A)), B, promote_after)
}

/// The machine is measured; gives what is told.
fn tick(state: &mut State, at: Now, cpu: f64) -> Vec<Letter> {
    let cpu = Cpu { total_ratio: Some(cpu), ..Cpu::default() };
    let machine = HostSnapshot { at_unix_millis: at.unix_millis, cpu, ..HostSnapshot::default() };
    state.handle_host(at, Arc::new(machine));
    while state.poll_output().is_some() {}
    let letters: Vec<Letter> = std::iter::from_fn(|| state.poll_letter(at)).collect();
    for Letter { id, receiver, .. } in letters.clone() {
        state.handle_delivery(at, Delivery { id, receiver, attempts: 1, failure: None });
    }
    letters
}

/// What the task of a standby does in a round without faults.
fn follow(from: &mut State, to: &mut State, at: Now) -> Result<(), FollowRefusal> {
    let since = to.follows_from().unwrap_or_default();
    let asking = Asking { node: Some(to.claim().node), url: Some(B.to_owned()), behind: None };
    let given = from.give(at, asking, since);
    to.follow_contact(at, &given.claim)?;
    let mut beside: Vec<String> = others(&given.medium)?.into_keys().collect();
    beside.sort_by_key(|name| name != "catalogue");
    for name in beside {
        let content = given.medium.read(&name, 0, usize::MAX)?.unwrap();
        to.follow_other(at, &name, &content)?;
    }
    let there = versions(&given.medium)?;
    for file in &there {
        to.follow_file(&file.name, &given.medium.read(&file.name, 0, usize::MAX)?.unwrap())?;
    }
    to.follow_tail(&given.tail, Some(at.monotonic), 0)?;
    for file in versions(&to.medium())? {
        if there.iter().all(|kept| kept.name != file.name) {
            to.follow_removal(&file.name)?;
        }
    }
    Ok(())
}

fn values(state: &State, to: u64) -> Vec<Option<f64>> {
    let query = SeriesQuery {
        series: vec!["host.cpu.total".parse().unwrap()],
        from_unix_millis: START,
        to_unix_millis: START + to,
        max_points: 100_000,
    };
    state.series(query).unwrap().answer().unwrap().series[0].values.clone()
}

#[test]
fn a_standby_watches_nothing_and_goes_on_with_what_was_told_when_it_is_promoted() {
    let (mut a, mut b) = (primary(), standby(None));
    let mut told = (0, 0);
    for second in 0..300 {
        let at = now(second * 1_000);
        told.0 += tick(&mut a, at, 0.9).len();
        // Its own machine is idle, and then busy, too.
        told.1 += tick(&mut b, at, if second < 100 { 0.1 } else { 0.95 }).len();
        follow(&mut a, &mut b, at).unwrap();
        b.handle_deadline(at);
        if let Some(letter) = b.poll_letter(at) {
            panic!("a standby tells {letter:?}");
        }
    }
    assert_eq!(told, (1, 0));
    assert_eq!(values(&b, 300_000), values(&a, 300_000));
    assert_eq!(values(&b, 300_000).iter().flatten().count(), 300, "and nothing of its own machine");
    let firing = |state: &State| {
        let tick = state.tick();
        tick.snapshot.alerts.iter().filter(|alert| alert.firing_since_unix_millis.is_some()).count()
    };
    assert_eq!((firing(&a), firing(&b)), (1, 1));

    // The primary is gone. What goes on isn't told again; its end is, in the name of the new epoch.
    assert_eq!(b.promote(now(300_000), false).unwrap().epoch, 2);
    for second in 300..900 {
        assert_eq!(tick(&mut b, now(second * 1_000), 0.9), [], "{second}");
    }
    let ended: Vec<Letter> = (900..1_500).flat_map(|second| tick(&mut b, now(second * 1_000), 0.1)).collect();
    assert_eq!(ended.iter().map(|letter| letter.epoch).collect::<Vec<_>>(), [2]);
    assert_eq!(values(&b, 1_500_000).iter().flatten().count(), 1_500, "without a gap");
}

#[test]
fn the_old_primary_is_silent_as_soon_as_it_hears_and_stays_so() {
    let (mut a, mut b) = (primary(), standby(None));
    tick(&mut a, now(0), 0.1);
    follow(&mut a, &mut b, now(0)).unwrap();
    b.promote(now(1_000), false).unwrap();
    // Both are primary while nothing gets through.
    tick(&mut a, now(1_000), 0.1);
    tick(&mut b, now(1_000), 0.1);
    assert!(a.is_active() && b.is_active());
    b.hear(now(1_000), &a.claim());
    assert!(b.is_active() && b.outranks(&a.claim()));
    a.hear(now(1_000), &b.claim());
    for second in 2..200 {
        assert_eq!(tick(&mut a, now(second * 1_000), 0.9), []);
    }
    assert!(!a.is_active());
    assert!(a.promote(now(200_000), false).is_err());
    assert!(matches!(follow(&mut a, &mut standby(None), now(200_000)), Err(FollowRefusal::Refused(_))));

    let medium = a.medium();
    let kept = record::read(&medium).unwrap().unwrap().started(None);
    assert!(!kept.is_active(), "it outlives the process");
    let mut again = host(now(300_000), medium.clone(), kept, A, None);
    for second in 300..400 {
        assert_eq!(tick(&mut again, now(second * 1_000), 0.9), []);
    }
    // It follows: what only it had is set aside.
    let kept = record::read(&medium).unwrap().unwrap().started(Some(B));
    let mut again = host(now(400_000), medium, kept, A, None);
    follow(&mut b, &mut again, now(400_000)).unwrap();
    assert_eq!(values(&again, 400_000), values(&b, 400_000));
}

#[test]
fn a_primary_with_peers_tells_nobody_before_it_has_asked_them() {
    let mut standing = Standing::alone(1, 7);
    standing.remember(B);
    let restarted = || host(now(0), Medium::memory(), standing.clone(), A, None);
    let first_told = |mut state: State, asked_at: u64| {
        (0..600).map(|tenth| tenth * 100).find(|millis| {
            if *millis == asked_at {
                state.asked();
            }
            !tick(&mut state, now(*millis), 0.99).is_empty()
        })
    };
    let alone = first_told(primary(), u64::MAX).unwrap();
    assert_eq!(first_told(restarted(), 0), Some(alone));
    assert_eq!(first_told(restarted(), u64::MAX), Some(alone.max(5_000)), "nobody answers");
}

#[test]
fn a_standby_takes_over_after_the_set_absence_and_only_with_all_there_was() {
    let limit = Duration::from_secs(60);
    let fails = |state: &mut State, second: u64, is_away: bool| {
        state.follow_failed(now(second * 1_000), is_away, "nobody answers".to_owned());
        state.is_active()
    };
    let (mut a, mut b) = (primary(), standby(Some(limit)));
    tick(&mut a, now(0), 0.5);
    for second in 0..600 {
        assert!(!fails(&mut b, second, true), "it never had anything");
    }
    follow(&mut a, &mut b, now(600_000)).unwrap();
    for round in 0..20 {
        // A line that flaps, an answer that refuses, and a clock that leaps.
        let begin = 600 + round * 50;
        for second in begin..begin + 45 {
            assert!(!fails(&mut b, second, true));
        }
        if round % 2 == 0 {
            assert!(!fails(&mut b, begin + 46, false));
        } else {
            follow(&mut a, &mut b, now((begin + 46) * 1_000)).unwrap();
        }
    }
    assert!(!fails(&mut b, 90_000, true) && !fails(&mut b, 90_001, true) && !fails(&mut b, 90_002, true));
    follow(&mut a, &mut b, now(90_003_000)).unwrap();
    let taken = (90_004..91_000).find(|second| fails(&mut b, *second, true));
    assert_eq!(taken, Some(90_063));
    assert_eq!(b.claim().epoch, 2);
    let (mut c, mut never) = (primary(), standby(None));
    follow(&mut c, &mut never, now(0)).unwrap();
    assert!((1..10_000).all(|second| !fails(&mut never, second, true)), "by command only");
}

#[test]
fn a_clock_that_is_a_little_behind_loses_nothing() {
    let (mut a, mut b) = (primary(), standby(None));
    for second in 0..30 {
        tick(&mut a, now(second * 1_000), 0.5);
    }
    follow(&mut a, &mut b, now(29_000)).unwrap();
    let behind = |millis: u64| Now { unix_millis: START + millis - 10_000, ..now(millis) };
    b.promote(behind(30_000), false).unwrap();
    for second in 30..60 {
        tick(&mut b, behind(second * 1_000), 0.5);
    }
    assert_eq!(
        values(&b, 60_000).iter().flatten().count(),
        50,
        "30 of the one and 30 of the other, 10 of them at the same times"
    );
}

#[test]
fn who_follows_takes_nothing_else_and_who_does_not_follow_is_given_nothing() {
    let (mut a, mut b) = (primary(), standby(None));
    tick(&mut a, now(0), 0.5);
    follow(&mut a, &mut b, now(0)).unwrap();
    assert!(matches!(a.follow_file("head-000000000001", b""), Err(FollowRefusal::FollowsNoMore)));
    assert!(matches!(a.follow_contact(now(0), &b.claim()), Err(FollowRefusal::FollowsNoMore)));
    assert_eq!(a.peers(), [B], "who follows is remembered");
    assert_eq!(record::read(&a.medium()).unwrap().unwrap().peers, [B]);
    assert_eq!(a.standing(now(5_000)).followers[0].asked_millis_ago, 5_000);
    let asking = Asking {
        node: Some(b.claim().node),
        url: Some(B.to_owned()),
        behind: Some(Duration::from_millis(700)),
    };
    a.give(now(6_000), asking, 0);
    tick(&mut a, now(8_000), 0.5);
    let series: Vec<String> = a.catalogue().series.into_iter().map(|info| info.series).collect();
    assert!(series.contains(&format!("host.standby.behind{{follower=\"{B}\"}}")), "{series:?}");
    assert!(b.give(now(0), Asking::default(), 0).tail.is_empty(), "a standby has no standbys");
}

/// The rules of which somebody was told, with their states.
fn rules(letters: &[Letter]) -> Vec<String> {
    let alerts = letters.iter().flat_map(|letter| match &letter.kind {
        LetterKind::Alerts { alerts, .. } => alerts.as_slice(),
        LetterKind::Heartbeat { .. } => &[],
    });
    alerts.map(|alert| format!("{} {}", alert.rule, alert.status.as_str())).collect()
}

#[test]
fn a_standby_that_is_lost_is_told_of_and_forgotten_after_a_day() {
    let (mut a, b) = (primary(), standby(None));
    let seconds = |a: &mut State, range: std::ops::Range<u64>, asks: bool| {
        let mut told = Vec::new();
        for second in range {
            let at = now(second * 1_000);
            if asks {
                let behind = Some(Duration::from_millis(700));
                a.give(at, Asking { node: Some(b.claim().node), url: Some(B.to_owned()), behind }, 0);
            }
            told.extend(tick(a, at, 0.1));
        }
        rules(&told)
    };
    assert!(seconds(&mut a, 0..100, true).is_empty());
    assert_eq!(seconds(&mut a, 100..300, false), ["host-standby-behind warning"]);
    assert_eq!(seconds(&mut a, 300..700, true), ["host-standby-behind resolved"]);
    assert_eq!(seconds(&mut a, 700..900, false), ["host-standby-behind warning"]);
    seconds(&mut a, 87_100..87_110, false);
    let tick = a.tick();
    assert!(
        tick.snapshot.alerts.iter().all(|alert| alert.rule != "host-standby-behind"),
        "somebody took it away"
    );
    assert!(a.standing(now(87_110_000)).followers.is_empty());
}

#[test]
fn an_old_primary_that_does_not_follow_is_told_of_until_it_does() {
    let (mut a, mut b) = (primary(), standby(None));
    tick(&mut a, now(0), 0.1);
    follow(&mut a, &mut b, now(0)).unwrap();
    b.promote(now(1_000), false).unwrap();
    a.hear(now(2_000), &b.claim());
    let said = a.standing(now(2_000)).failure.unwrap();
    assert!(said.contains("epoch 2") && said.contains(&format!("--standby {B}")), "{said}");
    let asked = |a: &State, b: &mut State, range: std::ops::Range<u64>| {
        let mut told = Vec::new();
        for second in range {
            let at = now(second * 1_000);
            if second % 10 == 0 {
                b.hear(at, &a.claim());
            }
            told.extend(tick(b, at, 0.1));
        }
        rules(&told)
    };
    assert_eq!(asked(&a, &mut b, 2..200), ["host-standby-fenced warning"]);

    a.rejoin(vec!["http://c:1".to_owned()]);
    a.hear(now(200_000), &b.claim());
    assert!(a.follows_from().is_none(), "it may follow only whom it was told");
    a.rejoin(vec![B.to_owned()]);
    a.hear(now(200_000), &b.claim());
    assert_eq!(a.standing(now(200_000)).failure, None);
    follow(&mut b, &mut a, now(200_000)).unwrap();
    assert_eq!(values(&a, 200_000), values(&b, 200_000));
    assert_eq!(asked(&a, &mut b, 200..400), ["host-standby-fenced resolved"]);
}
