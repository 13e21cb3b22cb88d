//! A chart in words: for those who don't see it, and for those who want the figure.

use super::format::{NO_DATA, Unit};

/// What a window of a series comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The newest value, if the newest slot has one.
    pub last: Option<f64>,
    /// Mean of the observed values.
    pub mean: Option<f64>,
    /// The greatest.
    pub greatest: Option<f64>,
    /// The least.
    pub least: Option<f64>,
}

impl Summary {
    /// Of the values of a window; NaN counts as not observed. Slots at the end that the next tick may still fill are
    /// passed over, at most `lag` of them.
    pub fn of(values: &[f32], lag: usize) -> Self {
        let known = || values.iter().copied().filter(|value| value.is_finite()).map(f64::from);
        let count = known().count();
        #[expect(clippy::cast_precision_loss, reason = "a window has some thousands of values")]
        let mean = (count > 0).then(|| known().sum::<f64>() / count as f64);
        let last = values.iter().rev().take(lag + 1).find(|value| value.is_finite());
        Self {
            last: last.copied().map(f64::from),
            mean,
            greatest: known().reduce(f64::max),
            least: known().reduce(f64::min),
        }
    }

    /// Of a window up to now: `CPU now 43 %, from 12 % to 97 %, mean 40 %`.
    pub fn sentence(&self, label: &str, unit: Unit) -> String {
        let now = format!("now {}, ", unit.show_or_no_data(self.last));
        self.sentence_with(&now, label, unit)
    }

    /// Of a window in the past, where nothing is now: `CPU from 12 % to 97 %, mean 40 %`.
    pub fn sentence_of_the_past(&self, label: &str, unit: Unit) -> String {
        self.sentence_with("", label, unit)
    }

    fn sentence_with(&self, now: &str, label: &str, unit: Unit) -> String {
        match (self.least, self.greatest, self.mean) {
            (Some(least), Some(greatest), Some(mean)) => {
                let [least, greatest, mean] = [least, greatest, mean].map(|value| unit.show(value));
                format!("{label} {now}from {least} to {greatest}, mean {mean}")
            }
            _ => format!("{label}: {NO_DATA}"),
        }
    }
}

/// What the cursor reads at an instant: `14:05:12. CPU 43 %. Swap no data`.
pub fn reading(time: &str, values: &[(&str, Unit, Option<f64>)]) -> String {
    let values =
        values.iter().map(|(label, unit, value)| format!("{label} {}", unit.show_or_no_data(*value)));
    std::iter::once(time.to_owned()).chain(values).collect::<Vec<_>>().join(". ")
}

/// Moves the cursor by `steps` slots within `first..=last`. Without a cursor yet it starts at the newest slot.
pub fn move_cursor(cursor: Option<u64>, steps: i64, first: u64, last: u64) -> u64 {
    cursor.map_or(last, |slot| slot.saturating_add_signed(steps)).clamp(first, last.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn sums_a_window_up_without_its_gaps() {
        let summary = Summary::of(&[0.25, f32::NAN, 0.75, 0.5], 1);
        assert_eq!(
            plain(&summary.sentence("CPU", Unit::Ratio)),
            "CPU now 50 %, from 25 % to 75 %, mean 50 %"
        );
        assert_eq!(Summary::of(&[f32::NAN; 3], 1).sentence("CPU", Unit::Ratio), "CPU: no data");
    }

    #[test]
    fn the_past_has_no_now_though_its_last_slot_has_no_value_yet() {
        let summary = Summary::of(&[0.25, 0.75, f32::NAN, f32::NAN], 0);
        assert_eq!(
            plain(&summary.sentence_of_the_past("CPU", Unit::Ratio)),
            "CPU from 25 % to 75 %, mean 50 %"
        );
        assert_eq!(Summary::of(&[f32::NAN; 3], 0).sentence_of_the_past("CPU", Unit::Ratio), "CPU: no data");
    }

    #[test]
    fn the_last_value_may_lag_a_slot_but_not_more() {
        assert_eq!(Summary::of(&[0.5, f32::NAN], 1).last, Some(0.5));
        assert_eq!(Summary::of(&[0.5, f32::NAN, f32::NAN], 1).last, None);
    }

    #[test]
    fn reads_an_instant() {
        let values = [("CPU", Unit::Ratio, Some(0.43)), ("Swap", Unit::Ratio, None)];
        assert_eq!(plain(&reading("14:05:12", &values)), "14:05:12. CPU 43 %. Swap no data");
    }

    #[test]
    fn the_cursor_stays_in_the_window() {
        assert_eq!(move_cursor(None, -1, 10, 20), 20);
        assert_eq!(move_cursor(Some(15), -1, 10, 20), 14);
        assert_eq!(move_cursor(Some(15), -100, 10, 20), 10);
        assert_eq!(move_cursor(Some(3), 1, 10, 20), 10, "a cursor that scrolled out of view comes back in");
    }
}
