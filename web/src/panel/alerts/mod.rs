//! Alerts, the most urgent first, and what can be done about them.

mod dialog;
mod refusal;
mod row;
mod silences;

use leptos::prelude::*;
use quillwork_protocol::alert::{AlertState, AlertStatus};

use self::row::Row;
use self::silences::Silences;
use crate::model::alerts;
use crate::state::Dashboard;

pub(crate) use self::dialog::CareDialog;
pub(crate) use self::refusal::Refusal;

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
            all.with(|all| all.iter().filter(wanted).map(row::key).collect::<Vec<_>>())
        })
    };
    let (raised, calm) = (of(false), of(true));
    let firing = move || all.with(|all| all.iter().filter(|alert| alerts::fires(alert)).count());
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
            <Refusal unless_asked=true />
            <Silences />
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
