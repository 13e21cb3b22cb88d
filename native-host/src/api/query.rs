//! Questions about series, answered on another thread, a few at a time.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use quillwork_protocol::problem::Problem as Document;
use quillwork_protocol::query::{QueryAnswer, QueryLine};
use quillwork_store::history::ReadError;
use quillwork_store::query::{Answer, Function, Group, Join, Line, MAX_POINTS, Query, QueryError, Shape};
use utoipa::IntoParams;

use super::App;
use super::extract::Parameters;
use super::number::{ANY, SOME, number};
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use super::reading::Reading;
use crate::clock::unix_millis;

/// How far back an answer goes where the question doesn't say.
const DEFAULT_SPAN_MILLIS: u64 = 3_600_000;

/// A reader whose files are replaced under it is taken anew so often.
const TRIES: usize = 4;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct QueryParameters {
    /// Which series: `host.disk.used`, `host.disk.used{mount=~"/srv/.*"}`, `{source="…"}`; conditions are `=`, `!=`, `=~` and `!~`.
    select: String,
    /// First instant, in milliseconds since 1970. An hour before `to` if left out.
    from: Option<u64>,
    /// Instant after the last one, in milliseconds since 1970. Now if left out.
    #[param(minimum = 1)]
    to: Option<u64>,
    /// Distance of the values, in milliseconds. As short as `max_points` and what is kept allow if left out.
    #[param(minimum = 1)]
    step: Option<u64>,
    /// Values of each line, 1 to 11000; 1000 if left out.
    #[param(minimum = 1, maximum = 11_000)]
    max_points: Option<u32>,
    /// `avg`, `sum`, `min`, `max`, `count`, `last`, `increase`, `rate`, or a quantile as `p50`, `p95`, `p99.9`. `avg` if left out, and of counters `rate` makes
    /// sense.
    function: Option<String>,
    /// Labels by which lines are joined, separated by commas; empty joins all of a name.
    group: Option<String>,
    /// What becomes of lines that are joined: `sum`, `avg`, `min`, `max` or `count`; `sum` if left out.
    join: Option<String>,
    /// Only so many lines, those with the largest mean; all if left out.
    #[param(minimum = 1)]
    top: Option<usize>,
    /// `spikes`: of each stretch the lowest and the highest value at their instants; `steps` if left out.
    shape: Option<String>,
}

/// Values of the series that a selector means: functions, groups, the top, and decimation that keeps spikes.
#[utoipa::path(
    get,
    path = "/api/v1/query",
    tag = "history",
    params(QueryParameters),
    responses(
        (status = 200, description = "The lines.", body = QueryAnswer),
        (status = 400, description = "A parameter can't be right, or more is asked for than one answer may cost.", body = Document, content_type = "application/problem+json"),
        (status = 404, description = "No series matches.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn query(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let query = parse(&pairs, unix_millis()).map_err(|detail| Problem::new(Kind::BadQuery, detail))?;
    let reading = Reading::begin(&app).await?;
    let mut outcome = Err(QueryError::Read(ReadError::Rearranged));
    for _ in 0..TRIES {
        let query = query.clone();
        let reader = app
            .driver
            .select(query.clone())
            .await
            .map_err(|stopped| Problem::new(Kind::Busy, stopped.to_string()))?;
        outcome = match reader {
            Ok(reader) => {
                let reader = reader.cancelled_by(reading.flag());
                reading.read(move || query.run(&reader)).await?
            }
            Err(error) => Err(error),
        };
        if outcome != Err(QueryError::Read(ReadError::Rearranged)) {
            break;
        }
    }
    let answer = outcome.map_err(|error| refusal(&error))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answered(answer))))
}

fn answered(answer: Answer) -> QueryAnswer {
    let line = |line: Line| {
        let (values, points) = match line.shape {
            Shape::Steps(values) => (Some(values), None),
            Shape::Spikes(points) => (None, Some(points)),
        };
        QueryLine {
            name: line.name,
            labels: line.labels.into_iter().collect(),
            unit: line.unit,
            values,
            points,
        }
    };
    QueryAnswer {
        server_unix_millis: unix_millis(),
        step_millis: answer.step_millis,
        start_unix_millis: answer.start_unix_millis,
        lines: answer.lines.into_iter().map(line).collect(),
        damaged: answer.damaged.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn refusal(error: &QueryError) -> Problem {
    let kind = match error {
        QueryError::NoSeries => Kind::NotFound,
        QueryError::Read(ReadError::Rearranged | ReadError::Cancelled) => Kind::Busy,
        QueryError::Read(ReadError::Volume(_)) => Kind::Internal,
        _ => Kind::BadQuery,
    };
    Problem::new(kind, error.to_string())
}

fn parse(pairs: &[(String, String)], now_unix_millis: u64) -> Result<Query, String> {
    let mut given = Given::default();
    for (parameter, value) in pairs {
        let slot = match parameter.as_str() {
            "select" => &mut given.select,
            "from" => &mut given.from,
            "to" => &mut given.to,
            "step" => &mut given.step,
            "max_points" => &mut given.max_points,
            "function" => &mut given.function,
            "group" => &mut given.group,
            "join" => &mut given.join,
            "top" => &mut given.top,
            "shape" => &mut given.shape,
            other => {
                return Err(format!(
                    "there is no parameter `{other}`; there are select, from, to, step, max_points, function, group, join, top and shape"
                ));
            }
        };
        *slot = Some(value.as_str());
    }
    let select =
        given.select.ok_or("`select` is missing; it says which series: host.cpu.total, or {source=\"…\"}")?;
    let selector = select.parse().map_err(|error| format!("`select`: {error}"))?;
    let (from, to) = range(given.from, given.to, now_unix_millis)?;
    let mut query = Query::new(selector, from, to);
    query.step_millis = given.step.map(|step| number("step", step, SOME)).transpose()?;
    if let Some(points) = given.max_points {
        query.max_points = number("max_points", points, 1..=MAX_POINTS)?;
    }
    if let Some(function) = given.function {
        query.function = function_of(function)?;
    }
    let join = match given.join {
        None | Some("sum") => Join::Sum,
        Some("avg") => Join::Avg,
        Some("min") => Join::Min,
        Some("max") => Join::Max,
        Some("count") => Join::Count,
        Some(other) => return Err(format!("`join` must be sum, avg, min, max or count, not {other:?}")),
    };
    let labels = |by: &str| {
        by.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect()
    };
    query.group = given.group.map(|by| Group { by: labels(by), with: join });
    if given.join.is_some() && query.group.is_none() {
        return Err("`join` needs a `group`; an empty one joins all".to_owned());
    }
    query.top = given.top.map(|top| number("top", top, SOME)).transpose()?;
    query.keeps_spikes = match given.shape {
        None | Some("steps") => false,
        Some("spikes") => true,
        Some(other) => return Err(format!("`shape` must be steps or spikes, not {other:?}")),
    };
    Ok(query)
}

#[derive(Default)]
struct Given<'a> {
    select: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    step: Option<&'a str>,
    max_points: Option<&'a str>,
    function: Option<&'a str>,
    group: Option<&'a str>,
    join: Option<&'a str>,
    top: Option<&'a str>,
    shape: Option<&'a str>,
}

/// The range that is asked for: the last hour if nothing is said.
pub(super) fn range(
    from: Option<&str>,
    to: Option<&str>,
    now_unix_millis: u64,
) -> Result<(u64, u64), String> {
    let to = to.map_or(Ok(now_unix_millis), |to| number("to", to, SOME))?;
    let from = from.map_or(Ok(to.saturating_sub(DEFAULT_SPAN_MILLIS)), |from| number("from", from, ANY))?;
    if from < to { Ok((from, to)) } else { Err(format!("`from` ({from}) must lie before `to` ({to})")) }
}

fn function_of(name: &str) -> Result<Function, String> {
    Ok(match name {
        "avg" => Function::Avg,
        "sum" => Function::Sum,
        "min" => Function::Min,
        "max" => Function::Max,
        "count" => Function::Count,
        "last" => Function::Last,
        "increase" => Function::Increase,
        "rate" => Function::Rate,
        other => {
            let per_cent = other.strip_prefix('p').and_then(|per_cent| per_cent.parse::<f64>().ok());
            let per_cent = per_cent.filter(|per_cent| (0.0..=100.0).contains(per_cent));
            Function::Quantile(per_cent.map(|per_cent| per_cent / 100.0).ok_or_else(|| {
                format!(
                    "`function` must be avg, sum, min, max, count, last, increase, rate, or a quantile as p95, not {other:?}"
                )
            })?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Query, String> {
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        parse(&pairs, 10_000_000)
    }

    #[test]
    fn a_question_is_read_in_full() {
        let query = parsed(&[
            ("select", "host.cpu.core"),
            ("from", "1000"),
            ("to", "9000"),
            ("step", "2000"),
            ("function", "p99.9"),
            ("group", "core, source"),
            ("join", "max"),
            ("top", "3"),
            ("shape", "spikes"),
        ])
        .unwrap();
        assert_eq!(
            (query.from_unix_millis, query.to_unix_millis, query.step_millis),
            (1_000, 9_000, Some(2_000))
        );
        assert_eq!(query.group, Some(Group { by: vec!["core".into(), "source".into()], with: Join::Max }));
        assert!(matches!(query.function, Function::Quantile(q) if (q - 0.999).abs() < 1e-12));
        assert_eq!((query.top, query.keeps_spikes), (Some(3), true));
        let short = parsed(&[("select", "{source=\"a\"}")]).unwrap();
        assert_eq!((short.from_unix_millis, short.to_unix_millis), (6_400_000, 10_000_000));
    }

    #[test]
    fn what_can_not_be_right_is_named() {
        let select = ("select", "a");
        for (pairs, word) in [
            (&[][..], "`select` is missing"),
            (&[("select", "a{")], "at byte 2"),
            (&[select, ("selct", "b")], "`selct`"),
            (&[select, ("top", "-1")], "`top`"),
            (&[select, ("function", "p101")], "`function`"),
            (&[select, ("join", "max")], "`group`"),
            (&[select, ("group", ""), ("join", "most")], "`join`"),
            (&[select, ("shape", "round")], "`shape`"),
            (&[select, ("max_points", "0")], "`max_points`"),
            (&[select, ("from", "5"), ("to", "5")], "before"),
        ] {
            let error = parsed(pairs).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
