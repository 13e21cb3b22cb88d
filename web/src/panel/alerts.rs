//! Alerts, the most urgent first.

use leptos::prelude::*;
use quillwork_protocol::alert::{AlertState, AlertStatus};

use crate::browser::clock;
use crate::model::{alerts, format, pages};
use crate::state::Dashboard;

#[component]
pub(crate) fn Alerts() -> impl IntoView {
    let dashboard = Dashboard::get();
    let all = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            alerts::by_urgency(
                snapshot.as_ref().map(|snapshot| snapshot.alerts.as_slice()).unwrap_or_default(),
            )
        })
    });
    let of = move |quiet: bool| {
        Memo::new(move |_| {
            let wanted = |alert: &&AlertStatus| alerts::is_quiet(alert) == quiet;
            all.with(|all| all.iter().filter(wanted).map(key).collect::<Vec<_>>())
        })
    };
    let (raised, calm) = (of(false), of(true));
    let firing = move || all.with(|all| all.iter().filter(|alert| alerts::is_firing(alert.state)).count());
    let nothing = move || {
        if all.with(|all| all.iter().all(|alert| alert.state != AlertState::Ok)) {
            "Nothing has been observed yet."
        } else {
            "Everything that is watched is within bounds."
        }
    };
    view! {
        <section class="panel alerts" aria-labelledby="alerts-title">
            <header class="panel-head">
                <h2 id="alerts-title">"Alerts"</h2>
                <span class="panel-note">
                    {move || match firing() {
                        0 => "none firing".to_owned(),
                        number => format!("{number} firing"),
                    }}
                </span>
            </header>
            <ul class="alert-list">
                <For each=move || raised.get() key=Clone::clone let(key)>
                    <Row key all />
                </For>
            </ul>
            <Show when=move || raised.with(Vec::is_empty)>
                <p class="empty">{nothing}</p>
            </Show>
            <details hidden=move || calm.with(Vec::is_empty)>
                <summary>{move || all.with(|all| alerts::quiet_text(all))}</summary>
                <ul class="alert-list">
                    <For each=move || calm.get() key=Clone::clone let(key)>
                        <Row key all />
                    </For>
                </ul>
            </details>
        </section>
    }
}

/// Rule and subject: a row stays the same row while its figures change.
type Key = (String, String);

fn key(alert: &AlertStatus) -> Key {
    (alert.rule.clone(), alert.subject.clone())
}

#[component]
fn Row(key: Key, all: Memo<Vec<AlertStatus>>) -> impl IntoView {
    let dashboard = Dashboard::get();
    let (rule, named) = (key.0.clone(), key.0.clone());
    let alert = Memo::new(move |before: Option<&Option<AlertStatus>>| {
        let found = all.with(|all| all.iter().find(|alert| self::key(alert) == key).cloned());
        // On its way out it still shows what it showed.
        found.or_else(|| before.cloned().flatten())
    });
    let state =
        Memo::new(move |_| alert.with(|alert| alert.as_ref().map_or(AlertState::Ok, |alert| alert.state)));
    let text = move |read: fn(&AlertStatus) -> &String| {
        move || alert.with(|alert| alert.as_ref().map(|alert| read(alert).clone()))
    };
    let since =
        Memo::new(move |_| alert.with(|alert| alert.as_ref().map_or(0, |alert| alert.since_unix_millis)));
    let age = move || {
        let age = format::span(dashboard.now_unix_millis.get().saturating_sub(since.get()));
        (state.get() != AlertState::Ok)
            .then(|| format!(" · since {} ({age})", clock::time_of_day(since.get())))
    };
    let subject = move || {
        let alert = alert.get()?;
        dashboard.snapshot.with(|snapshot| {
            let pages = snapshot.as_ref().map(|snapshot| snapshot.pages.as_slice()).unwrap_or_default();
            let page = pages.iter().find(|page| page.source.id == alert.subject);
            Some(page.map_or(alert.subject_name, |page| pages::name(&page.source, pages)))
        })
    };
    view! {
        <li class="alert" data-testid="alert" data-rule=rule data-state=move || alerts::state_key(state.get())>
            <span class="state" data-tone=move || alerts::state_key(state.get())>
                {move || alerts::state_text(state.get())}
            </span>
            <span class="alert-text">
                <span class="alert-summary">{text(|alert| &alert.summary)}</span>
                <span class="alert-facts">
                    <code>{named}</code>
                    " on "
                    {subject}
                    {age}
                </span>
            </span>
        </li>
    }
}
