//! A page's connection.

use std::convert::Infallible;

use axum::extract::ws::close_code;
use quillwork_protocol::VERSION;
use quillwork_protocol::page::PageSource;
use quillwork_protocol::replication::Role;
use quillwork_protocol::socket::{
    Ack, CLOSE_BAD_MESSAGE, CLOSE_UNAUTHORIZED, CLOSE_UNSUPPORTED_VERSION, ClientMessage, ServerMessage,
    Welcome,
};

use super::connection::{Connection, Ended, Incoming};
use super::pace::Pace;
use crate::api::App;
use crate::clock::unix_millis;
use crate::driver::Proof;
use crate::places::Place;
use crate::standby::gate::words;
use crate::state::{BatchRefusal, ConnectionId, validate};

/// Serves a page until the connection ends.
pub(super) async fn serve(
    app: &App,
    connection: &mut Connection,
    source: Option<PageSource>,
) -> Result<Infallible, Ended> {
    let Some(source) = source else {
        return Err(connection.close(CLOSE_BAD_MESSAGE, "a page's hello must carry its `source`").await);
    };
    if let Err(invalid) = validate::source(&source) {
        return Err(connection.close(CLOSE_BAD_MESSAGE, &invalid.to_string()).await);
    }
    let view = app.driver.view();
    if view.role != Role::Primary {
        return Err(connection.close(close_code::AGAIN, &words(&view)).await);
    }
    let Some(_place) = Place::take(&app.page_places, &app.counters, |counters| &counters.page_connections)
    else {
        let reason = format!("the host serves at most {} pages; close one", app.limits.page_connections);
        return Err(connection.close(close_code::AGAIN, &reason).await);
    };
    let id = match app.driver.connect(source.clone()).await {
        Ok(Ok(id)) => id,
        Ok(Err(full)) => return Err(connection.close(close_code::AGAIN, &full.to_string()).await),
        Err(stopped) => return Err(connection.close(close_code::AWAY, &stopped.to_string()).await),
    };
    let (ended, goodbye) = converse(app, connection, &source, &id).await;
    app.driver.disconnect(id, goodbye).await;
    Err(ended)
}

async fn converse(
    app: &App,
    connection: &mut Connection,
    source: &PageSource,
    id: &ConnectionId,
) -> (Ended, bool) {
    let welcome = Welcome {
        version: VERSION,
        instance: String::from(&*app.instance),
        server_unix_millis: unix_millis(),
        resumed: false,
    };
    if let Err(ended) = connection.send(&ServerMessage::Welcome(welcome)).await {
        return (ended, false);
    }
    tracing::debug!("page {} connected ({id:?})", source.id);
    let mut pace = Pace::new(app.limits.batch_interval, app.limits.batch_burst);
    loop {
        let text = match connection.next().await {
            Ok(Incoming::Text(text)) => text,
            Ok(Incoming::Closed { goodbye }) => return (Ended::ByClient, goodbye),
            Err(ended) => return (ended, false),
        };
        pace.next().await;
        if let Err(ended) = batch(app, connection, source, &text).await {
            return (ended, false);
        }
    }
}

async fn batch(app: &App, connection: &mut Connection, source: &PageSource, text: &str) -> Result<(), Ended> {
    let batch = match serde_json::from_str(text) {
        Ok(ClientMessage::Batch(batch)) => batch,
        Ok(ClientMessage::Hello(_)) => {
            return Err(connection.close(CLOSE_BAD_MESSAGE, "a connection has one hello only").await);
        }
        Ok(ClientMessage::Subscribe(_)) => {
            return Err(connection.close(CLOSE_BAD_MESSAGE, "only dashboards subscribe").await);
        }
        Err(error) => {
            return Err(connection
                .close(CLOSE_BAD_MESSAGE, &format!("the message isn't one: {error}"))
                .await);
        }
    };
    if batch.source.id != source.id {
        return Err(connection.close(CLOSE_BAD_MESSAGE, "`source.id` isn't the one of the hello").await);
    }
    let batch_id = batch.batch_id.clone();
    app.page_rates.wait(&batch).await;
    match app.count(batch, Proof::Token).await {
        Ok(_) => connection.send(&ServerMessage::Ack(Ack { batch_id })).await,
        Err(refusal) => {
            let code = match &refusal {
                BatchRefusal::UnsupportedVersion { .. } => CLOSE_UNSUPPORTED_VERSION,
                BatchRefusal::Invalid(_) => CLOSE_BAD_MESSAGE,
                BatchRefusal::Unauthorized => CLOSE_UNAUTHORIZED,
                BatchRefusal::PagesFull(_) | BatchRefusal::Elsewhere => close_code::AGAIN,
                BatchRefusal::Stopped => close_code::AWAY,
            };
            Err(connection.close(code, &refusal.to_string()).await)
        }
    }
}
