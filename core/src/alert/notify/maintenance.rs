//! Times of the week when nobody is told.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::labels::Matcher;
use crate::time::Instant;

/// A time of the week when alerts that match are muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// What people call it.
    pub name: String,
    /// All must match; with none it is for all alerts.
    pub matchers: Vec<Matcher>,
    /// On which days it begins, Monday first.
    pub weekdays: [bool; 7],
    /// Minute of the local day when it begins, 0 to 1439.
    pub from_minute: u16,
    /// Minute of the local day before which it ends, 1 to 1440. At or before the beginning it is the next day's.
    pub to_minute: u16,
    /// Minutes that local time is ahead of UTC, before the first of `offset_changes`.
    pub utc_offset_minutes: i16,
    /// Instants from which on it is ahead by other minutes, ascending: summer time begins and ends. An hour that clocks leave out is in
    /// no window, one that they repeat is twice.
    pub offset_changes: Vec<(Instant, i16)>,
}

const DAY_MINUTES: i64 = 1_440;

impl Maintenance {
    pub(super) fn is_sound(&self) -> bool {
        let day = 1_440;
        self.weekdays.contains(&true)
            && self.from_minute < day
            && (1..=day).contains(&self.to_minute)
            && self.from_minute != self.to_minute
            && self.utc_offset_minutes.unsigned_abs() < day
            && self.offset_changes.iter().all(|(_, minutes)| minutes.unsigned_abs() < day)
            && self.offset_changes.is_sorted_by(|(a, _), (b, _)| a < b)
    }

    fn offset_minutes(&self, now: Instant) -> i16 {
        let changed = self.offset_changes.partition_point(|(at, _)| *at <= now);
        changed.checked_sub(1).map_or(self.utc_offset_minutes, |last| self.offset_changes[last].1)
    }

    /// Whether an instant of the wall clock lies in it.
    #[must_use]
    pub fn covers(&self, now: Instant) -> bool {
        let minutes = i64::try_from(now.as_millis() / 60_000).unwrap_or(i64::MAX / 2);
        let local = minutes + i64::from(self.offset_minutes(now));
        let (day, minute) = (local.div_euclid(DAY_MINUTES), local.rem_euclid(DAY_MINUTES));
        let (from, to) = (i64::from(self.from_minute), i64::from(self.to_minute));
        let begins_on = |day: i64| {
            // The first day of 1970 was a Thursday.
            let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default();
            self.weekdays[weekday]
        };
        if from < to {
            begins_on(day) && (from..to).contains(&minute)
        } else {
            (begins_on(day) && minute >= from) || (begins_on(day - 1) && minute < to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// 2024-01-01 was a Monday.
    const MONDAY: u64 = 1_704_067_200;

    fn at(day: u64, hour: u64, minute: u64) -> Instant {
        Instant::from_secs(MONDAY + day * 86_400 + hour * 3_600 + minute * 60)
    }

    fn window(days: &[usize], from: u16, to: u16, utc_offset_minutes: i16) -> Maintenance {
        let mut weekdays = [false; 7];
        days.iter().for_each(|&day| weekdays[day] = true);
        Maintenance {
            name: "backup".into(),
            matchers: vec![],
            weekdays,
            from_minute: from,
            to_minute: to,
            utc_offset_minutes,
            offset_changes: vec![],
        }
    }

    #[test]
    fn it_covers_its_hours_on_its_days() {
        let sunday = window(&[6], 120, 240, 0);
        assert!(sunday.covers(at(6, 2, 0)) && sunday.covers(at(6, 3, 59)));
        assert!(!sunday.covers(at(6, 4, 0)) && !sunday.covers(at(6, 1, 59)) && !sunday.covers(at(5, 3, 0)));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let friday_night = window(&[4], 22 * 60, 6 * 60, 0);
        assert!(friday_night.covers(at(4, 23, 0)) && friday_night.covers(at(5, 5, 59)));
        assert!(!friday_night.covers(at(5, 6, 0)) && !friday_night.covers(at(5, 23, 0)));
        assert!(!friday_night.covers(at(4, 5, 0)));
        let all_day = window(&[0], 0, 1_440, 0);
        assert!(all_day.covers(at(0, 0, 0)) && all_day.covers(at(0, 23, 59)) && !all_day.covers(at(1, 0, 0)));
    }

    #[test]
    fn hours_are_local() {
        // Two in the morning in Tokyo is five in the afternoon of the day before.
        let tokyo = window(&[1], 120, 180, 540);
        assert!(tokyo.covers(at(0, 17, 30)) && !tokyo.covers(at(1, 2, 30)));
        let new_york = window(&[0], 22 * 60, 23 * 60, -300);
        assert!(new_york.covers(at(1, 3, 30)));
    }

    #[test]
    fn hours_follow_summer_time() {
        // As in Berlin: two hours ahead from 01:00 UTC on Sunday, an hour ahead again from 01:00 UTC a week later.
        let change = |day, minutes| (at(day, 1, 0), minutes);
        let berlin = Maintenance {
            offset_changes: vec![change(6, 120), change(13, 60)],
            ..window(&[0, 1, 2, 3, 4, 5, 6], 180, 240, 60)
        };
        assert!(
            berlin.covers(at(5, 2, 30)) && !berlin.covers(at(5, 1, 30)),
            "03:30 local is 02:30 in winter"
        );
        assert!(berlin.covers(at(6, 1, 0)) && berlin.covers(at(6, 1, 59)) && !berlin.covers(at(6, 2, 0)));
        assert!(berlin.covers(at(7, 1, 30)) && !berlin.covers(at(7, 2, 30)), "and 01:30 in summer");
        assert!(!berlin.covers(at(13, 1, 30)) && berlin.covers(at(13, 2, 30)));
        let left_out = Maintenance { from_minute: 120, to_minute: 180, ..berlin.clone() };
        let minutes = |day: u64| (0..1_440).filter(|minute| left_out.covers(at(day, 0, *minute))).count();
        assert_eq!((minutes(5), minutes(6), minutes(7), minutes(13)), (60, 0, 60, 120));
        let disordered = Maintenance { offset_changes: vec![change(13, 60), change(6, 120)], ..berlin };
        assert!(!disordered.is_sound());
    }

    #[test]
    fn what_has_no_time_in_it_is_unsound() {
        assert!(window(&[0], 0, 1_440, 0).is_sound());
        for unsound in [
            window(&[], 0, 60, 0),
            window(&[0], 60, 60, 0),
            window(&[0], 0, 1_441, 0),
            window(&[0], 0, 1, 1_440),
        ] {
            assert!(!unsound.is_sound(), "{unsound:?}");
        }
    }
}
