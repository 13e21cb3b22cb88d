//! Alert rules of a host that runs, and the commands about them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::process::{Said, get, quillwork, run, serving, signal};

fn rule(threshold: f64) -> String {
    format!("[[rule]]\nname = \"host-cpu\"\nwarning = {{ threshold = {threshold} }}\n")
}

/// The warning of the rule about the processor.
async fn threshold(address: &str) -> f64 {
    let answer = get(address, "/api/v1/rules").await;
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let (begin, end) = (body.find('[').unwrap(), body.rfind(']').unwrap());
    let rules: Value = serde_json::from_str(&body[begin..=end]).unwrap();
    let cpu = rules.as_array().unwrap().iter().find(|rule| rule["name"] == "host-cpu").unwrap();
    cpu["warning"]["threshold"].as_f64().unwrap()
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

    fs::write(&file, "[[rule]]\nname = \"host-cpu\"\nwarming = 1\n").unwrap();
    let line = said.line_with("the old ones stay").await;
    assert!(line.contains("alerts.toml") && line.contains("line 3") && line.contains("warming"), "{line}");
    assert!((threshold(&address).await - 0.5).abs() < 1e-9);
    signal(&child, "HUP");
    let line = said.line_with("everything stays as it was").await;
    assert!(line.contains("warming"), "{line}");

    fs::write(&file, rule(0.6)).unwrap();
    said.line_with("rules have changed and count").await;
    assert!((threshold(&address).await - 0.6).abs() < 1e-9);
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
    let (status, _, told) = run(&["check", rules]).await;
    assert_eq!(status, Some(1), "without channels nobody can be told");
    assert!(told.contains("(there are: none)"), "{told}");

    let (status, said, told) = run(&["rules", "test", tests]).await;
    assert_eq!((status, said.as_str()), (Some(0), "3 passed, 0 failed\n"), "{told}");
    let (status, said, _) = run(&["rules", "list"]).await;
    assert_eq!(status, Some(0));
    assert!(
        said.contains("host-cpu") && said.contains("above 70 %") && said.contains("above 80 %"),
        "{said}"
    );
    let (status, _, told) = run(&["rules", "test", "/nowhere.toml"]).await;
    assert_eq!(status, Some(1));
    assert!(told.contains("/nowhere.toml can't be read"), "{told}");
}
