//! What follows from the last quarter of an hour: what limits, where it goes, what goes together, how many workers it takes.

use leptos::prelude::*;
use leptos::task::spawn_local;
use quillwork_protocol::insights::Insights as Found;

use crate::browser::clock;
use crate::model::failure::Failure;
use crate::model::insights::{self, Group};
use crate::model::link::HostState;
use crate::net::http;
use crate::state::Dashboard;

/// Conclusions need minutes to change, and some work of the host.
const READ_EVERY_MILLIS: f64 = 60_000.0;

#[component]
pub(crate) fn Insights() -> impl IntoView {
    let dashboard = Dashboard::get();
    let found = RwSignal::new(None::<Result<Found, Failure>>);
    let read_at = StoredValue::new(None::<f64>);
    Effect::new(move |_| {
        dashboard.now_unix_millis.track();
        let is_live = dashboard.host.with(|host| *host == HostState::Live);
        let now = clock::monotonic_millis();
        if is_live && read_at.get_value().is_none_or(|at| now - at >= READ_EVERY_MILLIS) {
            read_at.set_value(Some(now));
            spawn_local(async move {
                let answer = http::get("api/v1/insights").await;
                // The panel may be gone by now.
                let _ = found.try_set(Some(answer));
            });
        }
    });
    let range = move || {
        found.with(|found| {
            let found = found.as_ref()?.as_ref().ok()?;
            Some(clock::range(found.from_unix_millis, found.to_unix_millis))
        })
    };
    let groups = Memo::new(move |_| {
        found.with(|found| match found {
            Some(Ok(found)) => insights::groups(found),
            Some(Err(_)) | None => Vec::new(),
        })
    });
    let missing = Memo::new(move |_| {
        found.with(|found| match found {
            Some(Ok(found)) => insights::missing(found),
            Some(Err(_)) | None => Vec::new(),
        })
    });
    let instead = move || {
        found.with(|found| match found {
            None => "Looking at the history…".to_owned(),
            Some(Err(failure)) => failure.words(),
            Some(Ok(_)) => String::new(),
        })
    };
    view! {
        <section class="panel insights" aria-labelledby="insights-title" data-testid="insights">
            <header class="panel-head">
                <h2 id="insights-title">"Insights"</h2>
                <span class="panel-note">{range}</span>
            </header>
            <p class="empty" hidden=move || found.with(|found| matches!(found, Some(Ok(_))))>
                {instead}
            </p>
            {move || groups.get().into_iter().map(|group| view! { <Conclusions group /> }).collect_view()}
            <details hidden=move || missing.with(Vec::is_empty)>
                <summary>"What could not be told yet"</summary>
                <ul class="missing">
                    {move || missing.get().into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view()}
                </ul>
            </details>
        </section>
    }
}

#[component]
fn Conclusions(group: Group) -> impl IntoView {
    let nothing = group.items.is_empty().then_some(group.nothing);
    let items = group.items.into_iter().map(|item| {
        let look_first = (!item.look_first.is_empty()).then(|| {
            view! {
                <span class="alert-facts">
                    "Look first at "
                    {item.look_first}
                </span>
            }
        });
        view! {
            <li class="alert-text">
                <span>{item.text}</span>
                {look_first}
                <span class="alert-facts">{item.evidence}</span>
            </li>
        }
    });
    view! {
        <div class="insight">
            <h3>{group.title}</h3>
            <ul class="insight-list">{items.collect_view()}</ul>
            <p class="empty">{nothing}</p>
        </div>
    }
}
