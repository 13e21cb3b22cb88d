//! The silences that there are.

use leptos::prelude::*;
use quillwork_protocol::alert::SilenceInfo;

use crate::browser::clock;
use crate::desk::Desk;
use crate::model::{format, silences};
use crate::state::Dashboard;

#[component]
pub(super) fn Silences() -> impl IntoView {
    let (dashboard, desk) = (Dashboard::get(), Desk::get());
    let current = Memo::new(move |_| {
        let now = dashboard.now_unix_millis.get();
        desk.silences.with(|silences| silences::current(silences, now))
    });
    let title = move || format::counted(current.with(Vec::len), "silence", "silences");
    view! {
        <details data-testid="silences" hidden=move || current.with(Vec::is_empty)>
            <summary>{title}</summary>
            <ul class="silence-list">
                <For each=move || current.get() key=|silence| silence.id let(silence)>
                    <Row silence />
                </For>
            </ul>
        </details>
    }
}

#[component]
fn Row(silence: SilenceInfo) -> impl IntoView {
    let (dashboard, desk) = (Dashboard::get(), Desk::get());
    let (starts, ends) = (silence.starts_unix_millis, silence.ends_unix_millis);
    // The clock here is a second behind at most: one that was just made mutes already.
    let is_active = silence.active;
    let when = move || {
        let now = dashboard.now_unix_millis.get();
        if starts > now && !is_active {
            format!("begins in {}", format::span(starts - now))
        } else {
            format!("until {}, for {} more", clock::moment(ends), format::span(ends.saturating_sub(now)))
        }
    };
    let what = silences::what(&silence, &dashboard.pages());
    let why = match silence.comment.trim() {
        "" => format!("by {}", silence.author),
        comment => format!("by {}: {comment}", silence.author),
    };
    let label = format!("Lift the silence of {what}");
    view! {
        <li class="silence" data-testid="silence-row">
            <span class="alert-text">
                <code>{what}</code>
                <span class="alert-facts">{when}</span>
                <span class="alert-facts">{why}</span>
            </span>
            <button
                type="button"
                class="button small"
                data-testid="lift"
                aria-label=label
                disabled=desk.is_busy
                on:click=move |_| desk.lift(&silence)
            >
                "Lift"
            </button>
        </li>
    }
}
