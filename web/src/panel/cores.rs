//! Each core as a bar; many cores as a field of small ones.

use leptos::prelude::*;

use super::budget::percent;
use crate::model::format::Unit;
use crate::state::Dashboard;

/// More cores than this are shown as a dense field.
const MOST_WIDE: usize = 8;

#[component]
pub(crate) fn Cores() -> impl IntoView {
    let dashboard = Dashboard::get();
    let cores = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let host = snapshot.as_ref().and_then(|snapshot| snapshot.host.as_ref());
            host.map(|host| host.cpu.core_ratios.clone()).unwrap_or_default()
        })
    });
    let number = Memo::new(move |_| cores.with(Vec::len));
    let load = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| snapshot.as_ref()?.host.as_ref()?.cpu.load_averages)
    });
    let core = move |index: usize| {
        let ratio = Memo::new(move |_| cores.with(|cores| cores.get(index).copied().flatten()));
        view! {
            <li class="core">
                <span class="core-name">{index}</span>
                <span class="bar" aria-hidden="true">
                    <span class="bar-fill" style:--share=move || percent(ratio.get().unwrap_or(0.0))></span>
                </span>
                <span class="core-value">
                    {move || ratio.get().map_or_else(|| "–".to_owned(), |ratio| Unit::Ratio.show(ratio))}
                </span>
            </li>
        }
    };
    view! {
        <section class="panel" aria-labelledby="cores-title">
            <header class="panel-head">
                <h3 id="cores-title">"Cores"</h3>
                <span class="panel-note">
                    {move || load.get().map(|[one, five, fifteen]| format!("load {one:.2} · {five:.2} · {fifteen:.2}"))}
                </span>
            </header>
            <ol class="cores" data-dense=move || (number.get() > MOST_WIDE).then_some("")>
                {move || (0..number.get()).map(core).collect_view()}
            </ol>
            <Show when=move || number.get() == 0>
                <p class="empty">"No reading yet."</p>
            </Show>
        </section>
    }
}
