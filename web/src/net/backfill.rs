//! Fetches what was not heard live.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::task::spawn_local;
use quillwork_protocol::series::{SeriesAnswer, SeriesCatalogue};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use crate::browser::{address, clock, storage};
use crate::model::backfill;
use crate::model::link::HostState;
use crate::model::settings::Range;
use crate::state::Dashboard;

/// A host that accepted the socket answers well within this.
const TIMEOUT_MILLIS: u32 = 10_000;
/// After a failure.
const RETRY_AFTER_MILLIS: f64 = 3_000.0;

thread_local! {
    static NOT_BEFORE: Cell<f64> = const { Cell::new(0.0) };
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Starts a back-fill if something is missing, the host is there, and none runs yet.
pub(crate) fn run_if_behind(dashboard: Dashboard) {
    let now = clock::monotonic_millis();
    if RUNNING.get() || now < NOT_BEFORE.get() {
        return;
    }
    let job = dashboard
        .engine
        .try_update_value(|engine| {
            // The estimate of the host's clock comes with the first tick.
            let host_now = engine.now_unix_millis(now)?;
            (engine.link.state(now) == HostState::Live)
                .then(|| engine.behind.take())?
                .map(|since| (since, host_now))
        })
        .flatten();
    let Some((since, host_now)) = job else { return };
    RUNNING.set(true);
    spawn_local(async move {
        if let Err(error) = run(dashboard, since, host_now).await {
            leptos::logging::warn!("history could not be fetched, trying again: {error}");
            dashboard.engine.update_value(|engine| engine.behind.note(since));
            NOT_BEFORE.set(clock::monotonic_millis() + RETRY_AFTER_MILLIS);
        }
        RUNNING.set(false);
    });
}

async fn run(dashboard: Dashboard, since: Option<u64>, host_now: u64) -> Result<(), String> {
    let catalogue: SeriesCatalogue = fetch("api/v1/series").await?;
    let first = Range::TenMinutes.millis();
    for request in backfill::requests(&catalogue, since, host_now, first, Range::Hour.millis()) {
        let answer: SeriesAnswer = fetch(&request.path()).await?;
        dashboard.engine.update_value(|engine| {
            let (memory, swap) = engine.totals_bytes();
            for data in &answer.series {
                if engine.knows_page_of(&data.info) {
                    backfill::apply(&mut engine.history, data, memory, swap);
                }
            }
        });
        dashboard.revision.update(|revision| *revision += 1);
    }
    Ok(())
}

async fn fetch<T: serde::de::DeserializeOwned>(path: &str) -> Result<T, String> {
    let url = address::on_host(path).ok_or_else(|| format!("{path} is no address"))?.href();
    let options = RequestInit::new();
    options.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MILLIS)));
    if let Some(token) = storage::token() {
        let headers = Headers::new().map_err(|error| said(&error))?;
        headers.set("Authorization", &format!("Bearer {token}")).map_err(|error| said(&error))?;
        options.set_headers(&headers);
    }
    let response = JsFuture::from(window().fetch_with_str_and_init(&url, &options))
        .await
        .map_err(|error| said(&error))?
        .unchecked_into::<Response>();
    if !response.ok() {
        return Err(format!("{path} answered {}", response.status()));
    }
    let text =
        JsFuture::from(response.text().map_err(|error| said(&error))?).await.map_err(|error| said(&error))?;
    serde_json::from_str(&text.as_string().unwrap_or_default()).map_err(|error| format!("{path}: {error}"))
}

fn said(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map_or_else(|| format!("{error:?}"), |error| String::from(error.message()))
}
