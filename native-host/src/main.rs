//! The Quillwork host: hardware metrics, history, alerts, API, dashboard.

fn main() {}
