//! `[reports]`

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::config::{settings, words};
use crate::report::Format;

settings! {
    /// Reports on a schedule: `docs/guides/reports.md`.
    pub struct Reports {
        /// How often one is written, on the day or week before, beside the one before that. A week ends on Monday.
        every: ReportPeriod = ReportPeriod::Never, applies OnReload;
        /// Time of day, in UTC. A host that was off then writes it when it starts.
        at: TimeOfDay = TimeOfDay::SIX, applies OnReload;
        /// Form: one HTML file that needs nothing else, Markdown, or JSON.
        format: Format = Format::Html, applies OnReload;
        /// Directory to write to. Not set: `reports` in `history.data_dir`.
        directory: Option<PathBuf> = None, applies OnReload;
        /// So many are kept of each form, the newest.
        keep: u32 = 30, from "1" to "10000", applies OnReload;
    }
}

/// How often a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportPeriod {
    /// Not at all.
    Never,
    /// Every day.
    Day,
    /// Every week.
    Week,
}

words!(ReportPeriod {
    "never" => ReportPeriod::Never,
    "day" => ReportPeriod::Day,
    "week" => ReportPeriod::Week,
});

impl ReportPeriod {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// A minute of the day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    minute: u16,
}

impl TimeOfDay {
    /// Six in the morning.
    pub const SIX: Self = Self { minute: 360 };

    /// Since midnight.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.minute as u64 * 60_000
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;

    fn from_str(text: &str) -> Result<Self, InvalidTimeOfDay> {
        let two = |part: &str| {
            part.parse::<u16>().ok().filter(|_| part.len() == 2 && part.bytes().all(|of| of.is_ascii_digit()))
        };
        let parts = text.split_once(':').and_then(|(hour, minute)| Some((two(hour)?, two(minute)?)));
        match parts {
            Some((hour @ 0..24, minute @ 0..60)) => Ok(Self { minute: hour * 60 + minute }),
            _ => Err(InvalidTimeOfDay(text.to_owned())),
        }
    }
}

/// A text that is no time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time of day; write hour and minute, as \"06:00\" or \"23:30\"")]
pub struct InvalidTimeOfDay(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_an_hour_and_a_minute() {
        let six: TimeOfDay = "06:05".parse().unwrap();
        assert_eq!((six.millis(), six.to_string()), (21_900_000, "06:05".to_owned()));
        for wrong in ["6:00", "24:00", "12:60", "noon", "", "12:00:00", "-1:00", "+1:00"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }
}
