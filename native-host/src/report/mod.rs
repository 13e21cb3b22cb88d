//! Reports on a range: one model, built once from the history and what the host knows besides, and three forms that say the same.
//!
//! ```text
//! history ─┐
//! alerts  ─┼─▶ Report ─▶ Markdown, JSON, one HTML file
//! context ─┘
//! ```
//!
//! `quillwork report` makes one by hand, `/api/v1/reports` through the API, `[reports]` by the clock. What nobody observed is said to
//! be so. All of it is done off the driver's task.

mod alerts;
mod budgets;
mod build;
mod charts;
mod command;
mod html;
mod json;
mod known;
mod machine;
mod markdown;
mod pages;
mod recommend;
mod schedule;
mod spread;
#[cfg(test)]
mod tests;
mod words;

use quillwork_protocol::report::Report;

pub(crate) use self::build::{Ask, build, is_of_interest};
pub use self::command::{EXAMPLES, ReportArgs, report};
pub(crate) use self::html::policy;
pub(crate) use self::known::Known;
pub(crate) use self::schedule::{Schedule, Scheduled, check, directory, planned};

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One HTML file that needs nothing else
    Html,
    /// Markdown
    Md,
    /// JSON, as /api/v1/openapi.json describes it
    Json,
}

crate::config::words!(Format {
    "html" => Format::Html,
    "md" => Format::Md,
    "json" => Format::Json,
});

/// What a report is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Compare {
    /// The same length of time right before
    Previous,
    /// The same time a day earlier
    Day,
    /// The same time a week earlier
    Week,
}

impl Compare {
    /// As it is written.
    const fn word(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The earlier range.
    pub(crate) fn of(self, (from, to): (u64, u64)) -> (u64, u64) {
        const DAY: u64 = 86_400_000;
        let back = match self {
            Self::Previous => to - from,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        };
        (from.saturating_sub(back), to.saturating_sub(back))
    }
}

impl Format {
    /// The ending of a file's name.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Md => "md",
            Self::Json => "json",
        }
    }

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Md => "text/markdown; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// Writes a report.
    pub(crate) fn write(self, report: &Report) -> String {
        match self {
            Self::Html => html::write(report),
            Self::Md => markdown::write(report),
            Self::Json => json::write(report),
        }
    }
}
