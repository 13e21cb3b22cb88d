//! `/metrics`, read by a strict reader of both formats.

use std::collections::{BTreeMap, HashSet};

use axum::http::{HeaderValue, header};
use quillwork_protocol::host::{
    Battery, BlockDevice, Collector, Container, CpuModes, Disk, Fan, Gpu, Network, Pressure, Pressures,
    ProcessCounts, Stall, Temperature,
};

use crate::harness::{Host, batch, machine_at, request, sample_at, source};

/// A reader that refuses what a scraper may refuse: metadata twice or missing, families in pieces, a sample twice, names
/// and labels of other characters, values that aren't numbers, a missing end.
#[derive(Debug, Default)]
struct Exposition {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Exposition {
    fn parse(text: &str, is_open: bool) -> Self {
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "lines end with one line feed");
        let mut lines: Vec<&str> = text.lines().collect();
        if is_open {
            assert_eq!(lines.pop(), Some("# EOF"));
        }
        let mut parsed = Self::default();
        let mut current = String::new();
        let mut helped = HashSet::new();
        for line in lines {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(helped.insert(name.to_owned()) && !help.is_empty(), "help once: {line}");
                current = name.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, current, "the type stands below its help");
                assert!(["gauge", "counter"].contains(&kind));
                assert!(parsed.kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "type once: {line}");
            } else {
                parsed.sample(line, &current, is_open);
            }
        }
        parsed
    }

    fn sample(&mut self, line: &str, family: &str, is_open: bool) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
            None => (series, ""),
        };
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{line}");
        let is_counter = self.kinds[family] == "counter";
        let expected = if is_counter && is_open { format!("{family}_total") } else { family.to_owned() };
        assert_eq!(name, expected, "a sample stands in its family");
        assert_eq!(name.ends_with("_total"), is_counter, "{line}");
        check_labels(labels);
        let number: f64 = value.parse().unwrap();
        assert!(number.is_finite(), "{line}");
        assert!(self.samples.insert(series.to_owned(), number).is_none(), "a sample twice: {line}");
    }
}

fn check_labels(labels: &str) {
    let mut rest = labels;
    let mut names = HashSet::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{labels}");
        assert!(names.insert(name), "a label twice: {labels}");
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().expect("the value ends") {
                (_, '\\') => assert!(matches!(characters.next(), Some((_, '\\' | '"' | 'n')))),
                (at, '"') => break at,
                _ => {}
            }
        };
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

async fn scrape(host: &Host, accept: &str) -> (String, String) {
    let mut request = request("GET", "/metrics");
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
    let answer = host.ask(request).await;
    assert_eq!(answer.status, 200);
    (answer.header("content-type").to_owned(), answer.body)
}

async fn busy_host() -> Host {
    let host = Host::new();
    let mut page = batch("p1", 1, vec![sample_at(host.unix_millis(), 60)]);
    page.source = source("p1");
    page.source.name = "Ink \"quoted\" \\ back".to_owned();
    assert_eq!(host.post(&page).await.status, 204);
    let mut machine = machine_at(host.unix_millis(), Some(0.25));
    for (name, received) in [("eth0", 100), ("eth1", 200)] {
        machine.networks.push(Network {
            name: name.into(),
            received_bytes_total: received,
            ..Network::default()
        });
    }
    machine.disks.push(Disk { mount: "/a \"b\"\\c\nd".into(), total_bytes: 1 << 40, ..Disk::default() });
    host.tick_with(machine).await;
    host
}

#[tokio::test]
async fn both_formats_are_strictly_right_and_say_the_same() {
    let host = busy_host().await;
    let (old_type, old) = scrape(&host, "text/plain").await;
    let (open_type, open) = scrape(&host, "application/openmetrics-text;version=1.0.0").await;
    assert_eq!(old_type, "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(open_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let old = Exposition::parse(&old, false);
    let open = Exposition::parse(&open, true);
    assert_eq!(old.samples, open.samples);

    let value = |series: &str| old.samples.get(series).copied();
    assert_eq!(value("quillwork_host_cpu_usage_ratio"), Some(0.25));
    assert_eq!(value("quillwork_host_cpu_core_usage_ratio{core=\"1\"}"), Some(0.25));
    assert_eq!(value("quillwork_host_network_received_bytes_total{interface=\"eth1\"}"), Some(200.0));
    let disk =
        "quillwork_host_filesystem_size_bytes{mountpoint=\"/a \\\"b\\\"\\\\c\\nd\",device=\"\",fstype=\"\"}";
    assert_eq!(value(disk), Some(1_099_511_627_776.0));
    let page = "page=\"p1\",name=\"Ink \\\"quoted\\\" \\\\ back\"";
    assert_eq!(value(&format!("quillwork_page_up{{{page}}}")), Some(1.0));
    assert_eq!(value(&format!("quillwork_page_frames_per_second{{{page}}}")), Some(60.0));
    let p95 = value(&format!("quillwork_page_response_p95_seconds{{{page}}}")).unwrap();
    assert!((p95 - 0.010).abs() < 0.000_2, "{p95}");
    assert_eq!(value("quillwork_alert_level{rule=\"host-cpu\",subject=\"host\"}"), Some(0.0));
    assert_eq!(value("quillwork_batches_total"), Some(1.0));
}

#[tokio::test]
async fn a_scrape_is_of_the_last_tick_and_measures_nothing() {
    let host = Host::new();
    let (_, before) = scrape(&host, "*/*").await;
    assert!(!Exposition::parse(&before, false).samples.contains_key("quillwork_host_cpu_usage_ratio"));
    host.tick(0.5).await;
    let (_, first) = scrape(&host, "*/*").await;
    let (_, second) = scrape(&host, "*/*").await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn what_was_not_observed_is_absent() {
    let host = Host::new();
    host.tick_with(machine_at(host.unix_millis(), None)).await;
    let (_, text) = scrape(&host, "*/*").await;
    let parsed = Exposition::parse(&text, false);
    assert!(!text.contains("quillwork_host_cpu_usage_ratio"), "{text}");
    assert!(parsed.samples.contains_key("quillwork_host_memory_size_bytes"));
}

#[tokio::test]
async fn a_hidden_page_is_up_and_has_no_current_figures() {
    let host = Host::new();
    for (sequence, visible) in [(1, true), (2, false)] {
        let mut sample = sample_at(host.unix_millis(), 3);
        sample.visible = visible;
        assert_eq!(host.post(&batch("p1", sequence, vec![sample])).await.status, 204);
        host.tick(0.5).await;
        let (_, text) = scrape(&host, "").await;
        let page = "{page=\"p1\",name=\"Page p1\"}";
        assert!(text.contains(&format!("\nquillwork_page_up{page} 1\n")), "{text}");
        assert_eq!(text.contains(&format!("\nquillwork_page_pool_workers{page} 2\n")), visible, "{text}");
    }
}

/// Names of devices are chosen by others.
#[tokio::test]
async fn all_hardware_with_hostile_names_is_strictly_right() {
    const NAME: &str = "a\"b\\c\nd} 1 # HELP x";
    let host = Host::new();
    let mut machine = machine_at(host.unix_millis(), Some(0.5));
    machine.cpu.mode_seconds_total = Some(CpuModes { steal: 2.5, ..CpuModes::default() });
    machine.cpu.core_hertz = vec![Some(2e9), None];
    let stall = Stall { seconds_total: 1.5, ..Stall::default() };
    machine.pressure =
        Some(Pressures { io: Some(Pressure { some: stall, full: None }), ..Pressures::default() });
    machine.block_devices =
        vec![BlockDevice { name: NAME.into(), read_await_millis: Some(5.0), ..BlockDevice::default() }];
    machine.temperatures = ["x", NAME]
        .map(|device| Temperature {
            label: NAME.into(),
            device: device.into(),
            celsius: Some(41.5),
            ..Temperature::default()
        })
        .into();
    machine.fans = vec![Fan { label: NAME.into(), rpm: Some(0.0), ..Fan::default() }];
    machine.batteries = vec![Battery { name: "BAT0".into(), level_ratio: Some(0.5), ..Battery::default() }];
    machine.gpus = vec![Gpu { device: "0000:03:00.0".into(), watts: Some(99.0), ..Gpu::default() }];
    machine.containers = vec![Container { name: NAME.into(), memory_bytes: Some(7), ..Container::default() }];
    machine.process_counts = Some(ProcessCounts { zombies: 3, ..ProcessCounts::default() });
    machine.sampler.collectors =
        vec![Collector { name: "cpu".into(), succeeded: true, ..Collector::default() }];
    host.tick_with(machine).await;

    let (_, old) = scrape(&host, "text/plain").await;
    let (_, open) = scrape(&host, "application/openmetrics-text;version=1.0.0").await;
    let old = Exposition::parse(&old, false);
    assert_eq!(old.samples, Exposition::parse(&open, true).samples);
    let escaped = "a\\\"b\\\\c\\nd} 1 # HELP x";
    for (series, expected) in [
        ("quillwork_host_cpu_seconds_total{mode=\"steal\"}".to_owned(), Some(2.5)),
        ("quillwork_host_cpu_frequency_hertz{core=\"0\"}".to_owned(), Some(2e9)),
        ("quillwork_host_cpu_frequency_hertz{core=\"1\"}".to_owned(), None),
        (
            "quillwork_host_pressure_stalled_seconds_total{resource=\"io\",kind=\"some\"}".to_owned(),
            Some(1.5),
        ),
        ("quillwork_host_pressure_stalled_seconds_total{resource=\"io\",kind=\"full\"}".to_owned(), None),
        (format!("quillwork_host_disk_read_await_seconds{{device=\"{escaped}\"}}"), Some(0.005)),
        (format!("quillwork_host_temperature_celsius{{sensor=\"{escaped}\",device=\"x\"}}"), Some(41.5)),
        (format!("quillwork_host_fan_rpm{{sensor=\"{escaped}\",device=\"\"}}"), Some(0.0)),
        ("quillwork_host_battery_level_ratio{battery=\"BAT0\"}".to_owned(), Some(0.5)),
        ("quillwork_host_gpu_power_watts{gpu=\"0000:03:00.0\",name=\"\"}".to_owned(), Some(99.0)),
        ("quillwork_host_processes{state=\"zombie\"}".to_owned(), Some(3.0)),
        ("quillwork_collector_success{collector=\"cpu\"}".to_owned(), Some(1.0)),
    ] {
        assert_eq!(old.samples.get(&series).copied(), expected, "{series}");
    }
}

/// Runs a tool on this text; none where the tool isn't there.
fn judged(mut tool: std::process::Command, text: &str) -> Option<(bool, String)> {
    use std::io::Write as _;
    use std::process::Stdio;

    let piped = tool.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[tokio::test]
async fn the_scrapers_own_tools_find_nothing_wrong() {
    use std::process::Command;

    let host = busy_host().await;
    let (_, old) = scrape(&host, "text/plain").await;
    let (_, open) = scrape(&host, "application/openmetrics-text;version=1.0.0").await;
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]);
    match judged(promtool, &old) {
        Some((is_right, said)) => assert!(is_right && said.is_empty(), "{said}"),
        None => eprintln!("skipped: promtool (Debian: prometheus) isn't there"),
    }
    let python = || Command::new(std::env::var_os("QUILLWORK_PYTHON").unwrap_or_else(|| "python3".into()));
    let mut has_client = python();
    has_client.args(["-c", "import prometheus_client"]);
    if judged(has_client, "").is_none_or(|(is_there, _)| !is_there) {
        eprintln!("skipped: QUILLWORK_PYTHON has no prometheus_client");
        return;
    }
    let mut parser = python();
    parser.args(["-c", PARSE]);
    let (is_right, said) = judged(parser, &open).unwrap();
    assert!(is_right, "{said}");
}

/// The parser is of OpenMetrics 1.0 and refuses what it doesn't allow.
const PARSE: &str = "\
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
assert len(families) > 10, families
";
