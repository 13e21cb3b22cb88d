//! Entry point of the dashboard in a browser.

fn main() {
    quillwork_dashboard::mount();
}
