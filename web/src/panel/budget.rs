//! The budget in one strip: value, limit, state.

use leptos::prelude::*;

use crate::model::budget::{self, Line, State};
use crate::state::Dashboard;

#[component]
pub(crate) fn Budget() -> impl IntoView {
    let dashboard = Dashboard::get();
    let lines = Memo::new(move |_| {
        let paused = dashboard.view.with(|view| view.paused);
        let stale = dashboard.is_stale() && !paused;
        dashboard.snapshot.with(|snapshot| budget::lines(snapshot.as_deref().filter(|_| !stale)))
    });
    let cards = (0..lines.with_untracked(Vec::len)).map(|index| {
        let line = Memo::new(move |_| lines.with(|lines| lines[index].clone()));
        view! { <Card line /> }
    });
    view! {
        <section class="budget" aria-labelledby="budget-title">
            <h2 id="budget-title" class="visually-hidden">
                "Budget"
            </h2>
            <ul class="budget-lines">{cards.collect_view()}</ul>
        </section>
    }
}

#[component]
fn Card(line: Memo<Line>) -> impl IntoView {
    let of = |read: fn(&Line) -> String| move || line.with(read);
    view! {
        <li
            class="budget-line"
            data-testid=format!("budget-{}", line.with_untracked(|line| line.key))
            data-state=move || tone(line.with(|line| line.state))
            data-value=move || line.with(|line| line.value.map(|value| value.to_string()))
        >
            <span class="budget-title">{of(|line| line.title.to_owned())}</span>
            <span class="state" data-tone=move || tone(line.with(|line| line.state))>
                {of(|line| line.state.text().to_owned())}
            </span>
            <strong class="budget-value">{of(|line| line.value_text.clone())}</strong>
            <span class="budget-facts">
                <span>{of(|line| line.limit_text.clone())}</span>
                <span class="budget-of">{of(|line| line.of.to_owned())}</span>
            </span>
            <span class="scale" aria-hidden="true">
                <span class="scale-fill" style:width=of(|line| percent(line.fill))></span>
                <span class="scale-mark" style:left=of(|line| percent(line.mark))></span>
            </span>
        </li>
    }
}

fn tone(state: State) -> &'static str {
    match state {
        State::Within => "within",
        State::Close => "close",
        State::Over => "over",
        State::Unknown => "unknown",
    }
}

/// A share as a CSS length.
pub(super) fn percent(ratio: f64) -> String {
    format!("{:.1}%", ratio.clamp(0.0, 1.0) * 100.0)
}
