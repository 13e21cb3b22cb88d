//! How full the file systems are.

use leptos::prelude::*;
use quillwork_protocol::host::Disk;

use super::budget::percent;
use crate::model::format::{NO_DATA, Unit};
use crate::state::Dashboard;

#[component]
pub(crate) fn FileSystems() -> impl IntoView {
    let dashboard = Dashboard::get();
    let disks = Memo::new(move |_| {
        dashboard.snapshot.with(|snapshot| {
            let host = snapshot.as_ref().and_then(|snapshot| snapshot.host.as_ref());
            host.map(|host| host.disks.clone()).unwrap_or_default()
        })
    });
    view! {
        <section class="panel" aria-labelledby="file-systems-title">
            <header class="panel-head">
                <h3 id="file-systems-title">"File systems"</h3>
            </header>
            <ul class="file-systems">
                <For each=move || disks.get() key=|disk| disk.mount.clone() let(disk)>
                    <FileSystem mount=disk.mount disks />
                </For>
            </ul>
            <Show when=move || disks.with(Vec::is_empty)>
                <p class="empty">"None found: a container often shows none of its own."</p>
            </Show>
        </section>
    }
}

#[component]
fn FileSystem(mount: String, disks: Memo<Vec<Disk>>) -> impl IntoView {
    let key = mount.clone();
    let disk = Memo::new(move |_| disks.with(|disks| disks.iter().find(|disk| disk.mount == key).cloned()));
    let used = move || disk.with(|disk| disk.as_ref().and_then(Disk::used_ratio));
    let kind = move || disk.with(|disk| disk.as_ref().map(|disk| disk.file_system.clone()));
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let room = move || {
        disk.with(|disk| {
            disk.as_ref().map(|disk| {
                if disk.is_stuck {
                    return "does not answer".to_owned();
                }
                let free = Unit::Bytes.show(disk.available_bytes as f64);
                format!("{free} free of {}", Unit::Bytes.show(disk.total_bytes as f64))
            })
        })
    };
    view! {
        <li class="file-system">
            <span class="clip" title=mount.clone()><strong>{mount.clone()}</strong> " " <small>{kind}</small></span>
            <span class="number">
                {move || used().map_or_else(|| NO_DATA.to_owned(), |used| format!("{} used", Unit::Ratio.show(used)))}
            </span>
            <span class="bar" aria-hidden="true" data-full=move || used().is_some_and(|used| used >= 0.9).then_some("")>
                <span class="bar-fill" style:--share=move || percent(used().unwrap_or(0.0))></span>
            </span>
            <small class="file-system-room">{room}</small>
        </li>
    }
}
