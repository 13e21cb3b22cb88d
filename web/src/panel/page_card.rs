//! One connected page.

use leptos::prelude::*;
use quillwork_protocol::snapshot::PageLink;

use super::header::link_key;
use crate::chart::{Chart, Line, Spec};
use crate::model::format::Unit;
use crate::model::{pages, series};
use crate::past::Past;
use crate::state::Dashboard;

#[component]
pub(crate) fn PageCard(id: String) -> impl IntoView {
    let dashboard = Dashboard::get();
    let key = id.clone();
    let card = Memo::new(move |before: Option<&Option<pages::PageCard>>| {
        let now = dashboard.now_unix_millis.get();
        let stale = dashboard.is_stale() && !dashboard.view.with(|view| view.paused);
        dashboard.snapshot.with(|snapshot| {
            let all = &snapshot.as_ref()?.pages;
            let page = all.iter().find(|page| page.source.id == key);
            let Some(page) = page else { return before.cloned().flatten() };
            let mut page = page.clone();
            // A lost host can't vouch for its pages.
            if stale && page.link == PageLink::Live {
                page.link = PageLink::Lost;
            }
            Some(pages::PageCard::new(&page, all, now))
        })
    });
    let of = move |read: fn(&pages::PageCard) -> String| {
        move || card.with(|card| card.as_ref().map(read).unwrap_or_default())
    };
    let link = move || card.with(|card| card.as_ref().map_or(PageLink::Lost, |card| card.link));
    let closed = Memo::new(move |_| link() == PageLink::Closed);
    let names = Memo::new(move |_| {
        card.with(|card| {
            card.iter().flat_map(|card| card.facts.iter().map(|(name, _)| *name)).collect::<Vec<_>>()
        })
    });
    let fact = move |name: &'static str| {
        let value = move || {
            card.with(|card| {
                let facts = card.as_ref().map(|card| card.facts.as_slice()).unwrap_or_default();
                facts.iter().find(|(found, _)| *found == name).map(|(_, value)| value.clone())
            })
        };
        view! {
            <div>
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let frames = Spec {
        title: "Frame rate",
        tracks: vec![Line { series: series::page(&id, series::FRAMES), label: "Frames" }],
        unit: Unit::FramesPerSecond,
        fixed_top: None,
        least_top: 60.0,
        limit: Some(55.0),
        test_id: None,
    };
    let response = Spec {
        title: "Response time",
        tracks: vec![Line { series: series::page(&id, series::RESPONSE), label: "p95" }],
        unit: Unit::Millis,
        fixed_top: None,
        least_top: 100.0,
        limit: Some(100.0),
        test_id: None,
    };
    let (past, source) = (Past::get(), id.clone());
    view! {
        <article
            class="panel page-card"
            id=format!("page-{id}")
            data-testid="page-card"
            data-source-id=id.clone()
            data-link=move || link_key(link())
        >
            <header class="panel-head">
                <h3 class="clip">{of(|card| card.name.clone())}</h3>
                <span class="actions">
                    <button
                        type="button"
                        class="button small"
                        aria-label=move || format!("History of {}", of(|card| card.name.clone())())
                        on:click=move |_| past.show_page(source.clone())
                    >
                        "History"
                    </button>
                    <span class="state" data-tone=move || link_key(link())>
                        {of(|card| card.link_text.clone())}
                    </span>
                </span>
            </header>
            // A page that said goodbye has nothing more to show.
            <Show when=move || !closed.get()>
                <Headline card />
                <div class="page-charts">
                    <Chart spec=frames.clone() />
                    <Chart spec=response.clone() />
                </div>
            </Show>
            <dl class="facts">{move || names.get().into_iter().map(fact).collect_view()}</dl>
        </article>
    }
}

/// The figures that the budget is about.
#[component]
fn Headline(card: Memo<Option<pages::PageCard>>) -> impl IntoView {
    let of = move |read: fn(&pages::PageCard) -> String| {
        move || card.with(|card| card.as_ref().map(read).unwrap_or_default())
    };
    let frames = move || card.with(|card| card.as_ref()?.frames.map(|frames| frames.to_string()));
    view! {
        <dl class="headline">
            <div>
                <dt>"Frame rate"</dt>
                <dd data-testid="page-fps" data-value=frames>{of(|card| card.frames_text.clone())}</dd>
            </div>
            <div>
                <dt>"Response p95"</dt>
                <dd data-testid="page-response">{of(|card| Unit::Millis.show_or_no_data(card.response))}</dd>
            </div>
            <div>
                <dt>"Errors"</dt>
                <dd data-testid="page-errors">{of(|card| Unit::FineRatio.show_or_no_data(card.errors))}</dd>
            </div>
        </dl>
    }
}
