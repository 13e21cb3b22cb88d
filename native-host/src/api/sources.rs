//! Who reports to the host.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use quillwork_protocol::problem::Problem as Document;
use quillwork_protocol::source::{Source, SourceList};
use utoipa::IntoParams;

use super::App;
use super::extract::Parameters;
use super::openapi::Refusals;
use super::paging::Paging;
use super::problem::{Kind, Problem};
use crate::clock::unix_millis;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct SourceParameters {
    /// Sources of a page, 1 to 1000; 100 if left out.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Who reports to the host: the machine itself, pages, and programs that send OpenTelemetry metrics. By id.
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    tag = "host",
    params(SourceParameters),
    responses(
        (status = 200, description = "The sources.", body = SourceList),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn sources(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let mut paging = Paging::default();
    for (parameter, value) in &pairs {
        let taken = paging.take(parameter, value).and_then(|taken| {
            taken
                .then_some(())
                .ok_or_else(|| format!("there is no parameter `{parameter}`; there are limit and cursor"))
        });
        taken.map_err(|detail| Problem::new(Kind::BadQuery, detail))?;
    }
    let sources =
        app.driver.sources().await.map_err(|stopped| Problem::new(Kind::Busy, stopped.to_string()))?;
    let (sources, next_cursor) = paging.page(sources, |source: &Source| &source.id);
    let list = SourceList { server_unix_millis: unix_millis(), sources, next_cursor };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(list)))
}
