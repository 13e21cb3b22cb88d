//! Local time by the name of a time zone, from the system's data base.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use quillwork_core::time::Instant;

/// How far local time is ahead of UTC, and when that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LocalTime {
    /// Minutes at first.
    pub(super) offset_minutes: i16,
    /// Instants and the minutes from then on.
    pub(super) changes: Vec<(Instant, i16)>,
}

/// Changes of these years are known beforehand, so that the rules of a file are the same whenever it is read: 2020 to 2070, in seconds
/// since 1970.
const FROM_SECONDS: i64 = 1_577_836_800;
const TO_SECONDS: i64 = 3_155_760_000;

impl LocalTime {
    /// Of a zone such as `Europe/Berlin`.
    pub(super) fn of_zone(name: &str) -> Result<Self, String> {
        let zone = TimeZone::get(name).map_err(|_| {
            format!(
                "this system knows no time zone {name:?}; write one as \"Europe/Berlin\" (`timedatectl list-timezones` \
                 lists them; where there are none install the package tzdata), or give `utc_offset`"
            )
        })?;
        let second = |seconds| Timestamp::from_second(seconds).expect("these years are in range");
        let (from, to) = (second(FROM_SECONDS), second(TO_SECONDS));
        let minutes = |at: Timestamp| i16::try_from(zone.to_offset(at).seconds() / 60).unwrap_or(0);
        let mut local = Self { offset_minutes: minutes(from), changes: Vec::new() };
        for change in zone.following(from).take_while(|change| change.timestamp() < to) {
            let (at, now) = (change.timestamp(), minutes(change.timestamp()));
            let before = local.changes.last().map_or(local.offset_minutes, |(_, minutes)| *minutes);
            // Some changes are of the name alone.
            if now != before {
                let seconds = u64::try_from(at.as_second()).unwrap_or(0);
                local.changes.push((Instant::from_secs(seconds), now));
            }
        }
        Ok(local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes that local time is ahead at an instant.
    fn at(local: &LocalTime, seconds: u64) -> i16 {
        let now = Instant::from_secs(seconds);
        local
            .changes
            .iter()
            .rev()
            .find(|(at, _)| *at <= now)
            .map_or(local.offset_minutes, |(_, minutes)| *minutes)
    }

    #[test]
    fn summer_time_begins_and_ends_when_it_does_there() {
        let Ok(berlin) = LocalTime::of_zone("Europe/Berlin") else {
            eprintln!("skipped: this system has no time zones (tzdata)");
            return;
        };
        // 2026-03-29 and 2026-10-25, 01:00 UTC; 2065 is told by the rule that goes on.
        for (seconds, before, after) in
            [(1_774_746_000, 60, 120), (1_792_890_000, 120, 60), (3_005_514_000, 60, 120)]
        {
            assert_eq!((at(&berlin, seconds - 1), at(&berlin, seconds)), (before, after), "{seconds}");
        }
        let sydney = LocalTime::of_zone("Australia/Sydney").unwrap();
        assert_eq!(
            (at(&sydney, 1_767_225_600), at(&sydney, 1_782_864_000)),
            (660, 600),
            "summer is in January"
        );
        let kolkata = LocalTime::of_zone("Asia/Kolkata").unwrap();
        assert_eq!(kolkata, LocalTime { offset_minutes: 330, changes: vec![] });
    }

    #[test]
    fn an_unknown_zone_is_told_what_to_write() {
        for name in ["Europe/Berlim", "", "../etc/passwd", "CEST+1"] {
            let wrong = LocalTime::of_zone(name).unwrap_err();
            assert!(wrong.contains(&format!("{name:?}")) && wrong.contains("Europe/Berlin"), "{wrong}");
        }
    }
}
