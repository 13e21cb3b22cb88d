//! Who is told, on virtual time.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::super::{Fingerprint, Labels, Matcher, Severity, State, Transition};
use super::*;
use crate::time::{Duration, Instant};

const HOUR: u64 = 3_600;

/// A router on one route that waits 10 s, tells changes each 60 s and repeats each hour.
fn settings() -> Settings {
    let route = Route {
        group_wait: Duration::from_secs(10),
        group_interval: Duration::from_secs(60),
        repeat_interval: Duration::from_secs(HOUR),
        ..Route::new("team")
    };
    Settings { routes: vec![route], inhibitions: vec![], ..Settings::default() }
}

struct Desk {
    router: Router,
    second: u64,
    states: BTreeMap<Fingerprint, (State, u64)>,
    delivers: bool,
}

use State::{Critical, Ok as Fine, Warning};

impl Desk {
    fn new(settings: Settings) -> Self {
        let second = 1_704_067_200;
        let router = Router::new(Instant::from_secs(second), settings);
        Self { router, second, states: BTreeMap::new(), delivers: true }
    }

    fn now(&self) -> Instant {
        Instant::from_secs(self.second)
    }

    fn set(&mut self, rule: &str, source: &str, to: Option<State>) -> Fingerprint {
        let labels = Labels::new([("source", source)]);
        let fingerprint = Fingerprint::new(rule, &labels);
        let (from, since) = self.states.get(&fingerprint).copied().unwrap_or((Fine, self.second));
        let since = if from.severity().is_some() { since } else { self.second };
        self.states.insert(fingerprint, (to.unwrap_or(Fine), since));
        let transition = Transition {
            rule: rule.into(),
            labels: Arc::new(labels),
            fingerprint,
            from,
            to,
            at: self.now(),
            value: Some(1.0),
            firing_since: Some(Instant::from_secs(since)),
        };
        self.router.handle_transition(self.now(), &transition);
        fingerprint
    }

    /// Lets time pass; gives what was told, by second since then, as "receiver: rule/source status, ...".
    fn pass(&mut self, secs: u64) -> Vec<(u64, String)> {
        let begin = self.second;
        let mut told = Vec::new();
        for _ in 0..secs {
            self.second += 1;
            for notification in self.step() {
                told.push((self.second - begin, words(&notification)));
            }
        }
        told
    }

    fn step(&mut self) -> Vec<Notification> {
        let now = self.now();
        if self.router.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.router.handle_deadline(now);
        }
        let told: Vec<_> = core::iter::from_fn(|| self.router.poll_output()).collect();
        for notification in &told {
            if self.delivers {
                self.router.handle_delivered(now, notification.id);
            } else {
                self.router.handle_failed(now, notification.id);
            }
        }
        told
    }
}

fn words(notification: &Notification) -> String {
    let what = match &notification.message {
        Message::Heartbeat { firing } => alloc::format!("heartbeat {firing}"),
        Message::Alerts { alerts, omitted, .. } => {
            let mut words: Vec<String> = alerts
                .iter()
                .map(|alert| {
                    let source = alert.labels.value_of("source").unwrap();
                    alloc::format!("{}/{source} {}", alert.rule, alert.status.as_str())
                })
                .collect();
            if *omitted > 0 {
                words.push(alloc::format!("{omitted} more"));
            }
            words.join(", ")
        }
    };
    alloc::format!("{}: {what}", notification.receiver)
}

fn told(second: u64, text: &str) -> (u64, String) {
    (second, text.to_string())
}

#[test]
fn what_fires_together_is_told_together() {
    let mut desk = Desk::new(settings());
    desk.set("cpu", "a", Some(Warning));
    desk.pass(5);
    desk.set("cpu", "b", Some(Critical));
    desk.set("disk", "a", Some(Warning));
    assert_eq!(
        desk.pass(30),
        [told(5, "team: cpu/b critical, cpu/a warning"), told(10, "team: disk/a warning")]
    );
    desk.set("cpu", "c", Some(Warning));
    assert_eq!(desk.pass(60).len(), 1, "a later one waits for the interval at most");
}

#[test]
fn a_raise_is_told_and_a_resolution_once() {
    let mut desk = Desk::new(settings());
    desk.set("cpu", "a", Some(Warning));
    assert_eq!(desk.pass(20), [told(10, "team: cpu/a warning")]);
    desk.set("cpu", "a", Some(Critical));
    assert_eq!(desk.pass(80), [told(10, "team: cpu/a critical")], "no sooner than it waits for others");
    desk.set("cpu", "a", Some(Fine));
    assert_eq!(desk.pass(200).iter().map(|told| &*told.1).collect::<Vec<_>>(), ["team: cpu/a resolved"]);
    assert_eq!(desk.pass(3 * HOUR), []);
}

#[test]
fn an_alert_that_is_over_before_it_was_told_is_not_told() {
    let mut desk = Desk::new(settings());
    desk.set("cpu", "a", Some(Warning));
    desk.pass(5);
    desk.set("cpu", "a", Some(Fine));
    assert_eq!(desk.pass(HOUR), []);
}

#[test]
fn what_goes_on_is_repeated_until_somebody_acknowledges_it() {
    let mut desk = Desk::new(settings());
    let alert = desk.set("cpu", "a", Some(Warning));
    let repeats = desk.pass(2 * HOUR + 300);
    assert_eq!(repeats.len(), 3, "{repeats:?}");
    desk.router.acknowledge(desk.now(), alert, "kim", "on it").unwrap();
    assert_eq!(desk.pass(5 * HOUR), []);
    assert_eq!(desk.router.acknowledgement(alert).unwrap().author, "kim");
    // What grows worse is another matter.
    desk.set("cpu", "a", Some(Critical));
    assert_eq!(desk.pass(100)[0].1, "team: cpu/a critical");
    assert_eq!(desk.router.acknowledgement(alert), None);
    desk.router.acknowledge(desk.now(), alert, "kim", "").unwrap();
    desk.set("cpu", "a", Some(Fine));
    assert_eq!(desk.pass(100)[0].1, "team: cpu/a resolved");
    assert_eq!(desk.router.acknowledge(desk.now(), alert, "kim", ""), Err(AcknowledgeError::NotFiring));
}

#[test]
fn what_nobody_acknowledges_is_escalated() {
    let mut settings = settings();
    let boss =
        Route { receiver: "boss".into(), after: Duration::from_secs(1_800), ..settings.routes[0].clone() };
    settings.routes.push(boss);
    let mut desk = Desk::new(settings.clone());
    desk.set("cpu", "a", Some(Warning));
    let said = desk.pass(3_000);
    assert_eq!(said, [told(10, "team: cpu/a warning"), told(1_810, "boss: cpu/a warning")]);
    desk.set("cpu", "a", Some(Fine));
    assert_eq!(desk.pass(100).len(), 2, "both hear that it is over");

    let mut desk = Desk::new(settings);
    let alert = desk.set("cpu", "a", Some(Warning));
    desk.pass(60);
    desk.router.acknowledge(desk.now(), alert, "kim", "").unwrap();
    assert_eq!(desk.pass(3_000), []);
}

#[test]
fn a_silence_mutes_and_what_still_fires_at_its_end_is_told() {
    let mut desk = Desk::new(settings());
    let request = |desk: &Desk, secs| SilenceRequest {
        matchers: vec![Matcher::is("alertname", "cpu"), Matcher::like("source", "a*")],
        starts_at: desk.now(),
        ends_at: desk.now() + Duration::from_secs(secs),
        author: "kim".into(),
        comment: "load test".into(),
    };
    let id = desk.router.silence(desk.now(), request(&desk, 600)).unwrap();
    let alert = desk.set("cpu", "a1", Some(Warning));
    desk.set("cpu", "b", Some(Warning));
    assert_eq!(desk.pass(500), [told(10, "team: cpu/b warning")]);
    assert_eq!(desk.router.muted(desk.now(), alert), Some(Muted::Silenced(id)));
    let after = desk.pass(200);
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].1.contains("cpu/a1 warning") && (100..=160).contains(&after[0].0), "{after:?}");

    let id = desk.router.silence(desk.now(), request(&desk, HOUR)).unwrap();
    assert!(desk.router.expire_silence(desk.now(), id) && !desk.router.expire_silence(desk.now(), id));
    let mut wrong = request(&desk, 10);
    wrong.matchers.clear();
    assert_eq!(desk.router.silence(desk.now(), wrong), Err(SilenceError::NoMatcher));
    assert_eq!(desk.router.silence(desk.now(), request(&desk, 0)), Err(SilenceError::Over));
}

#[test]
fn nobody_is_woken_during_maintenance() {
    let mut settings = settings();
    // It is midnight, a Monday.
    settings.maintenance.push(Maintenance {
        name: "backup".into(),
        matchers: vec![Matcher::is("alertname", "disk")],
        weekdays: [true, false, false, false, false, false, false],
        from_minute: 0,
        to_minute: 30,
        utc_offset_minutes: 0,
        offset_changes: Vec::new(),
    });
    let mut desk = Desk::new(settings);
    desk.set("disk", "a", Some(Critical));
    desk.set("cpu", "a", Some(Critical));
    assert_eq!(desk.pass(1_700), [told(10, "team: cpu/a critical")]);
    assert_eq!(desk.pass(200).len(), 1);
}

#[test]
fn a_lost_source_mutes_the_rest_of_it() {
    let settings = Settings { inhibitions: default_inhibitions(), ..settings() };
    let mut desk = Desk::new(settings);
    let fps = desk.set("page-fps", "p1", Some(Critical));
    desk.set("page-fps", "p2", Some(Warning));
    let lost = desk.set("page-lost", "p1", Some(Warning));
    let said = desk.pass(60);
    assert_eq!(said, [told(10, "team: page-fps/p2 warning"), told(10, "team: page-lost/p1 warning")]);
    assert_eq!(desk.router.muted(desk.now(), fps), Some(Muted::Inhibited(lost)));
    assert_eq!(desk.router.muted(desk.now(), lost), None, "it doesn't mute itself");
}

#[test]
fn an_alert_that_comes_and_goes_is_held_back_until_it_is_steady() {
    let mut desk = Desk::new(settings());
    let mut said = Vec::new();
    for _ in 0..30 {
        desk.set("cpu", "a", Some(Warning));
        said.extend(desk.pass(40));
        desk.set("cpu", "a", Some(Fine));
        said.extend(desk.pass(40));
    }
    assert!(said.len() <= 6, "forty minutes of it: {said:?}");
    let alert = desk.set("cpu", "a", Some(Warning));
    assert_eq!(desk.router.muted(desk.now(), alert), Some(Muted::Flapping));
    let steady = desk.pass(900);
    assert!(steady.last().is_none_or(|told| told.1 == "team: cpu/a warning"), "{steady:?}");
    assert_eq!(desk.router.muted(desk.now(), alert), None);
}

#[test]
fn a_flood_becomes_a_digest() {
    let mut settings = settings();
    settings.rate = Rate { burst: 2, every: Duration::from_secs(120) };
    settings.alerts_per_rule = 3;
    let mut desk = Desk::new(settings);
    for number in 0..40 {
        let source = alloc::format!("{number:02}");
        desk.set("cpu", &source, Some(Warning));
        desk.set(&alloc::format!("rule-{number:02}"), "a", Some(Warning));
    }
    let said = desk.pass(110);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0].1, "team: cpu/00 warning, cpu/01 warning, cpu/02 warning, 37 more");
    let said = desk.pass(HOUR);
    assert!((29..=31).contains(&said.len()), "one in two minutes: {}", said.len());
}

#[test]
fn what_was_not_delivered_is_told_again_with_the_same_key() {
    let mut desk = Desk::new(settings());
    desk.delivers = false;
    desk.set("cpu", "a", Some(Warning));
    let mut keys = Vec::new();
    for _ in 0..200 {
        desk.second += 1;
        keys.extend(desk.step().iter().map(|notification| notification.key));
    }
    assert!(keys.len() >= 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    desk.delivers = true;
    assert_eq!(desk.pass(100).len(), 1);
    assert_eq!(desk.pass(300), []);
}

#[test]
fn a_heartbeat_comes_whether_there_are_alerts_or_not() {
    let mut settings = settings();
    settings.heartbeats.push(Heartbeat { receiver: "watchdog".into(), interval: Duration::from_secs(300) });
    let mut desk = Desk::new(settings);
    let said = desk.pass(901);
    assert_eq!(
        said,
        [
            told(1, "watchdog: heartbeat 0"),
            told(301, "watchdog: heartbeat 0"),
            told(601, "watchdog: heartbeat 0"),
            told(901, "watchdog: heartbeat 0")
        ]
    );
}

#[test]
fn a_restart_tells_nothing_twice_and_forgets_nothing() {
    let mut desk = Desk::new(settings());
    let alert = desk.set("cpu", "a", Some(Warning));
    desk.set("cpu", "b", Some(Warning));
    desk.pass(30);
    desk.router.acknowledge(desk.now(), alert, "kim", "").unwrap();
    let request = SilenceRequest {
        matchers: vec![Matcher::is("source", "c")],
        starts_at: desk.now(),
        ends_at: desk.now() + Duration::from_secs(HOUR),
        author: "kim".into(),
        comment: String::new(),
    };
    desk.router.silence(desk.now(), request).unwrap();
    desk.set("cpu", "d", Some(Warning));
    let saved = desk.router.save();
    desk.second += 100;
    desk.router = Router::new(desk.now(), settings());
    desk.router.restore(desk.now(), &saved).unwrap();
    assert_eq!(desk.router.acknowledgement(alert).unwrap().author, "kim");
    assert_eq!(desk.router.silences().len(), 1);
    let said = desk.pass(120);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].1.contains("cpu/d warning"), "what was new is told: {said:?}");
    desk.set("cpu", "c", Some(Critical));
    desk.set("cpu", "a", Some(Fine));
    assert_eq!(desk.pass(120).iter().filter(|told| told.1.contains("cpu/c")).count(), 0);
}

#[test]
fn new_settings_remember_what_was_told() {
    let mut desk = Desk::new(settings());
    desk.set("cpu", "a", Some(Warning));
    desk.pass(30);
    let mut next = settings();
    next.routes.insert(0, Route { group_wait: Duration::from_secs(10), ..Route::new("others") });
    desk.router.reload(desk.now(), next);
    assert_eq!(desk.pass(120), [told(10, "others: cpu/a warning")]);
    desk.router.reload(desk.now(), Settings::default());
    assert_eq!(desk.pass(2 * HOUR), []);
}

proptest! {
    /// Whatever happens: who was told that an alert fires is told that it is over, and nobody hears of an end first.
    #[test]
    fn every_told_alert_ends(events in prop::collection::vec((0_u64..90, 0_usize..3, 0_u8..4), 1..60), fails in any::<bool>()) {
        let mut settings = settings();
        settings.flapping.begins = 0;
        let mut desk = Desk::new(settings);
        let sources = ["a", "b", "c"];
        let mut known = BTreeMap::<String, bool>::new();
        let mut hear = |told: Vec<(u64, String)>| {
            for (_, text) in told {
                for item in text.trim_start_matches("team: ").split(", ") {
                    let (alert, status) = item.split_once(' ').unwrap();
                    let fires = status == "warning" || status == "critical";
                    let before = known.insert(alert.to_string(), fires).unwrap_or(false);
                    if !fires && !before {
                        return Err(alloc::format!("{alert} ended and had not begun"));
                    }
                }
            }
            Ok(known.values().any(|fires| *fires))
        };
        for (pause, source, state) in events {
            desk.delivers = true;
            if fails {
                // What fails is told again: only what arrived was heard.
                desk.delivers = false;
                desk.pass(pause / 2);
                desk.delivers = true;
            }
            hear(desk.pass(pause)).unwrap();
            let to = match state {
                0 => Some(Fine),
                1 => Some(Warning),
                2 => Some(Critical),
                _ => Some(State::NoData { firing: desk.states.get(&Fingerprint::new("cpu", &Labels::new([("source", sources[source])]))).and_then(|(state, _)| state.severity()) }),
            };
            desk.set("cpu", sources[source], to);
        }
        for source in sources {
            desk.set("cpu", source, Some(Fine));
        }
        let still = hear(desk.pass(300)).unwrap();
        prop_assert!(!still, "something was told and never ended");
        prop_assert!(desk.router.save().len() < 2_000);
        let severity = Severity::Warning;
        prop_assert!(desk.states.values().all(|(state, _)| state.severity() != Some(severity)));
    }
}
