//! History over HTTP.

use axum::http::header;
use quillwork_protocol::page::{Latency, TaskTypeRuns};
use serde_json::json;

use crate::harness::{Host, batch, machine_at, sample_at};

#[tokio::test]
async fn the_catalogue_lists_what_has_values() {
    let host = Host::new();
    assert_eq!(host.get("/api/v1/series").await.json(), json!({ "series": [] }));
    host.tick(0.25).await;
    assert_eq!(host.post(&batch("p1", 1, vec![sample_at(host.unix_millis(), 3)])).await.status, 204);

    let catalogue = host.get("/api/v1/series").await.json();
    let series = catalogue["series"].as_array().unwrap();
    let names: Vec<_> = series.iter().map(|series| series["series"].as_str().unwrap()).collect();
    for name in [
        "host.cpu.total",
        "host.cpu.core{core=\"1\"}",
        "host.load.15m",
        "host.memory.used",
        "page.fps{source=\"p1\"}",
        "page.response_p95{source=\"p1\"}",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert!(!names.contains(&"host.swap.used"), "there is no swap");
    let cpu = series.iter().find(|series| series["name"] == "host.cpu.total").unwrap();
    assert_eq!((cpu["unit"].as_str(), cpu["kind"].as_str()), (Some("ratio"), Some("gauge")));
    let core = series.iter().find(|series| series["series"] == "host.cpu.core{core=\"1\"}").unwrap();
    assert_eq!((&core["name"], &core["labels"]), (&json!("host.cpu.core"), &json!({ "core": "1" })));
    assert_eq!((cpu["stepMillis"].as_u64(), cpu["resolution"].as_f64()), (Some(1_000), Some(0.001)));
}

#[tokio::test]
async fn run_times_of_a_pages_task_types_are_kept_and_bounded() {
    let host = Host::new();
    host.tick(0.25).await;
    let at = host.unix_millis();
    let of = |task_type: &str, count: u64| TaskTypeRuns {
        task_type: task_type.to_owned(),
        runs: Latency { count, relative_accuracy: 0.01, zeros: count, ..Latency::default() },
    };
    // A page that makes up types without end.
    for batch_number in 0_u32..4 {
        let mut sample = sample_at(at, 3);
        sample.task_types = (0..33).map(|n| of(&format!("type {}", 33 * batch_number + n), 2)).collect();
        assert_eq!(host.post(&batch("p1", u64::from(batch_number) + 1, vec![sample])).await.status, 204);
    }
    let catalogue = host.get("/api/v1/series").await.json();
    let series = catalogue["series"].as_array().unwrap();
    let types: Vec<_> = series.iter().filter(|series| series["name"] == "page.task.duration").collect();
    assert_eq!(types.len(), 33);
    assert_eq!((&types[0]["kind"], &types[0]["unit"]), (&json!("sketch"), &json!("millis")));
    assert_eq!(types[0]["labels"], json!({ "source": "p1", "task_type": "type 0" }));
    let (from, to) = (at - 5_000, at + 2_000);
    let path = format!("/api/v1/query?select=page.task.duration&function=count&group=&step={}", to - from);
    let answer = host.get(&format!("{path}&from={from}&to={to}")).await.json();
    let values = answer["lines"][0]["values"].as_array().unwrap();
    let counts: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
    assert_eq!(counts, [&json!(66.0)], "those beyond the bound are not kept");
}

#[tokio::test]
async fn the_catalogue_can_be_had_in_pages() {
    let host = Host::new();
    host.tick(0.25).await;
    let whole = host.get("/api/v1/series").await.json();
    let whole = whole["series"].as_array().unwrap();
    let (mut gathered, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.get(&format!("/api/v1/series?limit=3{cursor}")).await.json();
        let series = page["series"].as_array().unwrap();
        assert!((1..=3).contains(&series.len()));
        gathered.extend(series.iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                assert_eq!(page.get("nextCursor"), Some(&serde_json::Value::Null), "{page}");
                break;
            }
        }
    }
    assert_eq!(&gathered, whole, "each once, in the same order");
    assert!(gathered.len() > 6);
    host.get("/api/v1/series?cursor=%21").await.problem(400, "bad-query");
}

#[tokio::test]
async fn values_stand_on_their_step_and_gaps_stay_gaps() {
    let host = Host::new();
    let second = host.unix_millis() / 1_000 * 1_000 - 10_000;
    for (after, cpu) in [(0, 0.125), (1_000, 0.25), (4_000, 0.5)] {
        host.tick_with(machine_at(second + after, Some(cpu))).await;
    }
    let query = format!("name=host.cpu.total&from={second}&to={}", second + 5_000);
    let answer = host.get(&format!("/api/v1/series?{query}")).await;
    assert_eq!(answer.header(header::CACHE_CONTROL.as_str()), "no-store");
    let answer = answer.json();
    assert!(answer["serverUnixMillis"].as_u64().unwrap() >= second);
    let cpu = &answer["series"][0];
    assert_eq!(cpu["startUnixMillis"], second);
    assert_eq!(cpu["values"], json!([0.125, 0.25, null, null, 0.5]));

    let coarse = host.get(&format!("/api/v1/series?{query}&max_points=1")).await.json();
    let values = coarse["series"][0]["values"].as_array().unwrap();
    assert_eq!(values.len(), 1);
    assert!((values[0].as_f64().unwrap() - 0.875 / 3.0).abs() < 0.001, "the mean of what is there");
    assert!(coarse["series"][0]["stepMillis"].as_u64().unwrap() >= 5_000);
}

#[tokio::test]
async fn samples_of_a_page_that_was_away_go_where_they_belong() {
    let host = Host::new();
    let now = host.unix_millis();
    // The page's clock is a day ahead; it kept five samples while the host was away.
    let ahead = 86_400_000;
    let samples = (0..5).map(|n| sample_at(now + ahead - (4 - n) * 1_000, 1)).collect();
    assert_eq!(host.post(&batch("p1", 1, samples)).await.status, 204);
    let (from, to) = (now - 8_000, host.unix_millis() + 1_000);
    let path = format!("/api/v1/series?name=page.fps%7Bsource=%22p1%22%7D&from={from}&to={to}");
    let answer = host.get(&path).await.json();
    let values = answer["series"][0]["values"].as_array().unwrap();
    let present = values.iter().filter(|value| value.as_f64() == Some(60.0)).count();
    assert_eq!(present, 5, "{values:?}");
}

#[tokio::test]
async fn an_unknown_series_or_parameter_is_named() {
    let host = Host::new();
    host.tick(0.25).await;
    let detail = host.get("/api/v1/series?name=host.cpu.total&name=host.cpu").await.problem(404, "not-found");
    assert!(detail.contains("host.cpu;"), "{detail}");
    let detail = host.get("/api/v1/series?names=host.cpu.total").await.problem(400, "bad-query");
    assert!(detail.contains("`names`"), "{detail}");
    let detail = host.get("/api/v1/series?name=host.cpu.total&from=2&to=1").await.problem(400, "bad-query");
    assert!(detail.contains("before"), "{detail}");
}

#[tokio::test]
async fn questions_are_answered_over_what_is_selected() {
    let host = Host::new();
    let second = host.unix_millis() / 1_000 * 1_000 - 20_000;
    for after in 0..20 {
        let cpu = if after == 7 { 0.9 } else { 0.1 };
        host.tick_with(machine_at(second + after * 1_000, Some(cpu))).await;
    }
    let range = format!("from={second}&to={}", second + 20_000);
    let answer = host
        .get(&format!("/api/v1/query?select=host.cpu.total&{range}&step=20000&function=max"))
        .await
        .json();
    let highest = answer["lines"][0]["values"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .fold(0.0, f64::max);
    assert!((highest - 0.9).abs() < 1e-9, "{answer}");
    let cores = host
        .get(&format!("/api/v1/query?select=host.cpu.core%7Bcore!=%220%22%7D&{range}&group=&join=count"))
        .await
        .json();
    assert_eq!((cores["lines"].as_array().unwrap().len(), &cores["lines"][0]["labels"]), (1, &json!({})));
    let spikes = host
        .get(&format!("/api/v1/query?select=host.cpu.total&{range}&shape=spikes&max_points=4"))
        .await
        .json();
    let points = spikes["lines"][0]["points"].as_array().unwrap();
    assert!(points.len() <= 4 && points.contains(&json!([second + 7_000, 0.9])), "{spikes}");

    let detail = host.get("/api/v1/query?select=no.such").await.problem(404, "not-found");
    assert!(detail.contains("/api/v1/series"), "{detail}");
    let detail =
        host.get("/api/v1/query?select=host.cpu.total&function=rate").await.problem(400, "bad-query");
    assert!(detail.contains("avg"), "{detail}");
}

#[tokio::test]
async fn series_are_exported_as_files() {
    let host = Host::new();
    let second = host.unix_millis() / 1_000 * 1_000 - 10_000;
    host.tick_with(machine_at(second, Some(0.25))).await;
    let range = format!("from={second}&to={}", second + 5_000);
    let csv = host.get(&format!("/api/v1/export?select=host.cpu.total&{range}")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.body, format!("series,unit,unix_millis,value\r\nhost.cpu.total,ratio,{second},0.25\r\n"));
    let json = host.get(&format!("/api/v1/export?select=host.cpu.total&{range}&format=json")).await.json();
    assert_eq!(json[0]["values"], json!([[second, 0.25]]));
    let text = host.get(&format!("/api/v1/export?select=host.cpu.total&{range}&format=prometheus")).await;
    assert!(
        text.body.starts_with("# TYPE host_cpu_total gauge\nhost_cpu_total 0.25 ")
            && text.body.ends_with(&format!(" {second}\n")),
        "{text:?}"
    );
    let text = host.get(&format!("/api/v1/export?select=host.cpu.total&{range}&format=openmetrics")).await;
    assert!(text.body.ends_with(".000\n# EOF\n"), "{text:?}");
    assert!(text.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    let detail = host.get("/api/v1/export?select=host.cpu.total&format=xml").await.problem(400, "bad-query");
    assert!(detail.contains("csv, json, prometheus or openmetrics"), "{detail}");
}
