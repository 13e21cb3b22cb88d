//! The pages that are connected.

use leptos::prelude::*;

use super::page_card::PageCard;
use crate::model::format;
use crate::state::Dashboard;

#[component]
pub(crate) fn Pages() -> impl IntoView {
    let dashboard = Dashboard::get();
    let ids = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let pages = snapshot.as_ref().map(|snapshot| snapshot.pages.as_slice()).unwrap_or_default();
            pages.iter().map(|page| page.source.id.clone()).collect::<Vec<_>>()
        })
    });
    view! {
        <section class="pages" aria-labelledby="pages-title">
            <header class="panel-head">
                <h2 id="pages-title">"Pages"</h2>
                <span class="panel-note">
                    {move || match ids.with(Vec::len) {
                        0 => String::new(),
                        number => format::counted(number, "page", "pages"),
                    }}
                </span>
            </header>
            <Show when=move || ids.with(Vec::is_empty)>
                <div class="panel empty-pages">
                    <p>
                        <strong>"No page is connected. "</strong>
                        "Open the " <a href="story/" target="_blank" rel="noopener">"story app"</a>
                        " beside this one, or any app that uses the package with telemetry turned on. Its frame rate, "
                        "response time, worker pool and cache then show up here."
                    </p>
                </div>
            </Show>
            <div class="page-cards">
                <For each=move || ids.get() key=|id| id.clone() let(id)>
                    <PageCard id />
                </For>
            </div>
        </section>
    }
}
