//! Asks who takes care of an alert, or for how long and why it is muted.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use quillwork_protocol::alert::AlertStatus;

use super::Refusal;
use crate::browser::storage;
use crate::desk::{Deed, Desk};
use crate::model::silences::{DURATIONS, Scope};

#[component]
pub(crate) fn CareDialog() -> impl IntoView {
    let desk = Desk::get();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let (Some(dialog), open) = (dialog.get(), desk.asked.with(Option::is_some)) else { return };
        if open && !dialog.open() {
            // Fails only where the dialog is open already, or not in the document.
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog node_ref=dialog aria-labelledby="care-title" data-testid="care" on:close=move |_| desk.leave()>
            {move || desk.asked.get().map(|(deed, alert)| view! { <Form deed alert /> })}
        </dialog>
    }
}

#[component]
fn Form(deed: Deed, alert: AlertStatus) -> impl IntoView {
    let desk = Desk::get();
    let (author, comment) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let duration = RwSignal::new(DURATIONS[1].0);
    let scope = RwSignal::new(Scope::Alert);
    let (title, act, comment_label) = match deed {
        Deed::Acknowledge => ("Acknowledge", "Acknowledge", "Note"),
        Deed::Silence => ("Silence", "Silence", "Reason"),
    };
    let meaning = match deed {
        Deed::Acknowledge => "Nobody is told again until it ends or grows worse.",
        Deed::Silence => "Nobody is told of it in this time. It goes on being watched and shown.",
    };
    let summary = alert.summary.clone();
    let has_labels = !alert.labels.is_empty();
    let alone = format!("Only this: {}", alert.subject_name);
    let whole = format!("Everything that {} watches", alert.rule);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let text = |input: NodeRef<html::Input>| {
            input.get_untracked().map(|input| input.value().trim().to_owned()).unwrap_or_default()
        };
        let (author, comment) = (text(author), text(comment));
        storage::set_author(&author);
        match deed {
            Deed::Acknowledge => desk.acknowledge(&alert, author, comment),
            Deed::Silence => {
                desk.silence(&alert, scope.get_untracked(), duration.get_untracked(), &author, &comment)
            }
        }
    };
    let choose = move |event| {
        if let Ok(millis) = event_target_value(&event).parse() {
            duration.set(millis);
        }
    };
    let durations = move || {
        let option = |(millis, words): (u64, &'static str)| {
            view! {
                <option value=millis.to_string() selected=move || duration.get() == millis>
                    {words}
                </option>
            }
        };
        DURATIONS.map(option).into_iter().collect_view()
    };
    let radio = move |this: Scope, words: String| {
        view! {
            <label class="check">
                <input
                    type="radio"
                    name="scope"
                    prop:checked=move || scope.get() == this
                    on:change=move |_| scope.set(this)
                />
                {words}
            </label>
        }
    };
    view! {
        <form class="form" on:submit=submit>
            <h2 id="care-title">{title}</h2>
            <p>{summary}</p>
            <p class="empty">{meaning}</p>
            <Show when=move || deed == Deed::Silence>
                <label class="field">
                    <span>"For"</span>
                    <select data-testid="duration" on:change=choose>
                        {durations()}
                    </select>
                </label>
            </Show>
            {(deed == Deed::Silence && has_labels)
                .then(|| {
                    view! {
                        <fieldset class="field">
                            <legend>"What"</legend>
                            {radio(Scope::Alert, alone)}
                            {radio(Scope::Rule, whole)}
                        </fieldset>
                    }
                })}
            <label class="field">
                <span>"Your name"</span>
                <input
                    node_ref=author
                    type="text"
                    autocomplete="name"
                    maxlength="100"
                    value=storage::author()
                    data-testid="author"
                    required
                />
            </label>
            <label class="field">
                <span>{comment_label}</span>
                <input node_ref=comment type="text" maxlength="400" data-testid="comment" required=deed == Deed::Silence />
            </label>
            <Refusal />
            <p class="actions">
                <button type="submit" class="button primary" disabled=desk.is_busy>
                    {act}
                </button>
                <button type="button" class="button" on:click=move |_| desk.leave()>
                    "Cancel"
                </button>
            </p>
        </form>
    }
}
