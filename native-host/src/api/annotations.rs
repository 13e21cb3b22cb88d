//! Annotations: made, listed, deleted.

use axum::Json;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use quillwork_protocol::annotation::{Annotation, AnnotationList, NewAnnotation};
use quillwork_protocol::problem::Problem as Document;
use utoipa::IntoParams;

use super::App;
use super::alerts::{bad, fresh, stopped};
use super::extract::{JsonBody, Parameters};
use super::number::{ANY, SOME, number};
use super::openapi::Refusals;
use super::paging::Paging;
use super::problem::{Kind, Problem};
use crate::clock::unix_millis;
use crate::config::Scope;
use crate::state::AnnotationQuery;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct AnnotationParameters {
    /// First instant in milliseconds since 1970. What began before and was going on then is among them.
    from: Option<u64>,
    /// Instant after the last.
    #[param(minimum = 1)]
    to: Option<u64>,
    /// A tag that they must have; may repeat, and they must have all then.
    tag: Option<Vec<String>>,
    /// What they must be about.
    source: Option<String>,
    /// Annotations of a page, 1 to 1000; 100 if left out.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// What people and scripts did, the newest first.
#[utoipa::path(
    get,
    path = "/api/v1/annotations",
    tag = "history",
    params(AnnotationParameters),
    responses(
        (status = 200, description = "The annotations.", body = AnnotationList),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn annotations(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let (query, paging) = parse(&pairs).map_err(|detail| bad(&detail))?;
    let selected =
        app.driver.with(move |state, _| state.annotations().select(&query)).await.map_err(stopped)?;
    // Cursors go upwards, and these go back in time.
    let keyed = selected.into_iter().map(|annotation| {
        let key = format!("{:020}-{:020}", u64::MAX - annotation.at, u64::MAX - annotation.id);
        (key, annotation)
    });
    let (page, next_cursor) = paging.page(keyed, |(key, _)| key);
    let annotations = page.into_iter().map(|(_, annotation)| annotation).collect();
    Ok(fresh(Json(AnnotationList { server_unix_millis: unix_millis(), annotations, next_cursor })))
}

/// Notes what happened, for instance a deployment.
///
/// The scope `ingest` is enough. The last 4096 are kept, with 1 MiB of text in all; the oldest make room. One outlives the host from its
/// next tick on, which is within a second and a half.
#[utoipa::path(
    post,
    path = "/api/v1/annotations",
    tag = "history",
    request_body = NewAnnotation,
    responses(
        (status = 201, description = "The annotation.", body = Annotation),
        (status = 400, description = "The body can't be understood.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "The body isn't JSON.", body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Such an annotation can't be.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn annotate(State(app): State<App>, request: Request) -> Result<impl IntoResponse, Problem> {
    let by = app.guard.check_request(&request, Scope::Ingest)?;
    let JsonBody(new) = JsonBody::<NewAnnotation>::from_request(request, &app).await?;
    let added =
        app.driver.with(move |state, now| state.annotations().add(now, new)).await.map_err(stopped)?;
    let annotation = added.map_err(|error| Problem::new(Kind::InvalidContent, error.to_string()))?;
    tracing::info!(
        "annotation {} by {}: {}",
        annotation.id,
        by.as_deref().unwrap_or("anybody on this machine"),
        annotation.text.replace('\n', " ")
    );
    Ok((StatusCode::CREATED, Json(annotation)))
}

/// Deletes an annotation.
#[utoipa::path(
    delete,
    path = "/api/v1/annotations/{id}",
    tag = "history",
    params(("id" = u64, Path, description = "The annotation's id.")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "There is no such annotation.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn delete(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let none = || {
        Problem::new(
            Kind::NotFound,
            "there is no annotation of this id; /api/v1/annotations lists what there is",
        )
    };
    let id = id.parse().map_err(|_| none())?;
    let was = app.driver.with(move |state, _| state.annotations().remove(id)).await.map_err(stopped)?;
    if was { Ok(StatusCode::NO_CONTENT) } else { Err(none()) }
}

fn parse(pairs: &[(String, String)]) -> Result<(AnnotationQuery, Paging), String> {
    let (mut query, mut paging) = (AnnotationQuery::default(), Paging::default());
    for (parameter, value) in pairs {
        match parameter.as_str() {
            "from" => query.from = Some(number("from", value, ANY)?),
            "to" => query.to = Some(number("to", value, SOME)?),
            "tag" => query.tags.push(value.clone()),
            "source" => query.source = Some(value.clone()),
            other if paging.take(other, value)? => {}
            other => {
                return Err(format!(
                    "there is no parameter `{other}`; there are from, to, tag, source, limit and cursor"
                ));
            }
        }
    }
    match (query.from, query.to) {
        (Some(from), Some(to)) if from >= to => Err(format!("`from` ({from}) must lie before `to` ({to})")),
        _ => Ok((query, paging)),
    }
}
