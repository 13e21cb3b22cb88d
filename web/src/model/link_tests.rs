use proptest::prelude::*;

use super::*;

fn welcome(resumed: bool) -> Welcome {
    Welcome { version: 1, instance: "one".into(), server_unix_millis: 0, resumed }
}

fn tick(instance: &str, sequence: u64) -> Snapshot {
    Snapshot {
        version: 1,
        instance: instance.into(),
        sequence,
        host: None,
        pages: Vec::new(),
        alerts: Vec::new(),
    }
}

fn live() -> Link {
    let mut link = Link::new(0.0);
    assert_eq!(link.handle_timer(0.0, 0.0), Some(Command::Open));
    link.handle_welcome(10.0, &welcome(false));
    assert!(link.handle_tick(20.0, &tick("one", 7)));
    link
}

fn resume_of(link: &Link) -> Option<(String, u64)> {
    let ClientMessage::Hello(hello) = link.hello(None) else { panic!("a link greets with a hello") };
    hello.resume.map(|resume| (resume.instance, resume.sequence))
}

#[test]
fn silence_is_seen_within_three_seconds_though_the_socket_stays_open() {
    let mut link = live();
    assert_eq!(link.state(2_000.0), HostState::Live);
    assert!(matches!(link.state(20.0 + 2_750.0), HostState::Lost { .. }));
    assert_eq!(
        link.handle_timer(3_000.0, 0.0),
        None,
        "a late host gets a chance before the socket is given up"
    );
    assert!(link.handle_tick(3_500.0, &tick("one", 8)));
    assert_eq!(link.state(3_600.0), HostState::Live);
}

#[test]
fn a_stalled_socket_is_given_up_and_opened_again() {
    let mut link = live();
    assert_eq!(link.handle_timer(6_100.0, 0.5), Some(Command::Close));
    assert_eq!(link.handle_timer(6_110.0, 0.5), None);
    assert_eq!(link.handle_timer(6_400.0, 0.5), Some(Command::Open));
}

#[test]
fn a_closed_socket_is_lost_at_once() {
    let mut link = live();
    link.handle_closed(1_000.0, 1006, 0.0);
    assert_eq!(link.state(1_020.0), HostState::Lost { for_millis: 1_000.0 });
}

#[test]
fn a_socket_that_opens_but_never_greets_is_given_up() {
    let mut link = Link::new(0.0);
    assert_eq!(link.handle_timer(0.0, 0.0), Some(Command::Open));
    assert_eq!(link.handle_timer(3_999.0, 0.0), None);
    assert_eq!(link.handle_timer(4_000.0, 0.0), Some(Command::Close));
    assert!(matches!(link.state(4_000.0), HostState::Connecting { failures: 1, .. }));
}

#[test]
fn a_host_that_never_ticks_after_its_welcome_is_given_up() {
    let mut link = Link::new(0.0);
    link.handle_timer(0.0, 0.0);
    link.handle_welcome(100.0, &welcome(false));
    assert_eq!(link.handle_timer(6_099.0, 0.0), None);
    assert_eq!(link.handle_timer(6_100.0, 0.0), Some(Command::Close));
}

#[test]
fn waits_grow_and_a_welcome_resets_them() {
    let mut link = live();
    let mut now = 1_000.0;
    let mut waits = Vec::new();
    for _ in 0..6 {
        link.handle_closed(now, 1006, 0.999_999);
        let start = now;
        while link.handle_timer(now, 0.5) != Some(Command::Open) {
            now += 50.0;
        }
        waits.push(now - start);
    }
    assert_eq!(waits, [250.0, 500.0, 1_000.0, 2_000.0, 2_000.0, 2_000.0]);
    link.handle_welcome(now, &welcome(true));
    link.handle_closed(now, 1006, 0.0);
    assert_eq!(link.handle_timer(now + 250.0, 0.0), Some(Command::Open));
}

#[test]
fn resumes_where_it_stopped_and_leaves_out_what_it_saw() {
    let mut link = live();
    assert_eq!(resume_of(&link), Some(("one".into(), 7)));
    assert!(!link.handle_tick(30.0, &tick("one", 7)));
    assert!(link.handle_tick(40.0, &tick("one", 8)));
    assert!(link.handle_tick(50.0, &tick("two", 1)), "a new instance counts from 1 again");
    assert_eq!(resume_of(&link), Some(("two".into(), 1)));
}

#[test]
fn back_fills_unless_the_host_sends_what_was_missed() {
    let mut link = Link::new(0.0);
    assert!(link.handle_welcome(0.0, &welcome(false)));
    assert!(!link.handle_welcome(0.0, &welcome(true)));
}

#[test]
fn a_refusal_is_not_retried_until_asked() {
    let mut link = live();
    link.handle_closed(1_000.0, CLOSE_UNAUTHORIZED, 0.0);
    assert_eq!(link.state(9_000.0), HostState::Refused(Refusal::Unauthorized));
    assert_eq!(link.handle_timer(60_000.0, 0.0), None);
    link.handle_retry(61_000.0);
    assert_eq!(link.handle_timer(61_000.0, 0.0), Some(Command::Open));
}

proptest! {
    #[test]
    fn a_returned_host_is_tried_within_the_longest_wait(failures in 1_u32..200, jitter in 0.0_f64..1.0) {
        let mut link = Link::new(0.0);
        for _ in 0..failures {
            link.handle_closed(0.0, 1006, jitter);
        }
        prop_assert_eq!(link.handle_timer(LONGEST_WAIT_MILLIS, jitter), Some(Command::Open));
    }
}
