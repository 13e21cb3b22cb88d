//! Why the host did not do what it was asked to.

use leptos::prelude::*;

use crate::desk::Desk;
use crate::state::Dashboard;

/// `unless_asked`: only while no dialog asks, which shows it itself then.
#[component]
pub(crate) fn Refusal(#[prop(optional)] unless_asked: bool) -> impl IntoView {
    let (dashboard, desk) = (Dashboard::get(), Desk::get());
    let failure = Memo::new(move |_| {
        let is_elsewhere = unless_asked && desk.asked.with(Option::is_some);
        if is_elsewhere { None } else { desk.refused.get() }
    });
    let another = move |_| {
        desk.leave();
        dashboard.wants_token.set(true);
    };
    // In the document before it says something, so that a screen reader hears it.
    view! {
        <div role="alert" data-testid="refusal">
            {move || {
                failure
                    .get()
                    .map(|failure| {
                        view! {
                            <p class="refusal">
                                {failure.words()} " "
                                <button
                                    type="button"
                                    class="button small"
                                    hidden=!failure.asks_for_token()
                                    on:click=another
                                >
                                    "Enter another token"
                                </button>
                            </p>
                        }
                    })
            }}
        </div>
    }
}
