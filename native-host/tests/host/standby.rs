//! Two hosts with one history, as processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use quillwork_core::rng::Rng;
use quillwork_host::state::Medium;
use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::Volume as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use tokio::time::timeout;

use crate::harness::{PATIENCE, SECRET};
use crate::history::measured;
use crate::process::{Port, Said, quillwork, run, serving, signal};

/// What a host answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn role(&self) -> &str {
        self.head.lines().find_map(|line| line.strip_prefix("quillwork-role: ")).unwrap_or("")
    }
}

async fn ask(address: &str, method: &str, path: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    // Version 1.0 has no chunks.
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {SECRET}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

async fn get(address: &str, path: &str) -> Answer {
    ask(address, "GET", path, "").await
}

/// Asks again and again until the answer is as it should be.
async fn until(address: &str, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
    let asking = async {
        loop {
            let answer = get(address, path).await;
            if is_so(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("{path} never answers so"))
}

/// Hears letters.
async fn receiver() -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let letters = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&letters);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let (mut length, mut line) = (0, String::new());
            while stream.read_line(&mut line).await.unwrap() > 2 {
                if let Some(given) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = given.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            heard.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
            stream.write_all(b"HTTP/1.1 204 Thanks\r\ncontent-length: 0\r\n\r\n").await.ok();
        }
    });
    (url, letters)
}

/// A directory with what a host needs: rules of which one fires at once, a channel, and a token.
struct Desk {
    directory: tempfile::TempDir,
}

const FIRES: &str = "[[rule]]\nname = \"first\"\nseries = \"host.memory.used\"\nunit = \"ratio\"\n\
    warning = { threshold = -1.0, for = \"0s\" }\n";

impl Desk {
    fn new(url: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let route = "[[route]]\nreceiver = \"ops\"\ngroup_wait = \"0s\"\n";
        fs::write(path("alerts.toml"), format!("defaults = false\n{FIRES}{route}")).unwrap();
        fs::write(path("token"), SECRET).unwrap();
        fs::set_permissions(path("token"), fs::Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "[alerts]\nrules = \"alerts.toml\"\n[tls]\nlook_interval = \"20ms\"\n[auth]\ntoken_file = \"token\"\n\
             [limits]\nrequests_per_second = 1000000\nrequest_burst = 1000000\n\
             [standby]\ntoken_file = \"token\"\ninterval = \"100ms\"\n[notify.ops]\nurl = \"{url}\"\n"
        );
        fs::write(path("quillwork.toml"), config).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn serve(&self, data: &str, more: &[&str]) -> (Child, String) {
        let (config, data) = (self.path("quillwork.toml"), self.path(data));
        let mut arguments =
            vec!["serve", "--config", config.to_str().unwrap(), "--data-dir", data.to_str().unwrap()];
        if !more.contains(&"--port") {
            arguments.extend(["--port", "0"]);
        }
        arguments.extend(more);
        serving(quillwork(&arguments)).await
    }

    async fn promote(&self, address: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let (url, token) = (format!("http://{address}"), self.path("token"));
        let arguments = ["promote", "--url", &url, "--token-file", token.to_str().unwrap()];
        run(&[&arguments, more].concat()).await
    }
}

/// What a host has of the machine's memory up to an instant.
async fn history(address: &str, to: u64) -> Vec<Value> {
    let path = format!("/api/v1/series?name=host.memory.used&from={}&to={to}", to - 60_000);
    let answer = get(address, &path).await.json();
    let values = answer["series"][0]["values"].as_array().unwrap();
    values.iter().filter(|value| !value.is_null()).cloned().collect()
}

/// What two hosts have of it, once they have the same.
async fn common_history(a: &str, b: &str, to: u64) -> Vec<Value> {
    let same = async {
        loop {
            let known = history(a, to).await;
            if !known.is_empty() && history(b, to).await == known {
                return known;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, same).await.expect("both have the same in time")
}

fn now() -> u64 {
    quillwork_host::clock::unix_millis() / 1_000 * 1_000
}

#[tokio::test]
async fn a_standby_has_the_history_takes_over_and_the_old_primary_is_silent_until_it_follows() {
    let (url, letters) = receiver().await;
    let heard = || letters.lock().unwrap().clone();
    let desk = Desk::new(&url);
    let (mut first, a) = desk.serve("a", &[]).await;
    until(&a, "/api/v1/alerts/deliveries", |answer| answer.json()[0]["receiver"] == "ops").await;
    assert_eq!((heard().len(), &heard()[0]["epoch"]), (1, &1.into()));

    // The standby has what the primary has, and says what it is.
    let follow = ["--standby", &format!("http://{a}")];
    let (mut second, b) = desk.serve("b", &follow).await;
    let mut said = Said::by(&mut second);
    said.line_with("this standby has all that the primary has").await;
    let then = now() + 2_000;
    let reached = |answer: &Answer| answer.json()["serverUnixMillis"].as_u64() > Some(then + 1_000);
    until(&b, "/api/v1/series?name=host.memory.used", reached).await;
    common_history(&a, &b, then).await;
    let ready = get(&b, "/readyz").await;
    assert!(ready.status == 200 && ready.body.contains("a standby, "), "{ready:?}");
    let role = ready.role();
    assert!(
        role.starts_with("standby;behind=") && role.ends_with(&format!(";primary=\"http://{a}\"")),
        "{role}"
    );
    assert_eq!(get(&a, "/readyz").await.role(), "");
    let firing = get(&a, "/api/v1/alerts?firing=true").await.json()[0]["fingerprint"].clone();
    until(&b, "/api/v1/alerts?firing=true", |answer| answer.json()[0]["fingerprint"] == firing).await;
    let followers = get(&a, "/api/v1/replication").await.json()["followers"].clone();
    assert_eq!(followers[0]["url"], format!("http://{b}"), "{followers}");

    // It takes nothing.
    for (path, body) in [("/api/v1/ingest", "{}"), ("/api/v1/silences", "{}"), ("/v1/metrics", "{}")] {
        let refused = ask(&b, "POST", path, body).await;
        assert_eq!(
            (refused.status, &refused.json()["type"]),
            (503, &"/problems/not-primary".into()),
            "{path}"
        );
        assert!(refused.json()["detail"].as_str().unwrap().contains(&a), "{refused:?}");
    }
    let (code, _, stderr) = desk.promote(&a, &[]).await;
    assert!(code == Some(1) && stderr.contains("is the primary already"), "{stderr}");

    // The primary is gone; the standby goes on.
    let last = common_history(&a, &b, then).await;
    signal(&first, "KILL");
    first.wait().await.unwrap();
    let (code, stdout, stderr) = desk.promote(&b, &[]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("is the primary, with epoch 2"), "{stdout}");
    assert_eq!(history(&b, then).await, last);
    let promoted_at = now();
    until(&b, "/api/v1/series?name=host.memory.used", |answer| {
        answer.json()["series"][0]["values"].as_array().is_some_and(|values| {
            values.last().is_some_and(Value::is_number)
                && answer.json()["serverUnixMillis"].as_u64() > Some(promoted_at + 2_000)
        })
    })
    .await;
    // What was told isn't told again, and what is new is told in the name of the new epoch.
    assert_eq!(heard().len(), 1);
    let route = "[[route]]\nreceiver = \"ops\"\ngroup_wait = \"0s\"\n";
    let second_rule = FIRES.replace("first", "second");
    fs::write(desk.path("alerts.toml"), format!("defaults = false\n{FIRES}{second_rule}{route}")).unwrap();
    until(&b, "/api/v1/alerts/deliveries", |answer| answer.json()[0]["receiver"] == "ops").await;
    let told = heard();
    assert_eq!((told.len(), &told[1]["epoch"]), (2, &2.into()));
    assert_eq!(told[1]["alerts"][0]["labels"]["alertname"], "second", "{told:?}");

    // The old one comes back with what it was, and is silent: it would tell of the second rule, too.
    let (mut first, a) = desk.serve("a", &[]).await;
    let mut said = Said::by(&mut first);
    said.line_with("took over with epoch 2: this host is silent").await;
    let ready = get(&a, "/readyz").await;
    assert!(ready.status == 503 && ready.role().starts_with("fenced"), "{ready:?}");
    assert!(ready.json()["detail"].as_str().unwrap().contains(&b), "{ready:?}");
    assert_eq!(ask(&a, "POST", "/api/v1/ingest", "{}").await.status, 503);
    let standing = get(&a, "/api/v1/replication").await.json();
    assert!(standing["failure"].as_str().unwrap().contains(&format!("start it with --standby http://{b}")));
    let ticks = |answer: &Answer| answer.json()["sequence"].as_u64() > Some(3);
    until(&a, "/api/v1/snapshot", ticks).await;
    assert_eq!(heard().len(), 2, "{:?}", heard());
    signal(&first, "TERM");
    first.wait().await.unwrap();

    // It follows, and what only it had is kept beside.
    let follow = ["--standby", &format!("http://{b}")];
    let (mut first, a) = desk.serve("a", &follow).await;
    let mut said = Said::by(&mut first);
    assert!(said.line_with("set aside as").await.contains("history.aside-1"));
    said.line_with("this standby has all that the primary has").await;
    assert!(has_values(&desk.path("a/history.aside-1")));
    let then = now();
    until(&a, "/api/v1/series?name=host.memory.used", |answer| {
        answer.json()["serverUnixMillis"].as_u64() > Some(then + 1_000)
    })
    .await;
    common_history(&a, &b, then).await;
    assert_eq!(heard().len(), 2);
}

#[tokio::test]
async fn an_old_primary_that_runs_is_silent_when_the_promotion_is_over() {
    let (url, _letters) = receiver().await;
    let desk = Desk::new(&url);
    let (_first, a) = desk.serve("a", &[]).await;
    until(&a, "/readyz", |answer| answer.status == 200).await;
    let (mut second, b) = desk.serve("b", &["--standby", &format!("http://{a}")]).await;
    Said::by(&mut second).line_with("this standby has all that the primary has").await;

    let (code, _, stderr) = desk.promote(&b, &[]).await;
    assert_eq!(code, Some(0), "{stderr}");
    let ready = get(&a, "/readyz").await;
    assert!(ready.status == 503 && ready.role().starts_with("fenced"), "{ready:?}");
    assert_eq!(ask(&a, "POST", "/api/v1/ingest", "{}").await.status, 503);
}

#[tokio::test]
async fn a_file_that_is_damaged_on_the_primary_holds_nothing_else_up() {
    let (url, _letters) = receiver().await;
    let desk = Desk::new(&url);
    measured(&desk.path("a"));
    let names = fs::read_dir(desk.path("a/history")).unwrap().map(|entry| entry.unwrap().file_name());
    let head = names.into_iter().find(|name| name.to_string_lossy().starts_with("head-")).unwrap();
    let path = desk.path("a/history").join(&head);
    let mut content = fs::read(&path).unwrap();
    *content.last_mut().unwrap() ^= 1;
    fs::write(&path, content).unwrap();

    let (_first, a) = desk.serve("a", &[]).await;
    until(&a, "/readyz", |answer| answer.status == 200).await;
    let (mut second, b) = desk.serve("b", &["--standby", &format!("http://{a}")]).await;
    let mut said = Said::by(&mut second);
    let line = said.line_with("left out until it changes").await;
    assert!(line.contains(head.to_str().unwrap()), "{line}");
    said.line_with("this standby has all that the primary has").await;
    until(&b, "/readyz", |answer| answer.status == 200).await;
    assert!(!desk.path("b/history").join(&head).exists());
}

fn has_values(directory: &Path) -> bool {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    // The newest minutes, and what they become when the hour is over.
    names
        .into_iter()
        .any(|name| ["head-", "tier"].iter().any(|kind| name.to_string_lossy().starts_with(kind)))
}

/// A history with a file of several MiB, which lies two hours back.
fn large(data: &Path) -> String {
    let hour = 3_600_000;
    let begin = now() / hour * hour - 2 * hour;
    let medium = Medium::directory(data).unwrap();
    let mut history = History::open(medium.clone(), HistoryOptions::default(), begin).unwrap();
    let ids: Vec<_> = (0..150)
        .map(|number| {
            let key = SeriesKey::new("noise", [("number", number.to_string())]).unwrap();
            let (unit, resolution) = ("count".to_owned(), 1.0);
            history.add_series(SeriesSpec { key, kind: SeriesKind::Gauge, unit, resolution }).unwrap()
        })
        .collect();
    // Noise takes as many bytes as it has.
    let mut random = Rng::from_seed(1);
    for second in 0..3_660 {
        let at = begin + second * 1_000;
        #[expect(clippy::cast_precision_loss, reason = "they are below 2^48")]
        let values: Vec<_> = ids.iter().map(|id| (*id, random.below(1 << 48) as f64)).collect();
        history.append(at, at, &values);
        if second % 60 == 0 {
            history.commit().unwrap();
        }
    }
    loop {
        history.commit().unwrap();
        if history.is_idle() {
            break;
        }
    }
    history.flush().unwrap();
    let files = medium.list().unwrap();
    let (name, bytes) = files.iter().max_by_key(|(_, bytes)| **bytes).unwrap();
    assert!(*bytes > 3 << 20, "{files:?}");
    name.clone()
}

/// Stands between two hosts. Cuts the answer about one piece in its middle, once; tells the paths that were asked for.
async fn cutting(to: String, cut: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let between = listener.local_addr().unwrap().to_string();
    let paths = Arc::new(Mutex::new(Vec::new()));
    let (asked, own) = (Arc::clone(&paths), between.clone());
    tokio::spawn(async move {
        let mut is_whole = true;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n")
                && stream.read_line(&mut head).await.is_ok_and(|count| count > 0)
            {}
            let Some(path) = head.split(' ').nth(1).map(str::to_owned) else { continue };
            let is_cut = is_whole && path.contains(&cut);
            is_whole &= !is_cut;
            asked.lock().unwrap().push(path);
            let (to, head) = (to.clone(), head.replace(&own, &to));
            tokio::spawn(async move {
                let mut other = TcpStream::connect(&to).await.unwrap();
                other.write_all(head.as_bytes()).await.unwrap();
                if is_cut {
                    let mut half = vec![0; 500_000];
                    other.read_exact(&mut half).await.unwrap();
                    stream.write_all(&half).await.unwrap();
                } else {
                    tokio::io::copy_bidirectional(&mut stream, &mut other).await.ok();
                }
            });
        }
    });
    (between, paths)
}

#[tokio::test]
async fn a_large_file_comes_in_pieces_and_a_cut_takes_none_of_them_away() {
    let (url, _letters) = receiver().await;
    let desk = Desk::new(&url);
    let name = large(&desk.path("a"));
    let (_first, a) = desk.serve("a", &[]).await;
    let of_piece = |from: u64| format!("/files/{name}?from={from}&");
    let (between, paths) = cutting(a, of_piece(2 << 20)).await;
    let (mut second, b) = desk.serve("b", &["--standby", &format!("http://{between}")]).await;
    let mut said = Said::by(&mut second);
    said.line_with("the primary can't be followed").await;
    said.line_with("this standby has all that the primary has").await;
    until(&b, "/readyz", |answer| answer.status == 200).await;
    let asked =
        |from: u64| paths.lock().unwrap().iter().filter(|path| path.contains(&of_piece(from))).count();
    assert_eq!(
        [asked(0), asked(1 << 20), asked(2 << 20), asked(3 << 20)],
        [1, 1, 2, 1],
        "only the cut one again"
    );
    let content = |data: &str| fs::read(desk.path(data).join("history").join(&name)).unwrap();
    assert!(content("a") == content("b"), "the copy is what the primary has");
}

#[tokio::test]
async fn a_standby_writes_no_reports_until_it_is_promoted() {
    let (url, _letters) = receiver().await;
    let desk = Desk::new(&url);
    crate::reports::measured(&desk.path("a"));
    let (_first, a) = desk.serve("a", &[]).await;
    let config = fs::read_to_string(desk.path("quillwork.toml")).unwrap();
    let every = |period: &str| {
        fs::write(desk.path("quillwork.toml"), format!("{config}[reports]\nevery = \"{period}\"\n")).unwrap();
    };
    every("day");
    let (mut second, b) = desk.serve("b", &["--standby", &format!("http://{a}")]).await;
    Said::by(&mut second).line_with("this standby has all that the primary has").await;
    // A schedule that has changed is looked at.
    for period in ["week", "day"] {
        every(period);
        signal(&second, "HUP");
        let schedule = until(&b, "/api/v1/reports/schedule", |answer| answer.json()["every"] == period).await;
        assert_eq!(schedule.json()["nextUnixMillis"], Value::Null);
    }
    assert!(!desk.path("b/reports").exists());
    assert_eq!(desk.promote(&b, &[]).await.0, Some(0));
    every("week");
    signal(&second, "HUP");
    until(&b, "/api/v1/reports/schedule", |answer| answer.json()["every"] == "week").await;
    every("day");
    signal(&second, "HUP");
    until(&b, "/api/v1/reports/schedule", |answer| answer.json()["every"] == "day").await;
    // The one of the week is beside it where the last week had ended less than three days ago.
    let files = fs::read_dir(desk.path("b/reports")).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    let of = |period: &str| names.iter().filter(|name| name.starts_with(period)).count();
    assert!(of("quillwork-day-") == 1 && of("quillwork-week-") == names.len() - 1, "{names:?}");
}

#[tokio::test]
async fn an_old_primary_that_may_rejoin_follows_by_itself() {
    let (url, _letters) = receiver().await;
    let desk = Desk::new(&url);
    let port = Port::free();
    let peers = format!("standby.peers=http://127.0.0.1:{}", port.number);
    let (mut first, a) = desk.serve("a", &["--set", &peers, "--set", "standby.rejoin=true"]).await;
    let mut said = Said::by(&mut first);
    until(&a, "/api/v1/alerts/deliveries", |answer| answer.json()[0]["receiver"] == "ops").await;
    let (mut second, b) =
        desk.serve("b", &["--port", &port.number, "--standby", &format!("http://{a}")]).await;
    Said::by(&mut second).line_with("this standby has all that the primary has").await;
    assert_eq!(desk.promote(&b, &[]).await.0, Some(0));
    said.line_with("as standby.rejoin says").await;
    assert!(said.line_with("set aside as").await.contains("history.aside-1"));
    said.line_with("this standby has all that the primary has").await;
    let standing = get(&a, "/api/v1/replication").await.json();
    assert_eq!(
        (&standing["claim"]["role"], &standing["primary"]),
        (&"standby".into(), &format!("http://{b}").into())
    );
    let then = now() + 1_000;
    until(&a, "/api/v1/series?name=host.memory.used", |answer| {
        answer.json()["serverUnixMillis"].as_u64() > Some(then + 1_000)
    })
    .await;
    common_history(&a, &b, then).await;
}
