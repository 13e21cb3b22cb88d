//! The event stream: what `/ws` tells subscribers, where a WebSocket can't be had.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as HttpBody, Frame as BodyFrame};
use quillwork_protocol::problem::Problem as Document;
use quillwork_protocol::socket::Resume;
use quillwork_protocol::topic::{LONGEST_INTERVAL_MILLIS, SHORTEST_INTERVAL_MILLIS, Subscription, Topic};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NoTopic;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use utoipa::IntoParams;

use super::App;
use super::extract::Parameters;
use super::number::number;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::config::Scope;
use crate::guard::Standing;
use crate::live::{Feed, Frame, Selection};
use crate::places::Place;
use crate::state::Tick;

/// For the description only; the query is read by hand since `topic` repeats.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "its fields describe the query's parameters")]
struct StreamParameters {
    /// What to hear of: `host`, `processes`, `pages`, `alerts`, `annotations`. May repeat; there must be at least one, or a series.
    topic: Option<Vec<String>>,
    /// A series to hear the newest value of, as `host.cpu.core{core="3"}`; without labels, or with some, all that have these.
    /// May repeat up to 64 times.
    series: Option<Vec<String>>,
    /// Least time between two events in milliseconds, 1000 (if left out) to 60000.
    #[param(minimum = 1_000, maximum = 60_000)]
    interval: Option<u32>,
}

/// Hears of topics as server-sent events: the state once, then what changed.
///
/// An event is named `state` or `delta` and holds the same JSON as the messages of a subscription on `/ws`: a delta is
/// a JSON merge patch (RFC 7396). Who connects again with the `Last-Event-ID` header, as browsers' `EventSource` does, hears what
/// changed since that event, as far as the host still has it, and otherwise the state again.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    tag = "live",
    params(
        StreamParameters,
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that was heard.")
    ),
    responses(
        (status = 200, description = "Events without end, and a comment every 15 seconds.", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A parameter can't be right.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn stream(
    State(app): State<App>,
    Parameters(pairs): Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let selection = parse(&pairs).map_err(|detail| Problem::new(Kind::BadQuery, detail))?;
    let Some(place) = app.dashboard_place() else {
        let most = app.limits.dashboards;
        return Err(Problem::new(
            Kind::Busy,
            format!("the host serves at most {most} dashboards; close one"),
        ));
    };
    // As on a socket: the newest tick counts as unseen before the base is looked for.
    let mut ticks = app.driver.ticks();
    ticks.mark_changed();
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(resume);
    let resumed =
        app.driver.resume(last).await.map_err(|stopped| Problem::new(Kind::Busy, stopped.to_string()))?;
    let feed = Feed::new(selection, resumed.base);
    let (events, sent) = mpsc::channel(1);
    let standing = app.guard.watch_bearer(&headers, Scope::Read);
    tokio::spawn(tell(app, feed, ticks, events, place, standing));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::new(Events(sent))).into_response())
}

/// Makes the events of one client until it is gone, reads too slowly, loses its right, or the host stops.
///
/// A task of its own: a body is only asked for more when the client has taken what came before, so that a time-out in it
/// would never be noticed.
async fn tell(
    app: App,
    mut feed: Feed,
    mut ticks: watch::Receiver<Arc<Tick>>,
    events: mpsc::Sender<Bytes>,
    _place: Place,
    mut standing: Standing,
) {
    let mut stopping = app.stopping.clone();
    let mut comments = interval(app.limits.ping_interval);
    comments.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            changed = ticks.changed() => {
                if changed.is_err() {
                    return;
                }
                let tick = ticks.borrow_and_update().clone();
                match feed.next(&app.hub, &tick) {
                    Some(frame) => event(&app.instance, &frame),
                    None => continue,
                }
            }
            _ = comments.tick() => Bytes::from_static(b":\n\n"),
            () = events.closed() => return,
            () = standing.withdrawn() => return,
            () = stopping.wait() => return,
        };
        match timeout(app.limits.send_timeout, events.send(event)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                app.counters.dropped_slow_clients.fetch_add(1, Ordering::Relaxed);
                tracing::info!("dropping a client of the event stream: events were not read in time");
                return;
            }
        }
    }
}

fn event(instance: &str, frame: &Frame) -> Bytes {
    let Frame::Text { sequence, is_whole, text } = frame else {
        unreachable!("the stream's selections are of JSON")
    };
    let name = if *is_whole { "state" } else { "delta" };
    // JSON has no line feed of its own, so that it is one line of data.
    format!("event: {name}\nid: {instance}:{sequence}\ndata: {text}\n\n").into()
}

/// An event's id. One that isn't ours resumes nothing.
fn resume(id: &str) -> Option<Resume> {
    let (instance, sequence) = id.rsplit_once(':')?;
    Some(Resume { instance: instance.to_owned(), sequence: sequence.parse().ok()? })
}

fn parse(pairs: &[(String, String)]) -> Result<Selection, String> {
    let mut subscription = Subscription::default();
    for (parameter, value) in pairs {
        match parameter.as_str() {
            "topic" => {
                let topic = Topic::deserialize(value.as_str().into_deserializer());
                subscription.topics.push(topic.map_err(|_: NoTopic| {
                    format!("there is no topic {value:?}; there are host, processes, pages, alerts and annotations")
                })?);
            }
            "series" => subscription.series.push(value.clone()),
            "interval" => {
                let range = u64::from(SHORTEST_INTERVAL_MILLIS)..=u64::from(LONGEST_INTERVAL_MILLIS);
                subscription.interval_millis = Some(number("interval", value, range)?);
            }
            other => {
                return Err(format!("there is no parameter `{other}`; there are topic, series and interval"));
            }
        }
    }
    Selection::new(subscription).map_err(|invalid| invalid.to_string())
}

/// The events of one client, as they come.
struct Events(mpsc::Receiver<Bytes>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|bytes| Ok(BodyFrame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Selection, String> {
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        parse(&pairs)
    }

    #[test]
    fn what_can_not_be_right_is_named() {
        assert!(parsed(&[("topic", "host"), ("topic", "alerts"), ("interval", "5000")]).is_ok());
        for (pairs, word) in [
            (&[][..], "topic"),
            (&[("topic", "hosts")], "\"hosts\""),
            (&[("topics", "host")], "`topics`"),
            (&[("topic", "host"), ("interval", "1s")], "`interval`"),
            (&[("topic", "host"), ("interval", "5")], "1000"),
        ] {
            let error = parsed(pairs).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn an_id_that_is_not_ours_resumes_nothing() {
        let known = resume("a:b:12").unwrap();
        assert_eq!((known.instance.as_str(), known.sequence), ("a:b", 12));
        for id in ["", "12", "a:", "a:-1", "a:x"] {
            assert_eq!(resume(id), None, "{id}");
        }
    }
}
