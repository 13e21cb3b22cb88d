//! Questions about series: which ones, over which time, and what of them.
//!
//! A [`Query`] selects series, makes one value of each step of each series ([`Function`]), joins series by their labels ([`Group`]), keeps
//! the largest ([`Query::top`]), and bounds how much it answers. It is pure: [`Query::run`] reads through a [`Reader`],
//! which another thread may own.
//!
//! ```
//! use quillwork_store::history::{History, HistoryOptions};
//! use quillwork_store::query::{Function, Query, Shape};
//! use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
//! use quillwork_store::volume::Memory;
//!
//! let start = 1_700_000_000_000;
//! let mut history = History::open(Memory::new(), HistoryOptions::default(), start)?;
//! let bytes = history.add_series(SeriesSpec {
//!     key: SeriesKey::new("host.network.received.bytes", [("interface", "eth0")])?,
//!     kind: SeriesKind::Counter,
//!     unit: "bytes".into(),
//!     resolution: 1.0,
//! })?;
//! for second in 0..10 {
//!     let now = start + second * 1_000;
//!     history.append(now, now, &[(bytes, 500.0 * second as f64)]);
//! }
//! let query = Query {
//!     function: Function::Rate,
//!     step_millis: Some(5_000),
//!     ..Query::new("host.network.received.bytes".parse()?, start, start + 10_000)
//! };
//! let answer = query.run(&history.reader(query.ids(&history)?))?;
//! let Shape::Steps(values) = &answer.lines[0].shape else { panic!("steps were asked for") };
//! assert_eq!(values, &[Some(400.0), Some(500.0)], "what came before the first value is not known");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decimate;
mod export;
mod join;
mod run;
mod selector;
mod value;

#[cfg(test)]
mod model_tests;

use crate::history::{Damaged, History, ReadError};
use crate::series::{SeriesId, SeriesKind};
use crate::volume::Volume;

pub use crate::history::Reader;
pub use export::{Export, Format};
pub use selector::{InvalidSelector, Selector};

/// A question about series.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which series.
    pub selector: Selector,
    /// The first instant.
    pub from_unix_millis: u64,
    /// The instant after the last one.
    pub to_unix_millis: u64,
    /// Distance of the values. `None`: as short as [`max_points`](Self::max_points) and what is kept allow. A step that is too short for what is kept of that time is
    /// lengthened, and the answer says to what.
    pub step_millis: Option<u64>,
    /// Values of each line.
    pub max_points: u32,
    /// What becomes of a step of one series.
    pub function: Function,
    /// Which lines are joined to one; `None`: each series is a line.
    pub group: Option<Group>,
    /// So many lines are kept, at least one, those with the largest mean.
    pub top: Option<usize>,
    /// Whether a line keeps its extremes instead of having a fixed step: two points, the lowest and the highest, stand for a stretch of it.
    pub keeps_spikes: bool,
}

/// What becomes of a step of one series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// The mean of the values; of a sketch that of all that it counted.
    Avg,
    /// Their sum.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// How many there were.
    Count,
    /// The latest.
    Last,
    /// By how much a counter grew since the step before. Where it fell it began anew at zero; over a gap of more than five
    /// minutes nothing is known.
    Increase,
    /// [`Increase`](Self::Increase) by the second.
    Rate,
    /// The value that this share (0 to 1) of the values don't exceed: of a sketch within its accuracy, of a gauge that of its finest
    /// steps (nearest rank).
    Quantile(f64),
}

/// How lines are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Series of one name with the same values of these labels become one line. Without labels all do.
    pub by: Vec<String>,
    /// What becomes of their values at a step. Quantiles are not joined: sketches and values are, and the result is asked.
    pub with: Join,
}

/// How values of several lines at one step become one. Lines without a value there don't count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Join {
    /// Their sum.
    #[default]
    Sum,
    /// Their mean, each line counting as one.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// How many there are.
    Count,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Distance of the values, or of the stretches of which two points stand for each.
    pub step_millis: u64,
    /// Instant of the first value, a multiple of the step.
    pub start_unix_millis: u64,
    /// Lines by name and labels; the largest first where the top ones were asked for.
    pub lines: Vec<Line>,
    /// Pieces that could not be trusted. What they held is missing.
    pub damaged: Vec<Damaged>,
}

/// One line of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The series' name. Series of different names are never joined.
    pub name: String,
    /// The series' labels, or those that the group is by.
    pub labels: Vec<(String, String)>,
    /// Unit of the values.
    pub unit: String,
    /// The values.
    pub shape: Shape,
}

/// Values of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// One for each step; `None` is a gap.
    Steps(Vec<Option<f64>>),
    /// Instants and values; a stretch without any has none.
    Spikes(Vec<(u64, f64)>),
}

/// A question that can't be answered.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The range is turned round, or empty.
    #[error("`from` must lie before `to`")]
    Range,
    /// The step, the number of points or that of lines is nothing.
    #[error("the step, the number of points and that of the top lines must not be zero")]
    Nothing,
    /// The quantile is not a share.
    #[error("a quantile is a share from 0 to 1, not {0}")]
    Quantile(f64),
    /// No series is meant.
    #[error("no series matches; /api/v1/series lists what there is")]
    NoSeries,
    /// More series are meant than one answer takes.
    #[error(
        "{found} series match, and at most {limit} are answered at once: add conditions, or ask for less"
    )]
    TooManySeries {
        /// How many match.
        found: usize,
        /// How many may.
        limit: usize,
    },
    /// More steps were asked for than one line may have.
    #[error(
        "that makes {points} points in a line, and {limit} are allowed: take a longer step or a shorter time"
    )]
    TooManyPoints {
        /// How many that is.
        points: u64,
        /// How many may be.
        limit: u64,
    },
    /// More would have to be read, or answered, than one question may cost.
    #[error(
        "that takes {points} values, and {limit} are allowed: take a longer step, a shorter time, or fewer series"
    )]
    TooMuch {
        /// How many that is.
        points: u64,
        /// How many may be.
        limit: u64,
    },
    /// The function makes no sense of such a series.
    #[error("{function} makes no sense of a {}: ask for {instead}", kind.as_str())]
    Kind {
        /// What was asked for.
        function: &'static str,
        /// What the series is.
        kind: SeriesKind,
        /// What can be asked.
        instead: &'static str,
    },
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Query {
    /// The mean of each series that a selector means, in at most a thousand points each.
    #[must_use]
    pub fn new(selector: Selector, from_unix_millis: u64, to_unix_millis: u64) -> Self {
        Self {
            selector,
            from_unix_millis,
            to_unix_millis,
            step_millis: None,
            max_points: 1_000,
            function: Function::Avg,
            group: None,
            top: None,
            keeps_spikes: false,
        }
    }

    /// The series that are meant.
    ///
    /// # Errors
    ///
    /// Where there are none, or more than [`MAX_SERIES`].
    pub fn ids<V: Volume>(&self, history: &History<V>) -> Result<Vec<SeriesId>, QueryError> {
        let meant = history.catalogue().filter(|(_, spec)| self.selector.matches(&spec.key));
        let ids: Vec<SeriesId> = meant.map(|(id, _)| id).collect();
        match ids.len() {
            0 => Err(QueryError::NoSeries),
            found if found > MAX_SERIES => Err(QueryError::TooManySeries { found, limit: MAX_SERIES }),
            _ => Ok(ids),
        }
    }
}

/// Series of one question.
pub const MAX_SERIES: usize = 4_096;
/// Points of one line.
pub const MAX_POINTS: u64 = 11_000;
/// Values of one answer.
pub const MAX_ANSWERED: u64 = 500_000;
/// Steps of all series together that one question may read.
pub const MAX_READ: u64 = 20_000_000;
