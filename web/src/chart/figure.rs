//! A chart as a figure: title, current values, the picture, and the same in words.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;

use super::binding::Plot;
use super::frame::{Canvas, window};
use crate::browser::clock;
use crate::model::axis::Top;
use crate::model::format::Unit;
use crate::model::summary::{Summary, move_cursor, reading};
use crate::state::Dashboard;

/// What a chart shows.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) title: &'static str,
    pub(crate) tracks: Vec<Line>,
    pub(crate) unit: Unit,
    /// The axis always ends here, or follows the values from `least_top` on.
    pub(crate) fixed_top: Option<f64>,
    pub(crate) least_top: f64,
    /// The budget's limit, drawn as a line.
    pub(crate) limit: Option<f64>,
    /// `data-testid` of the first value.
    pub(crate) test_id: Option<&'static str>,
}

/// One line of a chart.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) series: String,
    pub(crate) label: &'static str,
}

type Closures = (Closure<dyn FnMut(f64)>, Closure<dyn FnMut(f64)>);

#[component]
pub(crate) fn Chart(spec: Spec) -> impl IntoView {
    let dashboard = Dashboard::get();
    let element = NodeRef::<html::Div>::new();
    let canvas = StoredValue::new_local(None::<(Canvas, Closures)>);
    let failed = RwSignal::new(false);
    let resized = RwSignal::new(0.0);
    let summaries = RwSignal::new(Vec::<Summary>::new());
    let shared = StoredValue::new(spec.clone());

    element.on_load(move |host| {
        let step = dashboard.engine.with_value(|engine| engine.history.step_millis());
        let on_cursor = Closure::<dyn FnMut(f64)>::new(move |second: f64| {
            #[expect(clippy::cast_precision_loss, reason = "a step of some seconds")]
            let slot = (second * 1e3 / step as f64).round();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an instant after 1970"
            )]
            let slot = slot.is_finite().then_some(slot.max(0.0) as u64);
            if dashboard.cursor.get_untracked() != slot {
                dashboard.cursor.set(slot);
            }
        });
        let on_resize = Closure::<dyn FnMut(f64)>::new(move |width: f64| resized.set(width));
        let tracks = shared.with_value(|spec| u32::try_from(spec.tracks.len()).expect("a few lines"));
        match Plot::new(&host, tracks, &on_cursor, &on_resize, None) {
            Ok(plot) => {
                let top = shared.with_value(|spec| match spec.fixed_top {
                    Some(top) => Top::fixed(spec.unit, top),
                    None => Top::following(spec.unit, spec.least_top),
                });
                let width = f64::from(host.client_width());
                canvas.set_value(Some((Canvas { plot, top, width }, (on_cursor, on_resize))));
                resized.set(width);
            }
            Err(error) => {
                leptos::logging::error!("a chart could not be made: {error:?}");
                failed.set(true);
            }
        }
    });

    // One drawing per frame, however many signals changed; the browser asks for no frames while the page is hidden.
    let asked = StoredValue::new(false);
    let draw = move || {
        asked.try_set_value(false);
        let drawn = canvas.try_update_value(|canvas| {
            let (canvas, _) = canvas.as_mut()?;
            canvas.width = resized.get_untracked();
            let summaries = shared.with_value(|spec| canvas.draw(dashboard, spec));
            canvas.point(dashboard);
            Some(summaries)
        });
        if let Some(Some(drawn)) = drawn {
            summaries.set(drawn);
        }
    };
    Effect::new(move |_| {
        dashboard.edge.track();
        dashboard.revision.track();
        dashboard.view.track();
        resized.track();
        if !asked.get_value() {
            asked.set_value(true);
            request_animation_frame(draw);
        }
    });
    Effect::new(move |_| {
        dashboard.cursor.track();
        canvas.with_value(|canvas| {
            if let Some((canvas, _)) = canvas {
                canvas.point(dashboard);
            }
        });
    });
    on_cleanup(move || {
        canvas.update_value(|canvas| {
            if let Some((canvas, _)) = canvas.take() {
                canvas.plot.destroy();
            }
        });
    });

    let label = move || {
        let range = dashboard.view.with(|view| view.range.words());
        format!("{}, {range}. Arrow keys move the cursor.", spec.title)
    };
    let words = move || {
        shared.with_value(|spec| {
            let sentences = summaries.with(|summaries| {
                let said = spec.tracks.iter().zip(summaries);
                said.map(|(track, summary)| summary.sentence(track.label, spec.unit)).collect::<Vec<_>>()
            });
            sentences.join(". ")
        })
    };
    let span = move || {
        if let Some(slot) = dashboard.cursor.get() {
            let step = dashboard.engine.with_value(|engine| engine.history.step_millis());
            return format!("at {}", clock::time_of_day(slot * step));
        }
        shared.with_value(|spec| {
            summaries.with(|summaries| match summaries.as_slice() {
                // Of two lines it would be unclear which is meant.
                [Summary { mean: Some(mean), greatest: Some(greatest), .. }] => {
                    format!("mean {} · peak {}", spec.unit.show(*mean), spec.unit.show(*greatest))
                }
                _ => String::new(),
            })
        })
    };

    view! {
        <figure class="chart">
            <figcaption>
                <h3>{spec.title}</h3>
                <Legend spec=spec.clone() />
                <span class="chart-span" data-cursor=move || dashboard.cursor.get().map(|_| "")>
                    {span}
                </span>
            </figcaption>
            <div
                class="plot"
                node_ref=element
                tabindex="0"
                role="application"
                aria-roledescription="chart"
                aria-label=label
                on:keydown=move |event| {
                    shared.with_value(|spec| handle_key(dashboard, spec, &event));
                }
                on:blur=move |_| dashboard.cursor.set(None)
            ></div>
            <p class="visually-hidden">{words}</p>
            <Show when=move || failed.get()>
                <p class="empty">"The chart could not be drawn: its script did not load. Reload the page."</p>
            </Show>
        </figure>
    }
}

/// The lines by name, each with its value now, or at the cursor.
#[component]
fn Legend(spec: Spec) -> impl IntoView {
    let dashboard = Dashboard::get();
    let unit = spec.unit;
    let entry = move |(index, track): (usize, Line)| {
        let test_id = spec.test_id.filter(|_| index == 0);
        let value = Memo::new(move |_| value_at(dashboard, &track.series));
        view! {
            <li class="legend-entry" data-series=index + 1>
                <svg class="swatch" viewBox="0 0 18 4" aria-hidden="true"><path d="M0 2h18" /></svg>
                <span class="legend-label">{track.label}</span>
                <span
                    class="legend-value"
                    data-testid=test_id
                    data-value=move || value.get().map(|value| value.to_string())
                >
                    {move || unit.show_or_no_data(value.get())}
                </span>
            </li>
        }
    };
    let entries: Vec<_> = spec.tracks.into_iter().enumerate().map(entry).collect();
    view! { <ul class="legend">{entries}</ul> }
}

/// The value at the cursor, or else the newest one that the picture shows; nothing from a host that is lost.
fn value_at(dashboard: Dashboard, series: &str) -> Option<f64> {
    let cursor = dashboard.cursor.get();
    let edge = dashboard.edge.get();
    let paused = dashboard.view.with(|view| view.paused);
    dashboard.revision.track();
    if cursor.is_none() && !paused && dashboard.is_stale() {
        return None;
    }
    dashboard.engine.with_value(|engine| match cursor {
        Some(slot) => engine.history.value(series, slot),
        None => {
            engine.history.value(series, edge).or_else(|| engine.history.value(series, edge.checked_sub(1)?))
        }
    })
}

/// Moves the cursor and says what it reads.
fn handle_key(dashboard: Dashboard, spec: &Spec, event: &web_sys::KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let (first, last) = window(dashboard);
    let stride = if event.shift_key() { 10 } else { 1 };
    let cursor = dashboard.cursor.get_untracked();
    let to = match event.key().as_str() {
        "ArrowLeft" => move_cursor(cursor, -stride, first, last),
        "ArrowRight" => move_cursor(cursor, stride, first, last),
        "Home" => first,
        "End" => last,
        "Escape" if cursor.is_some() => {
            event.prevent_default();
            return dashboard.cursor.set(None);
        }
        _ => return,
    };
    event.prevent_default();
    dashboard.cursor.set(Some(to));
    let text = dashboard.engine.with_value(|engine| {
        let time = clock::time_of_day(to * engine.history.step_millis());
        let values: Vec<_> = spec
            .tracks
            .iter()
            .map(|track| (track.label, spec.unit, engine.history.value(&track.series, to)))
            .collect();
        reading(&time, &values)
    });
    dashboard.read_out(text);
}
