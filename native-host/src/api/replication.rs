//! What hosts of one history say to each other.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use quillwork_core::time::Duration;
use quillwork_protocol::problem::Problem as Document;
use quillwork_protocol::replication::{Claim, FileVersion, Promotion, ReplicationState, Standing};
use quillwork_store::history::{is_values, versions};
use quillwork_store::volume::{Volume as _, VolumeError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use utoipa::IntoParams;

use super::App;
use super::alerts::{bad, fresh, stopped};
use super::extract::{JsonBody, Parameters};
use super::number::{ANY, number};
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::standby::follow::{is_other, others};
use crate::standby::peer::normal;
use crate::state::{Asking, Given, PromoteError};

/// Bytes of a piece of a file.
const PIECE: u64 = 1 << 20;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct StateParameters {
    /// Values in memory from this instant on, in milliseconds since 1970; all of them if left out.
    from: Option<u64>,
    /// The edition of the files that the asker knows: they are left out where it is the same still.
    edition: Option<String>,
    /// The asker's own number.
    node: Option<String>,
    /// Where the asker can be reached.
    url: Option<String>,
    /// How many milliseconds ago the asker had all that there was.
    behind: Option<u64>,
}

/// For the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct PieceParameters {
    /// First byte; 0 if left out.
    from: Option<u64>,
    /// So many bytes, 1 to 1048576; 1048576 if left out.
    #[param(minimum = 1, maximum = 1_048_576)]
    length: Option<u64>,
}

/// What this host is to others with the same history: primary, standby or fenced, and how far behind.
#[utoipa::path(
    get,
    path = "/api/v1/replication",
    tag = "replication",
    responses((status = 200, description = "What it is.", body = Standing), Refusals)
)]
pub(super) async fn standing(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    Ok(fresh(Json(app.driver.with(|state, now| state.standing(now)).await.map_err(stopped)?)))
}

/// What there is to follow: the files, and the newest values. For standbys; the token must be good for the scope `replicate`.
#[utoipa::path(
    get,
    path = "/api/v1/replication/state",
    tag = "replication",
    params(StateParameters),
    responses(
        (status = 200, description = "What there is. Of a host that isn't the primary who it is, and nothing else.", body = ReplicationState),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn state(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let (mut from, mut edition, mut asking) = (0, None, Asking::default());
    for (name, value) in &pairs {
        match name.as_str() {
            "from" => from = number("from", value, ANY).map_err(|detail| bad(&detail))?,
            "edition" => edition = Some(value.clone()),
            "node" if value.len() == 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                asking.node = Some(value.clone());
            }
            "node" => return Err(bad("`node` must have sixteen hexadecimal digits")),
            "url" => asking.url = Some(normal(value).map_err(|error| bad(&format!("`url`: {error}")))?),
            "behind" => {
                let behind = number("behind", value, ANY).map_err(|detail| bad(&detail))?;
                asking.behind = Some(Duration::from_millis(behind));
            }
            other => {
                return Err(bad(&format!(
                    "there is no parameter `{other}`; there are from, edition, node, url and behind"
                )));
            }
        }
    }
    let place = app.replication_place()?;
    let given = app.driver.with(move |state, now| (state.is_active(), state.give(now, asking, from)));
    let (is_active, Given { claim, edition: now, tail, medium }) = given.await.map_err(stopped)?;
    let wants_files = is_active && edition.as_ref() != Some(&now);
    let listed = spawn_blocking(move || -> Result<_, VolumeError> {
        let _place = place;
        if !is_active {
            return Ok((None, Vec::new()));
        }
        let files = if wants_files { Some(versions(&medium)?.into_iter().map(told).collect()) } else { None };
        Ok((files, others(&medium)?.into_values().map(told).collect()))
    });
    let (files, others) = listed.await.map_err(failed)?.map_err(failed)?;
    Ok(fresh(Json(ReplicationState { claim, edition: now, files, others, tail: BASE64.encode(tail) })))
}

/// A piece of a file. For standbys; the token must be good for the scope `replicate`.
#[utoipa::path(
    get,
    path = "/api/v1/replication/files/{name}",
    tag = "replication",
    params(("name" = String, Path, description = "The file's name, as the state lists it."), PieceParameters),
    responses(
        (status = 200, description = "The bytes, fewer where the file ends before.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        (status = 404, description = "There is no such file, or no more.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn file(
    State(app): State<App>,
    Path(name): Path<String>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let (mut from, mut length) = (0, PIECE);
    for (name, value) in &pairs {
        match name.as_str() {
            "from" => from = number("from", value, ANY).map_err(|detail| bad(&detail))?,
            "length" => length = number("length", value, 1..=PIECE).map_err(|detail| bad(&detail))?,
            other => return Err(bad(&format!("there is no parameter `{other}`; there are from and length"))),
        }
    }
    let gone = || Problem::new(Kind::NotFound, "there is no such file, or no more; ask for the state again");
    if !(is_values(&name) || is_other(&name)) {
        return Err(gone());
    }
    let place = app.replication_place()?;
    let medium = app.driver.with(|state, _| state.medium()).await.map_err(stopped)?;
    let read = spawn_blocking(move || {
        let _place = place;
        medium.read(&name, from, usize::try_from(length).unwrap_or(usize::MAX))
    });
    let bytes = read.await.map_err(failed)?.map_err(failed)?.ok_or_else(gone)?;
    Ok(fresh(([(header::CONTENT_TYPE, "application/octet-stream")], Bytes::from(bytes))))
}

/// Who this host is, in which epoch. Asks for no token: a host that was the primary asks so whether another is now.
#[utoipa::path(
    get,
    path = "/api/v1/replication/claim",
    tag = "replication",
    responses((status = 200, description = "Who it is.", body = Claim), Refusals)
)]
pub(super) async fn claim(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    Ok(fresh(Json(app.driver.with(|state, _| state.claim()).await.map_err(stopped)?)))
}

/// Another host says who it is. Where it has taken over from this one, this one is silent from now on. The token must be good for the scope `replicate`.
#[utoipa::path(
    post,
    path = "/api/v1/replication/claim",
    tag = "replication",
    request_body = Claim,
    responses(
        (status = 200, description = "Who this host is now.", body = Claim),
        (status = 400, description = "The body can't be understood.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "The body isn't JSON.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn hear(
    State(app): State<App>,
    JsonBody(claim): JsonBody<Claim>,
) -> Result<impl IntoResponse, Problem> {
    let url = claim.url.as_deref().and_then(|url| normal(url).ok());
    let claim = Claim { url, ..claim };
    let ours = app.driver.with(move |state, now| {
        state.hear(now, &claim);
        state.claim()
    });
    Ok(fresh(Json(ours.await.map_err(stopped)?)))
}

/// Makes this standby the primary.
#[utoipa::path(
    post,
    path = "/api/v1/replication/promotion",
    tag = "replication",
    request_body = Promotion,
    responses(
        (status = 200, description = "It is the primary.", body = Claim),
        (status = 400, description = "The body can't be understood.", body = Document, content_type = "application/problem+json"),
        (status = 409, description = "It is the primary already, or lacks what the primary has; the detail says what to do.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "The body isn't JSON.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn promote(
    State(app): State<App>,
    JsonBody(promotion): JsonBody<Promotion>,
) -> Result<impl IntoResponse, Problem> {
    let promoted =
        app.driver.with(move |state, now| state.promote(now, promotion.force)).await.map_err(stopped)?;
    match promoted {
        Ok(claim) => {
            // An old primary that runs takes nothing more once this is answered. One that can't be told is told later.
            timeout(TELLING, app.rivals.look()).await.ok();
            Ok(fresh(Json(claim)))
        }
        Err(error @ PromoteError::Refused(_)) => Err(Problem::new(Kind::Conflict, error.to_string())),
        Err(error) => Err(Problem::new(Kind::Busy, error.to_string())),
    }
}

/// How long a promotion waits for the other hosts that are told of it.
const TELLING: std::time::Duration = std::time::Duration::from_secs(2);

fn failed(error: impl ToString) -> Problem {
    Problem::new(Kind::Busy, error.to_string())
}

fn told(file: quillwork_store::history::FileVersion) -> FileVersion {
    FileVersion { name: file.name, bytes: file.bytes, checksum: file.checksum }
}
