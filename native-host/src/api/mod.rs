//! HTTP: the API, the WebSocket, metrics, health and the apps' files.

mod alerts;
mod annotations;
mod conditional;
mod config;
mod export;
mod extract;
mod health;
mod ingest;
mod insights;
mod number;
mod openapi;
mod otlp;
mod page_rates;
mod paging;
pub mod problem;
mod processes;
mod query;
mod reading;
mod reference;
mod replication;
mod reports;
mod request_id;
mod rules;
mod scrape;
mod series;
mod silences;
mod snapshot;
mod sources;
mod stream;
mod version;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use quillwork_protocol::page::PageBatch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tower_http::compression::CompressionLayer;

use self::conditional::conditional;
use self::page_rates::PageRates;
use self::problem::{Kind, Problem, problems_only};
use self::request_id::{RequestIds, named};
use crate::assets::Site;
use crate::clients::{Rates, paced};
use crate::clock::unix_millis;
use crate::config::Config;
use crate::driver::{Driver, Proof};
use crate::guard::{Guard, authorized, guarded, replicates, security_headers};
use crate::limits::Limits;
use crate::live::Hub;
use crate::metrics::ServerCounters;
use crate::places::Place;
use crate::report::{Scheduled, planned};
use crate::socket;
use crate::standby::gate::gate;
use crate::standby::rivals::Rivals;
use crate::state::{BatchRefusal, Counted};
use crate::stopping::Stopping;

/// What requests share.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) driver: Driver,
    pub(crate) guard: Arc<Guard>,
    /// What counts now; the limits are those of the start.
    pub(crate) config: watch::Receiver<Arc<Config>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counters: Arc<ServerCounters>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) page_rates: Arc<PageRates>,
    pub(crate) dashboard_places: Arc<Semaphore>,
    pub(crate) page_places: Arc<Semaphore>,
    pub(crate) greeting_places: Arc<Semaphore>,
    reading_places: Arc<Semaphore>,
    replication_places: Arc<Semaphore>,
    pub(crate) scheduled: Arc<Scheduled>,
    pub(crate) rivals: Arc<Rivals>,
    pub(crate) stopping: Stopping,
    pub(crate) instance: Arc<str>,
    pub(crate) started_unix_millis: u64,
    dashboard: Arc<Site>,
    story: Arc<Site>,
}

impl App {
    /// WebSockets end when `stopping` says so.
    #[must_use]
    pub fn new(
        driver: Driver,
        guard: Arc<Guard>,
        config: watch::Receiver<Arc<Config>>,
        sites: (Site, Site),
        stopping: Stopping,
    ) -> Self {
        let limits = config.borrow().limits.clone();
        let scheduled = Scheduled::new(planned(&config.borrow()));
        let instance = Arc::from(&*driver.ticks().borrow().snapshot.instance);
        Self {
            rivals: Arc::new(Rivals { driver: driver.clone(), named: Vec::new() }),
            driver,
            guard,
            config,
            dashboard_places: Arc::new(Semaphore::new(limits.dashboards)),
            page_places: Arc::new(Semaphore::new(limits.page_connections)),
            greeting_places: Arc::new(Semaphore::new(limits.greetings)),
            reading_places: Arc::new(Semaphore::new(limits.readings)),
            replication_places: Arc::new(Semaphore::new(REPLICATION_PLACES)),
            page_rates: Arc::new(PageRates::new(&limits)),
            limits: Arc::new(limits),
            counters: Arc::default(),
            hub: Arc::default(),
            scheduled: Arc::new(scheduled),
            stopping,
            instance,
            started_unix_millis: unix_millis(),
            dashboard: Arc::new(sites.0),
            story: Arc::new(sites.1),
        }
    }

    /// With other hosts of the same history, which a promotion is told to.
    #[must_use]
    pub(crate) fn beside(self, rivals: Rivals) -> Self {
        Self { rivals: Arc::new(rivals), ..self }
    }

    /// Everything the host answers.
    pub fn router(self) -> Router {
        let token = from_fn_with_state(Arc::clone(&self.guard), authorized);
        let replication = from_fn_with_state(Arc::clone(&self.guard), replicates);
        let api = openapi::guarded()
            .layer(token.clone())
            .merge(openapi::replication().layer(replication))
            .merge(openapi::open());
        let described = Router::new()
            .route("/api/v1/openapi.json", get(openapi::document))
            .route("/api/{*path}", any(nothing_in_the_api))
            .layer(token);
        let rates = Arc::new(Rates::new(&self.limits));
        let ids = Arc::new(RequestIds::new(Arc::clone(&self.instance)));
        Router::new()
            .route("/ws", get(socket::upgrade))
            .route("/api", get(|| async { Redirect::permanent("/api/") }))
            .merge(reference::routes())
            .route("/story", get(|| async { Redirect::permanent("/story/") }))
            .route("/story/", get(story_index))
            .route("/story/{*path}", get(story_file))
            .merge(api)
            .merge(described)
            .fallback(dashboard_file)
            .layer(from_fn(problems_only))
            .layer(from_fn_with_state(self.driver.clone(), gate))
            .layer(from_fn_with_state(Arc::clone(&self.limits), in_time))
            .layer(DefaultBodyLimit::max(self.limits.body_bytes))
            .layer(from_fn(conditional))
            .layer(CompressionLayer::new())
            .layer(from_fn_with_state(Arc::clone(&self.guard), guarded))
            .layer(from_fn_with_state(rates, paced))
            .layer(from_fn(security_headers))
            .layer(from_fn_with_state(ids, named))
            .with_state(self)
    }

    /// A place among the standbys that read files; one that finds none asks again.
    pub(crate) fn replication_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.replication_places).try_acquire_owned();
        place.map_err(|_| Problem::new(Kind::Busy, "other standbys read just now; ask again in a second"))
    }

    /// Waits until no page and no dashboard is connected.
    pub async fn sockets_closed(&self) {
        let bounds = [
            (&self.dashboard_places, self.limits.dashboards),
            (&self.page_places, self.limits.page_connections),
        ];
        for (places, all) in bounds {
            let all = u32::try_from(all).unwrap_or(u32::MAX);
            drop(places.acquire_many(all).await);
        }
    }

    /// A place for one more dashboard, if there is one left.
    pub(crate) fn dashboard_place(&self) -> Option<Place> {
        Place::take(&self.dashboard_places, &self.counters, |counters| &counters.dashboards)
    }

    /// Gives a batch to the driver and counts what became of it.
    pub(crate) async fn count(&self, batch: PageBatch, proof: Proof) -> Result<Counted, BatchRefusal> {
        let counted = self.driver.batch(batch, proof).await.unwrap_or(Err(BatchRefusal::Stopped));
        let counter = match &counted {
            Ok(Counted::New) => &self.counters.batches,
            Ok(Counted::Duplicate) => &self.counters.duplicate_batches,
            Err(_) => &self.counters.refused_batches,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        counted
    }
}

/// Requests of standbys at a time.
const REPLICATION_PLACES: usize = 4;

async fn nothing_in_the_api(request: Request) -> Problem {
    let detail = format!(
        "there is no {} in this API; what there is is listed at /api/v1/openapi.json",
        request.uri().path()
    );
    Problem::new(Kind::NotFound, detail)
}

async fn dashboard_file(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    app.dashboard.serve(&path, request).await
}

async fn story_index(State(app): State<App>, request: Request) -> Response {
    app.story.serve("/", request).await
}

async fn story_file(State(app): State<App>, Path(_): Path<String>, request: Request) -> Response {
    // The path as it was sent: decoding it twice would let %2e%2e through.
    let path = request.uri().path().strip_prefix("/story").unwrap_or("/").to_owned();
    app.story.serve(&path, request).await
}

/// Bounds the time of a request. A client that sends its body drop by drop holds a connection for no longer.
async fn in_time(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    match timeout(limits.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let seconds = limits.request_timeout.as_secs_f64();
            let detail =
                format!("the request was not complete after {seconds} s; send it faster, or in parts");
            Problem::new(Kind::RequestTimeout, detail).into_response()
        }
    }
}
