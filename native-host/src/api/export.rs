//! Series as files. They are written while they are read: neither the host nor the client holds the whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as HttpBody, Frame};
use quillwork_protocol::problem::Problem as Document;
use quillwork_store::query::{Export, Format, Query};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use utoipa::IntoParams;

use super::App;
use super::extract::Parameters;
use super::number::{SOME, number};
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use super::query::{range, refusal};
use super::reading::Reading;
use crate::clock::unix_millis;

/// Steps of all series together.
const MOST_VALUES: u64 = 50_000_000;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct ExportParameters {
    /// Which series, as for `/api/v1/query`.
    select: String,
    /// First instant, in milliseconds since 1970. An hour before `to` if left out.
    from: Option<u64>,
    /// Instant after the last one, in milliseconds since 1970. Now if left out.
    #[param(minimum = 1)]
    to: Option<u64>,
    /// Distance of the values, in milliseconds; the finest that is kept of that time if left out.
    #[param(minimum = 1)]
    step: Option<u64>,
    /// `csv`, `json`, `prometheus` or `openmetrics`; `csv` if left out.
    format: Option<String>,
}

/// Values of series as comma-separated values, JSON, Prometheus' text with timestamps in milliseconds, or OpenMetrics.
#[utoipa::path(
    get,
    path = "/api/v1/export",
    tag = "history",
    params(ExportParameters),
    responses(
        (status = 200, description = "The file, as it is written. One that breaks off is incomplete.", content(
            (String = "text/csv"), (String = "application/json"), (String = "text/plain"), (String = "application/openmetrics-text"),
        )),
        (status = 400, description = "A parameter can't be right, or too much is asked for.", body = Document, content_type = "application/problem+json"),
        (status = 404, description = "No series matches.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn export(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<Response, Problem> {
    let bad = |detail: String| Problem::new(Kind::BadQuery, detail);
    let (query, format) = parse(&pairs, unix_millis()).map_err(bad)?;
    let reading = Reading::begin(&app).await?;
    let step = query.step_millis.unwrap_or(1);
    let (from, to) = (query.from_unix_millis, query.to_unix_millis);
    let reader =
        app.driver.select(query).await.map_err(|stopped| Problem::new(Kind::Busy, stopped.to_string()))?;
    let reader = reader.map_err(|error| refusal(&error))?.cancelled_by(reading.flag());
    let mut export = Export::new(&reader, format, from, to, step);
    let span =
        to.min(reader.now_unix_millis()).saturating_sub(from.max(reader.first_unix_millis().unwrap_or(to)));
    let values = span / export.step_millis() * reader.ids().len() as u64;
    if values > MOST_VALUES {
        return Err(bad(format!(
            "that is up to {values} values, and {MOST_VALUES} are exported at once: take a longer step, a shorter time, or fewer series"
        )));
    }
    let (pieces, sent) = mpsc::channel(2);
    let place = reading.place();
    spawn_blocking(move || {
        let _place = place;
        loop {
            let piece = match export.next_piece() {
                Ok(Some(piece)) => Ok(Bytes::from(piece)),
                Ok(None) => return,
                Err(error) => Err(io::Error::other(error.to_string())),
            };
            let is_last = piece.is_err();
            // A client that is gone, or an answer that breaks off, ends it.
            if pieces.blocking_send(piece).is_err() || is_last {
                return;
            }
        }
    });
    let (media_type, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Json => ("application/json", "json"),
        Format::Prometheus => ("text/plain; version=0.0.4; charset=utf-8", "txt"),
        Format::OpenMetrics => ("application/openmetrics-text; version=1.0.0; charset=utf-8", "txt"),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"quillwork.{extension}\"")),
    ];
    Ok((headers, Body::new(Pieces { sent, _reading: reading })).into_response())
}

fn parse(pairs: &[(String, String)], now_unix_millis: u64) -> Result<(Query, Format), String> {
    let (mut select, mut from, mut to, mut step, mut format) = (None, None, None, None, None);
    for (parameter, value) in pairs {
        let slot = match parameter.as_str() {
            "select" => &mut select,
            "from" => &mut from,
            "to" => &mut to,
            "step" => &mut step,
            "format" => &mut format,
            other => {
                return Err(format!(
                    "there is no parameter `{other}`; there are select, from, to, step and format"
                ));
            }
        };
        *slot = Some(value.as_str());
    }
    let select =
        select.ok_or("`select` is missing; it says which series: host.cpu.total, or {source=\"…\"}")?;
    let (from, to) = range(from, to, now_unix_millis)?;
    let mut query = Query::new(select.parse().map_err(|error| format!("`select`: {error}"))?, from, to);
    query.step_millis = step.map(|step| number("step", step, SOME)).transpose()?;
    let format = match format {
        None | Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        Some("prometheus") => Format::Prometheus,
        Some("openmetrics") => Format::OpenMetrics,
        Some(other) => {
            return Err(format!("`format` must be csv, json, prometheus or openmetrics, not {other:?}"));
        }
    };
    Ok((query, format))
}

/// The pieces of a file, as they come. The reading ends with them.
struct Pieces {
    sent: mpsc::Receiver<io::Result<Bytes>>,
    _reading: Reading,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.sent.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
