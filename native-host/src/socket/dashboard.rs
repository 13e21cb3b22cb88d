//! A dashboard's connection.

use std::convert::Infallible;

use axum::extract::ws::close_code;
use quillwork_protocol::VERSION;
use quillwork_protocol::socket::{CLOSE_BAD_MESSAGE, Resume, ServerMessage, Welcome};

use super::connection::{Connection, Ended, Incoming};
use crate::api::App;
use crate::clock::unix_millis;
use crate::places::Place;

/// Serves a dashboard until the connection ends.
///
/// Ticks are conflated: a dashboard that is slow gets the newest one, and nothing waits for it meanwhile.
pub(super) async fn serve(
    app: &App,
    connection: &mut Connection,
    resume: Option<Resume>,
) -> Result<Infallible, Ended> {
    let Some(_place) = Place::take(&app.dashboard_places, &app.counters.dashboards) else {
        let reason = format!("the host serves at most {} dashboards; close one", app.limits.dashboards);
        return Err(connection.close(close_code::AGAIN, &reason).await);
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
        resumed: resumed.complete,
    };
    connection.send(&ServerMessage::Welcome(welcome)).await?;
    let mut sent = resumed.from_sequence;
    for tick in resumed.ticks {
        connection.send_text(tick.message.clone()).await?;
        sent = tick.sequence;
    }
    loop {
        tokio::select! {
            incoming = connection.next() => match incoming? {
                Incoming::Text(_) => {
                    let reason = "a dashboard sends nothing after its hello";
                    return Err(connection.close(CLOSE_BAD_MESSAGE, reason).await);
                }
                Incoming::Closed { .. } => return Err(Ended::ByClient),
            },
            changed = ticks.changed() => {
                if changed.is_err() {
                    return Err(connection.close(close_code::AWAY, "the host is stopping").await);
                }
                let tick = ticks.borrow_and_update().clone();
                if tick.sequence > sent {
                    sent = tick.sequence;
                    connection.send_text(tick.message.clone()).await?;
                }
            }
        }
    }
}
