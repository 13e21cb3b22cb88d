//! The Quillwork host: hardware metrics, history, alerts, API, dashboard.
//!
//! ```text
//! sampler (thread) ──ticks──▶ driver (task, owns State) ──ticks──▶ api, metrics, socket
//!                                  ▲                                     │
//!                                  └──── batches, queries, goodbyes ─────┘
//! ```
//!
//! [`state::State`] decides everything and does no I/O; [`driver`] feeds it and publishes what it says. All that a
//! client may ask passes [`guard`] first, and nothing that a client does costs more than [`limits`] allow.

pub mod annotate;
pub mod api;
pub mod assets;
pub mod authorities;
mod calendar;
pub mod check;
pub mod cli;
mod clients;
pub mod clock;
pub mod config;
pub mod detect;
pub mod driver;
mod export;
pub mod guard;
pub mod history;
mod html;
pub mod http_client;
mod insights;
pub mod limits;
mod linger;
mod live;
pub mod logging;
mod metrics;
pub mod notify;
mod open_files;
mod otlp;
mod places;
pub mod printable;
pub mod reload;
mod remote;
pub mod report;
pub mod rules;
pub mod sampler;
pub mod secret;
pub mod serve;
pub mod server;
mod service;
mod signals;
pub mod simulate;
mod socket;
mod stall;
pub mod standby;
pub mod state;
pub mod stopping;
pub mod tls;
pub mod top;
mod units;
mod writable;
