//! What follows from the history, worked out on another thread.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use quillwork_protocol::insights::Insights;
use quillwork_protocol::problem::Problem as Document;
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
use crate::insights::{self, Context};

/// How far back where nothing is said.
const DEFAULT_SPAN_MILLIS: u64 = 15 * 60_000;

/// A longer range is read for a report.
const LONGEST_MILLIS: u64 = 86_400_000;

/// A reader whose files are replaced under it is taken anew so often.
const TRIES: usize = 4;

/// For the description only; the query is read by hand, as all are.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct InsightParameters {
    /// First instant, in milliseconds since 1970. 15 minutes before `to` if left out; at most a day before it.
    from: Option<u64>,
    /// Instant after the last one, in milliseconds since 1970. Now if left out.
    #[param(minimum = 1)]
    to: Option<u64>,
}

/// What follows from a range: what limited, with evidence; whether disks and memory fill, and when; what of the machine went with
/// slow seconds of a page; how many workers a page takes.
#[utoipa::path(
    get,
    path = "/api/v1/insights",
    tag = "history",
    params(InsightParameters),
    responses(
        (status = 200, description = "The insights.", body = Insights),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn insights(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<impl IntoResponse, Problem> {
    let range = parse(&pairs, unix_millis()).map_err(|detail| Problem::new(Kind::BadQuery, detail))?;
    let reading = Reading::begin(&app).await?;
    let names = app.driver.with(|state, now| state.names(now)).await.map_err(stopped)?;
    let context = Context::new(names, &app.driver.ticks().borrow().snapshot);
    let mut outcome = Err(ReadError::Rearranged);
    for _ in 0..TRIES {
        let reader =
            app.driver.with(|state, _| state.reader(insights::is_of_interest)).await.map_err(stopped)?;
        let (reader, context) = (reader.cancelled_by(reading.flag()), context.clone());
        outcome = reading.read(move || insights::insights(reader, &context, range)).await?;
        if outcome != Err(ReadError::Rearranged) {
            break;
        }
    }
    outcome.map(|found| fresh(Json(found))).map_err(|error| refusal(&QueryError::Read(error)))
}

fn parse(pairs: &[(String, String)], now_unix_millis: u64) -> Result<(u64, u64), String> {
    let (mut from, mut to) = (None, None);
    for (parameter, value) in pairs {
        match parameter.as_str() {
            "from" => from = Some(number("from", value, ANY)?),
            "to" => to = Some(number("to", value, SOME)?),
            other => return Err(format!("there is no parameter `{other}`; there are from and to")),
        }
    }
    let to = to.unwrap_or(now_unix_millis);
    let from = from.unwrap_or(to.saturating_sub(DEFAULT_SPAN_MILLIS));
    if from >= to {
        return Err(format!("`from` ({from}) must lie before `to` ({to})"));
    }
    if to - from > LONGEST_MILLIS {
        return Err("`from` and `to` may be a day apart; /api/v1/reports looks at more".to_owned());
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_the_last_quarter_of_an_hour_or_what_is_said() {
        let parsed = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            parse(&pairs, 200_000_000)
        };
        assert_eq!(parsed(&[]), Ok((199_100_000, 200_000_000)));
        assert_eq!(parsed(&[("from", "5"), ("to", "9")]), Ok((5, 9)));
        for (pairs, word) in [
            (&[("from", "9"), ("to", "9")][..], "before"),
            (&[("from", "0")], "a day"),
            (&[("form", "0")], "`form`"),
            (&[("to", "soon")], "`to`"),
        ] {
            let error = parsed(pairs).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
