//! Questions about history that take too long.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use quillwork_host::clock::unix_millis;
use quillwork_host::state::Medium;
use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
use tokio::time::timeout;

use crate::harness::{Host, PATIENCE, Setup};

const HOUR: u64 = 3_600_000;

/// Two hours of a series that ended two hours ago, sealed. Gives their beginning.
fn two_hours(data: &Path) -> u64 {
    let begin = unix_millis() / HOUR * HOUR - 4 * HOUR;
    let medium = Medium::directory(data).unwrap();
    let mut history = History::open(medium, HistoryOptions::default(), begin).unwrap();
    let spec = SeriesSpec {
        key: SeriesKey::plain("a").unwrap(),
        kind: SeriesKind::Gauge,
        unit: "count".into(),
        resolution: 1.0,
    };
    let id = history.add_series(spec).unwrap();
    for now in (begin..begin + 2 * HOUR).step_by(600_000) {
        history.append(now, now, &[(id, 1.0)]);
        history.commit().unwrap();
    }
    let over = begin + 2 * HOUR + 600_000;
    history.append(over, over, &[]);
    history.commit().unwrap();
    while !history.is_idle() {
        history.commit().unwrap();
    }
    begin
}

/// A pipe in the place of the first sealed hour: who reads it waits until somebody writes, at the latest when this is dropped.
struct Hung(PathBuf);

impl Hung {
    fn new(data: &Path) -> Self {
        let files = std::fs::read_dir(data.join("history")).unwrap().map(|entry| entry.unwrap().path());
        let is_sealed = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("tier0-");
        let first = files.filter(is_sealed).min().unwrap();
        let pipe = data.join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::rename(&pipe, &first).unwrap();
        Self(first)
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        // To open a pipe for both ends waits for nobody.
        let both = std::fs::OpenOptions::new().read(true).write(true).open(&self.0);
        both.expect("it lets go who waits");
    }
}

#[tokio::test]
async fn a_question_that_takes_too_long_is_refused_and_the_host_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let begin = two_hours(data.path());
    let medium = Medium::directory(data.path()).unwrap();
    let mut setup = Setup { medium: Some(medium), ..Setup::default() };
    setup.limits.query_timeout = Duration::from_millis(100);
    setup.limits.readings = 1;
    let host = Host::with(setup);
    let hung = Hung::new(data.path());

    let range = format!("from={begin}&to={}", begin + 2 * HOUR);
    let asked = format!("/api/v1/query?select=a&step=1000&{range}");
    let detail = host.get(&asked).await.problem(503, "query-timeout");
    assert!(detail.contains("shorter time") && detail.contains("limits.query_timeout"), "{detail}");
    // The thread that has come to the pipe still waits. Others are told in time, and the host measures on.
    let is_busy = async || host.get(&asked).await.json()["type"] == "/problems/busy";
    let held = async { while !is_busy().await {} };
    timeout(PATIENCE, held).await.expect("who hangs keeps its place");
    for path in [format!("/api/v1/series?name=a&{range}"), format!("/api/v1/export?select=a&{range}")] {
        let detail = host.get(&path).await.problem(503, "busy");
        assert!(detail.contains("limits.readings"), "{detail}");
    }
    host.tick(0.5).await;
    assert_eq!(host.get("/api/v1/snapshot").await.status, 200);

    drop(hung);
    let is_answered = async || host.get("/api/v1/query?select=host.cpu.total").await.status == 200;
    let answered = async { while !is_answered().await {} };
    timeout(PATIENCE, answered).await.expect("the place is free again when the disk answers");
}
