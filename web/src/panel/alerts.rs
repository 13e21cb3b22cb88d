//! Alerts, the most urgent first.

use leptos::prelude::*;
use quillwork_protocol::alert::{AlertState, AlertStatus};

use crate::browser::clock;
use crate::model::{alerts, format};
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
    let quiet = |alert: &AlertStatus| alert.state == AlertState::Ok;
    let raised =
        Memo::new(move |_| all.with(|all| all.iter().filter(|a| !quiet(a)).cloned().collect::<Vec<_>>()));
    let calm =
        Memo::new(move |_| all.with(|all| all.iter().filter(|a| quiet(a)).cloned().collect::<Vec<_>>()));
    let firing = move || all.with(|all| all.iter().filter(|alert| alerts::is_firing(alert.state)).count());
    let nothing = move || {
        if all.with(Vec::is_empty) {
            "No rule has been evaluated yet."
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
                <For each=move || raised.get() key=key let(alert)>
                    <Row alert />
                </For>
            </ul>
            <Show when=move || raised.with(Vec::is_empty)>
                <p class="empty">{nothing}</p>
            </Show>
            <Show when=move || !calm.with(Vec::is_empty)>
                <details>
                    <summary>{move || format::counted(calm.with(Vec::len), "rule", "rules")} " within bounds"</summary>
                    <ul class="alert-list">
                        <For each=move || calm.get() key=key let(alert)>
                            <Row alert />
                        </For>
                    </ul>
                </details>
            </Show>
        </section>
    }
}

/// A row is made anew when anything on it changes but the clock.
fn key(alert: &AlertStatus) -> (String, String, &'static str, u64, String) {
    let AlertStatus { rule, subject, state, since_unix_millis, summary, .. } = alert;
    (rule.clone(), subject.clone(), alerts::state_key(*state), *since_unix_millis, summary.clone())
}

#[component]
fn Row(alert: AlertStatus) -> impl IntoView {
    let dashboard = Dashboard::get();
    let since = alert.since_unix_millis;
    let age = move || format::span(dashboard.now_unix_millis.get().saturating_sub(since));
    let quiet = alert.state == AlertState::Ok;
    let rule = alert.rule.clone();
    view! {
        <li class="alert" data-testid="alert" data-rule=rule data-state=alerts::state_key(alert.state)>
            <span class="state" data-tone=alerts::state_key(alert.state)>
                {alerts::state_text(alert.state)}
            </span>
            <span class="alert-text">
                <span class="alert-summary">{alert.summary}</span>
                <span class="alert-facts">
                    <code>{alert.rule}</code>
                    " on "
                    {alert.subject_name}
                    {(!quiet).then(|| view! {
                        " · since "
                        <time>{clock::time_of_day(since)}</time>
                        " ("
                        {age}
                        ")"
                    })}
                </span>
            </span>
        </li>
    }
}
