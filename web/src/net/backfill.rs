//! Fetches what was not heard live.

use std::cell::Cell;

use leptos::prelude::*;
use leptos::task::spawn_local;
use quillwork_protocol::series::{SeriesAnswer, SeriesCatalogue};

use super::http;
use crate::browser::clock;
use crate::model::backfill;
use crate::model::failure::Failure;
use crate::model::link::HostState;
use crate::model::settings::Range;
use crate::state::Dashboard;

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
            leptos::logging::warn!("history could not be fetched, trying again. {}", error.words());
            dashboard.engine.update_value(|engine| engine.behind.note(since));
            NOT_BEFORE.set(clock::monotonic_millis() + RETRY_AFTER_MILLIS);
        }
        RUNNING.set(false);
    });
}

async fn run(dashboard: Dashboard, since: Option<u64>, host_now: u64) -> Result<(), Failure> {
    let catalogue: SeriesCatalogue = http::get("api/v1/series").await?;
    let first = Range::TenMinutes.millis();
    for request in backfill::requests(&catalogue, since, host_now, first, Range::Hour.millis()) {
        let answer: SeriesAnswer = http::get(&request.path()).await?;
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
