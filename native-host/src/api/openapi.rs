//! The API's description, generated from the code that answers.

use std::collections::BTreeMap;
use std::future::{Ready, ready};

use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use quillwork_protocol::problem::Problem as Document;
use utoipa::openapi::{ContentBuilder, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    App, alerts, config, export, health, ingest, otlp, problem, processes, query, rules, scrape, series,
    silences, snapshot, sources, stream, version,
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
        (name = "pages", description = "What pages send."),
        (name = "metrics", description = "For scrapers."),
        (name = "health", description = "For what keeps the host running."),
    )
)]
struct Description;

/// Routes that ask for the token, and their description.
pub(super) fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(snapshot::snapshot))
        .routes(routes!(processes::processes))
        .routes(routes!(sources::sources))
        .routes(routes!(version::version))
        .routes(routes!(series::series))
        .routes(routes!(query::query))
        .routes(routes!(export::export))
        .routes(routes!(stream::stream))
        .routes(routes!(alerts::alerts))
        .routes(routes!(alerts::history))
        .routes(routes!(alerts::deliveries))
        .routes(routes!(alerts::acknowledge, alerts::unacknowledge))
        .routes(routes!(rules::rules))
        .routes(routes!(rules::slos))
        .routes(routes!(silences::silences, silences::silence))
        .routes(routes!(silences::expire))
        .routes(routes!(scrape::metrics))
        .routes(routes!(config::config))
}

/// Routes that ask for no token: beacons can't carry one, and what they may do is seen there; who watches whether the host
/// lives is told nothing else.
pub(super) fn open() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ingest::ingest))
        .routes(routes!(otlp::metrics))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
}

/// A handler that answers with the description.
pub(super) fn answering(
    description: &utoipa::openapi::OpenApi,
) -> impl Fn() -> Ready<Response> + Clone + use<> {
    let json: Bytes = description.to_json().expect("the description has string keys only").into();
    move || {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        ready((headers, json.clone()).into_response())
    }
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
