//! Alerts, what happened to them, and who takes care of them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use quillwork_core::alert::Fingerprint;
use quillwork_core::alert::notify::AcknowledgeError;
use quillwork_protocol::alert::{AlertDelivery, AlertEvent, AlertStatus, NewAcknowledgement};
use quillwork_protocol::problem::Problem as Document;
use utoipa::IntoParams;

use super::App;
use super::extract::{JsonBody, Parameters};
use super::number::number;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::driver::Stopped;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct AlertParameters {
    /// Only those that fire, with or without data.
    firing: Option<bool>,
}

/// For the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct NewestParameters {
    /// The newest so many, 1 to 1000; 100 if left out.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
}

/// Every rule on everything that it watches, as of the last tick; the most urgent first.
#[utoipa::path(
    get,
    path = "/api/v1/alerts",
    tag = "alerts",
    params(AlertParameters),
    responses(
        (status = 200, description = "The alerts.", body = Vec<AlertStatus>),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn alerts(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let mut is_firing_only = false;
    for (name, value) in &pairs {
        is_firing_only = match (name.as_str(), value.as_str()) {
            ("firing", "true") => true,
            ("firing", "false") => false,
            ("firing", _) => return Err(bad("`firing` must be true or false")),
            (other, _) => return Err(bad(&format!("there is no parameter `{other}`; there is firing"))),
        };
    }
    let tick = app.driver.ticks().borrow().clone();
    let fires = |alert: &&AlertStatus| !is_firing_only || alert.firing_since_unix_millis.is_some();
    let alerts: Vec<AlertStatus> = tick.snapshot.alerts.iter().filter(fires).cloned().collect();
    Ok(fresh(Json(alerts)))
}

/// What happened to alerts, the newest first: the last thousand beginnings, raises and ends.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/history",
    tag = "alerts",
    params(NewestParameters),
    responses(
        (status = 200, description = "The events.", body = Vec<AlertEvent>),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn history(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let limit = limit(&pairs)?;
    let events = app
        .driver
        .with(move |state, _| state.alerts().events().rev().take(limit).cloned().collect::<Vec<_>>())
        .await
        .map_err(stopped)?;
    Ok(fresh(Json(events)))
}

/// What became of notifications, the newest first: the last thousand.
#[utoipa::path(
    get,
    path = "/api/v1/alerts/deliveries",
    tag = "alerts",
    params(NewestParameters),
    responses(
        (status = 200, description = "The deliveries.", body = Vec<AlertDelivery>),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn deliveries(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let limit = limit(&pairs)?;
    let deliveries = app
        .driver
        .with(move |state, _| state.alerts().deliveries().rev().take(limit).cloned().collect::<Vec<_>>())
        .await
        .map_err(stopped)?;
    Ok(fresh(Json(deliveries)))
}

/// Somebody takes care of an alert: it isn't repeated and not escalated until it ends or grows worse.
#[utoipa::path(
    put,
    path = "/api/v1/alerts/{fingerprint}/acknowledgement",
    tag = "alerts",
    params(("fingerprint" = String, Path, description = "The alert's fingerprint.")),
    request_body = NewAcknowledgement,
    responses(
        (status = 204, description = "It is acknowledged."),
        (status = 400, description = "The body can't be understood.", body = Document, content_type = "application/problem+json"),
        (status = 404, description = "No such alert fires.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "The body isn't JSON.", body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Nobody signs it.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn acknowledge(
    State(app): State<App>,
    Path(fingerprint): Path<String>,
    JsonBody(new): JsonBody<NewAcknowledgement>,
) -> Result<StatusCode, Problem> {
    let fingerprint = parse(&fingerprint)?;
    let outcome = app
        .driver
        .with(move |state, now| state.alerts().acknowledge(now, fingerprint, &new.author, &new.comment))
        .await
        .map_err(stopped)?;
    match outcome {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error @ AcknowledgeError::NotFiring) => Err(Problem::new(Kind::NotFound, error.to_string())),
        Err(error) => Err(Problem::new(Kind::InvalidContent, error.to_string())),
    }
}

/// Takes an acknowledgement back.
#[utoipa::path(
    delete,
    path = "/api/v1/alerts/{fingerprint}/acknowledgement",
    tag = "alerts",
    params(("fingerprint" = String, Path, description = "The alert's fingerprint.")),
    responses(
        (status = 204, description = "It is acknowledged no more."),
        (status = 404, description = "Nobody had acknowledged it.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn unacknowledge(
    State(app): State<App>,
    Path(fingerprint): Path<String>,
) -> Result<StatusCode, Problem> {
    let fingerprint = parse(&fingerprint)?;
    let was =
        app.driver.with(move |state, _| state.alerts().unacknowledge(fingerprint)).await.map_err(stopped)?;
    if was {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::new(Kind::NotFound, "nobody has acknowledged an alert of this fingerprint"))
}

fn parse(text: &str) -> Result<Fingerprint, Problem> {
    let number = u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16 && !text.starts_with('+'));
    number.map(Fingerprint::from_u64).ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "a fingerprint has sixteen hexadecimal digits; /api/v1/alerts lists them",
        )
    })
}

fn limit(pairs: &[(String, String)]) -> Result<usize, Problem> {
    let mut limit = 100;
    for (name, value) in pairs {
        if name != "limit" {
            return Err(bad(&format!("there is no parameter `{name}`; there is limit")));
        }
        limit = number("limit", value, 1..=1_000).map_err(|detail| bad(&detail))?;
    }
    Ok(limit)
}

pub(super) fn bad(detail: &str) -> Problem {
    Problem::new(Kind::BadQuery, detail)
}

pub(super) fn stopped(stopped: Stopped) -> Problem {
    Problem::new(Kind::Busy, stopped.to_string())
}

pub(super) fn fresh(body: impl IntoResponse) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], body)
}
