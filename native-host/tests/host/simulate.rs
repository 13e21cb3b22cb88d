//! `quillwork simulate`, as a user runs it.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quillwork"))
        .arg("simulate")
        .args(["--seeds", "2"])
        .args(["--tasks", "1000"].iter().filter(|_| !arguments.contains(&"--recording")))
        .args(arguments)
        .output()
        .expect("the binary was built")
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("it prints UTF-8")
}

#[test]
fn the_table_recommends_and_is_the_same_every_time() {
    let arguments = ["--rate", "300", "--workers", "3..5", "--strategies", "late,random,least-loaded"];
    let table = stdout(&simulate(&arguments));
    assert!(table.contains("\nTake ") || table.contains("\nNothing here meets "), "{table}");
    assert!(table.contains("left out: 1.00 times the work that they can do"), "{table}");
    for policy in ["late", "random", "least-loaded", "bound"] {
        let rows = table.lines().filter(|line| line.contains(&format!("  {policy} ")));
        assert_eq!(rows.count(), 2, "{policy}:\n{table}");
    }
    assert_eq!(table, stdout(&simulate(&arguments)));
}

#[test]
fn json_has_the_evidence_of_the_recommendation() {
    let text = stdout(&simulate(&["--strategies", "late,random", "--fault", "slow:2", "--format", "json"]));
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    let results = value["results"].as_array().expect("a list");
    assert_eq!(results.len(), 3, "two and the bound");
    for result in results {
        let p99 = &result["responseMillis"]["p99"];
        assert!(p99["mean"].as_f64() > result["responseMillis"]["p50"]["mean"].as_f64());
        assert!(p99["halfWidth95"].as_f64().is_some());
        let shares = result["shareOfEachWorker"].as_array().expect("a list").iter();
        assert!((shares.filter_map(Value::as_f64).sum::<f64>() - 1.0).abs() < 1e-9);
    }
    assert_eq!(value["recommendation"]["strategy"], "late");
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.html");
    let path = path.to_str().expect("UTF-8");
    assert_eq!(stdout(&simulate(&["--strategies", "late", "--format", "html", "--out", path])), "");
    let page = fs::read_to_string(path).expect("it was written");
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains("<svg") && page.contains("<table"));
    for outside in ["http:", "https:", "src=", "href=", "url(", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_recording_is_a_workload() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pool.log");
    let path = path.to_str().expect("UTF-8");
    let recorded = simulate(&["--workers", "3", "--strategies", "late", "--record", path]);
    assert!(String::from_utf8_lossy(&recorded.stderr).contains("recorded a pool with 1100 tasks"));
    let table = stdout(&simulate(&["--recording", path, "--workers", "3..4", "--strategies", "late"]));
    assert!(table.starts_with("Recorded traffic: 1100 tasks"), "{table}");

    fs::write(path, b"no recording").expect("it can be written");
    let refused = simulate(&["--recording", path]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("can't be used"), "{refused:?}");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let refused = simulate(&["--workers", "2..4"]);
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(message.starts_with("error: ") && message.contains("--rate"), "{message}");
    assert_eq!(simulate(&["--mean", "10"]).status.code(), Some(2));
}
