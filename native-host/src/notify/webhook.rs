//! Webhooks: JSON by POST, signed where there is a secret.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::address::{judge, target};
use super::{Fault, Letter, Undelivered, one_line};
use crate::config::NotifyChannel;
use crate::http_client::{Call, Target, call};

pub(super) struct Webhook {
    target: Target,
    secret: Option<String>,
    token: Option<String>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({})", self.target.origin())
    }
}

impl Webhook {
    pub(super) fn new(settings: &NotifyChannel) -> Result<Self, Fault> {
        let read = |file: &Option<std::path::PathBuf>| file.as_deref().map(one_line).transpose();
        Ok(Self {
            target: target(settings)?,
            secret: read(&settings.secret_file)?,
            token: read(&settings.token_file)?,
        })
    }

    pub(super) async fn deliver(&self, letter: &Letter, time: Duration) -> Result<(), Undelivered> {
        let body = letter.json().to_string();
        let seconds = letter.at_unix_millis / 1_000;
        let mut headers = vec![
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("idempotency-key"), value(&letter.key)?),
        ];
        if let Some(secret) = &self.secret {
            let signature = format!("t={seconds},v1={}", signature(secret, seconds, &body));
            headers.push((HeaderName::from_static("quillwork-signature"), value(&signature)?));
        }
        if let Some(token) = &self.token {
            headers.push((header::AUTHORIZATION, value(&format!("Bearer {token}"))?));
        }
        let request =
            Call { method: Method::POST, target: self.target.clone(), headers, body: body.into(), time };
        judge(&call(request).await?)
    }
}

/// HMAC-SHA256 of time and body, so that neither can be changed, nor an old letter be told as a new one.
pub(super) fn signature(secret: &str, seconds: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    mac.update(format!("{seconds}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn value(text: &str) -> Result<HeaderValue, Undelivered> {
    let mut value = HeaderValue::from_str(text).map_err(Undelivered::for_good)?;
    value.set_sensitive(true);
    Ok(value)
}
