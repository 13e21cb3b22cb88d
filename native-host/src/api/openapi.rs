//! The API's description, generated from the code that answers.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use quillwork_protocol::problem::Problem as Document;
use utoipa::openapi::{ContentBuilder, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, OpenApi, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use super::{
    App, alerts, annotations, config, export, health, ingest, insights, otlp, problem, processes, query,
    replication, reports, rules, scrape, series, silences, snapshot, sources, stream, version,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Quillwork host",
        description = "Hardware metrics of a machine, telemetry of the pages connected to it, history and alerts. \
                       Every error is an RFC 9457 problem document whose detail says what to do. \
                       Where the host was started with --token-file, requests carry `Authorization: Bearer <token>`. \
                       Live ticks come over the WebSocket at `/ws`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(Document)),
    tags(
        (name = "host", description = "The machine and everything connected to it."),
        (name = "live", description = "What changes, as it changes. The WebSocket at `/ws` tells the same."),
        (name = "history", description = "What was measured: a second apart for a day, and coarser for up to two years."),
        (name = "alerts", description = "Rules, what fires, who is told and who takes care of it."),
        (name = "replication", description = "What a host and its standbys say to each other."),
        (name = "pages", description = "What pages send."),
        (name = "metrics", description = "For scrapers."),
        (name = "health", description = "For what keeps the host running."),
    )
)]
struct Description;

/// Makes some routes and their description, which is much larger.
type Described = fn() -> UtoipaMethodRouter<App>;

/// Those that ask for the token.
const GUARDED: &[Described] = &[
    || routes!(snapshot::snapshot),
    || routes!(processes::processes),
    || routes!(sources::sources),
    || routes!(version::version),
    || routes!(series::series),
    || routes!(query::query),
    || routes!(export::export),
    || routes!(annotations::annotations),
    || routes!(annotations::delete),
    || routes!(insights::insights),
    || routes!(reports::reports),
    || routes!(reports::schedule),
    || routes!(stream::stream),
    || routes!(alerts::alerts),
    || routes!(alerts::history),
    || routes!(alerts::deliveries),
    || routes!(alerts::acknowledge, alerts::unacknowledge),
    || routes!(rules::rules),
    || routes!(rules::slos),
    || routes!(silences::silences, silences::silence),
    || routes!(silences::expire),
    || routes!(scrape::metrics),
    || routes!(config::config),
    || routes!(replication::standing),
    || routes!(replication::promote),
];

/// Those of standbys, whose tokens are good for this only.
const REPLICATION: &[Described] =
    &[|| routes!(replication::state), || routes!(replication::file), || routes!(replication::hear)];

/// Those that see for themselves who may ask: beacons can't carry a token; who watches whether the host
/// lives is told nothing else.
const OPEN: &[Described] = &[
    || routes!(ingest::ingest),
    || routes!(annotations::annotate),
    || routes!(otlp::metrics),
    || routes!(health::alive),
    || routes!(health::ready),
    || routes!(replication::claim),
];

/// Routes that ask for the token.
pub(super) fn guarded() -> Router<App> {
    routes_alone(GUARDED)
}

/// Routes that ask for a standby's token.
pub(super) fn replication() -> Router<App> {
    routes_alone(REPLICATION)
}

/// Routes that see for themselves who may ask.
pub(super) fn open() -> Router<App> {
    routes_alone(OPEN)
}

/// Drops each description before the next is made: together they would take megabytes, of which a started host keeps nothing.
fn routes_alone(all: &[Described]) -> Router<App> {
    all.iter().fold(Router::new(), |router, described| {
        let (_, paths, methods) = described();
        paths.paths.keys().fold(router, |router, path| router.route(path, methods.clone()))
    })
}

/// The description of all routes.
pub(super) fn description() -> utoipa::openapi::OpenApi {
    let router = OpenApiRouter::with_openapi(Description::openapi());
    let all = GUARDED.iter().chain(REPLICATION).chain(OPEN);
    all.fold(router, |router, described| router.routes(described())).into_openapi()
}

/// Answers with the description, which is made when somebody asks first.
pub(super) async fn document() -> impl IntoResponse {
    static JSON: OnceLock<Bytes> = OnceLock::new();
    let json = JSON.get_or_init(|| description().to_json().expect("it has string keys only").into());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, json.clone())
}

/// What every endpoint may answer instead.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        [
            ("401", "The bearer token is missing or wrong."),
            ("400", "The request can't be understood, or a token stands in its address."),
            ("403", "The Host or Origin header is foreign, or the token isn't good for this."),
            ("405", "The method isn't offered; the Allow header lists what is."),
            ("408", "The request took too long."),
            ("429", "The client asks more often than it may; Retry-After says when to go on."),
            ("503", "The host is stopping, or a bound has been reached."),
        ]
        .into_iter()
        .map(|(status, description)| {
            let schema = RefOr::Ref(utoipa::openapi::Ref::from_schema_name(Document::name()));
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let response =
                ResponseBuilder::new().description(description).content(problem::MEDIA_TYPE, content).build();
            (status.to_owned(), RefOr::T(response))
        })
        .collect()
    }
}
