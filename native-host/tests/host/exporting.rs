//! Metrics sent on by a real host, to receivers of others and of our own.

use std::future::Future;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use quillwork_host::clock::unix_millis;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::harness::{PATIENCE, SECRET, batch, sample_at};
use crate::process::{Port, Said, get, post, run, signal, start};

/// Asks again and again until there is an answer.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("never: {what}"))
}

async fn json(address: &str, path: &str) -> Option<Value> {
    let answer = get(address, path).await;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        // One chunk after its length.
        let (_, rest) = body.split_once("\r\n")?;
        return serde_json::from_str(rest.rsplit_once("\r\n0\r\n").map_or(rest, |(chunk, _)| chunk)).ok();
    }
    serde_json::from_str(body).ok()
}

/// The sample of this line of `/metrics`.
async fn metric(address: &str, line: &str) -> Option<f64> {
    let text = get(address, "/metrics").await;
    text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
}

fn prometheus(directory: &Path, port: &str) -> Option<Child> {
    let config = directory.join("prometheus.yml");
    std::fs::write(&config, "global: {}\n").unwrap();
    Command::new("prometheus")
        .arg("--web.enable-remote-write-receiver")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()
}

#[tokio::test]
async fn prometheus_takes_remote_write_and_answers_the_same_values() {
    let directory = tempfile::tempdir().unwrap();
    let port = Port::free();
    let Some(_prometheus) = prometheus(directory.path(), &port.number) else {
        eprintln!("skipped: prometheus (Debian: prometheus) isn't there");
        return;
    };
    let receiver = format!("127.0.0.1:{}", port.number);
    until("prometheus is ready", || async {
        let answer = tokio::net::TcpStream::connect(&receiver).await.ok()?;
        drop(answer);
        get(&receiver, "/-/ready").await.contains("200 OK").then_some(())
    })
    .await;
    let url = format!("export.remote_write.url=http://{receiver}/api/v1/write");
    let (_host, address) = start(&["--set", &url, "--set", "export.remote_write.interval=1s"]).await;
    let query = "/api/v1/query?query=quillwork_host_memory_used_ratio[5m]";
    let series = until("three values are there", || async {
        let answer = json(&receiver, query).await?;
        let series = answer["data"]["result"].get(0)?.clone();
        (series["values"].as_array()?.len() >= 3).then_some(series)
    })
    .await;
    assert_eq!(series["metric"]["job"], "quillwork");
    assert!(series["metric"]["instance"].as_str().is_some_and(|name| !name.is_empty()));
    let ours = json(&address, "/api/v1/series?name=host.memory.used").await.unwrap();
    let ours = &ours["series"][0];
    let begin = ours["startUnixMillis"].as_u64().unwrap();
    for value in series["values"].as_array().unwrap() {
        let at = value[0].as_f64().unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds")]
        let second = (at * 1_000.0) as u64 - 1_000;
        let place = usize::try_from((second - begin) / 1_000).unwrap();
        let theirs: f64 = value[1].as_str().unwrap().parse().unwrap();
        assert_eq!(ours["values"][place].as_f64(), Some(theirs), "of the second before {at}");
    }
    let sent = until("what was sent is counted", || {
        metric(&address, "quillwork_export_samples_total{to=\"remote_write\",outcome=\"sent\"}")
    })
    .await;
    assert!(sent > 0.0);
    assert_eq!(
        metric(&address, "quillwork_export_samples_total{to=\"remote_write\",outcome=\"refused\"}").await,
        Some(0.0)
    );
}

#[tokio::test]
async fn another_host_takes_otlp_with_a_token_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let token = file("token", SECRET);
    let headers = file("headers", &format!("# for the receiver\nAuthorization: Bearer {SECRET}\n"));
    let (_receiver, receiver) = start(&["--token-file", &token]).await;
    let (_sender, sender) = start(&[
        "--set",
        &format!("export.otlp.url=http://{receiver}/v1/metrics"),
        "--set",
        &format!("export.otlp.headers_file={headers}"),
        "--set",
        "export.otlp.interval=1s",
        "--set",
        "export.otlp.prefix=edge.",
        "--set",
        "export.otlp.select=host.memory.used,host.cpu.core",
    ])
    .await;
    let bearer = format!("Authorization: Bearer {SECRET}\r\n");
    let list = until("the receiver has the series", || async {
        let answer = crate::process::get_with(&receiver, "/api/v1/series", &bearer).await;
        let names = ["edge.host.memory.used", "edge.host.cpu.core"];
        names.iter().all(|name| answer.contains(name)).then_some(answer)
    })
    .await;
    assert!(!list.contains("edge.host.load") && !list.contains("edge.host.disk"), "only what is selected");
    assert!(list.contains("otlp/quillwork/"), "{list}");
    until("what was sent is counted", || async {
        metric(&sender, "quillwork_export_samples_total{to=\"otlp\",outcome=\"sent\"}")
            .await
            .filter(|sent| *sent > 0.0)
    })
    .await;
    let shown = get(&sender, "/api/v1/config").await;
    assert!(!shown.contains(SECRET), "a secret is shown nowhere");
}

/// A receiver that gives one answer.
struct Answering {
    end: oneshot::Sender<()>,
    serving: JoinHandle<TcpListener>,
}

impl Answering {
    /// Leaves whoever asks from now on to who listens next.
    async fn end(self) -> TcpListener {
        self.end.send(()).unwrap();
        timeout(PATIENCE, self.serving).await.unwrap().unwrap()
    }
}

/// Answers every request so, until it is told to end.
async fn answering(answer: &'static str) -> (Answering, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (end, mut ended) = oneshot::channel();
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = tokio::select! {
                asked = listener.accept() => asked.unwrap(),
                _ = &mut ended => return listener,
            };
            let mut request = [0; 16 << 10];
            // Enough to know that somebody asks; what follows is not read.
            let _read = stream.read(&mut request).await;
            let _written = stream.write_all(answer.as_bytes()).await;
            let _ended = stream.shutdown().await;
            while matches!(stream.read(&mut request).await, Ok(1..)) {}
        }
    });
    (Answering { end, serving }, address)
}

#[tokio::test]
async fn what_a_receiver_refuses_is_counted_and_raises_an_alert() {
    let (_serving, receiver) =
        answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 8\r\nConnection: close\r\n\r\nno token")
            .await;
    let url = format!("export.otlp.url=http://{receiver}/v1/metrics");
    let (_host, address) = start(&["--set", &url, "--set", "export.otlp.interval=1s"]).await;
    let firing = until("the alert fires", || async {
        let alerts = json(&address, "/api/v1/alerts?firing=true").await?;
        alerts.as_array()?.iter().find(|alert| alert["rule"] == "host-export-lost").cloned()
    })
    .await;
    assert_eq!((&firing["state"], &firing["labels"]["to"]), (&"warning".into(), &"otlp".into()));
    assert!(
        metric(&address, "quillwork_export_samples_total{to=\"otlp\",outcome=\"refused\"}").await.unwrap()
            > 0.0
    );
    assert_eq!(
        metric(&address, "quillwork_export_failures_total{to=\"otlp\"}").await,
        Some(0.0),
        "it is not tried again"
    );
}

#[tokio::test]
async fn a_receiver_that_is_away_holds_nothing_up_and_gets_all_when_it_is_back() {
    let (serving, receiver) =
        answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let url = format!("export.remote_write.url=http://{receiver}/api/v1/write");
    let (_host, address) = start(&["--set", &url, "--set", "export.remote_write.interval=1s"]).await;
    until("some wait", || async {
        let queued = metric(&address, "quillwork_export_queued_samples{to=\"remote_write\"}").await?;
        let failures = metric(&address, "quillwork_export_failures_total{to=\"remote_write\"}").await?;
        (queued > 0.0 && failures > 0.0).then_some(())
    })
    .await;
    let sequence = || async { json(&address, "/api/v1/snapshot").await?["sequence"].as_u64() };
    let before = sequence().await.unwrap();
    until("the host goes on", || async { sequence().await.filter(|now| *now > before + 1) }).await;

    let listener = serving.end().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 1 << 20];
            let _read = stream.read(&mut request).await;
            let _written = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
            let _ended = stream.shutdown().await;
            while matches!(stream.read(&mut request).await, Ok(1..)) {}
        }
    });
    until("all is sent", || async {
        let queued = metric(&address, "quillwork_export_queued_samples{to=\"remote_write\"}").await?;
        let sent =
            metric(&address, "quillwork_export_samples_total{to=\"remote_write\",outcome=\"sent\"}").await?;
        (queued == 0.0 && sent > 0.0).then_some(())
    })
    .await;
    assert_eq!(
        metric(&address, "quillwork_export_samples_total{to=\"remote_write\",outcome=\"dropped\"}").await,
        Some(0.0)
    );
}

#[tokio::test]
async fn what_can_not_be_sent_to_is_said_before_the_host_starts() {
    let directory = tempfile::tempdir().unwrap();
    let headers = directory.path().join("headers");
    std::fs::write(&headers, "no header").unwrap();
    std::fs::set_permissions(&headers, std::fs::Permissions::from_mode(0o600)).unwrap();
    let headers = format!("export.otlp.headers_file={}", headers.display());
    let url = "export.otlp.url=http://127.0.0.1:1/v1/metrics";
    for (options, word) in [
        (["export.otlp.url=collector:4318", url], "https://example.org"),
        ([url, "export.otlp.select=host.cpu.total{"], "export.otlp: select"),
        ([url, "export.otlp.interval=1500ms"], "whole seconds"),
        ([url, "export.otlp.prefix=a b"], "prefix"),
        ([url, &headers], "line 1"),
    ] {
        let arguments = ["check", "--set", options[0], "--set", options[1]];
        let options = if word == "https://example.org" { &arguments[..3] } else { &arguments[..] };
        let (code, _, stderr) = run(options).await;
        assert!(code == Some(1) && stderr.contains(word), "{options:?}: {stderr}");
    }
}

/// Takes every request whole, and tells the body of each.
async fn taking(listener: TcpListener, told: tokio::sync::mpsc::UnboundedSender<Vec<u8>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut request) = (Vec::new(), vec![0; 1 << 20]);
        let (body, length) = loop {
            let count = stream.read(&mut request).await.unwrap();
            read.extend_from_slice(&request[..count]);
            let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let text = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            break (head + 4, length.unwrap().trim().parse::<usize>().unwrap());
        };
        while read.len() < body + length {
            let count = stream.read(&mut request).await.unwrap();
            read.extend_from_slice(&request[..count]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
        stream.shutdown().await.ok();
        told.send(read.split_off(body)).unwrap();
    }
}

#[tokio::test]
async fn what_waits_is_sent_before_the_host_ends() {
    // Until the signal it asks to be left alone for longer than this test takes.
    let (busy, receiver) = answering(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .await;
    let url = format!("export.remote_write.url=http://{receiver}/api/v1/write");
    let (mut host, address) = start(&[
        "--set",
        &url,
        "--set",
        "export.remote_write.interval=1s",
        "--set",
        "limits.shutdown_timeout=20s",
    ])
    .await;
    let queued = || metric(&address, "quillwork_export_queued_samples{to=\"remote_write\"}");
    let failures = || metric(&address, "quillwork_export_failures_total{to=\"remote_write\"}");
    until("one request waits", || async { failures().await.filter(|failures| *failures > 0.0) }).await;
    let one = queued().await.unwrap();
    assert!(one > 0.0);
    until("another waits", || async { queued().await.filter(|queued| *queued > one) }).await;
    assert_eq!(failures().await, Some(1.0), "it is left alone as long as it asked to be");
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(taking(busy.end().await, tell));
    let mut said = Said::by(&mut host);
    signal(&host, "TERM");
    said.line_with("all is taken again").await;
    assert!(timeout(PATIENCE, host.wait()).await.unwrap().unwrap().success());
    assert!(!said.rest().await.contains("could not be delivered"));
    assert!(told.try_recv().is_ok() && told.try_recv().is_ok(), "each request that waited has come");
}

/// What a host sends that measures this machine for some seconds, in an interval that is far from its end, and is stopped then.
async fn sent_at_the_end(data: &Path, page: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("export.otlp.url=http://{}/v1/metrics", listener.local_addr().unwrap());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(taking(listener, tell));
    let options = ["--data-dir", data.to_str().unwrap(), "--set", &url, "--set", "export.otlp.interval=1h"];
    let (mut host, address) = start(&options).await;
    // It sends what is of whole seconds, from the one on in which it could.
    let begun = unix_millis();
    until("it has measured whole seconds", || async {
        let measured = json(&address, "/api/v1/snapshot").await?["host"]["atUnixMillis"].as_u64();
        measured.filter(|measured| *measured > begun + 2_000)
    })
    .await;
    if page {
        let batch = batch("p1", 1, vec![sample_at(unix_millis(), 3)]);
        let answer = post(&address, "/api/v1/ingest", &serde_json::to_value(&batch).unwrap()).await;
        assert!(answer.contains(" 204 "), "{answer}");
        until("the page is in the history", || async {
            get(&address, "/api/v1/series").await.contains("page.response").then_some(())
        })
        .await;
    }
    signal(&host, "TERM");
    assert!(timeout(PATIENCE, host.wait()).await.unwrap().unwrap().success());
    let mut sent = String::new();
    while let Ok(body) = told.try_recv() {
        let mut metrics = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut metrics).unwrap();
        sent += &String::from_utf8_lossy(&metrics);
    }
    sent
}

#[tokio::test]
async fn what_has_begun_is_sent_before_the_host_ends_and_not_again_by_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let first = sent_at_the_end(directory.path(), true).await;
    assert!(first.contains("host.memory.used") && first.contains("page.response"), "{first}");
    let second = sent_at_the_end(directory.path(), false).await;
    assert!(second.contains("host.memory.used") && !second.contains("page.response"), "{second}");
}

#[tokio::test]
async fn what_is_lost_with_the_host_is_said_and_holds_it_up_no_longer_than_it_may() {
    let (_busy, receiver) =
        answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let url = format!("export.otlp.url=http://{receiver}/v1/metrics");
    let (mut host, address) =
        start(&["--set", &url, "--set", "export.otlp.interval=1s", "--set", "limits.shutdown_timeout=200ms"])
            .await;
    until("some wait and the receiver has said why", || async {
        let queued = metric(&address, "quillwork_export_queued_samples{to=\"otlp\"}").await?;
        let failures = metric(&address, "quillwork_export_failures_total{to=\"otlp\"}").await?;
        (queued > 0.0 && failures > 0.0).then_some(())
    })
    .await;
    let mut said = Said::by(&mut host);
    signal(&host, "TERM");
    let line = said.line_with("could not be delivered").await;
    let count =
        line.split("export.otlp: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(count.is_some_and(|count| count > 0) && line.contains("503"), "{line}");
    assert!(timeout(PATIENCE, host.wait()).await.unwrap().unwrap().success());
}
