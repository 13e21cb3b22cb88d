//! Silences: made, listed, expired.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use quillwork_core::alert::notify::{SilenceError, SilenceId};
use quillwork_protocol::alert::{NewSilence, SilenceInfo};
use quillwork_protocol::problem::Problem as Document;

use super::App;
use super::alerts::{fresh, stopped};
use super::extract::JsonBody;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};

/// All silences, those that ended in the last day too.
#[utoipa::path(
    get,
    path = "/api/v1/silences",
    tag = "alerts",
    responses((status = 200, description = "The silences.", body = Vec<SilenceInfo>), Refusals)
)]
pub(super) async fn silences(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let silences = app.driver.with(|state, now| state.alerts().silence_infos(now)).await.map_err(stopped)?;
    Ok(fresh(Json(silences)))
}

/// Mutes the alerts that match until it ends.
#[utoipa::path(
    post,
    path = "/api/v1/silences",
    tag = "alerts",
    request_body = NewSilence,
    responses(
        (status = 201, description = "The silence.", body = SilenceInfo),
        (status = 400, description = "The body can't be understood.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "The body isn't JSON.", body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Such a silence can't be.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn silence(
    State(app): State<App>,
    JsonBody(new): JsonBody<NewSilence>,
) -> Result<impl IntoResponse, Problem> {
    let made = app
        .driver
        .with(move |state, now| {
            let alerts = state.alerts();
            let request = alerts.silence_request(now, new);
            let id = alerts.silence(now, request)?;
            Ok(alerts.silence_infos(now).into_iter().find(|silence| silence.id == id.get()))
        })
        .await
        .map_err(stopped)?;
    match made {
        Ok(Some(silence)) => Ok((StatusCode::CREATED, Json(silence))),
        Ok(None) => {
            Err(Problem::new(Kind::Internal, "the silence was lost at once; this is a fault of the host"))
        }
        Err(error @ SilenceError::TooMany) => Err(Problem::new(Kind::Busy, error.to_string())),
        Err(error) => Err(Problem::new(Kind::InvalidContent, error.to_string())),
    }
}

/// Ends a silence now. What is still firing is told.
#[utoipa::path(
    delete,
    path = "/api/v1/silences/{id}",
    tag = "alerts",
    params(("id" = u64, Path, description = "The silence's id.")),
    responses(
        (status = 204, description = "It has ended."),
        (status = 404, description = "There is no such silence, or it has ended already.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn expire(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let none = || {
        Problem::new(
            Kind::NotFound,
            "there is no silence of this id that hasn't ended; /api/v1/silences lists them",
        )
    };
    let id = SilenceId::new(id.parse().map_err(|_| none())?);
    let was =
        app.driver.with(move |state, now| state.alerts().expire_silence(now, id)).await.map_err(stopped)?;
    if was { Ok(StatusCode::NO_CONTENT) } else { Err(none()) }
}
