//! Pages on virtual time: whether they are live, and what of theirs counts.

use std::sync::Arc;

use quillwork_host::clock::Now;
use quillwork_host::state::{BatchRefusal, Counted};
use quillwork_protocol::page::PageSample;
use quillwork_protocol::snapshot::PageLink;

use crate::harness::{batch, machine_at, sample_at, source};
use crate::world::{START_MILLIS, World, now};

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
fn a_page_whose_clock_is_wrong_is_placed_on_ours() {
    let mut world = World::new();
    let behind = 3_600_000;
    let mut sent = batch("p1", 1, vec![sample_at(world.unix() - behind - 2_000, 1)]);
    sent.sent_at_unix_millis = world.unix() - behind;
    world.state.handle_batch(world.now(), sent).unwrap();
    world.tick(None);
    assert_eq!(world.page("p1").unwrap().sample.unwrap().at_unix_millis, world.unix() - 2_000);
}
