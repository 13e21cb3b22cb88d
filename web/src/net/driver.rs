//! Carries out what [`Link`](crate::model::link::Link) decides.

use std::cell::RefCell;
use std::time::Duration;

use leptos::prelude::*;
use quillwork_protocol::socket::ServerMessage;

use super::backfill;
use super::socket::Socket;
use crate::browser::{address, clock, storage};
use crate::model::json;
use crate::model::link::Command;
use crate::state::Dashboard;

/// How often the clock is looked at. Silence shows at most this much later than it counts as loss.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Connects to the host and stays connected for as long as the page lives.
pub(crate) fn start(dashboard: Dashboard) {
    let socket = RefCell::new(None);
    let look = move || {
        let now = clock::monotonic_millis();
        let command = dashboard
            .engine
            .try_update_value(|engine| engine.link.handle_timer(now, clock::chance()))
            .flatten();
        match command {
            Some(Command::Open) => {
                // The old one first: two sockets would both count as this dashboard's.
                socket.borrow_mut().take();
                let opened = open(dashboard);
                if opened.is_none() {
                    handle_closed(dashboard, 0);
                }
                *socket.borrow_mut() = opened;
            }
            Some(Command::Close) => drop(socket.borrow_mut().take()),
            None => {}
        }
        backfill::run_if_behind(dashboard);
        dashboard.refresh();
    };
    look();
    set_interval(look, LOOK_EVERY);
}

fn open(dashboard: Dashboard) -> Option<Socket> {
    let hello = move || {
        let hello = dashboard.engine.with_value(|engine| engine.link.hello(storage::token()));
        serde_json::to_string(&hello).expect("a hello has only text and numbers")
    };
    Socket::open(
        &address::socket()?,
        hello,
        move |text| handle_text(dashboard, &text),
        move |code| handle_closed(dashboard, code),
    )
}

fn handle_text(dashboard: Dashboard, text: &str) {
    match json::read_message(text) {
        Ok(ServerMessage::Tick(tick)) => dashboard.ingest(tick),
        Ok(ServerMessage::Welcome(welcome)) => {
            let now = clock::monotonic_millis();
            dashboard.engine.update_value(|engine| {
                if engine.link.handle_welcome(now, &welcome) {
                    let heard = engine.history.newest_unix_millis();
                    engine.behind.note(heard);
                }
            });
        }
        Ok(ServerMessage::Ack(_)) => {}
        Err(error) => {
            leptos::logging::warn!("left out a message of the host that could not be read: {error}")
        }
    }
}

fn handle_closed(dashboard: Dashboard, code: u16) {
    let now = clock::monotonic_millis();
    dashboard.engine.update_value(|engine| engine.link.handle_closed(now, code, clock::chance()));
    dashboard.refresh();
}
