//! The machine at this moment.

use leptos::prelude::*;

use super::cores::Cores;
use super::file_systems::FileSystems;
use super::processes::Processes;
use super::sensors::Sensors;

#[component]
pub(crate) fn Details() -> impl IntoView {
    view! {
        <section class="details" aria-labelledby="details-title">
            <h2 id="details-title" class="visually-hidden">
                "This machine now"
            </h2>
            <Cores />
            <FileSystems />
            <Sensors />
            <Processes />
        </section>
    }
}
