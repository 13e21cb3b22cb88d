//! The catalogue of series, and their values.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use quillwork_protocol::problem::Problem as Document;
use quillwork_protocol::series::{SeriesAnswer, SeriesCatalogue};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::extract::Parameters;
use super::number::{ANY, SOME, number};
use super::openapi::Refusals;
use super::paging::Paging;
use super::problem::{Kind, Problem};
use super::reading::Reading;
use crate::clock::unix_millis;
use crate::driver::Stopped;
use crate::state::{SeriesQuery, SeriesRefusal};

/// Series of one query.
const MOST_NAMES: usize = 64;

/// Values of one series in an answer, where the query doesn't ask for fewer.
const MOST_POINTS: u32 = 7_200;

/// How far back an answer goes where the query doesn't say.
const DEFAULT_SPAN_MILLIS: u64 = 15 * 60 * 1_000;

/// For the description only; the query is read by hand since `name` repeats.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct SeriesParameters {
    /// A series to answer with, as `host.cpu.total` or `page.fps{source="…"}`; may repeat up to 64 times. Without any the
    /// answer is the catalogue.
    name: Option<Vec<String>>,
    /// First instant, in milliseconds since 1970. 15 minutes before `to` if left out.
    from: Option<u64>,
    /// Instant after the last one, in milliseconds since 1970. Now if left out.
    #[param(minimum = 1)]
    to: Option<u64>,
    /// At most this many values of each series, 1 to 7200: the step becomes as long as that needs.
    #[param(minimum = 1, maximum = 7_200)]
    max_points: Option<u32>,
    /// Series of a page of the catalogue, 1 to 1000. Without it and `cursor` the answer is the whole catalogue.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// The catalogue, or a page of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CataloguePage {
    #[serde(flatten)]
    catalogue: SeriesCatalogue,
    /// Where a page was asked for: what to ask for the next one with, `null` on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    next_cursor: Option<Option<String>>,
}

/// Either answer, for the description.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the answer")]
enum CatalogueOrAnswer {
    Catalogue(CataloguePage),
    Answer(SeriesAnswer),
}

/// The catalogue of series, or values of the named ones in `[from, to)`.
#[utoipa::path(
    get,
    path = "/api/v1/series",
    tag = "history",
    params(SeriesParameters),
    responses(
        (status = 200, description = "The catalogue; with `name` the values.", body = CatalogueOrAnswer),
        (status = 400, description = "A parameter is unknown, malformed or out of range.", body = Document, content_type = "application/problem+json"),
        (status = 404, description = "There is no such series.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn series(
    State(app): State<App>,
    Parameters(pairs): Parameters,
) -> Result<Response, Problem> {
    let stopping = |stopped: Stopped| Problem::new(Kind::Busy, stopped.to_string());
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    let asked = parse(&pairs, unix_millis()).map_err(|detail| Problem::new(Kind::BadQuery, detail))?;
    let query = match asked {
        Asked::Values(query) => query,
        Asked::Catalogue(paging) => {
            let catalogue = app.driver.catalogue().await.map_err(stopping)?;
            let page = match paging {
                None => CataloguePage { catalogue, next_cursor: None },
                Some(paging) => {
                    let (series, next_cursor) = paging.page(catalogue.series, |info| &info.series);
                    CataloguePage { catalogue: SeriesCatalogue { series }, next_cursor: Some(next_cursor) }
                }
            };
            return Ok((no_store, Json(page)).into_response());
        }
    };
    match answer(&app, query).await? {
        Ok(answer) => Ok((no_store, Json(answer)).into_response()),
        Err(refusal) => {
            let kind = match refusal {
                SeriesRefusal::Unknown { .. } => Kind::NotFound,
                SeriesRefusal::Rearranged => Kind::Busy,
                SeriesRefusal::Unreadable { .. } => Kind::Internal,
            };
            Err(Problem::new(kind, refusal.to_string()))
        }
    }
}

/// The driver says what is to be read; reading it is another thread's. Where a file was replaced meanwhile it is asked again.
async fn answer(app: &App, query: SeriesQuery) -> Result<Result<SeriesAnswer, SeriesRefusal>, Problem> {
    const TRIES: usize = 4;
    let reading = Reading::begin(app).await?;
    let mut outcome = Err(SeriesRefusal::Rearranged);
    for _ in 0..TRIES {
        let asked = app.driver.series(query.clone()).await;
        let series = match asked.map_err(|stopped| Problem::new(Kind::Busy, stopped.to_string()))? {
            Ok(series) => series.cancelled_by(reading.flag()),
            Err(refusal) => return Ok(Err(refusal)),
        };
        outcome = reading.read(move || series.answer()).await?;
        if outcome != Err(SeriesRefusal::Rearranged) {
            break;
        }
    }
    Ok(outcome)
}

/// What is asked for.
#[derive(Debug, PartialEq)]
enum Asked {
    /// All of it, or a page.
    Catalogue(Option<Paging>),
    Values(SeriesQuery),
}

/// What is asked for: the catalogue without a name. The error says which parameter can't be right.
fn parse(pairs: &[(String, String)], now_unix_millis: u64) -> Result<Asked, String> {
    let mut paging = Paging::default();
    let mut of_paging = None;
    let mut series = Vec::new();
    let (mut from, mut to, mut max_points) = (None, None, MOST_POINTS);
    for (parameter, value) in pairs {
        match parameter.as_str() {
            "name" => series.push(value.parse().map_err(|error| format!("`name` is no series: {error}"))?),
            "from" => from = Some(number("from", value, ANY)?),
            "to" => to = Some(number("to", value, SOME)?),
            "max_points" => max_points = number("max_points", value, 1..=u64::from(MOST_POINTS))?,
            other if paging.take(other, value)? => of_paging = Some(other),
            other => {
                return Err(format!(
                    "there is no parameter `{other}`; there are name, from, to and max_points, and for pages of the catalogue limit and cursor"
                ));
            }
        }
    }
    if series.is_empty() {
        let is_paging = |parameter: &str| ["limit", "cursor"].contains(&parameter);
        let other = pairs.iter().map(|(parameter, _)| parameter).find(|parameter| !is_paging(parameter));
        return match other {
            Some(parameter) => {
                Err(format!("`{parameter}` needs a `name`; without one the answer is the catalogue"))
            }
            None => Ok(Asked::Catalogue(of_paging.map(|_| paging))),
        };
    }
    if let Some(parameter) = of_paging {
        return Err(format!("`{parameter}` is for the catalogue, which is answered without a `name`"));
    }
    if series.len() > MOST_NAMES {
        return Err(format!(
            "at most {MOST_NAMES} names are answered at once, not {}; ask several times",
            series.len()
        ));
    }
    let to_unix_millis = to.unwrap_or(now_unix_millis);
    let from_unix_millis = from.unwrap_or_else(|| to_unix_millis.saturating_sub(DEFAULT_SPAN_MILLIS));
    if from_unix_millis >= to_unix_millis {
        return Err(format!("`from` ({from_unix_millis}) must lie before `to` ({to_unix_millis})"));
    }
    Ok(Asked::Values(SeriesQuery { series, from_unix_millis, to_unix_millis, max_points }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Asked, String> {
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        parse(&pairs, 2_000_000)
    }

    #[test]
    fn defaults_are_the_last_quarter_of_an_hour() {
        assert_eq!(parsed(&[]), Ok(Asked::Catalogue(None)));
        let Asked::Values(query) = parsed(&[("name", "a"), ("name", "b")]).unwrap() else {
            panic!("values are asked for")
        };
        assert_eq!(query.series.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((query.from_unix_millis, query.to_unix_millis), (1_100_000, 2_000_000));
    }

    #[test]
    fn what_can_not_be_right_is_named() {
        let name = ("name", "a");
        for (pairs, word) in [
            (&[name, ("form", "1")][..], "`form`"),
            (&[("name", "a{b}")], "at byte 3"),
            (&[name, ("from", "yesterday")], "`from`"),
            (&[name, ("from", "-1")], "`from`"),
            (&[name, ("from", "5"), ("to", "5")], "before"),
            (&[name, ("max_points", "0")], "`max_points`"),
            (&[name, ("max_points", "99999")], "`max_points`"),
            (&[("from", "5")], "`name`"),
            (&[("limit", "5"), ("from", "5")], "`from` needs a `name`"),
            (&[("limit", "0")], "`limit`"),
            (&[name, ("limit", "5")], "without a `name`"),
            (&[name; 65], "64"),
        ] {
            let error = parsed(pairs).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
