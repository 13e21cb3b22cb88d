//! The list of keys.

use leptos::html;
use leptos::prelude::*;

use crate::browser::storage;
use crate::state::Dashboard;

const KEYS: [(&str, &str); 11] = [
    ("l, h", "Live, history"),
    ("1, 2, 3", "Last minute, 10 minutes, hour"),
    ("p", "Pause the picture, or go live"),
    ("t", "Next theme: system, light, dark"),
    ("← →", "On a chart: move the cursor, with Shift by ten"),
    ("Home, End", "On a chart: first and last instant"),
    ("+ −", "On a chart of the past: closer, wider, around the cursor"),
    ("Page ↑ ↓", "On a chart of the past: earlier, later"),
    ("Esc", "Take the cursor away; of the past: back to the whole range"),
    ("Tab", "Next control or chart"),
    ("?", "This list"),
];

#[component]
pub(crate) fn Shortcuts() -> impl IntoView {
    let dashboard = Dashboard::get();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let (Some(dialog), open) = (dialog.get(), dashboard.help.get()) else { return };
        if open && !dialog.open() {
            // Fails only where the dialog is open already, or not in the document.
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    let keys = KEYS.map(|(keys, what)| {
        view! {
            <div>
                <dt><kbd>{keys}</kbd></dt>
                <dd>{what}</dd>
            </div>
        }
    });
    view! {
        <dialog node_ref=dialog aria-labelledby="shortcuts-title" on:close=move |_| dashboard.help.set(false)>
            <h2 id="shortcuts-title">"Keyboard"</h2>
            <dl class="keys">{keys.into_iter().collect_view()}</dl>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=dashboard.shortcuts
                    on:change=move |event| {
                        let on = event_target_checked(&event);
                        dashboard.shortcuts.set(on);
                        storage::set_shortcuts(on);
                    }
                />
                "Single keys act as shortcuts"
            </label>
            <button type="button" class="button" on:click=move |_| dashboard.help.set(false)>
                "Close"
            </button>
        </dialog>
    }
}
