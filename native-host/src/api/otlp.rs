//! OpenTelemetry metrics in: the receiver's side of OTLP/HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prost::Message as _;
use quillwork_protocol::problem::Problem as Document;

use super::App;
use super::extract::{body, media_type};
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::config::Scope;
use crate::otlp::message::{self, PartialSuccess, Status};
use crate::otlp::points::Taken;
use crate::otlp::size;
use crate::state::ProgramRefusal;

const PROTOBUF: &str = "application/x-protobuf";

/// Takes OpenTelemetry metrics (OTLP/HTTP 1.x): gauges, sums, histograms, exponential histograms and summaries.
///
/// Names become series, attributes labels, and the label `source` is `otlp/`, the resource's `service.name` and, if there is
/// one, a slash and its `service.instance.id`. Units become the host's: seconds are kept as milliseconds. A histogram becomes the counters `<name>.count` and
/// `<name>.sum` and the gauges `<name>{quantile="0.5"}`, 0.95 and 0.99 of what it counted since its last point. What can't be kept is
/// counted in `partialSuccess`; it must not be sent again. One program may have 1000 series and send 2000 points a second.
/// Refusals of protobuf requests carry a `google.rpc.Status` in protobuf.
#[utoipa::path(
    post,
    path = "/v1/metrics",
    tag = "metrics",
    request_body(
        content((serde_json::Value = "application/json"), (Vec<u8> = "application/x-protobuf")),
        description = "`ExportMetricsServiceRequest`, at most 1 MiB after decompression (`Content-Encoding: gzip`)."
    ),
    responses(
        (status = 200, description = "`ExportMetricsServiceResponse`, in the request's encoding.", content(
            (serde_json::Value = "application/json"), (Vec<u8> = "application/x-protobuf"),
        )),
        (status = 400, description = "Not an `ExportMetricsServiceRequest`.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "Larger than 1 MiB, or of more than 32768 metrics and points.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "Neither protobuf nor JSON, or compressed by something else than gzip.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn metrics(State(app): State<App>, request: Request) -> Response {
    let is_protobuf = media_type(request.headers()).eq_ignore_ascii_case(PROTOBUF);
    match receive(&app, request, is_protobuf).await {
        Ok(response) if is_protobuf => protobuf(StatusCode::OK, &response),
        Ok(response) => Json(response).into_response(),
        Err(problem) if is_protobuf => {
            let (status, message) = (problem.status(), problem.detail().to_owned());
            // The codes of gRPC for a bad argument, and for what may work later.
            let code =
                if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS { 3 } else { 14 };
            let refusal = problem.into_response();
            let mut response = protobuf(status, &Status { code, message });
            if let Some(wait) = refusal.headers().get(header::RETRY_AFTER) {
                response.headers_mut().insert(header::RETRY_AFTER, wait.clone());
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn receive(app: &App, request: Request, is_protobuf: bool) -> Result<message::Response, Problem> {
    app.guard.check_request(&request, Scope::Ingest)?;
    let given = media_type(request.headers());
    if !is_protobuf && !given.eq_ignore_ascii_case("application/json") {
        let detail = format!("the body's type is {given:?}; send OTLP as {PROTOBUF} or application/json");
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let bytes = body(request, app).await?;
    let is_too_much = if is_protobuf {
        size::messages(&bytes).map_err(|error| malformed(&error))? > size::MOST_MESSAGES
    } else {
        size::objects(&bytes) > size::MOST_OBJECTS
    };
    if is_too_much {
        let detail =
            format!("it holds more than {} metrics and points; send it in parts", size::MOST_MESSAGES);
        return Err(Problem::new(Kind::BodyTooLarge, detail));
    }
    let request = if is_protobuf {
        message::Request::decode(&bytes[..]).map_err(|error| malformed(&error))?
    } else {
        serde_json::from_slice(&bytes).map_err(|error| malformed(&error))?
    };
    let mut taken = Taken::of(request);
    for program in std::mem::take(&mut taken.programs) {
        let kept = app.driver.program(program).await.unwrap_or(Err(ProgramRefusal::Stopped));
        match kept {
            Ok(None) => {}
            Ok(Some((points, reason))) => taken.reject(points, reason),
            Err(refusal) => {
                let detail = refusal.to_string();
                return Err(match refusal {
                    ProgramRefusal::TooFast { wait_seconds } => Problem::new(Kind::TooManyRequests, detail)
                        .with_header(header::RETRY_AFTER, HeaderValue::from(wait_seconds)),
                    ProgramRefusal::TooMany | ProgramRefusal::Stopped => Problem::new(Kind::Busy, detail),
                });
            }
        }
    }
    let partial_success = taken
        .reason
        .map(|error_message| PartialSuccess { rejected_data_points: taken.rejected, error_message });
    Ok(message::Response { partial_success })
}

fn malformed(error: &dyn std::error::Error) -> Problem {
    Problem::new(Kind::MalformedBody, format!("the body is no ExportMetricsServiceRequest: {error}"))
}

fn protobuf(status: StatusCode, message: &impl prost::Message) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(PROTOBUF)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Bytes::from(message.encode_to_vec())).into_response()
}
