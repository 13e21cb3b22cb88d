//! What the browser remembers. Where storage is blocked nothing is remembered and nothing fails.

use leptos::prelude::{document, window};

use crate::model::settings::Theme;

const THEME: &str = "quillwork.theme";
const SHORTCUTS: &str = "quillwork.shortcuts";
const AUTHOR: &str = "quillwork.author";
const TOKEN: &str = "quillwork.token";

/// The theme chosen earlier.
pub(crate) fn theme() -> Theme {
    let stored =
        window().local_storage().ok().flatten().and_then(|storage| storage.get_item(THEME).ok().flatten());
    Theme::from_key(&stored.unwrap_or_default())
}

/// Applies a theme and remembers it.
pub(crate) fn set_theme(theme: Theme) {
    if let Some(root) = document().document_element() {
        // Fails only for a name that is not valid in markup.
        let _ = root.set_attribute("data-theme", theme.key());
    }
    remember(THEME, theme.key());
}

/// Whether single keys act as shortcuts.
pub(crate) fn shortcuts() -> bool {
    let stored = window()
        .local_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(SHORTCUTS).ok().flatten());
    stored.as_deref() != Some("off")
}

/// Remembers whether single keys act as shortcuts.
pub(crate) fn set_shortcuts(on: bool) {
    remember(SHORTCUTS, if on { "on" } else { "off" });
}

/// The token for this tab.
pub(crate) fn token() -> Option<String> {
    window().session_storage().ok().flatten()?.get_item(TOKEN).ok().flatten()
}

/// Keeps a token for this tab: it is gone when the tab closes.
pub(crate) fn set_token(token: &str) {
    if let Ok(Some(storage)) = window().session_storage() {
        // Storage may be full or blocked; the host then asks for the token again.
        let _ = storage.set_item(TOKEN, token);
    }
}

/// Who signed last, so that nobody writes their name twice.
pub(crate) fn author() -> String {
    let stored = window().local_storage().ok().flatten().and_then(|s| s.get_item(AUTHOR).ok().flatten());
    stored.unwrap_or_default()
}

/// Remembers who signed.
pub(crate) fn set_author(name: &str) {
    remember(AUTHOR, name);
}

fn remember(key: &str, value: &str) {
    if let Ok(Some(storage)) = window().local_storage() {
        // Storage may be full or blocked; the choice then lasts until the page is closed.
        let _ = storage.set_item(key, value);
    }
}
