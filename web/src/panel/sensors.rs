//! Graphics processors, temperatures, fans and batteries, where the machine shows any.

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
            let fans = host.fans.iter().map(|fan| {
                let turns = fan.rpm.map_or_else(|| NO_DATA.to_owned(), |rpm| format!("{rpm:.0} rpm"));
                (fan.label.clone(), turns)
            });
            let batteries =
                host.batteries.iter().map(|battery| (battery.name.clone(), battery_text(battery)));
            gpus.chain(temperatures).chain(fans).chain(batteries).collect()
        })
    });
    view! {
        <Show when=move || !rows.with(Vec::is_empty)>
            <section class="panel" aria-labelledby="sensors-title">
                <header class="panel-head">
                    <h3 id="sensors-title">"Graphics, sensors and power"</h3>
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
    let celsius = gpu.celsius.map(|celsius| Unit::Celsius.show(celsius));
    let watts = gpu.watts.map(|watts| format!("{watts:.0} W"));
    let known: Vec<String> = busy.into_iter().chain(memory).chain(celsius).chain(watts).collect();
    if known.is_empty() { NO_DATA.to_owned() } else { known.join(", ") }
}

fn battery_text(battery: &quillwork_protocol::host::Battery) -> String {
    let level = Unit::Ratio.show_or_no_data(battery.level_ratio);
    match battery.is_charging {
        Some(true) => format!("{level}, charging or full"),
        Some(false) => format!("{level}, discharging"),
        None => level,
    }
}
