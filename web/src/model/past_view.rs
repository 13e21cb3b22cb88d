//! Which part of the past is shown: a range that moves with the clock or stands still, and the series in it.

/// Series in one picture: more can't be told apart.
pub const MOST_SERIES: usize = 12;
/// Shown where nobody has chosen: what every machine has.
const USUAL: [&str; 2] = [super::series::CPU, super::series::MEMORY];
/// The shortest range that one can zoom to.
const SHORTEST_MILLIS: u64 = 10_000;
/// The longest: as long as the host keeps anything.
const LONGEST_MILLIS: u64 = 2 * 366 * 86_400_000;

/// A range up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Last {
    key: &'static str,
    label: &'static str,
    millis: u64,
}

impl Last {
    /// A week.
    pub const WEEK: Self = Self { key: "7d", label: "7\u{a0}d", millis: 7 * 86_400_000 };
    /// All that are offered, shortest first.
    pub const ALL: [Self; 6] = [
        Self { key: "15m", label: "15\u{a0}min", millis: 900_000 },
        Self { key: "1h", label: "1\u{a0}h", millis: 3_600_000 },
        Self { key: "6h", label: "6\u{a0}h", millis: 6 * 3_600_000 },
        Self { key: "24h", label: "24\u{a0}h", millis: 86_400_000 },
        Self::WEEK,
        Self { key: "30d", label: "30\u{a0}d", millis: 30 * 86_400_000 },
    ];

    /// In the address.
    pub fn key(self) -> &'static str {
        self.key
    }

    /// On its button.
    pub fn label(self) -> &'static str {
        self.label
    }

    /// Length.
    pub fn millis(self) -> u64 {
        self.millis
    }

    /// The shortest that shows what began so long ago, and a time before it; the longest where none does.
    pub fn reaching(age_millis: u64) -> Self {
        let whole = age_millis.saturating_add(age_millis / 4);
        Self::ALL.into_iter().find(|last| last.millis >= whole).unwrap_or(Self::ALL[5])
    }

    /// From the address.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|last| last.key == key)
    }
}

impl Default for Last {
    fn default() -> Self {
        Self::ALL[1]
    }
}

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastView {
    /// How far back from now; counts where `between` is `None`.
    pub last: Last,
    /// A range that stands still, `[from, to)` in milliseconds since 1970.
    pub between: Option<(u64, u64)>,
    /// The series, in the order chosen; where there are none, the usual ones are shown.
    pub series: Vec<String>,
}

impl PastView {
    /// The series that are shown.
    pub fn shown(&self) -> Vec<String> {
        if self.series.is_empty() { USUAL.map(str::to_owned).to_vec() } else { self.series.clone() }
    }

    /// Adds a series, unless it is there or there are [`MOST_SERIES`].
    pub fn add(&mut self, series: String) {
        if self.series.len() < MOST_SERIES && !series.is_empty() && !self.series.contains(&series) {
            self.series.push(series);
        }
    }

    /// Adds a series, or takes it out. The last one stays.
    pub fn toggle(&mut self, series: &str) {
        let mut shown = self.shown();
        match shown.iter().position(|other| other == series) {
            Some(at) if shown.len() > 1 => drop(shown.remove(at)),
            Some(_) => {}
            None if shown.len() < MOST_SERIES => shown.push(series.to_owned()),
            None => {}
        }
        self.series = shown;
    }

    /// The range at `now`.
    pub fn range(&self, now_unix_millis: u64) -> (u64, u64) {
        self.between.unwrap_or((now_unix_millis.saturating_sub(self.last.millis), now_unix_millis))
    }

    /// Makes the range `factor` as long, with `at` where it was in the picture. It never reaches past `now`.
    pub fn zoom(&mut self, at_unix_millis: u64, factor: f64, now_unix_millis: u64) {
        let (from, to) = self.range(now_unix_millis);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds since 1970 fit into 53 bits"
        )]
        let scaled = |millis: u64, factor: f64| (millis as f64 * factor) as u64;
        let at = at_unix_millis.clamp(from, to);
        let length = scaled(to - from, factor).clamp(SHORTEST_MILLIS, LONGEST_MILLIS);
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        let share = (at - from) as f64 / (to - from).max(1) as f64;
        self.set_range(at.saturating_sub(scaled(length, share)), length, now_unix_millis);
    }

    /// Moves the range by a share of its length.
    pub fn pan(&mut self, share: f64, now_unix_millis: u64) {
        let (from, to) = self.range(now_unix_millis);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as above")]
        let by = ((to - from) as f64 * share) as i64;
        self.set_range(from.saturating_add_signed(by), to - from, now_unix_millis);
    }

    fn set_range(&mut self, from: u64, length: u64, now_unix_millis: u64) {
        let to = from.saturating_add(length).min(now_unix_millis);
        self.between = Some((to.saturating_sub(length), to));
    }

    /// Shows exactly this range.
    pub fn select(&mut self, from: u64, to: u64) {
        let middle = from + to.saturating_sub(from) / 2;
        let length = to.saturating_sub(from).max(SHORTEST_MILLIS);
        let from = middle.saturating_sub(length / 2);
        self.between = Some((from, from + length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 100_000_000;

    #[test]
    fn zooming_keeps_the_instant_under_the_cursor() {
        let mut view = PastView::default();
        view.zoom(NOW - 900_000, 0.5, NOW);
        let (from, to) = view.range(NOW);
        assert_eq!(to - from, 1_800_000);
        assert_eq!(NOW - 900_000 - from, 1_350_000, "three quarters of the way, as before");
    }

    #[test]
    fn a_range_never_reaches_past_now_and_never_vanishes() {
        let mut view = PastView::default();
        view.zoom(NOW, 4.0, NOW);
        assert_eq!(view.range(NOW), (NOW - 4 * 3_600_000, NOW));
        view.pan(0.5, NOW);
        assert_eq!(view.range(NOW), (NOW - 4 * 3_600_000, NOW));
        for _ in 0..40 {
            view.zoom(NOW - 1_000, 0.5, NOW);
        }
        let (from, to) = view.range(NOW);
        assert_eq!(to - from, SHORTEST_MILLIS);
        view.select(5_000, 5_001);
        let (from, to) = view.range(NOW);
        assert_eq!(to - from, SHORTEST_MILLIS);
    }

    #[test]
    fn a_range_shows_what_came_before() {
        assert_eq!(Last::reaching(0).key(), "15m");
        assert_eq!(Last::reaching(14 * 60_000).key(), "1h", "a quarter of an hour would begin with it");
        assert_eq!(Last::reaching(u64::MAX).key(), "30d");
    }

    #[test]
    fn panning_goes_back_by_a_share() {
        let mut view = PastView::default();
        view.pan(-0.5, NOW);
        assert_eq!(view.range(NOW), (NOW - 5_400_000, NOW - 1_800_000));
    }

    #[test]
    fn series_come_and_go_and_the_last_one_stays() {
        let mut view = PastView::default();
        view.toggle("host.load.1m");
        assert_eq!(view.shown().len(), 3, "beside the usual ones");
        for series in view.shown() {
            view.toggle(&series);
        }
        assert_eq!(view.shown(), ["host.load.1m"]);
        for index in 0..30 {
            view.add(format!("s{index}"));
        }
        assert_eq!(view.shown().len(), MOST_SERIES);
    }
}
