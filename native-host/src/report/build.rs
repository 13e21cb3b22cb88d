//! Builds the model of a report.

use quillwork_protocol::report::{REPORT_VERSION, RangeInfo, Report};
use quillwork_store::history::ReadError;
use quillwork_store::query::Reader;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use super::known::Known;
use super::machine::Machine;
use super::pages::Pages;
use super::{Compare, alerts, budgets, charts, recommend};
use crate::insights::view::{Span, View};
use crate::insights::{self, insights};

/// What a report is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) compare: Option<Compare>,
}

/// Values of a series that figures are made of, at most.
const MOST_STEPS: u64 = 8_640;

/// Whether a report reads a series.
pub(crate) fn is_of_interest(key: &SeriesKey) -> bool {
    insights::is_of_interest(key)
        || Machine::is_of_interest(key)
        || Pages::is_of_interest(key)
        || charts::is_of_interest(key)
}

/// What was measured in a range.
pub(super) struct Measured {
    pub(super) span: Span,
    pub(super) machine: Machine,
    pub(super) pages: Pages,
}

impl Measured {
    fn read<V: Volume>(view: &mut View<V>, known: &Known, (from, to): (u64, u64)) -> Result<Self, ReadError> {
        let first = view.first_within(from, to);
        let span = view.span(first, to, (to - first).div_ceil(MOST_STEPS));
        Ok(Self {
            span,
            machine: Machine::read(view, span)?,
            pages: Pages::read(view, span, &known.context)?,
        })
    }
}

/// Reads the history and concludes. Takes a bounded time, some seconds for a large history: not for the driver's task.
///
/// # Errors
///
/// Where reading fails; [`ReadError::Rearranged`] says that another reader will do.
pub(crate) fn build<V: Volume>(reader: &Reader<V>, known: &Known, ask: Ask) -> Result<Report, ReadError> {
    let to = ask.to.min(reader.now_unix_millis() + 1).max(ask.from);
    let range = (ask.from, to);
    let mut insights = insights(reader.clone(), &known.context, range)?;
    let mut view = View::new(reader.clone());
    let now = Measured::read(&mut view, known, range)?;
    let earlier_range = ask.compare.map(|compare| compare.of(range));
    let earlier = earlier_range.map(|range| Measured::read(&mut view, known, range)).transpose()?;
    let charts = charts::charts(&mut view, &known.context, range)?;
    insights.damaged.extend(view.damaged());
    insights.damaged.sort_unstable();
    insights.damaged.dedup();
    let of_range = |(from_unix_millis, to_unix_millis)| RangeInfo { from_unix_millis, to_unix_millis };
    let in_range = |at: u64, until: Option<u64>| at < to && until.unwrap_or(at) >= ask.from;
    let mut report = Report {
        version: REPORT_VERSION,
        host: known.host.clone(),
        made_unix_millis: known.made_unix_millis,
        from_unix_millis: ask.from,
        to_unix_millis: to,
        step_millis: now.span.step_millis,
        earlier: earlier_range.map(of_range),
        budgets: budgets::budgets(&now, earlier.as_ref()),
        recommendations: Vec::new(),
        objectives: known.objectives.clone(),
        alerts: alerts::summary(known, range),
        pages: now.pages.summaries(),
        task_types: now.pages.task_types(earlier.as_ref().map(|earlier| &earlier.pages)),
        cache: now.pages.cache(earlier.as_ref().map(|earlier| &earlier.pages)),
        machine: now.machine.figures(earlier.as_ref().map(|earlier| &earlier.machine)),
        gaps: now.machine.gaps(now.span),
        charts,
        annotations: known.annotations.iter().filter(|one| in_range(one.at, one.until)).cloned().collect(),
        insights,
    };
    report.recommendations = recommend::recommend(&report);
    Ok(report)
}
