//! The host as its clients see it: the router without a port, sockets where they matter, the command itself.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod abuse;
mod alerts;
mod annotations;
mod api;
mod assets;
mod client;
mod command;
mod connections;
mod conventions;
#[cfg(unix)]
mod exporting;
mod guard;
#[cfg(unix)]
mod guides;
mod hardware;
mod harness;
mod history;
mod ingest;
mod insights;
mod judges;
mod live;
mod metrics;
mod notify;
mod otlp;
mod pages;
mod parameters;
mod process;
mod processes;
#[cfg(unix)]
mod querying;
mod reload;
mod reports;
mod series;
#[cfg(unix)]
mod service;
mod shown;
mod simulate;
mod sockets;
#[cfg(unix)]
mod standby;
mod state;
mod tls;
mod trust;
#[cfg(unix)]
mod watching;
mod world;
