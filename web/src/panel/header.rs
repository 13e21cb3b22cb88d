//! Who is connected, and how the picture is shown.

use leptos::prelude::*;
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};

use crate::model::link::HostState;
use crate::model::pages::name;
use crate::model::settings::{Part, Range};
use crate::state::{Dashboard, for_how_long};

#[component]
pub(crate) fn Header() -> impl IntoView {
    view! {
        <header class="top">
            <div class="brand">
                <img src="icon.svg" alt="" width="28" height="28" />
                <div>
                    <h1>"Quillwork"</h1>
                    <Machine />
                </div>
            </div>
            <Parts />
            <Links />
            <Controls />
        </header>
    }
}

/// The machine in a line.
#[component]
fn Machine() -> impl IntoView {
    let dashboard = Dashboard::get();
    let text = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let machine = &snapshot.as_ref()?.host.as_ref()?.machine;
            let cores = crate::model::format::counted(machine.logical_cores as usize, "core", "cores");
            let facts = [machine.name.clone(), machine.system.clone(), cores];
            Some(facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · "))
        })
    });
    view! { <p class="machine">{move || text.get().unwrap_or_else(|| "Performance of this machine".to_owned())}</p> }
}

/// Now, and what was.
#[component]
fn Parts() -> impl IntoView {
    let dashboard = Dashboard::get();
    let link = move |part: Part, href: &'static str, words: &'static str| {
        let current = move || dashboard.view.with(|view| (view.part == part).then_some("page"));
        view! {
            <a
                href=href
                aria-current=current
                on:click=move |event| {
                    // With a key held it opens elsewhere, as links do.
                    if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                        event.prevent_default();
                        dashboard.show(part);
                    }
                }
            >
                {words}
            </a>
        }
    };
    view! {
        <nav class="parts" aria-label="Parts">
            {link(Part::Live, "./", "Live")} {link(Part::Past, "?view=history", "History")}
        </nav>
    }
}

/// The connection to the host and to each page.
#[component]
fn Links() -> impl IntoView {
    let dashboard = Dashboard::get();
    let state = move || match dashboard.host.get() {
        HostState::Connecting { .. } => "connecting",
        HostState::Live => "live",
        HostState::Lost { .. } => "lost",
        HostState::Refused(_) => "refused",
    };
    let text = move || match dashboard.host.get() {
        HostState::Connecting { .. } => "Host connecting…".to_owned(),
        HostState::Live => "Host live".to_owned(),
        HostState::Lost { for_millis } => format!("Host lost for {}", for_how_long(for_millis)),
        HostState::Refused(_) => "Host refused".to_owned(),
    };
    let pages = Memo::new(move |_| {
        let live = dashboard.host.with(|host| *host == HostState::Live);
        dashboard.snapshot.with(|snapshot| {
            let pages = snapshot.as_ref().map(|snapshot| snapshot.pages.as_slice()).unwrap_or_default();
            // What a lost host last said of its pages is no longer known to be so.
            let link = |link| if live { link } else { PageLink::Lost };
            let row = |page: &PageSnapshot| {
                (page.source.id.clone(), name(&page.source, pages), link_key(link(page.link)))
            };
            pages.iter().map(row).collect::<Vec<_>>()
        })
    });
    let link_of = move |id: &str| {
        pages
            .with(|pages| pages.iter().find(|(found, ..)| found == id).map_or("closed", |(_, _, link)| *link))
    };
    let name_of = move |id: &str| {
        pages.with(|pages| {
            pages.iter().find(|(found, ..)| found == id).map_or_else(String::new, |(_, name, _)| name.clone())
        })
    };
    view! {
        <ul class="links" aria-label="Connections">
            <li class="link" data-testid="host-status" data-state=state>
                {text}
            </li>
            <For each=move || pages.get() key=|(id, ..)| id.clone() let((id, ..))>
                {
                    let (shown, named, read) = (id.clone(), id.clone(), id.clone());
                    view! {
                        <li class="link" data-state=move || link_of(&shown)>
                            <a href=format!("#page-{id}")>{move || name_of(&named)}</a>
                            " "
                            {move || link_of(&read)}
                        </li>
                    }
                }
            </For>
        </ul>
    }
}

/// The link as it stands in `data-link`: the wire's own word.
pub(super) fn link_key(link: PageLink) -> &'static str {
    match link {
        PageLink::Live => "live",
        PageLink::Lost => "lost",
        PageLink::Closed => "closed",
    }
}

/// Range, pause, theme, help.
#[component]
fn Controls() -> impl IntoView {
    let dashboard = Dashboard::get();
    let chosen = move |range: Range| dashboard.view.with(|view| view.range == range);
    let paused = move || dashboard.view.with(|view| view.paused);
    let is_past = move || dashboard.view.with(|view| view.part == Part::Past);
    let ranges = Range::ALL.map(|range| {
        view! {
            <button
                type="button"
                aria-pressed=move || if chosen(range) { "true" } else { "false" }
                aria-label=range.words()
                on:click=move |_| dashboard.choose_range(range)
            >
                {range.label()}
            </button>
        }
    });
    view! {
        <div class="controls">
            <div class="segments" role="group" aria-label="Time range" hidden=is_past>
                {ranges.into_iter().collect_view()}
            </div>
            <button
                type="button"
                class="button"
                data-testid="pause"
                aria-pressed=move || if paused() { "true" } else { "false" }
                on:click=move |_| dashboard.toggle_pause()
            >
                {move || if paused() { "▶ Go live" } else { "❚❚ Pause" }}
            </button>
            <button
                type="button"
                class="button"
                data-testid="theme-toggle"
                title="System, light or dark colours"
                on:click=move |_| dashboard.next_theme()
            >
                "Theme: "
                {move || dashboard.theme.get().key()}
            </button>
            <button
                type="button"
                class="button icon-button"
                aria-label="Keyboard shortcuts"
                aria-haspopup="dialog"
                on:click=move |_| dashboard.help.set(true)
            >
                "?"
            </button>
        </div>
    }
}
