//! A dashboard's connection.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::ws::close_code;
use quillwork_protocol::VERSION;
use quillwork_protocol::socket::{CLOSE_BAD_MESSAGE, ClientMessage, Resume, ServerMessage, Welcome};
use quillwork_protocol::topic::Subscription;

use super::connection::{Connection, Ended, Incoming};
use crate::api::App;
use crate::clock::unix_millis;
use crate::live::{Feed, Selection};
use crate::state::Tick;

/// What a dashboard hears.
enum Hears {
    /// Ticks, the last of which had this number.
    Ticks(u64),
    /// What it subscribed to.
    Updates(Feed),
}

/// Serves a dashboard until the connection ends.
///
/// Both ticks and updates are conflated: a dashboard that is slow gets the newest state, and nothing waits for it meanwhile.
pub(super) async fn serve(
    app: &App,
    connection: &mut Connection,
    subscribe: Option<Subscription>,
    resume: Option<Resume>,
) -> Result<Infallible, Ended> {
    let Some(_place) = app.dashboard_place() else {
        let reason = format!("the host serves at most {} dashboards; close one", app.limits.dashboards);
        return Err(connection.close(close_code::AGAIN, &reason).await);
    };
    let selection = match subscribe {
        Some(subscription) => Some(select(connection, subscription).await?),
        None => None,
    };
    // Marks the newest tick as unseen before the missed ones are taken: between both none is lost.
    let mut ticks = app.driver.ticks();
    ticks.mark_changed();
    let resumed = match app.driver.resume(resume).await {
        Ok(resumed) => resumed,
        Err(stopped) => return Err(connection.close(close_code::AWAY, &stopped.to_string()).await),
    };
    let welcome = Welcome {
        version: VERSION,
        instance: String::from(&*app.instance),
        server_unix_millis: unix_millis(),
        resumed: if selection.is_some() { resumed.base.is_some() } else { resumed.complete },
    };
    connection.send(&ServerMessage::Welcome(welcome)).await?;
    let mut hears = match selection {
        Some(selection) => Hears::Updates(Feed::new(selection, resumed.base)),
        None => {
            for tick in &resumed.ticks {
                connection.send_text(tick.message.clone()).await?;
            }
            Hears::Ticks(resumed.ticks.last().map_or(resumed.from_sequence, |tick| tick.sequence))
        }
    };
    loop {
        tokio::select! {
            incoming = connection.next() => match incoming? {
                Incoming::Text(text) => {
                    let subscription = subscription(connection, &text).await?;
                    hears = Hears::Updates(Feed::new(select(connection, subscription).await?, None));
                    // The state is told now, not at the next tick.
                    ticks.mark_changed();
                }
                Incoming::Closed { .. } => return Err(Ended::ByClient),
            },
            changed = ticks.changed() => {
                if changed.is_err() {
                    return Err(connection.close(close_code::AWAY, "the host is stopping").await);
                }
                let tick = ticks.borrow_and_update().clone();
                tell(app, connection, &mut hears, &tick).await?;
            }
        }
    }
}

async fn tell(
    app: &App,
    connection: &mut Connection,
    hears: &mut Hears,
    tick: &Arc<Tick>,
) -> Result<(), Ended> {
    match hears {
        Hears::Ticks(sent) if tick.sequence > *sent => {
            *sent = tick.sequence;
            connection.send_text(tick.message.clone()).await
        }
        Hears::Ticks(_) => Ok(()),
        Hears::Updates(feed) => match feed.next(&app.hub, tick) {
            Some(frame) => connection.send_frame(frame).await,
            None => Ok(()),
        },
    }
}

/// What a dashboard may say after its hello.
async fn subscription(connection: &mut Connection, text: &str) -> Result<Subscription, Ended> {
    let reason = match serde_json::from_str(text) {
        Ok(ClientMessage::Subscribe(subscription)) => return Ok(subscription),
        Ok(_) => "a dashboard sends nothing but subscribe after its hello".to_owned(),
        Err(error) => format!("the message isn't one: {error}"),
    };
    Err(connection.close(CLOSE_BAD_MESSAGE, &reason).await)
}

async fn select(connection: &mut Connection, subscription: Subscription) -> Result<Selection, Ended> {
    match Selection::new(subscription) {
        Ok(selection) => Ok(selection),
        Err(invalid) => Err(connection.close(CLOSE_BAD_MESSAGE, &invalid.to_string()).await),
    }
}
