//! Budgets of the objectives, and how fast they burn.

use std::collections::BTreeMap;

use leptos::prelude::*;
use quillwork_protocol::alert::ObjectiveInfo;

use super::budget::percent;
use crate::desk::Desk;
use crate::model::objectives::{self, Standing};
use crate::model::{pages, series};
use crate::state::Dashboard;

type Key = (String, BTreeMap<String, String>);

#[component]
pub(crate) fn Objectives() -> impl IntoView {
    let desk = Desk::get();
    let keys = Memo::new(move |_| {
        let key = |objective: &ObjectiveInfo| (objective.rule.clone(), objective.labels.clone());
        desk.objectives.with(|all| all.iter().flatten().map(key).collect::<Vec<_>>())
    });
    let nothing = move || {
        if let Some(failure) = desk.unread.get() {
            return failure.words();
        }
        "Budgets show up once a page has been connected and does work.".to_owned()
    };
    view! {
        <section class="panel objectives" aria-labelledby="objectives-title">
            <header class="panel-head">
                <h2 id="objectives-title">"Objectives"</h2>
            </header>
            <Show when=move || keys.with(Vec::is_empty)>
                <p class="empty">{nothing}</p>
            </Show>
            <ul class="objective-list">
                <For each=move || keys.get() key=Clone::clone let(key)>
                    <Row key />
                </For>
            </ul>
        </section>
    }
}

#[component]
fn Row(key: Key) -> impl IntoView {
    let (dashboard, desk) = (Dashboard::get(), Desk::get());
    let title = objectives::title(&key.0);
    let labels = key.1.clone();
    let of_whom = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let pages = snapshot.as_ref().map(|snapshot| snapshot.pages.as_slice()).unwrap_or_default();
            let name = |(label, value): (&String, &String)| {
                let page = pages.iter().find(|page| label == series::SOURCE && page.source.id == *value);
                page.map_or_else(|| value.clone(), |page| pages::name(&page.source, pages))
            };
            labels.iter().map(name).collect::<Vec<_>>().join(", ")
        })
    });
    let objective = Memo::new(move |before: Option<&Option<ObjectiveInfo>>| {
        let is_it = |other: &&ObjectiveInfo| other.rule == key.0 && other.labels == key.1;
        let found = desk.objectives.with(|all| all.iter().flatten().find(is_it).cloned());
        found.or_else(|| before.cloned().flatten())
    });
    let of = move |read: fn(&ObjectiveInfo) -> String| {
        move || objective.with(|objective| objective.as_ref().map(read).unwrap_or_default())
    };
    let standing = move || {
        objective.with(|objective| objective.as_ref().map_or(Standing::Unknown, objectives::standing))
    };
    view! {
        <li class="objective" data-testid="objective" data-state=move || tone(standing())>
            <span class="objective-title">
                <strong>{title}</strong>
                " "
                <small>{of_whom}</small>
            </span>
            <span class="state" data-tone=move || tone(standing())>
                {move || word(standing())}
            </span>
            <span class="scale" aria-hidden="true">
                <span class="scale-fill" style:width=of(|o| percent(o.budget_left.unwrap_or(0.0)))></span>
            </span>
            <span class="objective-facts">{of(objectives::attained_text)}</span>
            <span class="objective-facts">{of(objectives::left_text)}</span>
            <span class="objective-facts" hidden=move || standing() == Standing::Unknown>
                {of(objectives::burn_text)} "; " {of(objectives::basis_text)}
            </span>
        </li>
    }
}

fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Kept => "within",
        Standing::AtRisk => "close",
        Standing::Missed => "over",
        Standing::Unknown => "unknown",
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Kept => "kept",
        Standing::AtRisk => "at risk",
        Standing::Missed => "missed",
        Standing::Unknown => "no data",
    }
}
