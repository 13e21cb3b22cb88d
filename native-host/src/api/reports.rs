//! Reports, made on another thread, and when the next is due.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use quillwork_protocol::problem::Problem as Document;
use quillwork_protocol::report::{Report, ReportSchedule};
use quillwork_store::history::ReadError;
use quillwork_store::query::QueryError;
use utoipa::IntoParams;

use super::App;
use super::alerts::{fresh, stopped};
use super::extract::Parameters;
use super::number::{ANY, SOME, number};
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use super::query::refusal;
use super::reading::Reading;
use crate::clock::unix_millis;
use crate::report::{Ask, Compare, Format, Known, build, is_of_interest, policy};

/// How far back where nothing is said.
const DEFAULT_SPAN_MILLIS: u64 = 86_400_000;

/// A reader whose files are replaced under it is taken anew so often.
const TRIES: usize = 4;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct ReportParameters {
    /// First instant, in milliseconds since 1970. A day before `to` if left out.
    from: Option<u64>,
    /// Instant after the last one, in milliseconds since 1970. Now if left out.
    #[param(minimum = 1)]
    to: Option<u64>,
    /// How far back from `to` instead of `from`, in milliseconds.
    #[param(minimum = 1)]
    last: Option<u64>,
    /// `json`, `md` or `html`; `json` if left out.
    format: Option<String>,
    /// Earlier range to compare with: `previous` (the same length right before), `day` or `week` (the same time a day or a week
    /// earlier).
    compare: Option<String>,
}

/// A report on a range: budgets, objectives, alerts, what limited, slowest types of task, caches, the machine, what to do and why.
#[utoipa::path(
    get,
    path = "/api/v1/reports",
    tag = "history",
    params(ReportParameters),
    responses(
        (status = 200, description = "The report.", content(
            (Report = "application/json"), (String = "text/markdown"), (String = "text/html"),
        )),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn reports(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<Response, Problem> {
    let (ask, format) =
        parse(&pairs, unix_millis()).map_err(|detail| Problem::new(Kind::BadQuery, detail))?;
    let reading = Reading::begin(&app).await?;
    let known = Known::of_host(&app.driver).await.map_err(stopped)?;
    let mut outcome = Err(ReadError::Rearranged);
    for _ in 0..TRIES {
        let reader = app.driver.with(|state, _| state.reader(is_of_interest)).await.map_err(stopped)?;
        let (reader, known) = (reader.cancelled_by(reading.flag()), known.clone());
        outcome =
            reading.read(move || build(&reader, &known, ask).map(|report| format.write(&report))).await?;
        if outcome != Err(ReadError::Rearranged) {
            break;
        }
    }
    let text = outcome.map_err(|error| refusal(&QueryError::Read(error)))?;
    let name = format!("inline; filename=\"quillwork-report.{}\"", format.extension());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_DISPOSITION, HeaderValue::try_from(name).expect("the ending is a word")),
    ];
    let mut response = (headers, text).into_response();
    if format == Format::Html {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy());
    }
    Ok(response)
}

/// Where reports by the clock stand: when the next is due, where the last is, and what went wrong.
#[utoipa::path(
    get,
    path = "/api/v1/reports/schedule",
    tag = "history",
    responses((status = 200, description = "The schedule.", body = ReportSchedule), Refusals)
)]
pub(super) async fn schedule(State(app): State<App>) -> impl IntoResponse {
    let told = app.scheduled.borrow().clone();
    fresh(Json(told))
}

fn parse(pairs: &[(String, String)], now_unix_millis: u64) -> Result<(Ask, Format), String> {
    let (mut from, mut to, mut last, mut format, mut compare) = (None, None, None, None, None);
    for (parameter, value) in pairs {
        let slot = match parameter.as_str() {
            "from" => &mut from,
            "to" => &mut to,
            "last" => &mut last,
            "format" => &mut format,
            "compare" => &mut compare,
            other => {
                return Err(format!(
                    "there is no parameter `{other}`; there are from, to, last, format and compare"
                ));
            }
        };
        *slot = Some(value.as_str());
    }
    if from.is_some() && last.is_some() {
        return Err("`from` and `last` say the same; give one of them".to_owned());
    }
    let to = to.map_or(Ok(now_unix_millis), |to| number("to", to, SOME))?;
    let last = last.map_or(Ok(DEFAULT_SPAN_MILLIS), |last| number("last", last, SOME))?;
    let from = from.map_or(Ok(to.saturating_sub(last)), |from| number("from", from, ANY))?;
    if from >= to {
        return Err(format!("the range must begin ({from}) before it ends ({to})"));
    }
    let format = match format {
        None | Some("json") => Format::Json,
        Some("md") => Format::Md,
        Some("html") => Format::Html,
        Some(other) => return Err(format!("`format` must be json, md or html, not {other:?}")),
    };
    let compare = match compare {
        None => None,
        Some("previous") => Some(Compare::Previous),
        Some("day") => Some(Compare::Day),
        Some("week") => Some(Compare::Week),
        Some(other) => return Err(format!("`compare` must be previous, day or week, not {other:?}")),
    };
    Ok((Ask { from, to, compare }, format))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<(Ask, Format), String> {
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        parse(&pairs, 200_000_000)
    }

    #[test]
    fn what_is_asked_for_is_read_in_full() {
        assert_eq!(
            parsed(&[]),
            Ok((Ask { from: 113_600_000, to: 200_000_000, compare: None }, Format::Json))
        );
        let pairs = [("last", "500"), ("to", "1000"), ("format", "html"), ("compare", "week")];
        let ask = Ask { from: 500, to: 1_000, compare: Some(Compare::Week) };
        assert_eq!(parsed(&pairs), Ok((ask, Format::Html)));
    }

    #[test]
    fn what_can_not_be_right_is_named() {
        for (pairs, word) in [
            (&[("from", "9"), ("to", "9")][..], "before"),
            (&[("from", "9"), ("last", "9")], "one of them"),
            (&[("last", "0")], "1 or more"),
            (&[("format", "pdf")], "`format`"),
            (&[("compare", "never")], "`compare`"),
            (&[("since", "1")], "`since`"),
        ] {
            let error = parsed(pairs).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
