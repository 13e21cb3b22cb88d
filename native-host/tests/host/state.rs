//! Alerts, history and ticks on virtual time.

use std::sync::Arc;

use quillwork_host::state::{Medium, SeriesQuery, State};
use quillwork_protocol::alert::AlertState;
use quillwork_protocol::page::PageSample;
use quillwork_protocol::socket::Resume;
use quillwork_store::history::HistoryOptions;

use crate::harness::{batch, machine_at, sample_at};
use crate::world::{START_MILLIS, World, now};

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
    let of = |source: &str| {
        catalogue.iter().filter(|series| series.labels.get("source").is_some_and(|id| id == source)).count()
    };
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
            series: vec!["host.cpu.total".parse().unwrap()],
            from_unix_millis: from,
            to_unix_millis: to,
            max_points: 1,
        };
        let answer = world.state.series(query).unwrap().answer().unwrap();
        assert_eq!(answer.series[0].values.len(), usize::from(from == 0), "{from} to {to}");
    }
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
    let alerts = &world.state.tick().snapshot.alerts;
    assert!(alerts.iter().all(|alert| alert.subject != "p1" && !alert.labels.contains_key("source")));
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
        series: vec!["host.cpu.total".parse().unwrap()],
        from_unix_millis: begin,
        to_unix_millis: begin + 5_000,
        max_points: 100,
    };
    let answer = world.state.series(query).unwrap().answer().unwrap();
    let values = &answer.series[0].values;
    assert!(values[..4].iter().all(Option::is_some), "{values:?}");
}

#[test]
fn history_outlives_a_restart_in_a_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let medium = || Medium::directory(directory.path()).unwrap();
    let open =
        |millis| State::new(now(millis), "run".to_owned(), medium(), HistoryOptions::default()).unwrap();
    let mut state = open(0);
    state.handle_host(now(0), Arc::new(machine_at(START_MILLIS, Some(0.5))));
    state.flush();
    drop(state);

    let mut state = open(10_000);
    state.handle_host(now(10_000), Arc::new(machine_at(START_MILLIS + 10_000, Some(0.25))));
    let query = SeriesQuery {
        series: vec!["host.cpu.total".parse().unwrap()],
        from_unix_millis: START_MILLIS,
        to_unix_millis: START_MILLIS + 11_000,
        max_points: 100,
    };
    let answer = state.series(query).unwrap().answer().unwrap();
    let values = &answer.series[0].values;
    assert_eq!((values[0], values[10]), (Some(0.5), Some(0.25)));
    assert!(values[1..10].iter().all(Option::is_none), "the time between is a gap");
}
