//! What the user chose. What is shown, its range and a pause stand in the address, so that a link shows the same; the theme is
//! remembered by the browser.

use super::past_view::{Last, PastView};
use super::query_text::{decoded, encoded};

/// How far back the charts reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// One minute.
    Minute,
    /// Ten minutes.
    #[default]
    TenMinutes,
    /// One hour.
    Hour,
}

impl Range {
    /// All, shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::TenMinutes, Self::Hour];

    /// Length.
    pub fn millis(self) -> u64 {
        match self {
            Self::Minute => 60_000,
            Self::TenMinutes => 600_000,
            Self::Hour => 3_600_000,
        }
    }

    /// On its button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Minute => "1\u{a0}min",
            Self::TenMinutes => "10\u{a0}min",
            Self::Hour => "1\u{a0}h",
        }
    }

    /// In a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Minute => "last minute",
            Self::TenMinutes => "last 10 minutes",
            Self::Hour => "last hour",
        }
    }

    /// In the address.
    pub fn key(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::TenMinutes => "10m",
            Self::Hour => "1h",
        }
    }

    fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.key() == key)
    }
}

/// Colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// As it is stored, and as `data-theme` has it.
    pub fn key(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From what was stored; anything else is the system's.
    pub fn from_key(key: &str) -> Self {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.key() == key).unwrap_or_default()
    }

    /// The one that the toggle leads to.
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

/// Which part of the dashboard is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Now, and up to an hour back.
    #[default]
    Live,
    /// What the host keeps.
    Past,
}

/// What stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Which part is shown.
    pub part: Part,
    /// How far back the live charts reach.
    pub range: Range,
    /// Whether the picture stands still.
    pub paused: bool,
    /// What is shown of the past.
    pub past: PastView,
}

impl View {
    /// From the query of an address, with or without `?`. What it doesn't know it leaves at its default.
    pub fn from_query(query: &str) -> Self {
        let mut view = Self::default();
        let (mut from, mut to) = (None, None);
        for (key, value) in query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('=')) {
            match key {
                "view" if value == PAST => view.part = Part::Past,
                "range" => view.range = Range::from_key(value).unwrap_or_default(),
                "paused" => view.paused = value == "1",
                "last" => view.past.last = Last::from_key(value).unwrap_or_default(),
                "from" => from = value.parse().ok(),
                "to" => to = value.parse().ok(),
                "series" => view.past.add(decoded(value)),
                _ => {}
            }
        }
        view.past.between = from.zip(to).filter(|(from, to)| from < to);
        view
    }

    /// As a query without defaults: empty, or from `?` on.
    pub fn to_query(&self) -> String {
        let mut pairs = Vec::new();
        if self.part == Part::Past {
            pairs.push(format!("view={PAST}"));
            if self.past.last != Last::default() {
                pairs.push(format!("last={}", self.past.last.key()));
            }
            if let Some((from, to)) = self.past.between {
                pairs.push(format!("from={from}&to={to}"));
            }
            pairs.extend(self.past.series.iter().map(|series| format!("series={}", encoded(series))));
        } else if self.range != Range::default() {
            pairs.push(format!("range={}", self.range.key()));
        }
        if self.paused {
            pairs.push("paused=1".to_owned());
        }
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

/// The past's word in the address.
const PAST: &str = "history";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_the_same_again() {
        for range in Range::ALL {
            for paused in [false, true] {
                let view = View { range, paused, ..View::default() };
                assert_eq!(View::from_query(&view.to_query()), view);
            }
        }
        assert_eq!(View::default().to_query(), "");
    }

    #[test]
    fn an_address_shows_the_same_past_again() {
        let mut view = View { part: Part::Past, ..View::default() };
        assert_eq!(view.to_query(), "?view=history");
        view.past.last = Last::WEEK;
        view.past.between = Some((1_000, 61_000));
        view.past.add("host.disk.used{mount=\"/srv & more\"}".into());
        view.past.add("host.cpu.total".into());
        assert_eq!(View::from_query(&view.to_query()), view);
        assert_eq!(
            View::from_query("?view=history&from=9&to=9").past.between,
            None,
            "an empty range is none"
        );
    }

    #[test]
    fn a_strange_address_shows_the_defaults() {
        assert_eq!(View::from_query("?range=9y&paused=maybe&x&y=1"), View::default());
        assert_eq!(View::from_query("?utm=1&range=1h").range, Range::Hour);
    }

    #[test]
    fn the_theme_goes_round() {
        let round: Vec<Theme> =
            std::iter::successors(Some(Theme::System), |theme| Some(theme.next())).take(4).collect();
        assert_eq!(round, [Theme::System, Theme::Light, Theme::Dark, Theme::System]);
        assert_eq!(Theme::from_key("dark"), Theme::Dark);
        assert_eq!(Theme::from_key("sepia"), Theme::System);
    }
}
