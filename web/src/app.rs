//! The page as a whole.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::browser::address;
use crate::desk::Desk;
use crate::model::alerts::fires;
use crate::model::link::HostState;
use crate::model::settings::{Part, Range};
use crate::net::driver;
use crate::panel::{
    Alerts, Budget, CareDialog, Charts, Details, Footer, Header, Insights, Notice, Objectives, Pages,
    PastPanel, Shortcuts,
};
use crate::past::Past;
use crate::state::Dashboard;

/// Starts the dashboard in the element with the id `app`, and connects to the host that served it.
///
/// # Panics
///
/// If the document has no such element.
pub fn mount() {
    std::panic::set_hook(Box::new(|panic| {
        leptos::logging::error!("{panic}");
        // The element is there, see below; without it there is nobody to tell.
        if let Some(app) = document().get_element_by_id("app") {
            let _ = app
                .set_attribute("data-crashed", "The dashboard stopped because of an error. Reload the page.");
        }
    }));
    address::take_token();
    let app = document().get_element_by_id("app").expect("index.html has an element `app`");
    app.set_text_content(None);
    mount_to(app.unchecked_into::<HtmlElement>(), App).forget();
}

#[component]
fn App() -> impl IntoView {
    let dashboard = Dashboard::new();
    provide_context(dashboard);
    provide_context(Desk::new(dashboard));
    provide_context(Past::new(dashboard));
    driver::start(dashboard);
    handle_keys(dashboard);
    // Back and forward: the address has changed already.
    window_event_listener(ev::popstate, move |_| {
        dashboard.view.set(address::view());
        dashboard.refresh();
    });
    document_is_seen_again(dashboard);
    Effect::new(move |_| document().set_title(&title(dashboard)));
    let is_past = Memo::new(move |_| dashboard.view.with(|view| view.part == Part::Past));

    view! {
        <a class="skip" href="#content">
            "Skip to the figures"
        </a>
        <Header />
        <main
            id="content"
            tabindex="-1"
            data-part=move || if is_past.get() { "past" } else { "live" }
            data-stale=move || dashboard.is_stale().then_some("")
        >
            <Notice />
            <Show when=move || is_past.get() fallback=Live>
                <PastPanel />
            </Show>
        </main>
        <Footer />
        <Shortcuts />
        <CareDialog />
        <div class="visually-hidden" aria-live="polite" role="status">
            {dashboard.announcement}
        </div>
        <div class="visually-hidden" aria-live="polite">
            {dashboard.reading}
        </div>
    }
}

/// The machine, its pages and its alerts now.
#[component]
fn Live() -> impl IntoView {
    view! {
        <Budget />
        <Alerts />
        <div class="time-lines">
            <Charts />
            <Pages />
            <div class="conclusions">
                <Insights />
                <Objectives />
            </div>
        </div>
        <Details />
    }
}

/// In the tab: what asks for attention comes first.
fn title(dashboard: Dashboard) -> String {
    if dashboard.host.with(|host| matches!(host, HostState::Lost { .. } | HostState::Refused(_))) {
        return "Host lost · Quillwork".to_owned();
    }
    let firing = dashboard.snapshot.with(|snapshot| {
        let alerts = snapshot.as_ref().map(|snapshot| snapshot.alerts.as_slice()).unwrap_or_default();
        alerts.iter().filter(|alert| fires(alert)).count()
    });
    if firing == 0 { "Quillwork".to_owned() } else { format!("({firing}) Quillwork") }
}

/// Single keys, as long as nobody writes and no other key is held.
fn handle_keys(dashboard: Dashboard) {
    window_event_listener(ev::keydown, move |event| {
        let writes =
            event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()).is_some_and(
                |element| element.closest("input, textarea, select, dialog").ok().flatten().is_some(),
            );
        if writes
            || event.ctrl_key()
            || event.meta_key()
            || event.alt_key()
            || !dashboard.shortcuts.get_untracked()
        {
            return;
        }
        match event.key().as_str() {
            "l" => dashboard.show(Part::Live),
            "h" => dashboard.show(Part::Past),
            "1" => dashboard.choose_range(Range::Minute),
            "2" => dashboard.choose_range(Range::TenMinutes),
            "3" => dashboard.choose_range(Range::Hour),
            "p" => dashboard.toggle_pause(),
            "t" => dashboard.next_theme(),
            "?" => dashboard.help.set(true),
            _ => return,
        }
        event.prevent_default();
    });
}

/// While the page is hidden nothing is rendered; when it is seen again it catches up at once.
fn document_is_seen_again(dashboard: Dashboard) {
    window_event_listener_untyped("visibilitychange", move |_| dashboard.refresh());
}
