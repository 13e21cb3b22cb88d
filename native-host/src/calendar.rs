//! Instants as people and other programs read them, in UTC.

/// RFC 3339, in UTC, to the second: `2024-01-01T00:00:00Z`.
pub(crate) fn rfc3339(unix_millis: u64) -> String {
    let (day, minute) = day_and_minute(unix_millis);
    format!("{day}T{minute}:{:02}Z", unix_millis / 1_000 % 60)
}

/// For people, to the minute: `2024-01-01 00:00 UTC`.
pub(crate) fn minute(unix_millis: u64) -> String {
    let (day, minute) = day_and_minute(unix_millis);
    format!("{day} {minute} UTC")
}

/// `2024-01-01` and `00:00`.
pub(crate) fn day_and_minute(unix_millis: u64) -> (String, String) {
    let minutes = unix_millis / 60_000;
    let (year, month, day) = date(minutes / 1_440);
    (format!("{year:04}-{month:02}-{day:02}"), format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60))
}

/// Year, month and day of a day since 1970, in the Gregorian calendar: H. Hinnant's `civil_from_days`.
fn date(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that the leap day is the last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_and_turns_of_years_are_right() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds * 1_000 + 999), text);
            assert_eq!(minute(seconds * 1_000).replace(' ', "T"), format!("{}TUTC", &text[..16]));
        }
    }
}
