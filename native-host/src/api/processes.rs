//! The processes that use most.

use std::cmp::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use quillwork_protocol::host::{Process, ProcessGroup, ProcessList};
use quillwork_protocol::problem::Problem as Document;
use utoipa::IntoParams;

use super::App;
use super::extract::Parameters;
use super::number::number;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::sampler::{by_cpu, by_io, by_memory};

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct ProcessParameters {
    /// What to sort by: `cpu` (if left out), `memory`, or `io`.
    sort: Option<String>,
    /// How many at most, 1 to 100; 30 if left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// The processes that use most, and the same by name, as of the sampler's last reading of them. Only those are known that
/// are among the heaviest by processor time, memory, or input and output.
#[utoipa::path(
    get,
    path = "/api/v1/processes",
    tag = "host",
    params(ProcessParameters),
    responses(
        (status = 200, description = "The processes.", body = ProcessList),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn processes(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let Wish { sort, limit } = Wish::parse(&pairs).map_err(|detail| Problem::new(Kind::BadQuery, detail))?;
    let tick = app.driver.ticks().borrow().clone();
    let host = tick.snapshot.host.as_ref();
    let (mut processes, mut groups) =
        host.map(|host| (host.processes.clone(), host.process_groups.clone())).unwrap_or_default();
    processes.sort_by(sort.processes);
    groups.sort_by(sort.groups);
    processes.truncate(limit);
    groups.truncate(limit);
    let list = ProcessList {
        at_unix_millis: host.map(|host| host.at_unix_millis),
        counts: host.and_then(|host| host.process_counts.clone()),
        processes,
        groups,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(list)))
}

/// The most of each that are given.
const MOST: u64 = 100;

struct Wish {
    sort: Sort,
    limit: usize,
}

struct Sort {
    processes: fn(&Process, &Process) -> Ordering,
    groups: fn(&ProcessGroup, &ProcessGroup) -> Ordering,
}

impl Wish {
    fn parse(pairs: &[(String, String)]) -> Result<Self, String> {
        const USUAL: usize = 30;
        let mut wish = Self { sort: Sort { processes: by_cpu, groups: by_cpu }, limit: USUAL };
        for (parameter, value) in pairs {
            match (parameter.as_str(), value.as_str()) {
                ("sort", "cpu") => wish.sort = Sort { processes: by_cpu, groups: by_cpu },
                ("sort", "memory") => wish.sort = Sort { processes: by_memory, groups: by_memory },
                ("sort", "io") => wish.sort = Sort { processes: by_io, groups: by_io },
                ("sort", other) => return Err(format!("`sort` must be cpu, memory or io, not {other:?}")),
                ("limit", value) => wish.limit = number("limit", value, 1..=MOST)?,
                (other, _) => {
                    return Err(format!("there is no parameter `{other}`; there are sort and limit"));
                }
            }
        }
        Ok(wish)
    }
}
