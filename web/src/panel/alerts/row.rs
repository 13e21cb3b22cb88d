//! One alert.

use leptos::prelude::*;
use quillwork_protocol::alert::{AlertState, AlertStatus};

use crate::browser::clock;
use crate::desk::{Deed, Desk};
use crate::model::{alerts, format, pages};
use crate::past::Past;
use crate::state::Dashboard;

/// Rule and subject: a row stays the same row while its figures change.
pub(super) type Key = (String, String);

pub(super) fn key(alert: &AlertStatus) -> Key {
    (alert.rule.clone(), alert.subject.clone())
}

#[component]
pub(super) fn Row(key: Key, all: Memo<Vec<AlertStatus>>) -> impl IntoView {
    let dashboard = Dashboard::get();
    let (rule, named) = (key.0.clone(), key.0.clone());
    let alert = Memo::new(move |before: Option<&Option<AlertStatus>>| {
        let found = all.with(|all| all.iter().find(|alert| self::key(alert) == key).cloned());
        // On its way out it still shows what it showed.
        found.or_else(|| before.cloned().flatten())
    });
    let state =
        Memo::new(move |_| alert.with(|alert| alert.as_ref().map_or(AlertState::Ok, |alert| alert.state)));
    let summary = move || alert.with(|alert| alert.as_ref().map(|alert| alert.summary.clone()));
    let since =
        Memo::new(move |_| alert.with(|alert| alert.as_ref().map_or(0, |alert| alert.since_unix_millis)));
    let age = move || {
        let age = format::span(dashboard.now_unix_millis.get().saturating_sub(since.get()));
        (state.get() != AlertState::Ok).then(|| format!(" · since {} ({age})", clock::moment_of(since.get())))
    };
    let subject = move || {
        let alert = alert.get()?;
        dashboard.snapshot.with(|snapshot| {
            let pages = snapshot.as_ref().map(|snapshot| snapshot.pages.as_slice()).unwrap_or_default();
            let page = pages.iter().find(|page| page.source.id == alert.subject);
            Some(page.map_or(alert.subject_name, |page| pages::name(&page.source, pages)))
        })
    };
    let is_open = Memo::new(move |_| alert.with(|alert| alert.as_ref().is_some_and(alerts::is_open)));
    view! {
        <li class="alert" data-testid="alert" data-rule=rule data-state=move || alerts::state_key(state.get())>
            <span class="state" data-tone=move || alerts::state_key(state.get())>
                {move || alerts::state_text(state.get())}
            </span>
            <div class="alert-text">
                <span class="alert-summary">{summary}</span>
                <span class="alert-facts">
                    <code>{named}</code>
                    " on "
                    {subject}
                    {age}
                </span>
                <Show when=move || is_open.get()>
                    <Facts alert />
                    <Actions alert />
                </Show>
            </div>
        </li>
    }
}

type Fact = (&'static str, fn(&AlertStatus) -> Option<String>);

/// What is known of an open alert.
const FACTS: [Fact; 5] = [
    ("Value", |alert| Some(alerts::measure_text(alert))),
    ("Culprit", |alert| alert.culprit.clone()),
    ("Look first at", |alert| alert.look_first.clone().filter(|hint| !hint.is_empty())),
    ("Taken by", |alert| alert.acknowledged_by.clone()),
    ("Muted by", |alert| alert.muted_by.clone()),
];

#[component]
fn Facts(alert: Memo<Option<AlertStatus>>) -> impl IntoView {
    let fact = move |(name, read): Fact| {
        let value = Memo::new(move |_| alert.with(|alert| alert.as_ref().and_then(read)));
        view! {
            <div hidden=move || value.with(Option::is_none)>
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    view! { <dl class="alert-details">{FACTS.map(fact).into_iter().collect_view()}</dl> }
}

#[component]
fn Actions(alert: Memo<Option<AlertStatus>>) -> impl IntoView {
    let (desk, past) = (Desk::get(), Past::get());
    let is_taken =
        Memo::new(move |_| alert.with(|alert| alert.as_ref().is_some_and(|a| a.acknowledged_by.is_some())));
    // Several buttons of one name are told apart by what they are for.
    let about = move |verb: &'static str| {
        alert.with(|alert| alert.as_ref().map(|a| format!("{verb}: {}", a.summary)))
    };
    let take = move |_| {
        let Some(alert) = alert.get_untracked() else { return };
        if is_taken.get_untracked() { desk.unacknowledge(&alert) } else { desk.ask(Deed::Acknowledge, alert) }
    };
    let silence = move |_| {
        if let Some(alert) = alert.get_untracked() {
            desk.ask(Deed::Silence, alert);
        }
    };
    let show = move |_| {
        if let Some(alert) = alert.get_untracked() {
            past.show_alert(alert);
        }
    };
    let word = move || if is_taken.get() { "Give back" } else { "Acknowledge…" };
    view! {
        <p class="actions">
            <button
                type="button"
                class="button small"
                data-testid="acknowledge"
                aria-label=move || about(if is_taken.get() { "Give back" } else { "Acknowledge" })
                disabled=desk.is_busy
                on:click=take
            >
                {word}
            </button>
            <button
                type="button"
                class="button small"
                data-testid="silence"
                aria-label=move || about("Silence")
                disabled=desk.is_busy
                on:click=silence
            >
                "Silence…"
            </button>
            <button
                type="button"
                class="button small"
                data-testid="show-past"
                aria-label=move || about("History")
                on:click=show
            >
                "History"
            </button>
        </p>
    }
}
