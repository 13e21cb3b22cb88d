//! The host over time.

use leptos::prelude::*;

use crate::chart::{Chart, Line, Spec};
use crate::model::format::Unit;
use crate::model::series;
use crate::state::Dashboard;

/// An idle axis of rates still shows a scale that means something: 64 KiB a second.
const LEAST_RATE: f64 = 65_536.0;

#[component]
pub(crate) fn Charts() -> impl IntoView {
    let dashboard = Dashboard::get();
    let has_swap = Memo::new(move |_| {
        let swap = |snapshot: &quillwork_protocol::snapshot::Snapshot| {
            snapshot.host.as_ref().is_some_and(|host| host.memory.swap_total_bytes > 0)
        };
        dashboard.snapshot.with(|snapshot| snapshot.as_deref().is_some_and(swap))
    });
    let track = |series: &str, label| Line { series: series.to_owned(), label };
    let share = |title, tracks, limit, test_id| Spec {
        title,
        tracks,
        unit: Unit::Ratio,
        fixed_top: Some(1.0),
        least_top: 1.0,
        limit: Some(limit),
        test_id: Some(test_id),
    };
    let rate = |title, tracks| Spec {
        title,
        tracks,
        unit: Unit::BytesPerSecond,
        fixed_top: None,
        least_top: LEAST_RATE,
        limit: None,
        test_id: None,
    };
    let memory = move || {
        let mut tracks = vec![track(series::MEMORY, "Memory")];
        if has_swap.get() {
            tracks.push(track(series::SWAP, "Swap"));
        }
        view! { <Chart spec=share("Memory", tracks, 0.8, "memory-used") /> }
    };
    view! {
        <section class="charts" aria-labelledby="charts-title">
            <h2 id="charts-title" class="visually-hidden">
                "This machine over time"
            </h2>
            <Chart spec=share("CPU", vec![track(series::CPU, "All cores")], 0.7, "cpu-total") />
            {memory}
            <Chart spec=rate("Network", vec![track(series::RECEIVED, "Received"), track(series::SENT, "Sent")]) />
            <Chart spec=rate("Disk", vec![track(series::READ, "Read"), track(series::WRITTEN, "Written")]) />
        </section>
    }
}
