//! Reads, encodes and sends for one destination.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration as Span;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use super::collect::{Collector, Reading};
use super::outbox::{Outbox, Outcome, Parcel};
use super::settings::{Form, Settings};
use super::{collect, headers, otlp, remote_write};
use crate::clock::{Clock, unix_millis};
use crate::driver::{Driver, Stopped};
use crate::http_client::{Answer, Call, call};
use crate::otlp::message::Response;
use crate::stopping::Stopping;

/// Series of one request.
const MOST_SERIES: usize = 2_000;

/// What comes up to this late is sent, too: pages send what they measured once a second, and a little later.
const LATE_MILLIS: u64 = 3_000;

/// After a pause of the machine so many intervals are made good; what was before them is left out.
const MOST_INTERVALS: u64 = 5;

/// Sends to one destination until the host stops, and then for `farewell` at most what is left.
pub(crate) fn spawn(
    settings: Settings,
    (clock, driver): (Clock, Driver),
    stopping: Stopping,
    farewell: Duration,
) -> JoinHandle<()> {
    let mut exporter = Exporter {
        outbox: Outbox::new(settings.queue_bytes),
        interval: u64::try_from(settings.interval.as_millis()).unwrap_or(u64::MAX),
        collected_until: 0,
        settings: Arc::new(settings),
        clock,
        driver,
        collector: Collector::default(),
        random: Rng::from_seed(unix_millis()),
        sending: None,
        failing: None,
    };
    tokio::spawn(async move {
        let mut stopped = stopping.clone();
        let time_is_up = async {
            stopped.wait().await;
            sleep(farewell).await;
        };
        tokio::select! {
            // A driver that has ended takes nothing and has nothing to read.
            ended = exporter.run(stopping) => { let _: Result<(), Stopped> = ended; }
            () = time_is_up => {}
        }
        exporter.tell_lost();
    })
}

struct Exporter {
    settings: Arc<Settings>,
    clock: Clock,
    driver: Driver,
    collector: Collector,
    outbox: Outbox,
    random: Rng,
    /// Of the collections.
    interval: u64,
    /// In milliseconds since 1970: the end of an interval, or within the one in which it began.
    collected_until: u64,
    sending: Option<JoinHandle<Outcome>>,
    /// Why it goes wrong, as the log knows.
    failing: Option<String>,
}

impl Exporter {
    async fn run(&mut self, mut stopping: Stopping) -> Result<(), Stopped> {
        // What was measured before was an earlier run's to send, to the whole second.
        self.collected_until = unix_millis().next_multiple_of(1_000);
        loop {
            let now = self.clock.now();
            let complete = self.next_end().saturating_add(LATE_MILLIS);
            let wait = Duration::from_millis(complete.saturating_sub(now.unix_millis).min(self.interval));
            tokio::select! {
                () = stopping.wait() => break,
                () = self.send_next() => self.report().await?,
                () = sleep(wait) => {
                    self.collect_until(unix_millis().saturating_sub(LATE_MILLIS)).await?;
                    self.report().await?;
                }
            }
        }
        // Nothing more comes: what ended a moment ago waits for nobody who is late, and what has begun ends now.
        let end = unix_millis();
        self.collect_until(end).await?;
        if self.collected_until < end {
            self.collect(self.collected_until, end).await?;
        }
        self.outbox.hurry(self.clock.now().monotonic);
        while self.outbox.figures().queued > 0 {
            self.send_next().await;
        }
        Ok(())
    }

    /// Sends what is due next and hears what became of it. Never returns where nothing waits. Safe to cancel: what is out stays out.
    async fn send_next(&mut self) {
        if self.sending.is_none() {
            let Some(due) = self.outbox.next_due() else { return pending().await };
            sleep(Duration::from_nanos(due.duration_since(self.clock.now().monotonic).as_nanos())).await;
            let Some(parcel) = self.outbox.take(self.clock.now().monotonic) else { return };
            self.sending = Some(tokio::spawn(send(Arc::clone(&self.settings), parcel.body)));
        }
        let Some(sending) = &mut self.sending else { return };
        let outcome = sending
            .await
            .unwrap_or_else(|error| Outcome::Failed { reason: error.to_string(), retry_after: None });
        self.sending = None;
        self.tell(&outcome);
        #[expect(clippy::cast_precision_loss, reason = "any number from 0 to 1 will do")]
        let random = self.random.below(1_000) as f64 / 1_000.0;
        self.outbox.handle_outcome(self.clock.now().monotonic, outcome, random);
    }

    async fn report(&self) -> Result<(), Stopped> {
        let (name, figures) = (self.settings.form.name(), self.outbox.figures());
        self.driver.with(move |state, _| state.handle_export(name, figures)).await
    }

    /// Puts what the intervals until then came to in the outbox.
    async fn collect_until(&mut self, end: u64) -> Result<(), Stopped> {
        let complete = end / self.interval * self.interval;
        // A clock that was set back is waited for no longer than an interval.
        if self.collected_until > unix_millis() {
            self.collected_until = complete;
        }
        let earliest = complete.saturating_sub(MOST_INTERVALS * self.interval);
        self.collected_until = self.collected_until.max(earliest);
        while self.collected_until < complete {
            let end = self.next_end();
            self.collect(self.collected_until, end).await?;
            self.collected_until = end;
        }
        Ok(())
    }

    /// When the interval ends of which something is to be collected next.
    fn next_end(&self) -> u64 {
        (self.collected_until / self.interval + 1).saturating_mul(self.interval)
    }

    /// Puts what `[from, to)` came to in the outbox.
    async fn collect(&mut self, from: u64, to: u64) -> Result<(), Stopped> {
        let settings = Arc::clone(&self.settings);
        let reader = self
            .driver
            .with(move |state, _| {
                let is_meant = |key: &_| {
                    settings.select.is_empty() || settings.select.iter().any(|selector| selector.matches(key))
                };
                state.is_active().then(|| state.reader(is_meant))
            })
            .await?;
        // What a standby holds is sent on by the primary.
        let Some(reader) = reader else { return Ok(()) };
        let interval = self.interval;
        let read = spawn_blocking(move || collect::read(&reader, (from, to), interval)).await;
        let read = match read {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                tracing::warn!(
                    "{}: what is to be sent can't be read and is left out: {error}",
                    self.settings.form.name()
                );
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        let readings = self.collector.take(read, from, to);
        let tick = self.driver.ticks().borrow().clone();
        let machine = tick.snapshot.host.as_ref().map_or("", |host| host.machine.name.as_str());
        let host = if machine.is_empty() { "quillwork" } else { machine };
        for part in readings.chunks(MOST_SERIES) {
            let (body, samples) = encode(&self.settings, part, host, &tick.snapshot.instance);
            self.outbox.push(Parcel { body, samples, at_unix_millis: to });
        }
        Ok(())
    }

    /// Says what is lost with the host's end.
    fn tell_lost(&self) {
        let lost = self.outbox.figures().queued;
        if lost > 0 {
            let name = self.settings.form.name();
            let why = self.failing.as_deref().unwrap_or("limits.shutdown_timeout has passed");
            tracing::warn!("export.{name}: {lost} samples could not be delivered before the end: {why}");
        }
    }

    /// Says what goes wrong when it begins or changes, and when it is over.
    fn tell(&mut self, outcome: &Outcome) {
        let name = self.settings.form.name();
        let wrong = match outcome {
            Outcome::Taken { reason, .. } => {
                reason.as_ref().map(|reason| format!("it left some out: {reason}"))
            }
            Outcome::Refused(reason) => Some(format!("it refuses what is sent: {reason}")),
            Outcome::Failed { reason, .. } => Some(format!("it is tried again: {reason}")),
        };
        if wrong == self.failing {
            return;
        }
        match &wrong {
            Some(wrong) => tracing::warn!("export.{name}: {wrong}"),
            None => tracing::info!("export.{name}: all is taken again"),
        }
        self.failing = wrong;
    }
}

/// The body of a request, and how many samples are in it.
fn encode(settings: &Settings, readings: &[Reading], host: &str, instance: &str) -> (Bytes, u64) {
    match settings.form {
        Form::Otlp => {
            let request = otlp::request(readings, &settings.prefix, host, instance);
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            std::io::Write::write_all(&mut gzip, &request.encode_to_vec())
                .expect("writing to memory can't fail");
            let body = gzip.finish().expect("writing to memory can't fail");
            (body.into(), readings.len() as u64)
        }
        Form::RemoteWrite => {
            let request = remote_write::request(readings, &settings.prefix, host);
            let body = snap::raw::Encoder::new()
                .compress_vec(&request.encode_to_vec())
                .expect("a request is far smaller than 4 GiB");
            (body.into(), request.timeseries.len() as u64)
        }
    }
}

async fn send(settings: Arc<Settings>, body: Bytes) -> Outcome {
    // Read for each request: who renews what is in it need not tell the host.
    let given = settings.headers_file.as_deref().map(headers::read).transpose();
    let given = match given {
        Ok(given) => given.unwrap_or_default(),
        Err(error) => return Outcome::Failed { reason: format!("headers_file: {error}"), retry_after: None },
    };
    let of_form: &[(&'static str, &'static str)] = match settings.form {
        Form::Otlp => &[("content-type", "application/x-protobuf"), ("content-encoding", "gzip")],
        Form::RemoteWrite => &[
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-write-version", "0.1.0"),
        ],
    };
    let of_form =
        of_form.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let answered = call(Call {
        method: Method::POST,
        target: settings.target.clone(),
        headers: of_form.chain(given).collect(),
        body,
        time: settings.timeout,
    });
    match answered.await {
        Ok(answer) => judge(settings.form, &answer),
        Err(error) if error.may_pass() => Outcome::Failed { reason: error.to_string(), retry_after: None },
        Err(error) => Outcome::Refused(error.to_string()),
    }
}

fn judge(form: Form, answer: &Answer) -> Outcome {
    let status = answer.status;
    if status.is_success() {
        let partial = match form {
            Form::Otlp => {
                Response::decode(&answer.body[..]).ok().and_then(|response| response.partial_success)
            }
            Form::RemoteWrite => None,
        };
        return match partial {
            Some(partial) if partial.rejected_data_points > 0 => Outcome::Taken {
                rejected: partial.rejected_data_points,
                reason: Some(printable(&partial.error_message)),
            },
            _ => Outcome::Taken { rejected: 0, reason: None },
        };
    }
    let said = printable(&String::from_utf8_lossy(&answer.body));
    let reason =
        if said.is_empty() { format!("status {status}") } else { format!("status {status}: {said}") };
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let after = answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = after.and_then(|after| after.trim().parse().ok()).map(Span::from_secs);
        Outcome::Failed { reason, retry_after }
    } else if status.is_redirection() {
        Outcome::Refused(format!(
            "{reason}; redirects are not followed: give the address where it leads as `url`"
        ))
    } else {
        Outcome::Refused(reason)
    }
}

/// The first line of what a stranger says, for the log.
fn printable(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    crate::printable::printable(&line.chars().take(200).collect::<String>())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;
    use crate::otlp::message::PartialSuccess;

    fn answer(status: u16, retry_after: Option<&'static str>, body: &[u8]) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(after) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(after));
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.to_vec() }
    }

    #[test]
    fn only_what_may_go_better_is_tried_again() {
        for status in [429, 500, 502, 503, 504] {
            let Outcome::Failed { retry_after, .. } =
                judge(Form::RemoteWrite, &answer(status, Some("7"), b""))
            else {
                panic!("{status}")
            };
            assert_eq!(retry_after, Some(Span::from_secs(7)));
        }
        for status in [301, 400, 401, 404, 413] {
            let outcome = judge(Form::Otlp, &answer(status, None, b"out of order\x1b[31m\nsecond line"));
            let Outcome::Refused(reason) = outcome else { panic!("{status}") };
            assert!(reason.contains(&status.to_string()) && reason.contains("out of order?[31m"), "{reason}");
            assert!(!reason.contains("second"), "{reason}");
        }
        assert_eq!(judge(Form::Otlp, &answer(200, None, b"")), Outcome::Taken { rejected: 0, reason: None });
        let partial = PartialSuccess { rejected_data_points: 3, error_message: "too late".to_owned() };
        let body = Response { partial_success: Some(partial) }.encode_to_vec();
        let reason = Some("too late".to_owned());
        assert_eq!(judge(Form::Otlp, &answer(200, None, &body)), Outcome::Taken { rejected: 3, reason });
    }
}
