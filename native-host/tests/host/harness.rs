//! A host without a sampler, on a clock that stands still: tests decide what the machine does, and when.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use quillwork_host::api::App;
use quillwork_host::assets::Site;
use quillwork_host::clock::{Clock, Now};
use quillwork_host::config::Config;
use quillwork_host::driver::Driver;
use quillwork_host::guard::{Guard, Rules, Token, Tokens};
use quillwork_host::limits::Limits;
use quillwork_host::server::{self, Listening};
use quillwork_host::state::{Medium, State, Tick};
use quillwork_host::stopping::{Stop, Stopping};
use quillwork_host::tls::Encryption;
use quillwork_protocol::VERSION;
use quillwork_protocol::host::{Cpu, HostSnapshot, Memory};
use quillwork_protocol::page::{Latency, PageBatch, PageSample, PageSource, Pool};
use quillwork_store::history::HistoryOptions;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tower::ServiceExt;

/// What the router believes to listen on.
pub(crate) const ADDRESS: &str = "127.0.0.1:9470";

/// No test waits longer for anything: far longer than any takes, also on a machine that has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A host and the strings that move it.
pub(crate) struct Host {
    pub(crate) router: Router,
    pub(crate) driver: Driver,
    pub(crate) guard: Arc<Guard>,
    pub(crate) limits: Limits,
    pub(crate) stop: Stop,
    pub(crate) stopping: Stopping,
    pub(crate) app: App,
    machine: watch::Sender<Option<Arc<HostSnapshot>>>,
    clock: Clock,
}

/// What a test may change of a host.
pub(crate) struct Setup {
    pub(crate) address: String,
    pub(crate) limits: Limits,
    pub(crate) origins: Vec<&'static str>,
    pub(crate) token: Option<Token>,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) sites: (Site, Site),
    /// In memory if left out.
    pub(crate) medium: Option<Medium>,
    /// What has happened before.
    pub(crate) before: fn(&mut State, Now),
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            address: ADDRESS.to_owned(),
            limits: unhurried(),
            origins: Vec::new(),
            token: None,
            encryption: None,
            sites: (Site::dashboard(None).unwrap(), Site::story(None).unwrap()),
            medium: None,
            before: |_, _| {},
        }
    }
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Self {
        let (machine, samples) = watch::channel(None);
        // On one that goes, a machine that holds a test up for seconds makes ticks between two of its lines, and pages are lost.
        let clock = Clock::standing();
        let medium = setup.medium.unwrap_or_else(Medium::memory);
        let mut state =
            State::new(clock.now(), "test-instance".to_owned(), medium, HistoryOptions::default()).unwrap();
        (setup.before)(&mut state, clock.now());
        let driver = Driver::spawn(clock, state, samples);
        let origins = setup.origins.iter().map(|origin| origin.parse().unwrap()).collect();
        let tokens = setup.token.map(Tokens::single).unwrap_or_default();
        let guard = Arc::new(Guard::new(
            setup.address.parse().unwrap(),
            setup.encryption.is_some(),
            Rules { origins, names: Vec::new(), tokens },
        ));
        let (stop, stopping) = Stop::new();
        let mut config = Config::default();
        config.limits = setup.limits.clone();
        let (_, config) = watch::channel(Arc::new(config));
        let app = App::new(driver.clone(), Arc::clone(&guard), config, setup.sites, stopping.clone());
        Self {
            router: app.clone().router(),
            driver,
            guard,
            limits: setup.limits,
            stop,
            stopping,
            app,
            machine,
            clock,
        }
    }

    /// What the wall clock shows, for as long as this host lives.
    pub(crate) fn unix_millis(&self) -> u64 {
        self.clock.now().unix_millis
    }

    /// The machine is measured; returns when the tick is out.
    pub(crate) async fn tick(&self, cpu: f64) {
        self.tick_with(machine_at(self.unix_millis(), Some(cpu))).await;
    }

    /// As [`tick`](Self::tick), with everything about the machine.
    pub(crate) async fn tick_with(&self, machine: HostSnapshot) {
        let mut ticks = self.driver.ticks();
        let before = ticks.borrow_and_update().sequence;
        let machine = Arc::new(machine);
        self.machine.send_replace(Some(Arc::clone(&machine)));
        let has_it =
            |tick: &Arc<Tick>| tick.sequence > before && tick.snapshot.host.as_ref() == Some(&*machine);
        tokio::time::timeout(PATIENCE, ticks.wait_for(has_it)).await.unwrap().unwrap();
    }

    /// Asks the router as a client with the right Host header.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request("GET", path)).await
    }

    /// Posts a batch.
    pub(crate) async fn post(&self, batch: &PageBatch) -> Answer {
        self.ask(post(serde_json::to_string(batch).unwrap())).await
    }

    /// Asks the router.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Asks the router of a host that listens.
    pub(crate) async fn get_at(&self, address: &str, path: &str) -> String {
        let mut request = request("GET", path);
        request.headers_mut().insert(header::HOST, address.parse().unwrap());
        self.ask(request).await.body
    }

    /// Listens on a port of its own, as the command does, and serves until the test stops it.
    pub(crate) async fn listen(mut setup: Setup) -> (Self, String) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(16 << 10).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener: TcpListener = socket.listen(64).unwrap();
        setup.address = listener.local_addr().unwrap().to_string();
        let address = setup.address.clone();
        let encryption = setup.encryption.clone();
        let host = Self::with(setup);
        let (router, limits, stopping) = (host.router.clone(), host.limits.clone(), host.stopping.clone());
        let listening = Listening { listener, encryption };
        tokio::spawn(async move { server::serve(listening, router, &limits, stopping).await });
        (host, address)
    }
}

/// Limits that end nothing while a test waits, nor while a machine holds it up: what a test is about, it sets.
pub(crate) fn unhurried() -> Limits {
    Limits {
        linger_timeout: PATIENCE,
        request_timeout: PATIENCE,
        query_timeout: PATIENCE,
        handshake_timeout: PATIENCE,
        head_timeout: PATIENCE,
        stall_timeout: PATIENCE,
        hello_timeout: PATIENCE,
        send_timeout: PATIENCE,
        ping_interval: PATIENCE,
        ..Limits::default()
    }
}

/// What the host answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts a whole problem document and gives its detail.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let document = self.json();
        assert_eq!(document["type"], format!("/problems/{kind}"));
        assert_eq!(document["status"], status);
        assert!(document["title"].as_str().is_some_and(|title| !title.is_empty()));
        document["detail"].as_str().unwrap().to_owned()
    }
}

/// What [`token`] is.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A token from a file that nobody else can read.
pub(crate) fn token() -> Token {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{SECRET}").unwrap();
    Token::from_file(file.path()).unwrap()
}

pub(crate) fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).header(header::HOST, ADDRESS).body(Body::empty()).unwrap()
}

pub(crate) fn post(body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method("POST")
        .uri("/api/v1/ingest")
        .header(header::HOST, ADDRESS)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

pub(crate) fn machine_at(at_unix_millis: u64, cpu: Option<f64>) -> HostSnapshot {
    HostSnapshot {
        at_unix_millis,
        cpu: Cpu {
            total_ratio: cpu,
            core_ratios: vec![cpu, cpu],
            load_averages: Some([0.5, 0.25, 0.1]),
            ..Cpu::default()
        },
        memory: Memory {
            total_bytes: 1_000,
            available_bytes: 600,
            used_ratio: Some(0.4),
            ..Memory::default()
        },
        ..HostSnapshot::default()
    }
}

pub(crate) fn source(id: &str) -> PageSource {
    PageSource { id: id.to_owned(), name: format!("Page {id}") }
}

/// A visible second of a page that completed `completed` tasks of ten milliseconds each.
pub(crate) fn sample_at(at_unix_millis: u64, completed: u32) -> PageSample {
    let count = u64::from(completed);
    PageSample {
        at_unix_millis,
        interval_millis: 1_000.0,
        visible: true,
        frames_per_second: Some(60.0),
        pool: Pool { workers: 2, completed, utilisation_ratio: Some(0.5), ..Pool::default() },
        response: (completed > 0).then(|| Latency {
            count,
            sum_millis: 10.0 * f64::from(completed),
            min_millis: 10.0,
            max_millis: 10.0,
            relative_accuracy: 0.01,
            zeros: 0,
            // ceil(ln 10 / ln(1.01 / 0.99))
            buckets: vec![(116, count)],
        }),
        ..PageSample::default()
    }
}

/// A batch, sent at the time of its last sample.
pub(crate) fn batch(id: &str, sequence: u64, samples: Vec<PageSample>) -> PageBatch {
    PageBatch {
        version: VERSION,
        source: source(id),
        batch_id: format!("{id}-{sequence}"),
        sequence,
        sent_at_unix_millis: samples.last().map_or(0, |sample| sample.at_unix_millis),
        samples,
        ..PageBatch::default()
    }
}
