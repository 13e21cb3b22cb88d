//! What stands above everything else: no host yet, a lost host, a token that is asked for, a paused picture.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

use crate::browser::{clock, storage};
use crate::model::link::{HostState, Refusal};
use crate::state::{Dashboard, for_how_long};

/// A first connection that takes longer than this says what to do.
const PATIENCE_MILLIS: f64 = 2_000.0;

#[component]
pub(crate) fn Notice() -> impl IntoView {
    let dashboard = Dashboard::get();
    let kind = Memo::new(move |_| match dashboard.host.get() {
        HostState::Refused(Refusal::Unauthorized) => Kind::Token,
        _ if dashboard.wants_token.get() => Kind::OtherToken,
        HostState::Refused(Refusal::UnsupportedVersion) => Kind::Version,
        HostState::Connecting { for_millis, .. } if for_millis >= PATIENCE_MILLIS => Kind::Unreachable,
        HostState::Lost { .. } => Kind::Lost,
        _ if dashboard.view.with(|view| view.paused) => Kind::Paused,
        HostState::Connecting { .. } | HostState::Live => Kind::None,
    });
    move || {
        match kind.get() {
        Kind::None => ().into_any(),
        Kind::Token => {
            let why = if storage::token().is_some() {
                "That token is not the host's. "
            } else {
                "The host asks for a token. "
            };
            view! { <TokenForm why /> }.into_any()
        }
        Kind::OtherToken => view! { <TokenForm why="Changes need a token with the scope admin. " /> }.into_any(),
        Kind::Version => view! {
            <div class="notice" data-tone="over">
                <p>
                    <strong>"This page and the host are of different versions. "</strong>
                    "Reload the page; if it says so again, rebuild the dashboard with the host: cargo xtask run."
                </p>
                <button type="button" class="button" on:click=move |_| reload()>
                    "Reload"
                </button>
            </div>
        }
        .into_any(),
        Kind::Unreachable => view! {
            <div class="notice" data-tone="close">
                <p>
                    <strong>"No answer from the host. "</strong>
                    "Is it running? Start it with " <code>"quillwork serve"</code>
                    " or " <code>"cargo xtask run"</code> "; this page connects by itself."
                </p>
            </div>
        }
        .into_any(),
        Kind::Lost => view! { <Lost /> }.into_any(),
        Kind::Paused => view! {
            <div class="notice" data-tone="calm">
                <p>
                    <strong>"Paused. "</strong>
                    "The picture stands still; measuring goes on and nothing is lost."
                </p>
                <button type="button" class="button" on:click=move |_| dashboard.toggle_pause()>
                    "Go live"
                </button>
            </div>
        }
        .into_any(),
    }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Token,
    OtherToken,
    Version,
    Unreachable,
    Lost,
    Paused,
}

#[component]
fn Lost() -> impl IntoView {
    let dashboard = Dashboard::get();
    let how_long = move || match dashboard.host.get() {
        HostState::Lost { for_millis } => for_how_long(for_millis),
        HostState::Connecting { .. } | HostState::Live | HostState::Refused(_) => String::new(),
    };
    let since = move || {
        let at = dashboard.engine.with_value(|engine| engine.history.newest_unix_millis());
        dashboard.host.track();
        at.map(clock::time_of_day).unwrap_or_default()
    };
    view! {
        <div class="notice" data-tone="over">
            <p>
                <strong>"The host has been silent for " {how_long} ". "</strong>
                "Tables show what it said last, at " {since}
                ". This page reconnects by itself and fetches what it missed."
            </p>
        </div>
    }
}

#[component]
fn TokenForm(why: &'static str) -> impl IntoView {
    let dashboard = Dashboard::get();
    let input = NodeRef::<html::Input>::new();
    let is_asked_for = dashboard.wants_token.get_untracked();
    input.on_load(move |input| {
        if is_asked_for {
            // Fails only where it can't have the focus; then it is a click away.
            let _ = input.focus();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let token = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        if token.trim().is_empty() {
            return;
        }
        storage::set_token(token.trim());
        dashboard.wants_token.set(false);
        let now = clock::monotonic_millis();
        dashboard.engine.update_value(|engine| engine.link.handle_retry(now));
        dashboard.refresh();
    };
    view! {
        <form class="notice" data-tone="close" on:submit=submit>
            <p>
                <strong>{why}</strong>
                "It is in the file that the host was started with (" <code>"--token-file"</code>
                "). It is kept for this tab only."
            </p>
            <label>
                "Token "
                <input node_ref=input type="password" autocomplete="off" data-testid="token" required />
            </label>
            <button type="submit" class="button">
                {if is_asked_for { "Use it" } else { "Connect" }}
            </button>
            <button
                type="button"
                class="button"
                hidden=!is_asked_for
                on:click=move |_| dashboard.wants_token.set(false)
            >
                "Keep the old one"
            </button>
        </form>
    }
}

fn reload() {
    // Fails only where the document is not active; it was just clicked.
    let _ = window().location().reload();
}
