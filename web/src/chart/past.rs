//! A chart of the past: lines of one unit on the time line that all of them share.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;

use super::binding::Plot;
use crate::browser::clock;
use crate::model::axis;
use crate::model::past::Picture;
use crate::model::summary::{Summary, reading};
use crate::past::Past;
use crate::state::Dashboard;

type Closures = (Closure<dyn FnMut(f64)>, Closure<dyn FnMut(f64)>, Closure<dyn FnMut(f64, f64)>);

/// A chart with so many lines; `lines` are their places among the picture's traces.
#[component]
pub(crate) fn PastChart(lines: Vec<usize>) -> impl IntoView {
    let (dashboard, past) = (Dashboard::get(), Past::get());
    let element = NodeRef::<html::Div>::new();
    let plot = StoredValue::new_local(None::<(Plot, Closures)>);
    let resized = RwSignal::new(0.0);
    let lines = StoredValue::new(lines);
    let is_failed = RwSignal::new(false);

    element.on_load(move |host| {
        let on_cursor = Closure::<dyn FnMut(f64)>::new(move |second: f64| {
            let place =
                past.picture.with_untracked(|p| p.as_ref()?.place(second).filter(|_| second.is_finite()));
            if past.cursor.get_untracked() != place {
                past.cursor.set(place);
            }
        });
        let on_resize = Closure::<dyn FnMut(f64)>::new(move |width: f64| resized.set(width));
        let on_select = Closure::<dyn FnMut(f64, f64)>::new(move |from: f64, to: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "instants after 1970"
            )]
            dashboard.change_past(|view| view.select((from * 1e3) as u64, (to * 1e3) as u64));
        });
        let count = lines.with_value(|lines| u32::try_from(lines.len()).expect("a few lines"));
        match Plot::new(&host, count, &on_cursor, &on_resize, Some(&on_select)) {
            Ok(made) => {
                plot.set_value(Some((made, (on_cursor, on_resize, on_select))));
                resized.set(f64::from(host.client_width()));
            }
            Err(error) => {
                leptos::logging::error!("a chart could not be made: {error:?}");
                is_failed.set(true);
            }
        }
    });
    let asked = StoredValue::new(false);
    let draw_now = move || {
        asked.try_set_value(false);
        let Some(Some(picture)) = past.picture.try_get_untracked() else { return };
        let spans: Vec<f64> = past.annotations.with_untracked(|all| {
            all.iter().flat_map(|one| [seconds(one.at), seconds(one.until.unwrap_or(one.at))]).collect()
        });
        // The frame may come after the chart is gone.
        let _ = plot.try_with_value(|plot| {
            if let Some((plot, _)) = plot {
                lines.with_value(|lines| draw(plot, &picture, lines));
                plot.mark(&spans);
                point(plot, &picture, past.cursor.get_untracked());
            }
        });
    };
    Effect::new(move |_| {
        past.picture.track();
        past.annotations.track();
        dashboard.revision.track();
        resized.track();
        if !asked.get_value() {
            asked.set_value(true);
            request_animation_frame(draw_now);
        }
    });
    Effect::new(move |_| {
        let cursor = past.cursor.get();
        let Some(picture) = past.picture.get_untracked() else { return };
        plot.with_value(|plot| {
            if let Some((plot, _)) = plot {
                point(plot, &picture, cursor);
            }
        });
    });
    on_cleanup(move || {
        plot.update_value(|plot| {
            if let Some((plot, _)) = plot.take() {
                plot.destroy();
            }
        });
    });

    let words = move || {
        past.picture.with(|picture| {
            let Some(picture) = picture else { return String::new() };
            let sentence = |at: &usize| {
                let trace = picture.traces.get(*at)?;
                Some(Summary::of(&trace.values, 0).sentence_of_the_past(&trace.label, trace.unit))
            };
            lines.with_value(|lines| lines.iter().filter_map(sentence).collect::<Vec<_>>().join(". "))
        })
    };
    let at = move || {
        let place = past.cursor.get()?;
        let second = past.picture.with(|p| p.as_ref()?.seconds.get(place).copied())?;
        Some(format!("at {}", clock::moment_to_the_second(second)))
    };
    let entries = lines.get_value().into_iter().enumerate().map(|(number, line)| {
        view! { <Entry number line /> }
    });
    view! {
        <figure class="chart" data-testid="past-chart">
            <figcaption>
                <ul class="legend">{entries.collect_view()}</ul>
                <span class="chart-span" data-cursor=move || past.cursor.get().map(|_| "")>
                    {at}
                </span>
            </figcaption>
            <div
                class="plot"
                node_ref=element
                tabindex="0"
                role="application"
                aria-roledescription="chart"
                aria-label="History. Arrow keys move the cursor, plus and minus zoom, page up and page down move the range, Escape goes back."
                on:keydown=move |event| handle_key(dashboard, past, lines, &event)
                on:blur=move |_| past.cursor.set(None)
            ></div>
            <p class="visually-hidden">{words}</p>
            <Show when=move || is_failed.get()>
                <p class="empty">"The chart could not be drawn: its script did not load. Reload the page."</p>
            </Show>
        </figure>
    }
}

/// A line by its name, with its value at the cursor, or else what it comes to.
#[component]
fn Entry(number: usize, line: usize) -> impl IntoView {
    let past = Past::get();
    let label = move || {
        past.picture.with(|p| p.as_ref().and_then(|p| p.traces.get(line)).map(|trace| trace.label.clone()))
    };
    let value = move || {
        let cursor = past.cursor.get();
        past.picture.with(|picture| {
            let trace = picture.as_ref()?.traces.get(line)?;
            Some(match cursor {
                Some(place) => {
                    trace.unit.show_or_no_data(trace.values.get(place).map(|value| f64::from(*value)))
                }
                None => match Summary::of(&trace.values, 0) {
                    Summary { mean: Some(mean), greatest: Some(greatest), least: Some(least), .. } => {
                        let show = |value| trace.unit.show(value);
                        format!("{} to {}, mean {}", show(least), show(greatest), show(mean))
                    }
                    _ => trace.unit.show_or_no_data(None),
                },
            })
        })
    };
    view! {
        <li class="legend-entry" data-series=number + 1>
            <svg class="swatch" viewBox="0 0 18 4" aria-hidden="true"><path d="M0 2h18" /></svg>
            <span class="legend-label">{label}</span>
            <span class="legend-value" data-testid="past-value">{value}</span>
        </li>
    }
}

fn draw(plot: &Plot, picture: &Arc<Picture>, lines: &[usize]) {
    let traces: Vec<_> = lines.iter().filter_map(|line| picture.traces.get(*line)).collect();
    let Some(unit) = traces.first().map(|trace| trace.unit) else { return };
    // A picture of other series is on its way to other charts.
    if traces.len() != lines.len() || traces.iter().any(|trace| trace.unit != unit) {
        return;
    }
    let summaries: Vec<Summary> = traces.iter().map(|trace| Summary::of(&trace.values, 0)).collect();
    let least = summaries.iter().filter_map(|summary| summary.least).reduce(f64::min);
    let greatest = summaries.iter().filter_map(|summary| summary.greatest).reduce(f64::max);
    let ((bottom, top), ticks) = axis::ends(unit, least, greatest);
    let labels = ticks.iter().map(|tick| unit.show_tick(*tick)).collect();
    let values: Vec<f32> = traces.iter().flat_map(|trace| trace.values.iter().copied()).collect();
    let window = [seconds(picture.from), seconds(picture.to)];
    plot.draw(&picture.seconds, &values, &window, &[bottom, top], &ticks, labels, f64::NAN);
}

fn point(plot: &Plot, picture: &Picture, cursor: Option<usize>) {
    plot.point(cursor.and_then(|place| picture.seconds.get(place)).copied().unwrap_or(f64::NAN));
}

fn seconds(unix_millis: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit into 53 bits")]
    let millis = unix_millis as f64;
    millis / 1e3
}

fn handle_key(
    dashboard: Dashboard,
    past: Past,
    lines: StoredValue<Vec<usize>>,
    event: &web_sys::KeyboardEvent,
) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let Some(picture) = past.picture.get_untracked() else { return };
    let Some(last) = picture.seconds.len().checked_sub(1) else { return };
    let newest = lines.with_value(|lines| picture.newest(lines)).unwrap_or(last);
    let cursor = past.cursor.get_untracked();
    let stride = if event.shift_key() { 20 } else { 2 };
    let to = match event.key().as_str() {
        "ArrowLeft" => cursor.map_or(newest, |place| place.saturating_sub(stride)),
        "ArrowRight" => cursor.map_or(newest, |place| (place + stride).min(last)),
        "Home" => 0,
        "End" => newest,
        key => {
            match key {
                "+" | "=" => past.zoom(0.5),
                "-" => past.zoom(2.0),
                "PageUp" => past.pan(-0.5),
                "PageDown" => past.pan(0.5),
                "Escape" if cursor.is_some() => past.cursor.set(None),
                "Escape" => dashboard.change_past(|view| view.between = None),
                _ => return,
            }
            event.prevent_default();
            return;
        }
    };
    event.prevent_default();
    past.cursor.set(Some(to));
    let time = clock::moment_to_the_second(picture.seconds[to]);
    let values: Vec<_> = lines.with_value(|lines| {
        let traces = lines.iter().filter_map(|line| picture.traces.get(*line));
        traces
            .map(|trace| {
                (trace.label.as_str(), trace.unit, trace.values.get(to).map(|value| f64::from(*value)))
            })
            .collect()
    });
    dashboard.read_out(reading(&time, &values));
}
