//! `/ws`: pages send batches, dashboards hear ticks.

mod connection;
mod dashboard;
mod pace;
mod page;

use std::sync::Arc;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use quillwork_protocol::VERSION;
use quillwork_protocol::socket::{
    CLOSE_BAD_MESSAGE, CLOSE_UNAUTHORIZED, CLOSE_UNSUPPORTED_VERSION, ClientMessage, Hello, Role,
};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use self::connection::{Connection, Ended, Incoming};
use crate::api::App;
use crate::api::problem::{Kind, Problem};
use crate::clients::Client;
use crate::config::Scope;

/// Bytes that every connection keeps for what its client says. Dashboards say little; a page's batch that is longer gets room
/// while it is read.
const READ_BUFFER: usize = 4 << 10;

/// Upgrades to a WebSocket. Host and Origin have been checked.
pub(crate) async fn upgrade(
    State(app): State<App>,
    client: Option<Extension<Client>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let detail =
                format!("{}; connect with a WebSocket client to ws://<host>/ws", rejection.body_text());
            return Problem::new(Kind::UpgradeRequired, detail)
                .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
                .into_response();
        }
    };
    let Ok(greeting) = Arc::clone(&app.greeting_places).try_acquire_owned() else {
        let detail = "too many WebSockets have not said hello yet; try again in a few seconds";
        return Problem::new(Kind::Busy, detail).into_response();
    };
    upgrade
        .max_message_size(app.limits.message_bytes)
        .max_frame_size(app.limits.message_bytes)
        // A message is written at once, so that the time-out of its send tells whether the client reads.
        .write_buffer_size(0)
        .read_buffer_size(READ_BUFFER)
        .on_upgrade(move |socket| serve(app, client.map(|Extension(client)| client), socket, greeting))
}

async fn serve(app: App, client: Option<Client>, socket: WebSocket, greeting: OwnedSemaphorePermit) {
    let mut connection = Connection::new(&app, socket);
    let hello = timeout(app.limits.hello_timeout, connection.next()).await;
    drop(greeting);
    // However it ends has been told to the client and counted by then; the log is for who looks into it.
    let ended = match hello {
        Ok(Ok(Incoming::Text(text))) => match serde_json::from_str::<ClientMessage>(&text) {
            Ok(ClientMessage::Hello(hello)) => greet(&app, client, &mut connection, hello).await,
            Ok(ClientMessage::Batch(_) | ClientMessage::Subscribe(_)) => {
                let reason = "the first message must be a hello; batch and subscribe come after it";
                connection.close(CLOSE_BAD_MESSAGE, reason).await
            }
            Err(error) => connection.close(CLOSE_BAD_MESSAGE, &format!("the hello isn't one: {error}")).await,
        },
        Ok(Ok(Incoming::Closed { .. })) => Ended::ByClient,
        Ok(Err(ended)) => ended,
        Err(_) => connection.close(CLOSE_BAD_MESSAGE, "no hello came in time").await,
    };
    tracing::debug!("a WebSocket ended: {ended:?}");
}

async fn greet(app: &App, client: Option<Client>, connection: &mut Connection, hello: Hello) -> Ended {
    if hello.version != VERSION {
        let reason = format!("version {} isn't spoken here; this host speaks {VERSION}", hello.version);
        return connection.close(CLOSE_UNSUPPORTED_VERSION, &reason).await;
    }
    let scope = match hello.role {
        Role::Page => Scope::Ingest,
        Role::Dashboard => Scope::Read,
    };
    if app.guard.check_token(hello.token.as_deref(), scope).is_err() {
        if hello.token.is_some() {
            app.guard.note_wrong(client);
        }
        let reason = format!(
            "the hello's `token` must be the content of the host's --token-file, or of another token for {:?}",
            scope.word()
        );
        return connection.close(CLOSE_UNAUTHORIZED, &reason).await;
    }
    connection.lasts_while(app.guard.watch(hello.token, scope));
    let served = match hello.role {
        Role::Page => page::serve(app, connection, hello.source).await,
        Role::Dashboard => dashboard::serve(app, connection, hello.subscribe, hello.resume).await,
    };
    match served {
        Ok(never) => match never {},
        Err(ended) => ended,
    }
}
