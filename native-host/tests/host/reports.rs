//! Reports over HTTP, by the command, and by the clock.

use std::path::Path;
use std::sync::Arc;

use quillwork_host::clock::{Now, unix_millis};
use quillwork_host::state::{Medium, State};
use quillwork_protocol::report::{BudgetState, Report};
use quillwork_store::history::HistoryOptions;

use crate::harness::{Host, batch, machine_at, sample_at};
use crate::process::{Said, get, run, start};

#[tokio::test]
async fn a_report_comes_in_three_forms_and_says_what_is_absent() {
    let host = Host::new();
    let start = host.unix_millis() / 1_000 * 1_000 - 60_000;
    for second in 0..60 {
        host.tick_with(machine_at(start + second * 1_000, Some(0.9))).await;
    }
    let answer = host.get(&format!("/api/v1/reports?compare=previous&to={}", start + 60_000)).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let report: Report = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(report.to_unix_millis - report.from_unix_millis, 86_400_000);
    let state = |name: &str| report.budgets.iter().find(|budget| budget.name == name).unwrap().state;
    assert_eq!((state("cpu"), state("memory")), (BudgetState::Missed, BudgetState::Kept));
    assert_eq!((state("response"), state("frames")), (BudgetState::NotObserved, BudgetState::NotObserved));
    assert!(report.pages.is_empty() && report.insights.missing.iter().any(|of| of.about == "correlations"));

    let samples = (0..50).map(|second| sample_at(start + second * 1_000, 3)).collect();
    assert_eq!(host.post(&batch("p1", 1, samples)).await.status, 204);
    let html = host.get("/api/v1/reports?last=600000&format=html").await;
    assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
    let policy = html.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(html.body.contains("Page p1") && html.body.contains("<svg"));

    let markdown = host.get("/api/v1/reports?last=600000&format=md").await;
    assert_eq!(markdown.header("content-type"), "text/markdown; charset=utf-8");
    assert!(markdown.body.contains("| Page p1 |"), "{}", markdown.body);
    assert!(
        host.get("/api/v1/reports?format=pdf").await.problem(400, "bad-query").contains("json, md or html")
    );
    let schedule = host.get("/api/v1/reports/schedule").await.json();
    assert_eq!(
        (&schedule["every"], &schedule["nextUnixMillis"], &schedule["error"]),
        (&"never".into(), &serde_json::Value::Null, &serde_json::Value::Null),
        "before anything has been looked at, too"
    );
}

/// The body of an answer as JSON.
fn json(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Ten minutes of a machine on each of three days.
pub(crate) fn measured(data: &Path) {
    let begin = unix_millis() / 1_000 * 1_000 - 3 * 86_400_000;
    let medium = Medium::directory(data).unwrap();
    let now = |after: u64| Now {
        monotonic: quillwork_core::time::Instant::from_millis(after),
        unix_millis: begin + after,
    };
    let mut state = State::new(now(0), "run".to_owned(), medium, HistoryOptions::default()).unwrap();
    for day in 0..3 {
        for second in 0..600 {
            let after = day * 86_400_000 + second * 1_000;
            state.handle_host(now(after), Arc::new(machine_at(begin + after, Some(0.25))));
        }
    }
    state.flush();
}

#[tokio::test]
async fn the_command_reports_on_what_a_host_has_left() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    measured(&data);
    let data = data.to_str().unwrap();
    let out = directory.path().join("report.html");
    let args =
        ["report", "--data-dir", data, "--last", "7d", "--format", "html", "--out", out.to_str().unwrap()];
    let (code, stdout, stderr) = run(&args).await;
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", ""));
    assert!(std::fs::read_to_string(&out).unwrap().contains("Processor in use"));

    let (code, json, stderr) = run(&["report", "--data-dir", data, "--last", "7d", "--format", "json"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let report: Report = serde_json::from_str(&json).unwrap();
    let cpu = report.machine.iter().find(|figure| figure.series == "host.cpu.total").unwrap();
    assert!((cpu.mean - 0.25).abs() < 1e-6, "{cpu:?}");
    assert_eq!(report.gaps.len(), 3, "between the days, and since: {:?}", report.gaps);

    let (code, _, stderr) = run(&["report", "--data-dir", "none"]).await;
    assert!(code == Some(1) && stderr.contains("--data-dir"), "{stderr}");
    let (code, _, stderr) = run(&["report", "--url", "http://127.0.0.1:1"]).await;
    assert!(code == Some(1) && stderr.contains("--url"), "{stderr}");
    let (code, _, stderr) = run(&["report", "--last", "5s"]).await;
    assert!(code == Some(2) && stderr.contains("a minute at least"), "{stderr}");
}

#[tokio::test]
async fn reports_are_written_by_the_clock_and_failures_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    measured(&data);
    let place = directory.path().join("reports");
    let set = format!("reports.directory={}", place.display());
    let data_text = data.to_str().unwrap().to_owned();
    let args =
        ["--data-dir", &data_text, "--set", "reports.every=day", "--set", "reports.format=md", "--set", &set];
    // The one that was due while no host ran is written when it starts.
    let (mut child, address) = start(&args).await;
    let mut said = Said::by(&mut child);
    said.line_with("the report of this day is").await;
    let schedule = json(&get(&address, "/api/v1/reports/schedule").await);
    let file = schedule["lastFile"].as_str().unwrap();
    let name = Path::new(file).file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("quillwork-day-2") && name.ends_with(".md"), "{name}");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("## Budgets") && text.contains("Processor in use"), "{text}");
    let files = std::fs::read_dir(&place).unwrap().count();
    assert_eq!(files, 1, "nothing unfinished is left");
    assert!(get(&address, "/metrics").await.contains("quillwork_reports_total 1"));
    child.kill().await.unwrap();

    // Where a file is in the way of the directory.
    let blocked = directory.path().join("blocked");
    std::fs::write(&blocked, "").unwrap();
    let set = format!("reports.directory={}", blocked.display());
    let args = ["--data-dir", &data_text, "--set", "reports.every=day", "--set", &set];
    let (mut child, address) = start(&args).await;
    let mut said = Said::by(&mut child);
    assert!(said.line_with("could not be written").await.contains("blocked"));
    assert!(get(&address, "/metrics").await.contains("quillwork_report_failures_total 1"));
    child.kill().await.unwrap();

    let (code, _, stderr) = run(&["serve", "--port", "0", "--set", "reports.every=day"]).await;
    assert!(code == Some(1) && stderr.contains("reports.directory"), "{stderr}");
    let (code, _, stderr) = run(&["serve", "--port", "0", "--set", "reports.at=noon"]).await;
    assert!(code == Some(1) && stderr.contains("06:00"), "{stderr}");
}
