//! The processes that use most.

use leptos::prelude::*;
use quillwork_protocol::host::Process;

use crate::model::format::Unit;
use crate::state::Dashboard;

#[component]
pub(crate) fn Processes() -> impl IntoView {
    let dashboard = Dashboard::get();
    let processes = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let host = snapshot.as_ref().and_then(|snapshot| snapshot.host.as_ref());
            host.map(|host| host.processes.clone()).unwrap_or_default()
        })
    });
    view! {
        <section class="panel" aria-labelledby="processes-title">
            <header class="panel-head">
                <h3 id="processes-title">"Processes"</h3>
                <span class="panel-note">"CPU is of one core"</span>
            </header>
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col" class="number">"PID"</th>
                        <th scope="col" class="number">"CPU"</th>
                        <th scope="col" class="number">"Memory"</th>
                    </tr>
                </thead>
                <tbody>
                    // Keyed by process: a row that stays keeps its selection while its numbers change.
                    <For each=move || processes.get() key=|process| process.pid let(process)>
                        <Row pid=process.pid name=process.name processes />
                    </For>
                </tbody>
            </table>
            <Show when=move || processes.with(Vec::is_empty)>
                <p class="empty">"No reading yet; processes are read more slowly than the rest."</p>
            </Show>
        </section>
    }
}

#[component]
fn Row(pid: u32, name: String, processes: Memo<Vec<Process>>) -> impl IntoView {
    let process = Memo::new(move |_| {
        processes.with(|processes| processes.iter().find(|process| process.pid == pid).cloned())
    });
    let cpu = move || {
        process.with(|process| {
            let ratio = process.as_ref().and_then(|process| process.cpu_of_core_ratio);
            ratio.map_or_else(|| "–".to_owned(), |ratio| Unit::Ratio.show(ratio))
        })
    };
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let memory = move || {
        process.with(|process| process.as_ref().map(|process| Unit::Bytes.show(process.memory_bytes as f64)))
    };
    view! {
        <tr>
            <th scope="row" class="clip" title=name.clone()>{name.clone()}</th>
            <td class="number">{pid}</td>
            <td class="number">{cpu}</td>
            <td class="number">{memory}</td>
        </tr>
    }
}
