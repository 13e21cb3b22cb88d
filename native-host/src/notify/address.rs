//! Where a channel's requests go, and what their answers mean.

use std::time::Duration;

use axum::http::{StatusCode, header};

use super::{Fault, Undelivered, one_line};
use crate::authorities::Authorities;
use crate::config::NotifyChannel;
use crate::http_client::{Answer, Target};
use crate::printable::printable;

/// The address of a channel: some are secrets themselves, and lie in a file.
pub(super) fn of(settings: &NotifyChannel) -> Result<String, Fault> {
    match (&settings.url, &settings.url_file) {
        (Some(_), Some(_)) => Err(Fault::TwoAddresses),
        (Some(url), None) => Ok(url.clone()),
        (None, Some(file)) => one_line(file),
        (None, None) => Err(Fault::Missing("url")),
    }
}

pub(super) fn target(settings: &NotifyChannel) -> Result<Target, Fault> {
    Ok(Target::parse(&of(settings)?, settings.allow_link_local)?.trusting(authorities(settings)?))
}

/// Who vouches for the server besides the system's authorities.
pub(super) fn authorities(settings: &NotifyChannel) -> Result<Option<Authorities>, Fault> {
    Ok(settings.ca_file.as_deref().map(Authorities::from_file).transpose()?)
}

/// Success is 2xx. What the receiver can't do now (408, 429, 5xx) is tried again; what it refuses is not, and a
/// redirect is a refusal: a letter goes where it was sent.
pub(super) fn judge(answer: &Answer) -> Result<(), Undelivered> {
    let status = answer.status;
    if status.is_success() {
        return Ok(());
    }
    let may_pass = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    let seconds =
        answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let shown: String = String::from_utf8_lossy(&answer.body).chars().take(200).collect();
    let shown = printable(shown.trim());
    Err(Undelivered {
        reason: format!("it answered {status}: {shown}"),
        may_pass,
        retry_after: seconds.map(Duration::from_secs),
    })
}
