//! Where to go from here, and what measuring costs.

use leptos::prelude::*;

use crate::model::format::Unit;
use crate::state::Dashboard;

#[component]
pub(crate) fn Footer() -> impl IntoView {
    let dashboard = Dashboard::get();
    let cost = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let sampler = &snapshot.as_ref()?.host.as_ref()?.sampler;
            Some(format!(
                "One reading takes {}; {} of {} were missed.",
                Unit::Millis.show(sampler.tick_millis),
                sampler.missed_ticks,
                sampler.ticks + sampler.missed_ticks
            ))
        })
    });
    view! {
        <footer class="bottom">
            <p>{cost}</p>
            <nav aria-label="More">
                <a href="story/">"Story app"</a>
                <a href="api/v1/snapshot">"Snapshot"</a>
                <a href="api/v1/openapi.json">"OpenAPI"</a>
                <a href="metrics">"Metrics"</a>
            </nav>
        </footer>
    }
}
