//! The host as its clients see it: the router without a port, sockets where they matter, the command itself.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod alerts;
mod api;
mod assets;
mod client;
mod command;
mod connections;
mod conventions;
mod guard;
#[cfg(unix)]
mod guides;
mod hardware;
mod harness;
mod history;
mod ingest;
mod live;
mod metrics;
mod notify;
mod otlp;
mod pages;
mod process;
mod processes;
#[cfg(unix)]
mod reload;
mod series;
#[cfg(unix)]
mod service;
mod simulate;
mod sockets;
mod state;
mod tls;
#[cfg(unix)]
mod watching;
mod world;
