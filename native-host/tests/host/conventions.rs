//! What holds for the whole API: names of requests, tags of answers, pages of lists, the reference page.

use axum::http::{HeaderValue, header};
use quillwork_host::clock::unix_millis;

use crate::harness::{Answer, Host, SECRET, Setup, batch, request, sample_at, token};

async fn get_holding(host: &Host, method: &str, path: &str, tag: &str) -> Answer {
    let mut request = request(method, path);
    request.headers_mut().insert(header::IF_NONE_MATCH, HeaderValue::from_str(tag).unwrap());
    host.ask(request).await
}

#[tokio::test]
async fn every_answer_bears_the_name_of_its_request() {
    let host = Host::with(Setup { token: Some(token()), ..Setup::default() });
    let mut seen = Vec::new();
    for path in ["/", "/healthz", "/api/v1/snapshot", "/api/v1/nothing", "/metrics", "/ws"] {
        let own = host.get(path).await.header("x-request-id").to_owned();
        assert!(own.starts_with("test-instance-"), "{path}: {own:?}");
        assert!(!seen.contains(&own), "each has its own");
        seen.push(own);
        let mut named = request("GET", path);
        named.headers_mut().insert("x-request-id", HeaderValue::from_static("trace-7"));
        assert_eq!(host.ask(named).await.header("x-request-id"), "trace-7", "{path}");
    }
    let mut foreign = request("GET", "/healthz");
    foreign.headers_mut().insert(header::HOST, HeaderValue::from_static("evil.example"));
    assert!(!host.ask(foreign).await.header("x-request-id").is_empty(), "a refusal of the guard, too");
}

#[tokio::test]
async fn what_a_client_holds_already_is_not_sent_again() {
    let host = Host::new();
    host.tick(0.25).await;
    for path in ["/api/v1/snapshot", "/api/v1/openapi.json"] {
        let first = host.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag:?}");
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        for held in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = get_holding(&host, "GET", path, &held).await;
            assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""), "{path} {held}");
            assert_eq!(again.header("etag"), tag, "{path}");
        }
        assert_eq!(get_holding(&host, "GET", path, "\"other\"").await.body, first.body, "{path}");
    }
    let before = host.get("/api/v1/snapshot").await.header("etag").to_owned();
    assert_eq!(get_holding(&host, "HEAD", "/api/v1/snapshot", &before).await.status, 304);
    host.tick(0.5).await;
    let after = get_holding(&host, "GET", "/api/v1/snapshot", &before).await;
    assert_eq!(after.status, 200, "another tick is another answer");
    assert_eq!(after.json()["host"]["cpu"]["totalRatio"], 0.5);
    // A refusal is never kept.
    assert_eq!(get_holding(&host, "GET", "/api/v1/nothing", "*").await.status, 404);
}

#[tokio::test]
async fn the_version_tells_what_runs_and_what_time_it_is() {
    let before = unix_millis();
    let host = Host::new();
    let version = host.get("/api/v1/version").await.json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["protocolVersion"], 1);
    assert_eq!(version["instance"], "test-instance");
    let millis = |field: &str| version[field].as_u64().unwrap();
    let (started, now) = (millis("startedUnixMillis"), millis("serverUnixMillis"));
    assert!(before <= started && started <= now && now <= unix_millis());
}

#[tokio::test]
async fn who_reports_is_listed_in_pages() {
    let host = Host::new();
    let empty = host.get("/api/v1/sources").await.json();
    assert_eq!(empty["sources"][0]["id"], "host");
    assert_eq!(empty["sources"][0]["lastHeardUnixMillis"], serde_json::Value::Null);

    // The clock of the third is an hour ahead.
    for (id, ahead) in [("p1", 0), ("p2", 0), ("p3", 3_600_000)] {
        let sent = batch(id, 1, vec![sample_at(host.unix_millis() + ahead, 1)]);
        assert_eq!(host.post(&sent).await.status, 204);
    }
    host.tick(0.5).await;

    let mut ids = Vec::new();
    let mut path = "/api/v1/sources?limit=3".to_owned();
    loop {
        let page = host.get(&path).await.json();
        for source in page["sources"].as_array().unwrap() {
            ids.push(source["id"].as_str().unwrap().to_owned());
            if source["id"] == "p3" {
                let offset = source["clockOffsetMillis"].as_f64().unwrap();
                assert!((offset + 3_600_000.0).abs() < 1e-9, "{offset}");
                assert_eq!((&source["kind"], &source["link"]), (&"page".into(), &"live".into()));
            }
        }
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/sources?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(ids, ["host", "p1", "p2", "p3"]);
    for query in ["limit=0", "limit=x", "cursor=%21", "page=2"] {
        host.get(&format!("/api/v1/sources?{query}")).await.problem(400, "bad-query");
    }
}

#[tokio::test]
async fn the_reference_page_is_complete_and_needs_nothing_from_elsewhere() {
    let host = Host::with(Setup { token: Some(token()), ..Setup::default() });
    assert_eq!(host.get("/api").await.header("location"), "/api/");
    let page = host.get("/api/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for attribute in ["src=\"", "href=\""] {
        for address in page.body.split(attribute).skip(1) {
            assert!(!address.starts_with("http") && !address.starts_with("//"), "{}", &address[..40]);
        }
    }
    let mut asking = request("GET", "/api/v1/openapi.json");
    asking.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {SECRET}").parse().unwrap());
    let description = host.ask(asking).await.json();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let heading = format!("<h2><b>{}</b> <code>{path}</code></h2>", method.to_uppercase());
            assert!(page.body.contains(&heading), "{heading}");
        }
    }
    for schema in description["components"]["schemas"].as_object().unwrap().keys() {
        assert!(page.body.contains(&format!("id=\"schema-{schema}\"")), "{schema}");
    }
    for link in page.body.split("href=\"#").skip(1) {
        let (anchor, _) = link.split_once('"').unwrap();
        assert!(page.body.contains(&format!("id=\"{anchor}\"")), "a link leads to {anchor}");
    }
    for (file, media_type) in [("reference.css", "text/css"), ("reference.js", "text/javascript")] {
        let answer = host.get(&format!("/api/{file}")).await;
        assert!(answer.header("content-type").starts_with(media_type), "{file}");
    }
}

#[tokio::test]
async fn a_refusal_quotes_what_was_sent_in_few_and_plain_words() {
    let host = Host::new();
    let answer = host.get("/api/v1/query?selct%1B%5B2J=a").await;
    let detail = answer.problem(400, "bad-query");
    assert!(detail.contains("selct\\u{1b}[2J") && !detail.contains(char::is_control), "{detail}");
    let detail =
        host.get(&format!("/api/v1/query?{}=a", "long".repeat(2_000))).await.problem(400, "bad-query");
    assert!(detail.len() < 2_000, "{} bytes", detail.len());
    assert!(
        detail.starts_with("there is no parameter `long") && detail.ends_with("top and shape"),
        "{detail}"
    );
}
