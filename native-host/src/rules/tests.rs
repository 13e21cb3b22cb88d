//! What rules files may say, and what they are told when they are wrong.

use std::path::PathBuf;

use proptest::prelude::*;
use quillwork_core::alert::Condition;
use quillwork_core::time::Duration;

use super::*;

fn fault(text: &str) -> String {
    RuleSet::parse(text, &["ops".to_owned()]).unwrap_err().to_string()
}

fn parse(text: &str) -> RuleSet {
    RuleSet::parse(text, &["ops".to_owned()]).unwrap()
}

#[test]
fn an_empty_file_watches_what_ships_and_tells_every_channel() {
    let set = parse("");
    assert_eq!(set.rules, default_rules());
    assert_eq!((set.settings.routes.len(), &*set.settings.routes[0].receiver), (1, "ops"));
}

#[test]
fn a_rule_that_ships_is_changed_in_part() {
    let set = parse("[[rule]]\nname = 'host-cpu'\nwarning = { threshold = 0.5, for = '1m' }\n");
    let cpu = set.rules.iter().find(|rule| *rule.name == *"host-cpu").unwrap();
    let warning = cpu.warning.unwrap();
    assert_eq!((warning.threshold, warning.clear, warning.for_duration), (0.5, 0.5, Duration::from_secs(60)));
    assert_eq!(cpu.critical, default_rules()[0].critical, "the rest is as it ships");
    assert_eq!(set.rules.len(), default_rules().len());
    let set = parse("disable = ['host-cpu']");
    assert!(set.rules.iter().all(|rule| *rule.name != *"host-cpu"));
    assert!(parse("defaults = false").rules.is_empty());
}

#[test]
fn thresholds_in_milliseconds_may_be_durations() {
    let text = "[[rule]]\nname = 'x'\ncondition = 'absent'\nseries = 'host.cpu.total'\nwarning = { threshold = '90s' }\n";
    let threshold = parse(text).rules.last().unwrap().warning.map(|level| level.threshold);
    assert_eq!(threshold, Some(90_000.0));
}

#[test]
fn series_are_selected_by_labels_and_patterns() {
    let text =
        "[[rule]]\nname = 'x'\nseries = 'host.disk.used{mount=\"/data*\"}'\nwarning = { threshold = 0.9 }\n";
    let set = parse(text);
    let Condition::Value(of) = &set.rules.last().unwrap().condition else { panic!("it is a value") };
    let labels = |mount| quillwork_core::alert::Labels::new([("mount", mount)]);
    assert!(of.selects("host.disk.used", &labels("/data2")) && !of.selects("host.disk.used", &labels("/")));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let rule = "[[rule]]\nname = 'x'\n";
    for (text, expected) in [
        ("[[rule]]\nname = 'x'\ntreshold = 1\n", "line 3: unknown field `treshold`"),
        ("[[rule]]\nname = \n", "line 2: "),
        (&format!("\n{rule}"), "line 3: rule \"x\": it needs `series`"),
        (&format!("{rule}series = 'a'\n"), "line 2: rule \"x\": give it a warning or a critical level"),
        (&format!("{rule}series = 'a b'\nwarning = {{ threshold = 1 }}\n"), "series \"a b\""),
        (&format!("{rule}series = 'a'\nwarning = {{ threshold = '5 parsecs' }}\n"), "write a number"),
        (&format!("{rule}condition = 'mean'\nseries = 'a'\nwindow = '5x'\n"), "\"5x\" is no duration"),
        (&format!("{rule}series = 'a'\nunit = 'furlong'\n"), "write one of ratio, millis"),
        (
            &format!("{rule}condition = 'all'\nof = ['nobody']\nwarning = {{ threshold = 0.5 }}\n"),
            "no rule \"nobody\" stands before it",
        ),
        (
            "[[route]]\nreceiver = 'nobody'\n",
            "line 2: receiver \"nobody\" is no channel of the configuration; add [notify.nobody]",
        ),
        ("disable = ['host-gpu']\n", "no rule \"host-gpu\" ships"),
        (
            "[[maintenance]]\nname = 'm'\ndays = ['mon']\nfrom = '25:00'\nto = '03:00'\n",
            "\"25:00\" is no time",
        ),
        (
            "[[maintenance]]\nname = 'm'\ndays = ['mon']\nfrom = '01:00'\nto = '03:00'\ntimezone = 'Mars/Base'\n",
            "knows no time zone \"Mars/Base\"",
        ),
        (
            "[[maintenance]]\nname = 'm'\ndays = ['mon']\nfrom = '01:00'\nto = '03:00'\ntimezone = 'UTC'\nutc_offset = '+01:00'\n",
            "not both",
        ),
        (
            "[[maintenance]]\nname = 'm'\ndays = []\nfrom = '01:00'\nto = '03:00'\n",
            "maintenance \"m\" needs a weekday",
        ),
        ("[[heartbeat]]\nreceiver = 'ops'\ninterval = '0s'\n", "longer than zero"),
    ] {
        let told = fault(text);
        assert!(told.contains(expected), "{text}: {told}");
    }
}

#[test]
fn a_fault_quotes_no_more_than_it_takes_to_know_it() {
    let long = "\"".repeat(60_000);
    for (text, begin, end) in [
        (format!("[[route]]\nreceiver = '{long}'\n"), "receiver", "(there are: ops)"),
        (format!("[[rule]]\nname = 'a'\nseries = '{long}'\n"), "rule \"a\": series", ""),
        (format!("\"{}\" = 1\n", "a".repeat(60_000)), "unknown field", ""),
    ] {
        let fault = RuleSet::parse(&text, &["ops".to_owned()]).unwrap_err();
        assert!(fault.line.is_none_or(|line| line <= 3), "{fault}");
        let message = &fault.message;
        assert!(message.len() <= 1_500, "{} bytes: {message}", message.len());
        assert!(message.starts_with(begin) && message.ends_with(end), "{message}");
    }
}

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/examples").join(name)
}

#[test]
fn the_guides_example_is_sound_and_its_tests_pass() {
    let receivers = ["operators", "on-call", "watchdog"].map(str::to_owned);
    RuleSet::load(Some(&example("alerts.toml")), &receivers).unwrap();
    let report = replay::run(&example("alerts-test.toml")).unwrap();
    assert!(report.failed.is_empty() && report.passed >= 3, "{report:?}");
}

#[test]
fn a_test_that_expects_something_else_says_what_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("test.toml");
    let text = "[[test]]\nname = 'wrong'\nseries.'host.cpu.total' = '0.75x60'\n\n\
                [[test.expect]]\nat = '30s'\nalerts = { 'host-cpu' = 'critical' }\n\n\
                [[test]]\nname = 'right'\nseries.'host.cpu.total' = '0.75x60 0.1x30 _x30'\n\n\
                [[test.expect]]\nat = '5s'\nalerts = {}\n\n\
                [[test.expect]]\nat = '59s'\nalerts = { 'host-cpu' = 'warning' }\n\n\
                [[test.expect]]\nat = '110s'\nalerts = {}\n";
    std::fs::write(&file, text).unwrap();
    let report = replay::run(&file).unwrap();
    assert_eq!(report.passed, 1);
    let (name, told) = &report.failed[0];
    assert_eq!(
        (name.as_str(), told.as_str()),
        ("wrong", "at 30s: expected host-cpu critical, but there is host-cpu warning\n")
    );
}

#[test]
fn a_test_without_end_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("test.toml");
    for (values, at, word) in [
        ("1 1x18446744073709551615", "5s", "100000 values"),
        ("_x99999 _x2", "5s", "100000 values"),
        ("1", "9999d", "1000000"),
    ] {
        let text = format!(
            "[[test]]\nname = 'long'\nseries.'host.cpu.total' = '{values}'\n[[test.expect]]\nat = '{at}'\nalerts = {{}}\n"
        );
        std::fs::write(&file, text).unwrap();
        let told = replay::run(&file).unwrap_err();
        assert!(told.contains(word), "{told}");
    }
}

proptest! {
    /// Rules files come from elsewhere, too: no text makes the host fall over.
    #[test]
    fn no_text_panics(text in "(\\[\\[(rule|route|maintenance|heartbeat|inhibit)\\]\\]\n|(name|series|of|condition|window|days|from|to|receiver|interval|utc_offset) = ('[a-z0-9:*{}=\"+-]{0,8}'|\\['x'\\]|[0-9.e-]{1,6})\n|warning = \\{ threshold = [0-9.e+-]{1,5} \\}\n){0,12}") {
        let _any = RuleSet::parse(&text, &["ops".to_owned()]);
    }
}
