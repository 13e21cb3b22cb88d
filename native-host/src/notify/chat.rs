//! Chat rooms: Slack's incoming webhooks, and Matrix.

use std::time::Duration;

use axum::http::{HeaderValue, Method, header};

use super::address::{authorities, judge, of, target};
use super::webhook::value;
use super::{Fault, Letter, Undelivered, one_line};
use crate::authorities::Authorities;
use crate::config::NotifyChannel;
use crate::http_client::{Call, Target, call};

pub(super) struct Slack {
    target: Target,
}

pub(super) struct Matrix {
    server: String,
    room: String,
    token: String,
    allows_link_local: bool,
    authorities: Option<Authorities>,
}

impl std::fmt::Debug for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slack({})", self.target.origin())
    }
}

impl std::fmt::Debug for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Matrix({}, {})", self.server, self.room)
    }
}

/// A chat is read on a telephone: no letter is longer.
const LONGEST: usize = 3_000;

impl Slack {
    pub(super) fn new(settings: &NotifyChannel) -> Result<Self, Fault> {
        Ok(Self { target: target(settings)? })
    }

    pub(super) async fn deliver(&self, letter: &Letter, time: Duration) -> Result<(), Undelivered> {
        // Slack's own syntax begins with these three; escaped they mention nobody and link nowhere.
        let escaped =
            shortened(&letter.text()).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let text = format!("*{}*\n{escaped}", letter.subject().replace(['&', '<', '>', '*'], " "));
        let body = serde_json::json!({ "text": text, "link_names": false }).to_string();
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let request =
            Call { method: Method::POST, target: self.target.clone(), headers, body: body.into(), time };
        judge(&call(request).await?)
    }
}

impl Matrix {
    pub(super) fn new(settings: &NotifyChannel) -> Result<Self, Fault> {
        let server = of(settings)?.trim_end_matches('/').to_owned();
        Target::parse(&server, settings.allow_link_local)?;
        Ok(Self {
            server,
            room: settings.room.clone().ok_or(Fault::Missing("room"))?,
            token: one_line(settings.token_file.as_deref().ok_or(Fault::Missing("token_file"))?)?,
            allows_link_local: settings.allow_link_local,
            authorities: authorities(settings)?,
        })
    }

    pub(super) async fn deliver(&self, letter: &Letter, time: Duration) -> Result<(), Undelivered> {
        // The transaction's name makes the server drop what it has had already.
        let address = format!(
            "{}/_matrix/client/v3/rooms/{}/send/m.room.message/{}-{}",
            self.server,
            percent(&self.room),
            letter.key,
            letter.id.get(),
        );
        let target = Target::parse(&address, self.allows_link_local).map_err(Undelivered::for_good)?;
        let target = target.trusting(self.authorities.clone());
        let text = format!("{}\n{}", letter.subject(), shortened(&letter.text()));
        // Plain text only: nothing in it is read as markup, and `m.notice` wakes no other robots.
        let body = serde_json::json!({ "msgtype": "m.notice", "body": text }).to_string();
        let headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::AUTHORIZATION, value(&format!("Bearer {}", self.token))?),
        ];
        judge(&call(Call { method: Method::PUT, target, headers, body: body.into(), time }).await?)
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}

fn percent(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_stays_one_part_of_the_path() {
        assert_eq!(percent("!abc:example.org"), "%21abc%3Aexample.org");
        assert_eq!(percent("../x"), "..%2Fx");
    }
}
