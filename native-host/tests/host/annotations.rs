//! Annotations: over the API, live, from the command line, over restarts.

use axum::body::Body;
use axum::http::{Request, header};
use quillwork_protocol::topic::Update;
use serde_json::{Value, json};

use crate::client::{Client, dashboard};
use crate::harness::{ADDRESS, Answer, Host, Setup, request};
#[cfg(unix)]
use crate::process::{Port, Said, get, quillwork, run, serving, signal, start};

async fn note(host: &Host, body: &Value) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri("/api/v1/annotations")
        .header(header::HOST, ADDRESS)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    host.ask(request).await
}

fn texts(list: &Value) -> Vec<&str> {
    list["annotations"].as_array().unwrap().iter().map(|noted| noted["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn they_are_made_listed_in_pages_and_deleted() {
    let host = Host::new();
    for at in 1..=5 {
        let body = json!({"at": at * 1_000, "text": format!("number {at}"), "tags": ["deploy"]});
        assert_eq!(note(&host, &body).await.status, 201);
    }
    let made =
        note(&host, &json!({"at": 1_500, "until": 9_000, "text": "load", "source": "shop"})).await.json();
    assert_eq!(
        made,
        json!({"id": made["id"], "at": 1_500, "until": 9_000, "text": "load", "tags": [], "source": "shop"})
    );

    let mut seen = Vec::new();
    let mut path = "/api/v1/annotations?tag=deploy&limit=2".to_owned();
    loop {
        let page = host.get(&path).await.json();
        seen.extend(texts(&page).into_iter().map(str::to_owned));
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/annotations?tag=deploy&limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["number 5", "number 4", "number 3", "number 2", "number 1"]);
    let range = host.get("/api/v1/annotations?from=3000&to=5000").await.json();
    assert_eq!(texts(&range), ["number 4", "number 3", "load"], "what was going on counts");
    assert_eq!(range["annotations"][0].get("until"), None);
    assert_eq!(texts(&host.get("/api/v1/annotations?source=shop").await.json()), ["load"]);

    let one = format!("/api/v1/annotations/{}", made["id"]);
    assert_eq!(host.ask(request("DELETE", &one)).await.status, 204);
    host.ask(request("DELETE", &one)).await.problem(404, "not-found");
    host.ask(request("DELETE", "/api/v1/annotations/x")).await.problem(404, "not-found");
    assert_eq!(texts(&host.get("/api/v1/annotations?source=shop").await.json()), [""; 0]);
}

#[tokio::test]
async fn what_can_not_be_right_is_refused_with_what_to_do() {
    let host = Host::new();
    for (body, word) in [
        (json!({"text": " "}), "`text`"),
        (json!({"text": "a", "at": 5, "until": 5}), "`until`"),
        (json!({"text": "a", "tags": ["x".repeat(65)]}), "tag"),
    ] {
        let detail = note(&host, &body).await.problem(422, "invalid-content");
        assert!(detail.contains(word), "{detail}");
    }
    for body in [json!({"at": 1}), json!({"text": "a", "tag": "b"}), json!({"text": "a", "at": "now"})] {
        note(&host, &body).await.problem(400, "malformed-body");
    }
    for query in ["from=5&to=5", "from=x", "tags=a", "limit=0", "cursor=%21"] {
        host.get(&format!("/api/v1/annotations?{query}")).await.problem(400, "bad-query");
    }
    let wrong = host.ask(request("PUT", "/api/v1/annotations")).await;
    wrong.problem(405, "method-not-allowed");
    let allowed = wrong.header("allow");
    assert!(["GET", "POST"].iter().all(|method| allowed.contains(method)), "{allowed}");
}

#[tokio::test]
async fn subscribers_hear_of_them() {
    let (host, address) = Host::listen(Setup::default()).await;
    host.tick(0.1).await;
    let mut client = Client::connect(&address).await;
    let mut hello = dashboard();
    hello["subscribe"] = json!({"topics": ["annotations"]});
    client.hello(hello).await;
    let Update::State { state, .. } = client.update().await else { panic!("first the whole state") };
    assert_eq!(state, json!({"annotations": {}}));
    let add = json!({"at": 7, "text": "out"}).to_string();
    let mut request = crate::harness::post(add);
    *request.uri_mut() = "/api/v1/annotations".parse().unwrap();
    request.headers_mut().insert(header::HOST, address.parse().unwrap());
    assert_eq!(host.ask(request).await.status, 201);
    host.tick(0.2).await;
    loop {
        let Update::Delta { patch, .. } = client.update().await else { panic!("then what changed") };
        if let Some(noted) = patch.get("annotations") {
            assert_eq!(noted["1"]["text"], "out");
            break;
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_command_notes_and_a_restart_and_a_backup_keep_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (data, backup, other) = (path("data"), path("backup"), path("other"));
    let port = Port::free();
    let (mut child, address) =
        serving(quillwork(&["serve", "--port", &port.number, "--data-dir", &data])).await;
    let url = format!("http://{address}");
    let arguments =
        ["annotate", "shop 4.2 <b>is out</b>", "--tag", "deploy", "--lasted", "2m", "--url", &url];
    let (code, stdout, stderr) = run(&arguments).await;
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "1\n", ""));
    let (code, _, stderr) = run(&["annotate", "", "--url", &url]).await;
    assert!(code == Some(1) && stderr.contains("say what happened"), "{stderr}");
    signal(&child, "TERM");
    assert!(child.wait().await.unwrap().success());
    let (code, _, stderr) = run(&["annotate", "late", "--url", &url]).await;
    assert!(code == Some(1) && stderr.contains("can't be reached"), "{stderr}");

    assert_eq!(run(&["history", "--data-dir", &data, "backup", &backup]).await.0, Some(0));
    assert_eq!(run(&["history", "--data-dir", &other, "restore", &backup]).await.0, Some(0));
    let (_child, address) = start(&["--data-dir", &other]).await;
    let answer = get(&address, "/api/v1/annotations").await;
    let list: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(texts(&list), ["shop 4.2 <b>is out</b>"]);
    let noted = &list["annotations"][0];
    assert_eq!(noted["until"].as_u64().unwrap() - noted["at"].as_u64().unwrap(), 120_000);
}

#[cfg(unix)]
#[tokio::test]
async fn a_bound_on_the_size_of_files_does_not_end_the_host() {
    use std::process::Stdio;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use crate::harness::PATIENCE;

    let directory = tempfile::tempdir().unwrap();
    let mut bounded = tokio::process::Command::new("sh");
    bounded.args(["-c", r#"ulimit -f 64; exec "$0" serve --port 0 --set log.level=warn --data-dir "$1""#]);
    bounded.arg(env!("CARGO_BIN_EXE_quillwork")).arg(directory.path()).kill_on_drop(true);
    bounded.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, address) = serving(bounded).await;
    let mut said = Said::by(&mut child);
    let body = json!({ "text": "x".repeat(1_000) }).to_string();
    for _ in 0..80 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /api/v1/annotations HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    said.line_with("the annotations can't be written and are tried again").await;
    assert!(get(&address, "/readyz").await.starts_with("HTTP/1.1 200"));
}
