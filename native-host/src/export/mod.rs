//! Metrics sent on: to an OpenTelemetry collector, and to what takes Prometheus' remote write.
//!
//! Each destination has a task of its own. Once an interval it reads what the selected series came to from the history, off the driver's
//! task, and puts it in an [`Outbox`](outbox::Outbox) in bounds; from there it is sent, one request at a time, and again where that
//! may go better. A receiver that is slow or away costs the host bounded memory and nothing else. As the host stops, what waits is sent
//! within the time that connections have to end, with the interval that has begun as far as it got, and the log says how many samples were not delivered.

mod collect;
mod headers;
mod otlp;
mod outbox;
mod remote_write;
mod send;
mod settings;

pub(crate) use self::outbox::Figures;
pub(crate) use self::send::spawn;
pub(crate) use self::settings::{ExportError, Settings};
