//! The past: what the host keeps, over any range, any series beside any other.

mod controls;
mod events;
mod picker;

use leptos::prelude::*;

use self::controls::Controls;
use self::events::Events;
use self::picker::Picker;
use crate::browser::clock;
use crate::chart::PastChart;
use crate::past::Past;

#[component]
pub(crate) fn PastPanel() -> impl IntoView {
    let past = Past::get();
    // Charts are made anew where other lines belong together, not for every new value.
    let charts = Memo::new(move |_| {
        past.picture.with(|picture| {
            let Some(picture) = picture else { return Vec::new() };
            let key = |lines: Vec<usize>| {
                let of = |line: &usize| picture.traces[*line].series.clone();
                (lines.iter().map(of).collect::<Vec<_>>(), lines)
            };
            picture.charts().into_iter().map(key).collect::<Vec<_>>()
        })
    });
    let is_nothing = move || past.picture.with(|p| p.as_ref().is_some_and(|p| p.traces.is_empty()));
    let first = move || past.picture.with(Option::is_none) && past.failure.with(Option::is_none);
    view! {
        <section class="past" aria-labelledby="past-title">
            <h2 id="past-title" class="visually-hidden">
                "History"
            </h2>
            <Controls />
            <div>
                <div role="alert">
                    {move || past.failure.get().map(|failure| view! { <p class="refusal">{failure.words()}</p> })}
                </div>
                <Resolution />
            </div>
            <div class="past-parts">
            <div class="past-charts" aria-busy=move || if past.is_asking.get() { "true" } else { "false" }>
                <For each=move || charts.get() key=Clone::clone let((_, lines))>
                    <PastChart lines />
                </For>
                <Show when=first>
                    <p class="empty">"Asking the host…"</p>
                </Show>
                <Show when=is_nothing>
                    <p class="empty">"Choose a series that the host has values of."</p>
                </Show>
            </div>
            <div class="past-rail">
                <Events />
                <Picker />
            </div>
            </div>
        </section>
    }
}

/// What is shown, and how finely.
#[component]
fn Resolution() -> impl IntoView {
    let past = Past::get();
    let text = move || {
        past.picture.with(|picture| {
            let picture = picture.as_ref()?;
            let missing = match picture.missing.as_slice() {
                [] => String::new(),
                names => format!(" Nothing kept of {}.", names.join(", ")),
            };
            Some(format!("{}: {}.{missing}", clock::range(picture.from, picture.to), picture.resolution()))
        })
    };
    view! {
        <p class="resolution" data-testid="resolution" data-step=move || {
            past.picture.with(|p| p.as_ref().map(|p| p.step_millis.to_string()))
        }>{text}</p>
    }
}
