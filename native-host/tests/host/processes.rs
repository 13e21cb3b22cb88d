//! `/api/v1/processes`.

use quillwork_protocol::host::{Process, ProcessCounts, ProcessGroup};

use crate::harness::{Host, machine_at};

fn process(pid: u32, name: &str, cpu: f64, memory_bytes: u64, written: f64) -> Process {
    Process {
        pid,
        name: name.to_owned(),
        cpu_of_core_ratio: Some(cpu),
        memory_bytes,
        written_bytes_per_second: Some(written),
        ..Process::default()
    }
}

async fn host() -> Host {
    let host = Host::new();
    let mut machine = machine_at(1_800_000_000_000, Some(0.5));
    machine.processes = vec![
        process(1, "busy", 1.5, 10, 0.0),
        process(2, "<script>alert(1)</script>", 0.1, 1_000, 0.0),
        process(3, "writer", 0.2, 20, 9.0),
    ];
    machine.process_groups =
        vec![ProcessGroup { name: "busy".to_owned(), processes: 4, ..ProcessGroup::default() }];
    machine.process_counts = Some(ProcessCounts { total: 97, ..ProcessCounts::default() });
    host.tick_with(machine).await;
    host
}

#[tokio::test]
async fn processes_come_in_the_order_asked_for() {
    let host = host().await;
    for (query, expected) in [
        ("", vec![1, 3, 2]),
        ("?sort=cpu&limit=1", vec![1]),
        ("?sort=memory", vec![2, 3, 1]),
        ("?sort=io", vec![3, 1, 2]),
    ] {
        let answer = host.get(&format!("/api/v1/processes{query}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
        let list = answer.json();
        let pids: Vec<_> =
            list["processes"].as_array().unwrap().iter().map(|p| p["pid"].as_u64().unwrap()).collect();
        assert_eq!(pids, expected, "{query}");
        assert_eq!(
            (list["counts"]["total"].as_u64(), list["groups"][0]["processes"].as_u64()),
            (Some(97), Some(4))
        );
    }
}

#[tokio::test]
async fn before_the_first_tick_there_is_none_and_a_wrong_query_is_said() {
    let host = Host::new();
    let list = host.get("/api/v1/processes").await.json();
    assert_eq!((list["atUnixMillis"].is_null(), list["processes"].as_array().unwrap().len()), (true, 0));
    for (query, named) in
        [("sort=name", "cpu, memory or io"), ("limit=0", "1 to 100"), ("top=3", "sort and limit")]
    {
        let detail = host.get(&format!("/api/v1/processes?{query}")).await.problem(400, "bad-query");
        assert!(detail.contains(named), "{detail}");
    }
}
