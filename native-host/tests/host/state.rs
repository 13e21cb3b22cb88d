//! The state on virtual time.

use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};
use quillwork_host::clock::Now;
use quillwork_host::state::{BatchRefusal, Counted, Medium, SeriesQuery, State};
use quillwork_protocol::alert::{AlertState, AlertStatus};
use quillwork_protocol::page::PageSample;
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};
use quillwork_protocol::socket::Resume;

use crate::harness::{batch, machine_at, sample_at, source};

const START_MILLIS: u64 = 1_800_000_000_000;

/// A host that lives as fast as the test likes.
struct World {
    state: State,
    millis: u64,
    published: usize,
}

impl World {
    fn new() -> Self {
        let millis = 0;
        let state = State::new(now(millis), "run-1".to_owned(), Medium::memory()).unwrap();
        Self { state, millis, published: 0 }
    }

    fn now(&self) -> Now {
        now(self.millis)
    }

    fn unix(&self) -> u64 {
        START_MILLIS + self.millis
    }

    /// Lets time pass. Deadlines are met on the way, as a driver would.
    fn pass(&mut self, millis: u64) {
        let end = self.millis + millis;
        while self.state.next_deadline() <= now(end).monotonic {
            self.millis = self.state.next_deadline().as_millis() - ORIGIN.as_millis();
            self.state.handle_deadline(self.now());
            self.drain();
        }
        self.millis = end;
    }

    fn tick(&mut self, cpu: Option<f64>) {
        self.state.handle_host(self.now(), Arc::new(machine_at(self.unix(), cpu)));
        self.drain();
    }

    fn drain(&mut self) {
        while self.state.poll_output().is_some() {
            self.published += 1;
        }
    }

    fn page(&self, id: &str) -> Option<PageSnapshot> {
        let tick = self.state.tick();
        tick.snapshot.pages.iter().find(|page| page.source.id == id).cloned()
    }

    fn link(&self, id: &str) -> Option<PageLink> {
        self.page(id).map(|page| page.link)
    }

    fn alert(&self, rule: &str, subject: &str) -> AlertStatus {
        let tick = self.state.tick();
        let alerts = &tick.snapshot.alerts;
        alerts.iter().find(|alert| alert.rule == rule && alert.subject == subject).cloned().unwrap()
    }
}

const ORIGIN: Instant = Instant::from_secs(7_200);

fn now(millis: u64) -> Now {
    Now { monotonic: ORIGIN + Duration::from_millis(millis), unix_millis: START_MILLIS + millis }
}

#[test]
fn a_page_is_lost_after_three_seconds_of_silence_and_back_when_heard() {
    let mut world = World::new();
    let sample = sample_at(world.unix(), 1);
    world.state.handle_batch(world.now(), batch("p1", 1, vec![sample])).unwrap();
    for _ in 0..2 {
        world.pass(1_000);
        world.tick(Some(0.1));
        assert_eq!(world.link("p1"), Some(PageLink::Live));
    }
    world.pass(999);
    assert_eq!(world.link("p1"), Some(PageLink::Live));
    world.pass(1);
    assert_eq!(world.link("p1"), Some(PageLink::Lost), "at once, not at the sampler's next tick");

    world.state.handle_batch(world.now(), batch("p1", 2, Vec::new())).unwrap();
    world.tick(Some(0.1));
    assert_eq!(world.link("p1"), Some(PageLink::Live));
    world.pass(59_999);
    assert_eq!(world.link("p1"), Some(PageLink::Lost));
    world.pass(2_000);
    assert_eq!(world.link("p1"), None, "shown for a minute");
}

#[test]
fn a_page_that_says_goodbye_is_closed_and_not_lost() {
    let mut world = World::new();
    let first = world.state.handle_connect(world.now(), source("p1")).unwrap();
    let second = world.state.handle_connect(world.now(), source("p1")).unwrap();
    world.state.handle_disconnect(world.now(), &first, true);
    world.tick(None);
    assert_eq!(world.link("p1"), Some(PageLink::Live), "it has connected again since");
    world.state.handle_disconnect(world.now(), &second, true);
    world.tick(None);
    assert_eq!(world.link("p1"), Some(PageLink::Closed));
    world.pass(10_000);
    assert_eq!(world.link("p1"), Some(PageLink::Closed));

    world.state.handle_batch(world.now(), batch("p1", 1, Vec::new())).unwrap();
    world.tick(None);
    assert_eq!(world.link("p1"), Some(PageLink::Live), "the browser brought it back");
}

/// A sample of a page that nobody sees.
fn hidden_at(at_unix_millis: u64) -> PageSample {
    PageSample { visible: false, frames_per_second: None, ..sample_at(at_unix_millis, 0) }
}

#[test]
fn a_hidden_page_is_live_while_its_socket_is() {
    let mut world = World::new();
    let connection = world.state.handle_connect(world.now(), source("p1")).unwrap();
    let say = |world: &mut World, sequence, visible| {
        let sample = PageSample { visible, ..hidden_at(world.unix()) };
        world.state.handle_batch(world.now(), batch("p1", sequence, vec![sample])).unwrap();
    };
    say(&mut world, 1, true);
    world.pass(2_999);
    say(&mut world, 2, false);
    for _ in 0..10 {
        world.pass(60_000);
        world.tick(None);
        assert_eq!(world.link("p1"), Some(PageLink::Live), "its timers run once a minute");
    }
    // It comes back, and its next samples are as urgent as ever.
    say(&mut world, 3, true);
    world.pass(2_999);
    assert_eq!(world.link("p1"), Some(PageLink::Live));
    world.pass(1);
    assert_eq!(world.link("p1"), Some(PageLink::Lost));

    say(&mut world, 4, false);
    world.pass(120_000);
    world.tick(None);
    assert_eq!(world.link("p1"), Some(PageLink::Live));
    world.state.handle_disconnect(world.now(), &connection, false);
    world.pass(2_999);
    world.tick(None);
    assert_eq!(world.link("p1"), Some(PageLink::Live), "it may connect again");
    world.pass(1);
    assert_eq!(world.link("p1"), Some(PageLink::Lost), "its socket ended");
    world.pass(61_000);
    assert_eq!(world.link("p1"), None);
}

#[test]
fn a_hidden_page_without_a_socket_is_lost_like_any_other() {
    let mut world = World::new();
    let sample = hidden_at(world.unix());
    world.state.handle_batch(world.now(), batch("p1", 1, vec![sample])).unwrap();
    world.pass(3_000);
    assert_eq!(world.link("p1"), Some(PageLink::Lost));
}

#[test]
fn an_old_socket_that_ends_does_not_speak_for_a_hidden_page_that_has_a_new_one() {
    let mut world = World::new();
    let old = world.state.handle_connect(world.now(), source("p1")).unwrap();
    let sample = hidden_at(world.unix());
    world.state.handle_batch(world.now(), batch("p1", 1, vec![sample])).unwrap();
    world.pass(30_000);
    let _new = world.state.handle_connect(world.now(), source("p1")).unwrap();
    world.state.handle_disconnect(world.now(), &old, false);
    world.pass(30_000);
    world.tick(None);
    assert_eq!(world.link("p1"), Some(PageLink::Live));
}

#[test]
fn a_page_whose_socket_breaks_is_lost_in_three_seconds_and_goes_on_when_it_returns() {
    let mut world = World::new();
    let connection = world.state.handle_connect(world.now(), source("p1")).unwrap();
    let one = || batch("p1", 1, vec![sample_at(START_MILLIS, 60)]);
    assert_eq!(world.state.handle_batch(world.now(), one()), Ok(Counted::New));
    world.pass(500);
    world.state.handle_disconnect(world.now(), &connection, false);
    world.pass(2_500);
    assert_eq!(world.link("p1"), Some(PageLink::Lost));

    world.pass(20_000);
    world.state.handle_connect(world.now(), source("p1")).unwrap();
    assert_eq!(world.state.handle_batch(world.now(), one()), Ok(Counted::Duplicate), "its Ack was lost");
    let next = batch("p1", 2, vec![sample_at(world.unix(), 60)]);
    assert_eq!(world.state.handle_batch(world.now(), next), Ok(Counted::New));
    world.tick(None);
    let page = world.page("p1").unwrap();
    assert_eq!((page.link, page.sample.unwrap().at_unix_millis), (PageLink::Live, world.unix()));
}

#[test]
fn a_beacon_counts_for_a_page_that_a_socket_let_in() {
    let mut world = World::new();
    let id = "0123456789abcdef0123456789abcdef";
    let beacon = |id: &str| batch(id, 1, Vec::new());
    assert_eq!(world.state.handle_beacon(world.now(), beacon(id)), Err(BatchRefusal::Unauthorized));
    // Known by a beacon is not let in by a socket.
    world.state.handle_batch(world.now(), batch(id, 7, Vec::new())).unwrap();
    assert_eq!(world.state.handle_beacon(world.now(), beacon(id)), Err(BatchRefusal::Unauthorized));

    let connection = world.state.handle_connect(world.now(), source(id)).unwrap();
    world.state.handle_disconnect(world.now(), &connection, true);
    assert_eq!(world.state.handle_beacon(world.now(), beacon(id)), Ok(Counted::New));
    let guessed = "0123456789abcdef0123456789abcdee";
    assert_eq!(world.state.handle_beacon(world.now(), beacon(guessed)), Err(BatchRefusal::Unauthorized));

    world.state.handle_connect(world.now(), source("short")).unwrap();
    assert_eq!(world.state.handle_beacon(world.now(), beacon("short")), Err(BatchRefusal::Unauthorized));
}

#[test]
fn pages_that_come_and_go_without_end_block_no_new_series() {
    let mut world = World::new();
    let load = |world: &mut World, id: &str| {
        let mut sent = batch(id, 1, vec![sample_at(world.unix(), 60)]);
        sent.closing = true;
        world.state.handle_batch(world.now(), sent).unwrap();
        world.pass(1_000);
    };
    for number in 0..1_500 {
        load(&mut world, &format!("page-{number}"));
    }
    world.tick(Some(0.5));
    load(&mut world, "newest");
    let catalogue = world.state.catalogue().series;
    let of = |source: &str| catalogue.iter().filter(|series| series.source == source).count();
    assert!(of("newest") > 0 && of("newest") == of("page-1499"), "{}", catalogue.len());
    assert!(catalogue.iter().any(|series| series.name == "host.cpu.total"));
    assert_eq!(of("page-0"), 0, "the one that is gone for longest made room");
}

#[test]
fn a_range_at_the_end_of_time_is_empty() {
    let mut world = World::new();
    world.tick(Some(0.5));
    for (from, to) in [(u64::MAX - 1, u64::MAX), (u64::MAX, u64::MAX), (0, u64::MAX), (1 << 60, u64::MAX)] {
        let query = SeriesQuery {
            names: vec!["host.cpu.total".into()],
            from_unix_millis: from,
            to_unix_millis: to,
            max_points: 1,
        };
        let answer = world.state.series(world.now(), &query).unwrap();
        assert_eq!(answer.series[0].values.len(), usize::from(from == 0), "{from} to {to}");
    }
}

#[test]
fn a_wall_clock_that_is_set_back_does_not_stop_a_page() {
    let mut world = World::new();
    let mut say = |now: Now, sequence| {
        let sample = sample_at(now.unix_millis, 1);
        world.state.handle_batch(now, batch("p1", sequence, vec![sample])).unwrap();
        world.state.handle_host(now, Arc::new(machine_at(now.unix_millis, Some(0.5))));
        world.state.tick().snapshot.pages[0].sample.as_ref().unwrap().at_unix_millis
    };
    let before = now(1_000);
    say(before, 1);
    let set_back = Now { monotonic: now(2_000).monotonic, unix_millis: before.unix_millis - 3_600_000 };
    assert_eq!(say(set_back, 2), set_back.unix_millis);
    let set_forward = Now { monotonic: now(3_000).monotonic, unix_millis: before.unix_millis + 86_400_000 };
    assert_eq!(say(set_forward, 3), set_forward.unix_millis);
}

#[test]
fn a_batch_counts_once_whenever_it_comes_again() {
    let mut world = World::new();
    let one = || {
        let mut one = batch("p1", 1, vec![sample_at(START_MILLIS, 60)]);
        one.samples[0].pool.failed = 20;
        one.dropped_samples = 5;
        one
    };
    assert_eq!(world.state.handle_batch(world.now(), one()), Ok(Counted::New));
    assert_eq!(world.state.handle_batch(world.now(), one()), Ok(Counted::Duplicate));
    world.pass(50_000);
    assert_eq!(world.state.handle_batch(world.now(), one()), Ok(Counted::Duplicate));
    world.tick(None);
    let page = world.page("p1").unwrap();
    assert_eq!(page.dropped_samples, 5);
    assert_eq!(page.error_ratio, Some(0.25));
}

#[test]
fn a_refused_batch_leaves_no_trace() {
    let mut world = World::new();
    let mut wrong = batch("p1", 1, vec![sample_at(1, 0)]);
    wrong.samples[0].interval_millis = -1.0;
    let refusal = world.state.handle_batch(world.now(), wrong).unwrap_err();
    assert!(
        matches!(refusal, BatchRefusal::Invalid(ref field) if field.field == "samples[0].intervalMillis")
    );
    world.tick(None);
    assert_eq!(world.page("p1"), None);
    assert_eq!(world.state.handle_batch(world.now(), batch("p1", 1, Vec::new())), Ok(Counted::New));
}

#[test]
fn the_cpu_alert_goes_through_all_its_states() {
    let mut world = World::new();
    let mut seen = Vec::new();
    let phases = [(0.5, 5), (0.8, 20), (0.95, 15), (0.2, 25)];
    for (cpu, seconds) in phases {
        for _ in 0..seconds {
            world.pass(1_000);
            world.tick(Some(cpu));
            let state = world.alert("host-cpu", "host").state;
            if seen.last() != Some(&state) {
                seen.push(state);
            }
        }
    }
    use AlertState::{Critical, Ok, Pending, Warning};
    assert_eq!(seen, [Ok, Pending, Warning, Critical, Ok]);
    let alert = world.alert("host-cpu", "host");
    assert_eq!((alert.unit.as_str(), alert.value), ("ratio", Some(0.2)));
    assert_eq!(alert.summary, "CPU use is 20 %, within its budget of 70 %.");
}

#[test]
fn an_alert_whose_data_ends_does_not_resolve() {
    let mut world = World::new();
    for _ in 0..30 {
        world.pass(1_000);
        world.tick(Some(0.95));
    }
    assert_eq!(world.alert("host-cpu", "host").state, AlertState::Critical);
    world.pass(15_000);
    let alert = world.alert("host-cpu", "host");
    assert_eq!((alert.state, alert.value), (AlertState::NoData, None));
    assert!(alert.summary.contains("critical"), "{}", alert.summary);
    assert_eq!(world.state.tick().snapshot.alerts[0].rule, "host-cpu", "it is still the most urgent");
    world.pass(1_000);
    world.tick(Some(0.95));
    assert_eq!(world.alert("host-cpu", "host").state, AlertState::Critical);
}

#[test]
fn alerts_of_a_page_follow_its_samples_and_leave_with_it() {
    let mut world = World::new();
    let slow = |world: &World, visible| PageSample {
        frames_per_second: Some(20.0),
        visible,
        ..sample_at(world.unix(), 0)
    };
    let mut sequence = 0;
    let mut second = |world: &mut World, visible| {
        world.pass(1_000);
        sequence += 1;
        let sample = slow(world, visible);
        world.state.handle_batch(world.now(), batch("p1", sequence, vec![sample])).unwrap();
        world.tick(Some(0.1));
    };
    for _ in 0..8 {
        second(&mut world, false);
    }
    assert_eq!(
        world.alert("page-fps", "p1").state,
        AlertState::NoData,
        "frames of a hidden page are not observed"
    );
    for _ in 0..8 {
        second(&mut world, true);
    }
    let alert = world.alert("page-fps", "p1");
    assert_eq!((alert.state, alert.subject_name.as_str()), (AlertState::Critical, "Page p1"));

    let mut goodbye = batch("p1", 1_000, Vec::new());
    goodbye.closing = true;
    world.state.handle_batch(world.now(), goodbye).unwrap();
    world.tick(Some(0.1));
    assert!(world.state.tick().snapshot.alerts.iter().all(|alert| alert.subject == "host"));
}

#[test]
fn the_response_time_of_the_last_minute_is_merged_from_sketches() {
    let mut world = World::new();
    for sequence in 1..=10 {
        world.pass(1_000);
        let sample = sample_at(world.unix(), 10);
        world.state.handle_batch(world.now(), batch("p1", sequence, vec![sample])).unwrap();
    }
    world.tick(None);
    let p95 = world.page("p1").unwrap().response_p95_millis.unwrap();
    assert!((p95 - 10.0).abs() <= 0.2, "{p95}");
    for sequence in 11..=75 {
        world.pass(1_000);
        let idle = sample_at(world.unix(), 0);
        world.state.handle_batch(world.now(), batch("p1", sequence, vec![idle])).unwrap();
    }
    world.tick(None);
    let page = world.page("p1").unwrap();
    assert_eq!(
        (page.response_p95_millis, page.error_ratio),
        (None, None),
        "nothing ended in the last minute"
    );
}

#[test]
fn a_page_whose_clock_is_wrong_is_placed_on_ours() {
    let mut world = World::new();
    let behind = 3_600_000;
    let mut sent = batch("p1", 1, vec![sample_at(world.unix() - behind - 2_000, 1)]);
    sent.sent_at_unix_millis = world.unix() - behind;
    world.state.handle_batch(world.now(), sent).unwrap();
    world.tick(None);
    assert_eq!(world.page("p1").unwrap().sample.unwrap().at_unix_millis, world.unix() - 2_000);
}

#[test]
fn a_dashboard_gets_the_ticks_that_it_missed() {
    let mut world = World::new();
    for _ in 0..100 {
        world.pass(1_000);
        world.tick(Some(0.1));
    }
    let resume = |instance: &str, sequence| Resume { instance: instance.into(), sequence };
    let newest = world.state.tick().sequence;
    let sequences = |resume: Option<Resume>| {
        let resumed = world.state.resume(resume.as_ref());
        let ticks: Vec<u64> = resumed.ticks.iter().map(|tick| tick.sequence).collect();
        (resumed.complete, ticks)
    };
    assert_eq!(sequences(Some(resume("run-1", newest - 3))), (true, vec![newest - 2, newest - 1, newest]));
    assert_eq!(sequences(Some(resume("run-1", newest))), (true, vec![]));
    assert_eq!(sequences(Some(resume("run-1", 1))), (false, vec![]), "too long ago");
    assert_eq!(sequences(Some(resume("run-1", newest + 1))), (false, vec![]), "not of this run");
    assert_eq!(sequences(Some(resume("run-0", newest - 3))), (false, vec![]), "the host was restarted");
    assert_eq!(sequences(None), (false, vec![]));
}

#[test]
fn without_a_sampler_there_are_ticks_all_the_same() {
    let mut world = World::new();
    world.pass(10_000);
    assert_eq!(world.published, 6, "one each 1.5 seconds");
    assert_eq!(world.state.tick().snapshot.host, None);
}

#[test]
fn jitter_about_the_turn_of_a_second_leaves_no_gap() {
    let mut world = World::new();
    let begin = world.unix();
    for late in [0, 999, 2_001, 3_000, 3_998, 5_002] {
        world.millis = late;
        world.tick(Some(0.5));
    }
    let query = SeriesQuery {
        names: vec!["host.cpu.total".into()],
        from_unix_millis: begin,
        to_unix_millis: begin + 5_000,
        max_points: 100,
    };
    let answer = world.state.series(world.now(), &query).unwrap();
    let values = &answer.series[0].values;
    assert!(values[..4].iter().all(Option::is_some), "{values:?}");
}

#[test]
fn history_outlives_a_restart_in_a_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let medium = || Medium::directory(directory.path()).unwrap();
    let open = |millis| State::new(now(millis), "run".to_owned(), medium()).unwrap();
    let mut state = open(0);
    state.handle_host(now(0), Arc::new(machine_at(START_MILLIS, Some(0.5))));
    state.flush();
    drop(state);

    let mut state = open(10_000);
    state.handle_host(now(10_000), Arc::new(machine_at(START_MILLIS + 10_000, Some(0.25))));
    let query = SeriesQuery {
        names: vec!["host.cpu.total".into()],
        from_unix_millis: START_MILLIS,
        to_unix_millis: START_MILLIS + 11_000,
        max_points: 100,
    };
    let answer = state.series(now(10_000), &query).unwrap();
    let values = &answer.series[0].values;
    assert_eq!((values[0], values[10]), (Some(0.5), Some(0.25)));
    assert!(values[1..10].iter().all(Option::is_none), "the time between is a gap");
}
