//! What happened in the range: annotations, which the charts mark.

use leptos::prelude::*;
use quillwork_protocol::annotation::Annotation;

use crate::browser::clock;
use crate::model::format;
use crate::past::Past;

#[component]
pub(super) fn Events() -> impl IntoView {
    let past = Past::get();
    let is_none = move || past.annotations.with(Vec::is_empty);
    view! {
        <section class="panel" aria-labelledby="events-title" data-testid="annotations" hidden=is_none>
            <header class="panel-head">
                <h3 id="events-title">"What happened"</h3>
                <span class="panel-note">"marked in the charts"</span>
            </header>
            <ul class="event-list">
                <For each=move || past.annotations.get() key=|one| (one.id, one.text.clone(), one.until) let(one)>
                    <Row one />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Row(one: Annotation) -> impl IntoView {
    let when = match one.until {
        Some(until) => {
            format!("{}, for {}", clock::moment(one.at), format::span(until.saturating_sub(one.at)))
        }
        None => clock::moment(one.at),
    };
    let about = one.source.into_iter().chain(one.tags).collect::<Vec<_>>().join(", ");
    view! {
        <li class="event">
            <span class="event-when">{when}</span>
            <span class="event-text">{one.text} " " <small>{about}</small></span>
        </li>
    }
}
