//! Foreign Hosts and Origins, and the token.

use std::fmt::Write as _;

use axum::http::{HeaderValue, header};
use quillwork_host::config::check;
use quillwork_host::reload::rules;

use crate::harness::{Answer, Host, SECRET, Setup, batch, post, request, sample_at, token};

async fn with_header(host: &Host, method: &str, path: &str, name: &str, value: &str) -> Answer {
    let mut request = request(method, path);
    request.headers_mut().insert(
        header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
        HeaderValue::from_str(value).unwrap(),
    );
    host.ask(request).await
}

const PATHS: [&str; 6] = ["/", "/story/", "/api/v1/snapshot", "/metrics", "/healthz", "/ws"];

#[tokio::test]
async fn a_rebound_name_gets_nothing() {
    let host = Host::new();
    for path in PATHS {
        let detail =
            with_header(&host, "GET", path, "host", "evil.example:9470").await.problem(403, "foreign-host");
        assert!(detail.contains("localhost:9470"), "{detail}");
    }
    let mut without = request("GET", "/api/v1/snapshot");
    without.headers_mut().remove(header::HOST);
    host.ask(without).await.problem(403, "foreign-host");
}

#[tokio::test]
async fn every_name_of_a_request_is_checked() {
    let host = Host::new();
    let evil = || HeaderValue::from_static("evil.example");
    let mut twice = request("GET", "/healthz");
    twice.headers_mut().append(header::HOST, evil());
    host.ask(twice).await.problem(403, "foreign-host");

    // A request to a proxy names the host in its first line as well; an origin is compared with the header.
    let mut both = request("GET", "http://127.0.0.1:9470/healthz");
    both.headers_mut().insert(header::HOST, evil());
    both.headers_mut().insert(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
    host.ask(both).await.problem(403, "foreign-host");
    host.ask(request("GET", "http://evil.example/healthz")).await.problem(403, "foreign-host");
    assert_eq!(host.ask(request("GET", "http://localhost:9470/healthz")).await.status, 200);

    let mut origins = request("GET", "/healthz");
    origins.headers_mut().insert(header::ORIGIN, HeaderValue::from_static("http://127.0.0.1:9470"));
    origins.headers_mut().append(header::ORIGIN, HeaderValue::from_static("http://evil.example"));
    host.ask(origins).await.problem(403, "foreign-origin");
}

#[tokio::test]
async fn a_page_from_elsewhere_gets_nothing() {
    let host = Host::new();
    for origin in ["http://evil.example", "null", "https://127.0.0.1:9470", "http://127.0.0.1:9471"] {
        for path in PATHS {
            let answer = with_header(&host, "GET", path, "origin", origin).await;
            let detail = answer.problem(403, "foreign-origin");
            assert!(detail.contains(origin) && detail.contains("--allow-origin"), "{detail}");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
        with_header(&host, "POST", "/api/v1/ingest", "origin", origin).await.problem(403, "foreign-origin");
        with_header(&host, "OPTIONS", "/api/v1/ingest", "origin", origin)
            .await
            .problem(403, "foreign-origin");
    }
}

#[tokio::test]
async fn own_pages_and_programs_are_served() {
    let host = Host::new();
    let own = with_header(&host, "GET", "/healthz", "origin", "http://127.0.0.1:9470").await;
    assert_eq!(own.status, 200);
    assert_eq!(with_header(&host, "GET", "/healthz", "host", "localhost:9470").await.status, 200);
}

#[tokio::test]
async fn an_allowed_origin_is_served_and_told_so() {
    let host = Host::with(Setup { origins: vec!["http://localhost:5173"], ..Setup::default() });
    let allowed = with_header(&host, "GET", "/healthz", "origin", "http://localhost:5173").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), "http://localhost:5173");
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
    assert!(allowed.headers.get_all(header::VARY).iter().any(|value| value == "origin"));

    let mut preflight = request("OPTIONS", "/api/v1/ingest");
    let headers = preflight.headers_mut();
    headers.insert(header::ORIGIN, HeaderValue::from_static("http://localhost:5173"));
    headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
    let answer = host.ask(preflight).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("access-control-allow-methods").contains("POST"));
    assert!(answer.header("access-control-allow-headers").contains("content-type"));

    with_header(&host, "GET", "/healthz", "origin", "http://localhost:5174")
        .await
        .problem(403, "foreign-origin");
}

#[tokio::test]
async fn a_token_is_asked_for_wherever_there_is_data() {
    let host = Host::with(Setup { token: Some(token()), ..Setup::default() });

    let secret = SECRET;
    for path in ["/api/v1/snapshot", "/api/v1/series", "/api/v1/openapi.json", "/api/v1/nothing", "/metrics"]
    {
        let answer = host.get(path).await;
        let detail = answer.problem(401, "unauthorized");
        assert!(detail.contains("--token-file") && !detail.contains(secret), "{detail}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        with_header(&host, "GET", path, "authorization", "Bearer wrong").await.problem(401, "unauthorized");
        with_header(&host, "GET", path, "authorization", &format!("Basic {secret}"))
            .await
            .problem(401, "unauthorized");
    }
    assert_eq!(host.get("/healthz").await.status, 200, "probes carry no token");
    let right = with_header(&host, "GET", "/metrics", "authorization", &format!("bearer {secret}")).await;
    assert_eq!(right.status, 200);
}

#[tokio::test]
async fn a_token_in_the_address_is_refused_with_a_hint_even_where_it_is_right() {
    let host = Host::with(Setup { token: Some(token()), ..Setup::default() });
    for query in
        [format!("token={SECRET}"), format!("a=b&access_token={SECRET}"), format!("API_KEY={SECRET}")]
    {
        let answer = host.get(&format!("/metrics?{query}")).await;
        let detail = answer.problem(400, "token-in-address");
        assert!(detail.contains("Authorization: Bearer") && !detail.contains(SECRET), "{detail}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn tokens_have_scopes() {
    let directory = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for (name, secret, scope) in [("wall", "a", "read"), ("pages", "b", "ingest"), ("ops", "c", "admin")] {
        use std::os::unix::fs::PermissionsExt;
        let file = directory.path().join(name);
        std::fs::write(&file, secret.repeat(32)).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        writeln!(text, "[auth.tokens.{name}]\nfile = {name:?}\nscopes = [{scope:?}]").unwrap();
    }
    let file = directory.path().join("quillwork.toml");
    std::fs::write(&file, text).unwrap();
    let host = Host::new();
    host.guard.replace(rules(&check(&file).unwrap()).unwrap());

    let read = async |secret: &str| {
        let bearer = format!("Bearer {}", secret.repeat(32));
        with_header(&host, "GET", "/metrics", "authorization", &bearer).await
    };
    assert_eq!(read("a").await.status, 200);
    assert_eq!(read("c").await.status, 200);
    let refused = read("b").await;
    let detail = refused.problem(403, "out-of-scope");
    assert!(detail.contains("pages") && detail.contains("\"read\"") && !detail.contains("bbb"), "{detail}");
    assert_eq!(refused.header("www-authenticate"), "Bearer error=\"insufficient_scope\", scope=\"read\"");

    let send = async |secret: &str| {
        let batch = serde_json::to_string(&batch("page", 1, vec![sample_at(host.unix_millis(), 1)])).unwrap();
        let mut request = post(batch);
        let bearer = format!("Bearer {}", secret.repeat(32)).parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        host.ask(request).await
    };
    assert_eq!(send("b").await.status, 204);
    assert_eq!(send("c").await.status, 204);
    send("a").await.problem(403, "out-of-scope");
    send("d").await.problem(401, "unauthorized");

    let annotate = async |secret: &str, method: &str, path: &str| {
        let mut request = post(r#"{"text":"out"}"#);
        (*request.method_mut(), *request.uri_mut()) = (method.parse().unwrap(), path.parse().unwrap());
        let bearer = format!("Bearer {}", secret.repeat(32)).parse().unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        host.ask(request).await
    };
    assert_eq!(annotate("b", "POST", "/api/v1/annotations").await.status, 201, "a script may do no more");
    annotate("a", "POST", "/api/v1/annotations").await.problem(403, "out-of-scope");
    annotate("b", "DELETE", "/api/v1/annotations/1").await.problem(403, "out-of-scope");
    annotate("b", "GET", "/api/v1/annotations").await.problem(403, "out-of-scope");
    assert_eq!(annotate("c", "DELETE", "/api/v1/annotations/1").await.status, 204);
}

#[tokio::test]
async fn the_configuration_is_shown_without_secrets() {
    let host = Host::new();
    let all = host.get("/api/v1/config").await.json();
    let port = all.as_array().unwrap().iter().find(|option| option["key"] == "server.port").unwrap();
    assert_eq!(*port, serde_json::json!({ "key": "server.port", "value": 9470, "setBy": "default" }));
}
