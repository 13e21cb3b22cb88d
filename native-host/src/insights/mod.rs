//! What follows from the history: what limited, what fills, what of the machine went with slow seconds of a page, how many workers
//! it takes. What is concluded and when nothing is, is `core`'s to say ([`quillwork_core::insights`]); this reads what it is
//! concluded from, and puts it in words.
//!
//! All of it is done on a [`Reader`](quillwork_store::query::Reader) off the driver's task, on data that is bounded: 96 windows of at most 900 values for
//! what limits, a day of minutes for trends, half an hour of seconds for correlations, an hour of them for capacity.

mod capacity;
mod limits;
#[cfg(test)]
mod tests;
mod together;
mod trends;
pub(crate) mod view;
pub(crate) mod words;

use std::collections::BTreeMap;

use quillwork_protocol::insights::{Insights, MissingInfo};
use quillwork_protocol::snapshot::Snapshot;
use quillwork_store::history::ReadError;
use quillwork_store::query::Reader;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use self::view::View;

/// The label that names the page of a series.
pub(crate) const SOURCE: &str = "source";
/// The label that names a type of task.
pub(crate) const TASK_TYPE: &str = "task_type";

/// What is known besides the history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// What people call pages, by source id; those that are gone too.
    pub(crate) names: BTreeMap<String, String>,
    /// Speeds of links, by interface.
    pub(crate) link_bits_per_second: BTreeMap<String, f64>,
}

impl Context {
    /// From what the host knows now.
    pub(crate) fn new(names: BTreeMap<String, String>, snapshot: &Snapshot) -> Self {
        let networks = snapshot.host.iter().flat_map(|host| &host.networks);
        #[expect(clippy::cast_precision_loss, reason = "a speed needs no more than 53 bits")]
        let speeds = networks
            .filter_map(|network| Some((network.name.clone(), network.speed_bits_per_second? as f64)))
            .filter(|(_, speed)| *speed > 0.0);
        Self { names, link_bits_per_second: speeds.collect() }
    }

    /// What to call a page: chosen by strangers, so letters that steer a terminal or the direction of text are shown as `?`.
    pub(crate) fn name(&self, id: &str) -> String {
        let name = self.names.get(id).filter(|name| !name.is_empty());
        crate::printable::printable(name.map_or(id, String::as_str))
    }
}

/// Whether a series is needed for insights.
pub(crate) fn is_of_interest(key: &SeriesKey) -> bool {
    limits::is_of_interest(key)
        || trends::is_of_interest(key)
        || together::is_of_interest(key)
        || capacity::is_of_interest(key)
}

/// Draws all insights from `[from, to)`. Takes a bounded time: not for the driver's task.
///
/// # Errors
///
/// Where reading fails; [`ReadError::Rearranged`] says that another reader will do.
pub(crate) fn insights<V: Volume>(
    reader: Reader<V>,
    context: &Context,
    (from, asked_to): (u64, u64),
) -> Result<Insights, ReadError> {
    let to = asked_to.min(reader.now_unix_millis() + 1).max(from);
    let mut view = View::new(reader);
    let limits = limits::limits(&mut view, context, (from, to))?;
    let trends = trends::trends(&mut view, to)?;
    let together = together::together(&mut view, context, (from, to))?;
    let capacity = capacity::capacity(&mut view, context, (from, to))?;
    let mut missing = Vec::new();
    let mut lack = |about: &str, reason: String| {
        missing.push(MissingInfo { about: about.to_owned(), reason });
    };
    const LEAST_SECONDS: u64 = 30;
    if limits.measured_millis < LEAST_SECONDS * 1_000 {
        let seconds = limits.measured_millis / 1_000;
        lack(
            "bottlenecks",
            format!("the machine was measured for {seconds} s of that time, and it takes {LEAST_SECONDS}"),
        );
    }
    if trends.is_empty() {
        lack("trends", "neither memory nor a disk was measured in the day before".to_owned());
    }
    together.missing.into_iter().for_each(|reason| lack("correlations", reason));
    capacity.missing.into_iter().for_each(|reason| lack("capacity", reason));
    Ok(Insights {
        from_unix_millis: from,
        to_unix_millis: asked_to,
        bottlenecks: limits.found,
        trends,
        correlations: together.found,
        capacity: capacity.found,
        missing,
        damaged: view.damaged(),
    })
}
