//! What runs here.

use axum::Json;
use axum::extract::State;
use quillwork_protocol::VERSION;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::openapi::Refusals;
use crate::clock::unix_millis;

/// What runs here, and since when.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    /// The host's version.
    version: &'static str,
    /// Version of the messages between page, host and dashboard.
    protocol_version: u32,
    /// Name of this run of the host: ticks are counted within it.
    instance: String,
    /// When it started.
    started_unix_millis: u64,
    /// The host's clock.
    server_unix_millis: u64,
    /// The operating system that it was built for.
    os: &'static str,
    /// The processor that it was built for.
    arch: &'static str,
}

/// What runs here, since when, and the host's clock.
#[utoipa::path(
    get,
    path = "/api/v1/version",
    tag = "host",
    responses((status = 200, description = "What runs here.", body = Version), Refusals)
)]
pub(super) async fn version(State(app): State<App>) -> Json<Version> {
    Json(Version {
        version: env!("CARGO_PKG_VERSION"),
        protocol_version: VERSION,
        instance: String::from(&*app.instance),
        started_unix_millis: app.started_unix_millis,
        server_unix_millis: unix_millis(),
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
    })
}
