//! Which series are shown: those that are, and all others by search.

use leptos::prelude::*;

use crate::model::past::found;
use crate::model::past_view::MOST_SERIES;
use crate::past::Past;
use crate::state::Dashboard;

/// Rows of the list; more are found by searching on.
const MOST_ROWS: usize = 40;

/// A series and what it is called.
type Row = (String, String);

#[component]
pub(super) fn Picker() -> impl IntoView {
    let (dashboard, past) = (Dashboard::get(), Past::get());
    let search = RwSignal::new(String::new());
    let shown = Memo::new(move |_| dashboard.view.with(|view| view.past.shown()));
    let rows = Memo::new(move |_| {
        past.catalogue.with(|catalogue| {
            let found = found(catalogue, &search.get(), &dashboard.pages());
            let row = |(info, label): &(&quillwork_protocol::series::SeriesInfo, String)| {
                (info.series.clone(), label.clone())
            };
            (found.len(), found.iter().take(MOST_ROWS).map(row).collect::<Vec<Row>>())
        })
    });
    let chosen = Memo::new(move |_| {
        let name = |series: String| {
            let label = past.picture.with(|picture| {
                let trace = picture.as_ref()?.traces.iter().find(|trace| trace.series == series)?;
                Some(trace.label.clone())
            });
            (series.clone(), label.unwrap_or(series))
        };
        shown.get().into_iter().map(name).collect::<Vec<Row>>()
    });
    let summary = move || {
        let (number, rows) = rows.with(|(number, rows)| (*number, rows.len()));
        if number > rows {
            format!("The first {rows} of {number}; search on for the others.")
        } else {
            format!("{number} found.")
        }
    };
    let is_full = move || shown.with(Vec::len) >= MOST_SERIES;
    view! {
        <section class="panel picker" aria-labelledby="picker-title">
            <header class="panel-head">
                <h3 id="picker-title">"Series"</h3>
                <span class="panel-note">{move || format!("{} of at most {MOST_SERIES}", shown.with(Vec::len))}</span>
            </header>
            <ul class="chosen" aria-label="Shown">
                <For each=move || chosen.get() key=Clone::clone let((series, label))>
                    <Chosen series label />
                </For>
            </ul>
            <label class="field">
                <span>"Search"</span>
                <input
                    type="search"
                    placeholder="disk /srv, fps, p95 …"
                    data-testid="series-search"
                    on:input=move |event| search.set(event_target_value(&event))
                />
            </label>
            <p class="empty" role="status">
                {summary}
            </p>
            <ul class="found">
                <For each=move || rows.with(|(_, rows)| rows.clone()) key=Clone::clone let((series, label))>
                    {
                        let (own, toggled) = (series.clone(), series.clone());
                        let is_on = Memo::new(move |_| shown.with(|shown| shown.contains(&own)));
                        view! {
                            <li>
                                <label class="check">
                                    <input
                                        type="checkbox"
                                        prop:checked=is_on
                                        disabled=move || is_full() && !is_on.get()
                                        on:change=move |event| {
                                            dashboard.change_past(|view| view.toggle(&toggled));
                                            // The last one stays.
                                            let checked = is_on.get_untracked();
                                            event_target::<web_sys::HtmlInputElement>(&event).set_checked(checked);
                                        }
                                    />
                                    {label}
                                </label>
                            </li>
                        }
                    }
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Chosen(series: String, label: String) -> impl IntoView {
    let (dashboard, past) = (Dashboard::get(), Past::get());
    let (saved, removed) = (series.clone(), series.clone());
    let save_label = format!("Save {label} as CSV");
    let remove_label = format!("Take {label} out");
    view! {
        <li data-testid="chosen" data-series=series>
            <span class="clip" title=label.clone()>{label.clone()}</span>
            <button
                type="button"
                class="button small"
                aria-label=save_label
                on:click=move |_| past.save(saved.clone())
            >
                "CSV"
            </button>
            <button
                type="button"
                class="button small"
                aria-label=remove_label
                on:click=move |_| dashboard.change_past(|view| view.toggle(&removed))
            >
                "✕"
            </button>
        </li>
    }
}
