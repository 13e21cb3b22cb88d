//! Alert rules of a host that runs, and the commands about them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use quillwork_host::config::{Flag, Layers};
use quillwork_host::notify::Courier;
use quillwork_host::reload::{self, Reload};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::block_in_place;

use crate::harness::Host;
use crate::process::{Said, get, quillwork, run, serving, signal};

fn rule(threshold: f64) -> String {
    format!("[[rule]]\nname = \"host-cpu\"\nwarning = {{ threshold = {threshold} }}\n")
}

/// The warning of the rule about the processor.
async fn threshold(address: &str) -> f64 {
    let answer = get(address, "/api/v1/rules").await;
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let (begin, end) = (body.find('[').unwrap(), body.rfind(']').unwrap());
    threshold_in(&serde_json::from_str(&body[begin..=end]).unwrap())
}

fn threshold_in(rules: &Value) -> f64 {
    let cpu = rules.as_array().unwrap().iter().find(|rule| rule["name"] == "host-cpu").unwrap();
    cpu["warning"]["threshold"].as_f64().unwrap()
}

/// Writes as editors do: nobody ever finds half a file.
fn replace(file: &Path, text: &str) {
    let new = file.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, file).unwrap();
}

#[tokio::test]
async fn rules_change_while_the_host_runs_and_bad_ones_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alerts.toml");
    let set = format!("alerts.rules={}", file.display());
    fs::write(&file, rule(0.5)).unwrap();
    // Files are looked at so often that no signal is needed.
    let arguments = ["serve", "--port", "0", "--set", &set, "--set", "tls.look_interval=20ms"];
    let (mut child, address) = serving(quillwork(&arguments)).await;
    let mut said = Said::by(&mut child);
    assert!((threshold(&address).await - 0.5).abs() < 1e-9);

    replace(&file, "[[rule]]\nname = \"host-cpu\"\nwarming = 1\n");
    let line = said.line_with("the old ones stay").await;
    assert!(line.contains("alerts.toml") && line.contains("line 3") && line.contains("warming"), "{line}");
    assert!((threshold(&address).await - 0.5).abs() < 1e-9);
    signal(&child, "HUP");
    let line = said.line_with("everything stays as it was").await;
    assert!(line.contains("warming"), "{line}");

    replace(&file, &rule(0.6));
    said.line_with("rules have changed and count").await;
    assert!((threshold(&address).await - 0.6).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_somebody_still_writes_do_not_count() {
    let host = Host::new();
    let threshold = async || threshold_in(&host.get("/api/v1/rules").await.json());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alerts.toml");
    fs::write(&file, rule(0.5)).unwrap();
    let flag =
        Flag { flag: "--set".to_owned(), key: "alerts.rules".to_owned(), text: file.display().to_string() };
    let layers = Layers { file: None, environment: Vec::new(), flags: vec![flag] };
    let config = layers.load().unwrap();
    let (courier, _delivered) = Courier::new(&reload::alerts(&config).unwrap().channels);
    let config = watch::Sender::new(Arc::new(config));
    let watching = (host.driver.clone(), courier);
    let mut reload = Reload::new(layers, config, Arc::clone(&host.guard), None, None, watching);
    block_in_place(|| reload.reload()).unwrap();
    let mut changes = || block_in_place(|| reload.renew_rules());
    assert!((threshold().await - 0.5).abs() < 1e-9);
    assert!(!changes(), "nothing is new");

    fs::write(&file, "").unwrap();
    assert!(changes(), "to be looked at again");
    assert!((threshold().await - 0.5).abs() < 1e-9, "an empty file is half a file");
    fs::write(&file, rule(0.6)).unwrap();
    assert!(changes(), "this one, too");
    assert!((threshold().await - 0.5).abs() < 1e-9);
    assert!(!changes());
    assert!((threshold().await - 0.6).abs() < 1e-9, "found twice");

    fs::write(&file, "").unwrap();
    assert!(changes());
    fs::write(&file, rule(0.6)).unwrap();
    assert!(!changes(), "as it was");
    fs::write(&file, "").unwrap();
    assert!(changes(), "found for the first time again");
}

#[tokio::test]
async fn a_host_with_bad_rules_does_not_start_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("alerts.toml");
    fs::write(&file, "[[route]]\nreceiver = \"nobody\"\n").unwrap();
    let set = format!("alerts.rules={}", file.display());
    let (status, _, told) = run(&["serve", "--port", "0", "--set", &set]).await;
    assert_eq!(status, Some(1));
    assert!(told.contains("line 2") && told.contains("add [notify.nobody] to quillwork.toml"), "{told}");
}

#[tokio::test]
async fn the_commands_of_the_guide_work() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/examples");
    let (rules, tests) = (examples.join("alerts.toml"), examples.join("alerts-test.toml"));
    let (rules, tests) = (rules.to_str().unwrap(), tests.to_str().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("quillwork.toml");
    let channels = ["operators", "on-call", "watchdog"]
        .map(|name| format!("[notify.{name}]\nkind = \"webhook\"\nurl = \"https://example.org/{name}\"\n"))
        .concat();
    fs::write(&config, channels).unwrap();
    let (status, said, told) = run(&["check", rules, "--config", config.to_str().unwrap()]).await;
    assert_eq!(status, Some(0), "{told}");
    assert!(said.contains("3 routes, 3 channels, all sound"), "{said}");
    assert!(said.starts_with("history: 1000 series take about ") && said.contains("max_bytes = "), "{said}");
    let (_, said, _) = run(&["check", "--set", "history.max_bytes=64MiB"]).await;
    assert!(said.contains("is 64 MiB: what is nearest to its end goes earlier"), "{said}");
    let (status, _, told) = run(&["check", rules]).await;
    assert_eq!(status, Some(1), "without channels nobody can be told");
    assert!(told.contains("(there are: none)"), "{told}");

    for (option, told_of) in [
        ("auth.token_file=/nowhere", "the token file /nowhere can't be read"),
        ("standby.url=ftp://a.example", "standby: \"ftp://a.example\": write an address"),
        ("standby.token_file=/nowhere", "standby.token_file: /nowhere can't be read"),
    ] {
        let (status, _, told) = run(&["check", "--set", option]).await;
        assert!(status == Some(1) && told.contains(told_of), "a start would refuse {option}: {told}");
    }
    let (status, said, told) = run(&["rules", "test", tests]).await;
    assert_eq!((status, said.as_str()), (Some(0), "3 passed, 0 failed\n"), "{told}");
    let (status, said, _) = run(&["rules", "list"]).await;
    assert_eq!(status, Some(0));
    assert!(
        said.contains("host-cpu")
            && said.contains("above 70 % for 15 s")
            && said.contains("above 80 % for 10 s"),
        "{said}"
    );
    let (status, _, told) = run(&["rules", "test", "/nowhere.toml"]).await;
    assert_eq!(status, Some(1));
    assert!(told.contains("/nowhere.toml can't be read"), "{told}");
}
