//! The page's address: where the host is, and what is shown.

use leptos::prelude::{document, window};
use wasm_bindgen::JsValue;

use super::storage;
use crate::model::settings::View;
use crate::model::token;

/// What the address says to show.
pub(crate) fn view() -> View {
    View::from_query(&window().location().search().unwrap_or_default())
}

/// Writes what is shown into the address, as a step that the back button takes back.
pub(crate) fn set_view(view: &View) {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    let url = format!("{path}{}{}", view.to_query(), location.hash().unwrap_or_default());
    if let Ok(history) = window().history() {
        // Refused only when called some hundred times in seconds; the view changes all the same.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&url));
    }
}

/// Moves a token from the fragment of the address into the tab's storage.
pub(crate) fn take_token() {
    let location = window().location();
    let (found, rest) = token::take(&location.hash().unwrap_or_default());
    let Some(found) = found else { return };
    storage::set_token(&found);
    let path = location.pathname().unwrap_or_default();
    let url = format!("{path}{}{rest}", location.search().unwrap_or_default());
    if let Ok(history) = window().history() {
        // As above; the token then stays in the address and works.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url));
    }
}

/// The address of something on the host, relative to where the dashboard lies.
pub(crate) fn on_host(path: &str) -> Option<web_sys::Url> {
    let base = document().base_uri().ok().flatten()?;
    web_sys::Url::new_with_base(path, &base).ok()
}

/// The address of the host's WebSocket.
pub(crate) fn socket() -> Option<String> {
    let url = on_host("ws")?;
    url.set_protocol(if url.protocol() == "https:" { "wss:" } else { "ws:" });
    url.set_search("");
    url.set_hash("");
    Some(url.href())
}
