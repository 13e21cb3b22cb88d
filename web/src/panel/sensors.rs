//! Temperatures and graphics processors, where the machine shows any.

use leptos::prelude::*;

use crate::model::format::{NO_DATA, Unit};
use crate::state::Dashboard;

#[component]
pub(crate) fn Sensors() -> impl IntoView {
    let dashboard = Dashboard::get();
    let rows = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let Some(host) = snapshot.as_ref().and_then(|snapshot| snapshot.host.as_ref()) else {
                return Vec::new();
            };
            let gpus = host.gpus.iter().map(|gpu| (gpu.name.clone(), gpu_text(gpu)));
            let temperatures = host.temperatures.iter().map(|sensor| {
                let reading = Unit::Celsius.show_or_no_data(sensor.celsius);
                let critical =
                    sensor.critical_celsius.map(|at| format!(" (critical at {})", Unit::Celsius.show(at)));
                (sensor.label.clone(), reading + &critical.unwrap_or_default())
            });
            gpus.chain(temperatures).collect()
        })
    });
    view! {
        <Show when=move || !rows.with(Vec::is_empty)>
            <section class="panel" aria-labelledby="sensors-title">
                <header class="panel-head">
                    <h3 id="sensors-title">"Graphics and temperatures"</h3>
                </header>
                <dl class="facts">
                    <For each=move || rows.get() key=|row| row.clone() let((name, value))>
                        <div>
                            <dt class="clip">{name}</dt>
                            <dd>{value}</dd>
                        </div>
                    </For>
                </dl>
            </section>
        </Show>
    }
}

fn gpu_text(gpu: &quillwork_protocol::host::Gpu) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let bytes = |value: u64| Unit::Bytes.show(value as f64);
    let busy = gpu.used_ratio.map(|ratio| format!("{} busy", Unit::Ratio.show(ratio)));
    let memory = match (gpu.memory_used_bytes, gpu.memory_total_bytes) {
        (Some(used), Some(total)) => Some(format!("{} of {}", bytes(used), bytes(total))),
        (None, Some(total)) => Some(bytes(total)),
        (_, None) => None,
    };
    let known: Vec<String> = busy.into_iter().chain(memory).collect();
    if known.is_empty() { NO_DATA.to_owned() } else { known.join(", ") }
}
