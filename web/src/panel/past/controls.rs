//! Which range is shown.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

use crate::browser::clock;
use crate::model::past_view::Last;
use crate::past::Past;
use crate::state::Dashboard;

#[component]
pub(super) fn Controls() -> impl IntoView {
    let (dashboard, past) = (Dashboard::get(), Past::get());
    let is_chosen =
        move |last: Last| dashboard.view.with(|view| view.past.between.is_none() && view.past.last == last);
    let stands_still = move || dashboard.view.with(|view| view.past.between.is_some());
    let choose = move |last: Last| {
        dashboard.change_past(|view| {
            view.last = last;
            view.between = None;
        });
    };
    let ranges = Last::ALL.map(|last| {
        view! {
            <button
                type="button"
                aria-pressed=move || if is_chosen(last) { "true" } else { "false" }
                aria-label=format!("last {}", last.label())
                data-testid=format!("last-{}", last.key())
                on:click=move |_| choose(last)
            >
                {last.label()}
            </button>
        }
    });
    let step = move |words: &'static str, sign: &'static str, act: fn(Past)| {
        view! {
            <button type="button" class="button icon-button" aria-label=words title=words on:click=move |_| act(past)>
                {sign}
            </button>
        }
    };
    view! {
        <div class="past-controls">
            <div class="segments" role="group" aria-label="Range">
                {ranges.into_iter().collect_view()}
            </div>
            <div class="actions" role="group" aria-label="Zoom">
                {step("Earlier", "←", |past| past.pan(-0.5))}
                {step("Later", "→", |past| past.pan(0.5))}
                {step("Closer", "+", |past| past.zoom(0.5))}
                {step("Wider", "−", |past| past.zoom(2.0))}
                <button
                    type="button"
                    class="button"
                    disabled=move || !stands_still()
                    on:click=move |_| dashboard.change_past(|view| view.between = None)
                >
                    "Up to now"
                </button>
            </div>
            <Between />
        </div>
    }
}

/// Any range, by its ends.
#[component]
fn Between() -> impl IntoView {
    let (dashboard, past) = (Dashboard::get(), Past::get());
    let (from, to) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let problem = RwSignal::new("");
    let end = move |pick: fn((u64, u64)) -> u64| {
        Memo::new(move |_| {
            let range = dashboard.view.with(|view| view.past.between);
            let range = range.or_else(|| past.picture.with(|p| p.as_ref().map(|p| (p.from, p.to))));
            range.map(|range| clock::to_input(pick(range))).unwrap_or_default()
        })
    };
    let (first, last) = (end(|(from, _)| from), end(|(_, to)| to));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let read = |input: NodeRef<html::Input>| clock::from_input(&input.get_untracked()?.value());
        match (read(from), read(to)) {
            (Some(from), Some(to)) if from < to => {
                problem.set("");
                dashboard.change_past(|view| view.select(from, to));
            }
            (Some(_), Some(_)) => problem.set("The range must end after it begins."),
            _ => problem.set("Fill in both ends."),
        }
    };
    view! {
        <details class="between">
            <summary>"Other range"</summary>
            <form class="actions" on:submit=submit>
                <label>
                    "From " <input node_ref=from type="datetime-local" step="1" data-testid="from" prop:value=first />
                </label>
                <label>
                    "to " <input node_ref=to type="datetime-local" step="1" data-testid="to" prop:value=last />
                </label>
                <button type="submit" class="button">
                    "Show"
                </button>
                <span role="alert">{problem}</span>
            </form>
        </details>
    }
}
