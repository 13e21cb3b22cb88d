//! Insights over HTTP.

use std::sync::Arc;

use quillwork_core::time::Instant;
use quillwork_host::clock::{Now, unix_millis};
use quillwork_host::state::{Medium, State};
use quillwork_protocol::host::{BlockDevice, Disk, HostSnapshot, Network};
use quillwork_protocol::insights::{Insights, LimitKind, LimitSign, TrendState};
use quillwork_store::history::HistoryOptions;

use crate::harness::{Host, batch, machine_at, sample_at};
use crate::process::{get, run, start};

/// A machine whose disk is what everything waits for.
fn waiting(at_unix_millis: u64) -> HostSnapshot {
    let device = BlockDevice {
        name: "sda".into(),
        busy_ratio: Some(0.99),
        queue: Some(9.0),
        ..BlockDevice::default()
    };
    let disk = Disk { mount: "/".into(), total_bytes: 1_000, available_bytes: 400, ..Disk::default() };
    let network = Network {
        name: "eth0".into(),
        speed_bits_per_second: Some(8_000),
        received_bytes_per_second: Some(990.0),
        sent_bytes_per_second: Some(1.0),
        ..Network::default()
    };
    HostSnapshot {
        block_devices: vec![device],
        disks: vec![disk],
        networks: vec![network],
        ..machine_at(at_unix_millis, Some(0.3))
    }
}

#[tokio::test]
async fn what_limits_the_machine_is_told_with_its_evidence() {
    let host = Host::new();
    let start = host.unix_millis() / 1_000 * 1_000 - 120_000;
    for second in 0..120 {
        host.tick_with(waiting(start + second * 1_000)).await;
    }
    let samples = (0..100).map(|second| sample_at(start + second * 1_000, 4)).collect();
    assert_eq!(host.post(&batch("p1", 1, samples)).await.status, 204);

    let answer = host.get("/api/v1/insights").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let found: Insights = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(found.to_unix_millis - found.from_unix_millis, 900_000);
    let named: Vec<_> =
        found.bottlenecks.iter().map(|of| (of.resource, of.subject.as_str(), of.sign)).collect();
    assert_eq!(
        named,
        [
            (LimitKind::Disk, "sda", LimitSign::Saturation),
            (LimitKind::Network, "eth0", LimitSign::Utilisation)
        ],
        "the speed of the link is known: {found:?}"
    );
    assert!(found.bottlenecks[0].over_millis >= 118_000, "{found:?}");
    let disk = found.trends.iter().find(|trend| trend.subject == "/").unwrap();
    assert_eq!((disk.state, disk.full.clone()), (TrendState::TooFew, None));
    // Four tasks a second of 10 ms, of which none had to wait.
    let page = &found.capacity[0];
    assert_eq!((page.source.as_str(), page.source_name.as_str()), ("p1", "Page p1"));
    assert_eq!((page.workers, page.advised_workers), (Some(2), Some(1)), "{page:?}");
    let about: Vec<_> = found.missing.iter().map(|missing| missing.about.as_str()).collect();
    assert_eq!(about, ["correlations"], "100 s of a page are too few: {:?}", found.missing);

    // Of an earlier time nothing is known, and that is said.
    let path = format!("/api/v1/insights?from={}&to={}", start - 500_000, start - 400_000);
    let found: Insights = serde_json::from_str(&host.get(&path).await.body).unwrap();
    assert!(found.bottlenecks.is_empty() && found.trends.is_empty() && found.capacity.is_empty());
    let about: Vec<_> = found.missing.iter().map(|missing| missing.about.as_str()).collect();
    assert_eq!(about, ["bottlenecks", "trends", "correlations", "capacity"]);
}

#[tokio::test]
async fn a_range_that_can_not_be_is_refused() {
    let host = Host::new();
    assert!(host.get("/api/v1/insights?from=9&to=5").await.problem(400, "bad-query").contains("before"));
    assert!(host.get("/api/v1/insights?from=5").await.problem(400, "bad-query").contains("a day apart"));
    assert!(host.get("/api/v1/insights?since=5").await.problem(400, "bad-query").contains("`since`"));
}

#[tokio::test]
async fn a_page_that_is_gone_is_named_as_people_called_it_even_by_another_run_of_the_host() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let begin = unix_millis() / 1_000 * 1_000 - 200_000;
    let now =
        |millis| Now { monotonic: Instant::from_millis(7_200_000 + millis), unix_millis: begin + millis };
    let medium = Medium::directory(directory.path()).unwrap();
    let mut state = State::new(now(0), "run".to_owned(), medium, HistoryOptions::default()).unwrap();
    for second in 0..120 {
        state.handle_host(now(second * 1_000), Arc::new(machine_at(begin + second * 1_000, Some(0.3))));
        let mut named = batch("p1", second + 1, vec![sample_at(begin + second * 1_000, 4)]);
        named.source.name = "Ann's Story".to_owned();
        state.handle_batch(now(second * 1_000), named).unwrap();
    }
    state.flush();
    drop(state);

    let (code, report, stderr) = run(&["report", "--data-dir", data, "--last", "1h"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(report.contains("Ann's Story") && !report.contains("p1"), "{report}");
    let (_host, address) = start(&["--data-dir", data]).await;
    let answer = get(&address, "/api/v1/insights").await;
    assert!(
        answer.contains("\"sourceName\":\"Ann's Story\"") && !answer.contains("\"sourceName\":\"p1\""),
        "{answer}"
    );
    let report = get(&address, "/api/v1/reports?last=3600000&format=md").await;
    assert!(report.contains("Ann's Story"), "{report}");
}
